"""What FHIR and CDA add to persons, rights and facts: records that wait for their Patient, names
that come later, opposition by a number that the records do not state, one fact told again.
"""

from __future__ import annotations

import base64
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from entrepot.config import Site
from entrepot.keys import PERSON
from properties.made import OID, cda, deletion, filler, observation, oru, patient, resource, result
from properties.made import pq as grams
from properties.stages import FIXED, Sites, Warehouse, derive, differing, land, oppose, pseudonymise
from properties.told import Told
from roads import keyring

pytestmark = pytest.mark.integration

DAY = ("20240330120000", "20240331120000", "20240401120000")
OTHER = [patient("p9", "6600900"), observation("o9", "p9", 9)]  # somebody else, always there


def _query(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse.candidate), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _derived(sites: Sites, *loads: list[Told]) -> Warehouse:
    site = sites.new(FIXED)
    for load in loads:
        land(site, load)
    return derive(site)


def test_an_observation_waits_in_quarantine_for_its_patient(sites: Sites) -> None:
    who, what = patient("p1", "6600100"), observation("o1", "p1", 5)
    site = sites.new(FIXED)
    land(site, [*OTHER, what])
    waiting = derive(site)
    assert waiting.dispositions == {("staged", ""): 2, ("quarantined", "subject_unknown"): 1}
    assert _query(waiting, "SELECT value_as_number::INT FROM cdm.measurement") == [(9,)]
    land(site, [who])
    found = derive(site)
    assert found.dispositions == {("staged", ""): 4}
    assert len(_query(found, "SELECT 1 FROM cdm.measurement")) == 2
    assert differing(found, _derived(sites, [*OTHER, who, what])) == []


def test_a_patient_that_is_deleted_leaves_its_observations_without_a_person(sites: Sites) -> None:
    """Nobody else says who `Patient/p1` is: in whatever order, nothing of it is published."""
    who, what = patient("p1", "6600100"), observation("o1", "p1", 5)
    gone = deletion("Patient", "p1", DAY[2])
    found = [
        _derived(sites, [*OTHER, *order])
        for order in ([who, what, gone], [gone, what, who], [what, gone, who])
    ]
    assert [differing(one, found[0]) for one in found] == [[], [], []]
    assert _query(found[0], "SELECT value_as_number::INT FROM cdm.measurement") == [(9,)]


def test_a_name_learnt_from_a_resource_scrubs_a_document(sites: Sites) -> None:
    letter = cda("d1", "6600200", DAY[0], text="Examen fait avec Cerise ce jour, ventre souple")
    learnt = patient("p2", "6600200", DAY[1], name="CERISE")
    site = sites.new(FIXED)
    land(site, [letter])
    (before,) = _query(derive(site), "SELECT note_text FROM cdm.note")
    assert "Cerise" in before[0]  # no name yet: else this would prove nothing
    land(site, [learnt])
    found = derive(site)
    (after,) = _query(found, "SELECT note_text FROM cdm.note")
    assert "Cerise" not in after[0]
    assert "ventre souple" in after[0]
    assert differing(found, _derived(sites, [learnt], [letter])) == []
    # the name was withdrawn with the version that stated it, but a name once stated is looked for
    land(site, [patient("p2", "6600200", DAY[2], name="MARTIN")])
    (later,) = _query(derive(site), "SELECT note_text FROM cdm.note")
    assert "Cerise" not in later[0]


def _keys(site: Site) -> set[str]:
    return {
        value
        for path in site.staging.rglob("*.parquet")
        for value in pq.read_table(path, columns=["person_key"])["person_key"].to_pylist()
    }


def test_opposition_by_ipp_holds_for_what_names_the_patient_by_reference(sites: Sites) -> None:
    opposed = [
        patient("p3", "6600300"), observation("o3", "p3", 5), observation("o4", "p3", 6),
        cda("d3", "6600300", DAY[0], result(grams(7))),
        oru("u3", "6600300", DAY[0], "f3", 8),
    ]  # fmt: skip
    expected = _derived(sites, OTHER)
    for load in (opposed, list(reversed(opposed)), [opposed[1], opposed[0]]):
        site = sites.new(FIXED)
        land(site, [*OTHER, load[0]])
        derive(site)
        oppose(site, ["6600300"])
        pseudonymise(site)
        land(site, load[1:])
        found = derive(site)
        assert differing(found, expected) == []
        key = keyring(site).keyed(PERSON, OID, "6600300")
        assert key not in _keys(site)
        assert found.dispositions["excluded", "opposed_patient"] == len(load)


def test_opposition_holds_when_the_patient_is_deleted(sites: Sites) -> None:
    """Nothing says any more whose `Patient/p6` is; that it was an opposed person's is known."""
    told = [patient("p6", "6600600"), observation("o6", "p6", 5)]
    gone = deletion("Patient", "p6", DAY[2])
    expected = _derived(sites, OTHER)
    site = sites.new(FIXED)
    land(site, [*OTHER, *told])
    oppose(site, ["6600600"])
    derive(site)
    before = _keys(site)
    land(site, [gone])
    found = derive(site)
    assert differing(found, expected) == []
    assert _keys(site) == before  # not under another pseudonym either


def test_the_text_of_a_deleted_patient_is_scrubbed_by_their_names_or_not_staged(
    sites: Sites,
) -> None:
    text = base64.b64encode(b"Examen fait avec Cerise ce jour").decode()
    letter = resource(
        "DocumentReference", "d7", DAY[0], status="current", date="2024-03-30",
        subject={"reference": "Patient/p7"}, type={"coding": [{"code": "11490-0"}]},
        content=[{"attachment": {"contentType": "text/plain", "data": text}}],
    )  # fmt: skip
    site = sites.new(FIXED)
    land(site, [*OTHER, letter, patient("p7", "6600700", name="CERISE")])
    derive(site)
    assert b"Cerise" not in _staged(site)
    land(site, [deletion("Patient", "p7", DAY[2])])
    derive(site)
    assert b"Cerise" not in _staged(site)


def _staged(site: Site) -> bytes:
    """Every text of staging."""
    return "".join(
        str(pq.read_table(path).to_pylist()) for path in site.staging.rglob("*.parquet")
    ).encode()


def test_a_second_telling_of_a_fact_changes_its_lineage_alone(sites: Sites) -> None:
    start = [*OTHER, patient("p5", "6600500"), oru("u5", "6600500", DAY[0], "f5", 5)]
    told = observation("o5", "p5", 5, identifier=filler("f5"))
    report = cda("d5", "6600500", DAY[0], result(grams(5)), text="", order="f5", set_="s5")
    emptied = cda("d6", "6600500", DAY[1], text="", order="f5", set_="s5", version=2)
    site = sites.new(FIXED)
    land(site, [*start, cda("d0", "6600500", DAY[0], text="")])
    before = derive(site)
    assert _lineage(before) == {("hl7v2", "source"): 1, ("fhir", "source"): 1}
    for more, lineage in (
        ([told], {("fhir", "duplicate_of"): 1}),
        ([report], {("fhir", "duplicate_of"): 1, ("cda", "duplicate_of"): 1}),
        ([deletion("Observation", "o5", DAY[2])], {("cda", "duplicate_of"): 1}),
        ([emptied], {}),
    ):
        land(site, more)
        found = derive(site)
        assert differing(found, before) == []
        assert _lineage(found) == {("hl7v2", "source"): 1, ("fhir", "source"): 1} | lineage


def _lineage(warehouse: Warehouse) -> dict[tuple[str, str], int]:
    """(format, role) -> rows of lineage of measurements."""
    staging = f"{warehouse.candidate.parent.parent}/staging/*/event/*.parquet"
    rows = _query(
        warehouse,
        "SELECT s.format, l.role, count(*) FROM etl.lineage l"
        f" JOIN (SELECT DISTINCT record_key, row_key, format FROM read_parquet('{staging}')) s"
        " USING (record_key, row_key) WHERE l.cdm_table = 'measurement' GROUP BY ALL",
    )
    return {(format_, role): count for format_, role, count in rows}
