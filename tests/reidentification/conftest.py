"""A site with five persons, copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from entrepot.config import Site
from reidentification.desk import Desk, build


@pytest.fixture(scope="session")  # its files share a process
def persons_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return build(tmp_path_factory.mktemp("reidentification"))


@pytest.fixture
def desk(persons_site: Site, tmp_path: Path) -> Desk:
    shutil.copytree(persons_site.root, tmp_path / "site")
    shutil.copytree(persons_site.root.parent / "keys", tmp_path / "keys")
    return Desk(Site.open(tmp_path / "site"))
