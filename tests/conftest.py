"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sparks import Running

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """Test material that nobody of this project wrote; it lies beside a checkout or nowhere."""
    folder = Path(os.environ.get("ENTREPOT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared test material is not on this machine (ENTREPOT_SHARED)")
    return folder


@pytest.fixture(scope="session")
def sparks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The process's one Spark session; test files that use it name the group `spark`."""
    from sparks import running

    with running(tmp_path_factory.mktemp("spark")) as started:
        yield started


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in a hook of the same name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file share their fixtures, so they share a process; `spread` tests do not.

    Files that name a group of their own share a process with one another (Spark's session).
    """
    for item in items:
        apart = item.get_closest_marker("spread") or item.get_closest_marker("xdist_group")
        if apart is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
