"""Each seeded mistake is caught: the golden patients do not come out right with it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import truth_golden
from truth_mistakes import Mistake, mistakes, outcome
from truth_road import mapped, pseudonymise

import roads
from entrepot.config import Site

pytestmark = pytest.mark.integration
MISTAKES = mistakes()


@dataclass(frozen=True)
class Base:
    """The golden site as it lands, its staging without any mistake, and what is wrong then."""

    site: Site
    staging: Path
    faults: dict[str, list[str]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Landed once; mistakes of the door work on copies made before register and door ran."""
    folder = tmp_path_factory.mktemp("mistakes")
    truth_golden.golden_site(folder / "landed")
    shutil.copytree(folder / "landed", folder / "derived")
    site, staging = Site.open(folder / "landed"), pseudonymise(Site.open(folder / "derived"))
    return Base(site, staging, _faults(site, staging, site.overlays))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_is_caught(
    mistake: Mistake, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = outcome(mistake, base.site, base.staging, tmp_path, monkeypatch, _faults)
    assert found != base.faults, "the golden patients come out the same"


def test_without_a_mistake_nothing_is_caught(base: Base) -> None:
    assert base.faults == {}


def test_there_are_enough_mistakes() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 20


def _faults(site: Site, staging: Path, overlays: tuple[Path, ...]) -> dict[str, list[str]]:
    with mapped(site, staging, overlays) as connection:
        return truth_golden.faults(connection, roads.keyring(site))
