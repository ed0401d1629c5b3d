"""Versions, links, references and repetitions in FHIR and CDA: what comes of them is right, and the
same whatever the order of arrival, the division into loads and the detour that was taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

import duckdb
import pytest

from properties.case import Case
from properties.cases import cases
from properties.observed import facts, persons, rows
from properties.stages import FIXED, Sites, derive, land, pseudonymise
from properties.told import Told
from roads import keyring

pytestmark = pytest.mark.integration

CASES = cases()
NAMES = [case.name for case in CASES]
Loads = list[list[Told]]


@dataclass(frozen=True)
class Derived:
    """By case: its facts and its rows; and (disposition, reason) -> records."""

    facts: dict[str, list[str]]
    rows: dict[str, list[str]]
    dispositions: dict[tuple[str, str], int]


def _at_once(case: Case) -> Loads:
    return [list(case.records)]


def _backwards(case: Case) -> Loads:
    return [list(reversed(case.records))]


def _one_by_one(case: Case) -> Loads:
    return [[told] for told in case.records]


def _one_by_one_backwards(case: Case) -> Loads:
    return [[told] for told in reversed(case.records)]


def _twice(case: Case) -> Loads:
    return [list(case.records), list(reversed(case.records))]


def _plainly(case: Case) -> Loads:
    return [list(case.plain or case.records)]


WAYS: dict[str, tuple[Callable[[Case], Loads], str]] = {
    "backwards": (_backwards, "bundle"),
    "one_by_one": (_one_by_one, "alone"),
    "one_by_one_backwards": (_one_by_one_backwards, "gz"),
    "twice": (_twice, "array"),
    "plainly": (_plainly, "searchset"),
}


@pytest.fixture(scope="module")
def told(sites: Sites) -> Callable[[str], Derived]:
    """Each way is told once, to a site of its own."""
    done: dict[str, Derived] = {}

    def tell(way: str) -> Derived:
        if way not in done:
            divide, packing = WAYS.get(way, (_at_once, "lines"))
            done[way] = _derived(sites, [divide(case) for case in CASES], packing)
        return done[way]

    return tell


def _derived(sites: Sites, divided: list[Loads], packing: str) -> Derived:
    site = sites.new(FIXED)
    for load in zip_longest(*divided, fillvalue=()):
        land(site, [one for part in load for one in part], packing)
        pseudonymise(site)
    warehouse = derive(site)
    known = persons(keyring(site), CASES)
    with duckdb.connect(str(warehouse.candidate), read_only=True) as connection:
        return Derived(facts(connection, known), rows(connection, known), warehouse.dispositions)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_what_comes_of_it_is_right(told: Callable[[str], Derived], case: Case) -> None:
    assert told("at_once").facts.get(case.name, []) == list(case.facts)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_way_it_was_told_changes_nothing(
    told: Callable[[str], Derived], case: Case, way: str
) -> None:
    assert told(way).rows.get(case.name) == told("at_once").rows.get(case.name)


def test_nobody_else_is_there(told: Callable[[str], Derived]) -> None:
    assert set(told("at_once").facts) == set(NAMES)


def test_no_record_is_refused(told: Callable[[str], Derived]) -> None:
    """All that is left out is left out by a rule that the cases are about."""
    assert set(told("at_once").dispositions) == {
        ("staged", ""), ("excluded", "superseded_version"), ("excluded", "replaced"),
        ("excluded", "deleted_resource"), ("excluded", "entered_in_error"),
        ("excluded", "not_done"), ("excluded", "nothing_mapped"),
    }  # fmt: skip


def test_deliveries_and_ways_of_packing_are_no_records(told: Callable[[str], Derived]) -> None:
    """The same resource alone, in NDJSON, in a Bundle, zipped or in an array is one record."""
    expected = told("at_once").dispositions
    assert {way: told(way).dispositions == expected for way in WAYS if way != "plainly"} == {
        way: True for way in WAYS if way != "plainly"
    }
