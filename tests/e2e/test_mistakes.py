"""Each seeded mistake is caught: with it, the golden patients no longer come out as the norm asks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import roads
import truth_golden
from truth_mistakes import MISTAKES, Mistake
from truth_road import mapped, pseudonymise

from entrepot.config import Site

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Base:
    """The golden site as it lands, and its staging without any mistake."""

    site: Site
    staging: Path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Landed once; mistakes of the door work on copies made before register and door ran."""
    folder = tmp_path_factory.mktemp("mistakes")
    truth_golden.golden_site(folder / "landed")
    shutil.copytree(folder / "landed", folder / "derived")
    site = Site.open(folder / "derived")
    return Base(Site.open(folder / "landed"), _kept(pseudonymise(site), folder / "staging"))


def _kept(staging: Path, folder: Path) -> Path:
    return Path(shutil.copytree(staging, folder))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_is_caught(
    mistake: Mistake, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mistake.at_the_door:
        shutil.copytree(base.site.root, tmp_path / "site")
        mistake.write(tmp_path / "site")
        if mistake.patch is not None:
            mistake.patch(monkeypatch)
        site = Site.open(tmp_path / "site")
        found = _faults(site, pseudonymise(site), site.overlays)
    else:
        mistake.write(tmp_path)
        found = _faults(base.site, base.staging, (tmp_path,))
    assert found, "the golden patients come out right all the same"


def test_without_a_mistake_nothing_is_caught(base: Base) -> None:
    assert _faults(base.site, base.staging, base.site.overlays) == {}


def test_there_are_enough_mistakes() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 20


def _faults(site: Site, staging: Path, overlays: tuple[Path, ...]) -> dict[str, list[str]]:
    with mapped(site, staging, overlays) as connection:
        return truth_golden.faults(connection, roads.keyring(site))
