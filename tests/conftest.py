"""Fixtures that every test may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import drawn
from calling import Call, Said

if TYPE_CHECKING:
    from sparks import Running

ROOT = Path(__file__).resolve().parent.parent
# A machine under load is slow, which is no fault of what is tested.
_SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "database": None}
settings.register_profile("same", derandomize=True, print_blob=True, **_SLOW)
settings.register_profile("anew", print_blob=True, **_SLOW)
settings.load_profile("anew" if drawn.ANEW else "same")


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


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the program in this process, as its entry point does."""
    from entrepot.cli import main

    def command(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["entrepot", *map(str, words)])
        with pytest.raises(SystemExit) as leaving:
            main()
        captured = capsys.readouterr()
        code = leaving.value.code
        return Said(code if isinstance(code, int) else 1, captured.out, captured.err)

    return command


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in a hook of the same name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file share their fixtures, so they share a process; `spread` tests do not.

    Files that name a group of their own share a process with one another (Spark's session).
    """
    for item in items:
        apart = item.get_closest_marker("spread") or item.get_closest_marker("xdist_group")
        if apart is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with drawn.drawing(item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Iterator[None]:
    """By the test only where the fixture is made for it: which test comes first is no matter."""
    with drawn.drawing(f"{request.node.nodeid} {fixturedef.baseid} {fixturedef.argname}"):
        return (yield)
