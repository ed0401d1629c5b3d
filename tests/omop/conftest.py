"""The demonstration vocabulary, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrepot.resources import data_folder
from entrepot.vocabulary.load import load_vocabulary


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("omop") / "vocabulary.duckdb"
    load_vocabulary(data_folder("mappings") / "demo_vocabulary", target)
    return target
