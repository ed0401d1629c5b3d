"""A site with letters, copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from entrepot.config import Site
from review.letters import build


@pytest.fixture(scope="session")  # its files share a process
def letters_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return build(tmp_path_factory.mktemp("review"))


@pytest.fixture
def site(letters_site: Site, tmp_path: Path) -> Site:
    shutil.copytree(letters_site.root, tmp_path / "site")
    return Site.open(tmp_path / "site")
