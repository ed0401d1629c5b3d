"""The vocabulary folder is loaded again when its content changed, whatever its dates say."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from athena_folder import ALWAYS, MINIMAL, ZERO, write_folder

from entrepot.config import Airflow, Site, SiteConfig
from entrepot.errors import ConfigurationError, SiteBusyError
from entrepot.lock import site_lock
from entrepot.vocabulary.athena import TABLES, find_file
from entrepot.vocabulary.load import read_release
from entrepot.vocabulary.refresh import refresh

pytestmark = pytest.mark.core

METRE = (1, "metre", "Unit", "UCUM", "Unit", "S", "m", *ALWAYS)


def _site(root: Path, folder: Path | None) -> Site:
    (root / "site").mkdir()
    return Site(root / "site", SiteConfig(airflow=Airflow(vocabulary=folder)))


def test_it_loads_what_is_not_loaded_and_nothing_twice(tmp_path: Path) -> None:
    site = _site(tmp_path, write_folder(tmp_path / "athena", MINIMAL))
    loaded = refresh(site)
    assert loaded == read_release(site.vocabulary)
    assert refresh(site) is None


def test_content_counts_and_neither_dates_nor_packing(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "athena", MINIMAL)
    site = _site(tmp_path, folder)
    refresh(site)
    for table in TABLES:
        path = find_file(folder, table)
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
        os.utime(find_file(folder, table), (0, 0))
    assert refresh(site) is None


def test_one_changed_line_is_a_new_release(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "athena", MINIMAL)
    site = _site(tmp_path, folder)
    former = refresh(site)
    write_folder(folder, {**MINIMAL, "CONCEPT": [ZERO, METRE]})
    loaded = refresh(site)
    assert former is not None
    assert loaded is not None
    assert loaded.concepts == 2
    assert loaded.sha != former.sha


def test_a_release_does_not_change_under_a_load(tmp_path: Path) -> None:
    site = _site(tmp_path, write_folder(tmp_path / "athena", MINIMAL))
    with site_lock(site), pytest.raises(SiteBusyError):
        refresh(site)
    refresh(site)
    with site_lock(site):
        assert refresh(site) is None  # a look disturbs nobody


def test_a_site_that_names_no_folder_is_told_the_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"site\.yaml: airflow\.vocabulary"):
        refresh(_site(tmp_path, None))
