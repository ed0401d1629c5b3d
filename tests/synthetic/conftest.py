"""One synthetic hospital for all the tests of this folder: 60 patients, every case once."""

from __future__ import annotations

import pytest
from synthetic_hospital import Hospital

from entrepot.synthetic import generate


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """60 patients of seed 7."""
    out = tmp_path_factory.mktemp("synthetic") / "out"
    return Hospital(out, generate(60, 7, out))
