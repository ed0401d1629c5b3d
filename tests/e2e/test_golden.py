"""Patients worked out by hand from the norm: one site, one run of the road, every row held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import truth_golden
from truth_observed import open_read_only

import roads
from entrepot.config import Site
from entrepot.run import RunResult

pytestmark = pytest.mark.core
CASES = truth_golden.cases()


@dataclass(frozen=True)
class Travelled:
    """The golden site after its run."""

    site: Site
    result: RunResult
    faults: dict[str, list[str]]


@pytest.fixture(scope="module")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Travelled]:
    """Every golden case landed in one site and taken down the whole road, gate included."""
    site = truth_golden.golden_site(tmp_path_factory.mktemp("golden") / "site")
    result = roads.travel(site)
    assert result.published, result.failures
    with open_read_only(site.warehouse) as connection:
        yield Travelled(site, result, truth_golden.faults(connection, roads.keyring(site)))


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_golden_patient(travelled: Travelled, name: str) -> None:
    assert travelled.faults.get(name, []) == []


def test_nobody_else_is_in_the_warehouse(travelled: Travelled) -> None:
    assert travelled.faults.get("strangers", []) == []
    persons = sum(len(case.rows["person"]) for case in CASES)
    assert roads.query(travelled.site, "SELECT count(*) FROM cdm.person") == [(persons,)]


def test_one_message_and_no_row_is_in_quarantine(travelled: Travelled) -> None:
    """The only unsound message is the movement whose ZBE is shifted by one field."""
    assert travelled.result.quarantined == 1
    assert roads.query(travelled.site, "SELECT * FROM etl.quarantine") == []


def test_every_message_file_has_its_expectation() -> None:
    files = {path.stem for path in truth_golden.FOLDER.glob("*.hl7")}
    assert files == {case.name for case in CASES}
    assert len(files) >= 20
