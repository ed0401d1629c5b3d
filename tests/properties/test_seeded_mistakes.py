"""Each seeded mistake is caught: the cases of FHIR, CDA and facts told twice come out wrong."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.truth_mistakes import Mistake, mistakes, outcome
from e2e.truth_road import mapped, pseudonymise
from entrepot.config import Site
from entrepot.feeds import mapping
from entrepot.yaml_files import read_yaml
from properties.cases import cases
from properties.observed import facts, persons
from properties.stages import FIXED, Sites, land
from roads import keyring

pytestmark = pytest.mark.integration
MISTAKES = mistakes(Path(__file__).with_name("mistakes.yaml"))
CASES = cases()
EXPECTED = {case.name: list(case.facts) for case in CASES}


@dataclass(frozen=True)
class Base:
    """The site as it lands, its staging without any mistake, and the facts that come of it."""

    site: Site
    staging: Path
    facts: dict[str, list[str]]


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    """A shipped file of mappings is parsed once, not for each mistake."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping, "read_yaml", functools.cache(read_yaml))
        yield


@pytest.fixture(scope="module")
def base(sites: Sites) -> Base:
    """The newest records arrive first: whoever trusts the order of arrival is wrong."""
    site = sites.new(FIXED)
    land(site, [told for case in CASES for told in reversed(case.records)])
    derived = site.root.with_name(f"{site.root.name}-derived")
    shutil.copytree(site.root, derived)
    staging = pseudonymise(Site.open(derived))
    return Base(site, staging, _facts(site, staging, ()))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_is_caught(
    mistake: Mistake, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = outcome(mistake, base.site, base.staging, tmp_path, monkeypatch, _facts)
    assert found != base.facts, "the cases come out the same"


def test_without_a_mistake_nothing_is_caught(base: Base) -> None:
    assert base.facts == EXPECTED


def test_there_are_enough_mistakes() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 30


def _facts(site: Site, staging: Path, overlays: tuple[Path, ...]) -> dict[str, list[str]]:
    with mapped(site, staging, overlays) as connection:
        return facts(connection, persons(keyring(site), CASES))
