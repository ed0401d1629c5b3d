"""One hospital told in one format and in three: the same facts, the same rows, the same ids.

What may differ, and why: `*_source_value` and `*_type_concept_id` (each format has its own codes
and contexts); `provider_id` of PMSI diagnoses and acts (a Claim names no physician per diagnosis);
notes, whose text each format writes in its own way, and the narrative of CDA documents, which no
other format carries; observation periods, which such a narrative may lengthen.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from outcomes import counted

from entrepot.config import CONFIG_NAME, Site
from entrepot.synthetic import generate
from roads import feed_hospital, new_site, query, travel

pytestmark = [pytest.mark.integration]

PATIENTS, SEED = 40, 11
AS_OF = "\nas_of: 2025-12-31\n"  # the last message is not the same one in every format

COMPARED = {
    "person": "person_id, gender_concept_id, year_of_birth, month_of_birth, location_id",
    "visit_occurrence": "visit_occurrence_id, person_id, visit_concept_id, visit_start_datetime,"
    " visit_end_datetime, care_site_id, provider_id, admitted_from_concept_id,"
    " discharged_to_concept_id, preceding_visit_occurrence_id",
    "visit_detail": "visit_detail_id, person_id, visit_detail_concept_id,"
    " visit_detail_start_datetime, visit_detail_end_datetime, care_site_id, visit_occurrence_id,"
    " preceding_visit_detail_id",
    "condition_occurrence": "condition_occurrence_id, person_id, condition_concept_id,"
    " condition_start_datetime, condition_end_datetime, condition_status_concept_id,"
    " visit_occurrence_id",
    "procedure_occurrence": "procedure_occurrence_id, person_id, procedure_concept_id,"
    " procedure_datetime, visit_occurrence_id",
    "drug_exposure": "drug_exposure_id, person_id, drug_concept_id, drug_exposure_start_datetime,"
    " drug_exposure_end_date, quantity, route_concept_id, visit_occurrence_id",
    "measurement": "measurement_id, person_id, measurement_concept_id, measurement_datetime,"
    " operator_concept_id, value_as_number, value_as_concept_id, unit_concept_id, range_low,"
    " range_high, visit_occurrence_id",
    "observation": "observation_id, person_id, observation_concept_id, observation_datetime,"
    " value_as_number, value_as_string, value_as_concept_id, unit_concept_id, visit_occurrence_id",
    "death": "person_id, death_datetime",
    "condition_era": "*",
    "drug_era": "*",
    "fact_relationship": "*",
    "location": "location_id",
    "care_site": "care_site_id",
}


def _told(folder: Path, formats: tuple[str, ...], twice: float) -> Site:
    hospital = folder / "hospital"
    generate(PATIENTS, SEED, hospital, formats=formats, twice=twice)
    site = new_site(folder / "site")
    path = folder / "site" / CONFIG_NAME
    path.write_text(path.read_text(encoding="utf-8") + AS_OF, encoding="utf-8")
    site = Site.open(folder / "site")
    feed_hospital(site, hospital)
    assert travel(site).passed
    assert counted(site).balanced
    return site


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return _told(tmp_path_factory.mktemp("one"), ("hl7v2",), 0)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return _told(tmp_path_factory.mktemp("three"), ("hl7v2", "fhir", "cda"), 0.1)


@pytest.mark.parametrize("table", COMPARED)
def test_the_same_rows_with_the_same_ids(table: str, one: Site, three: Site) -> None:
    columns = COMPARED[table]
    with duckdb.connect() as connection:
        for name, site in (("one", one), ("three", three)):
            connection.execute(f"ATTACH '{site.warehouse}' AS {name} (READ_ONLY)")
        both = [
            connection.execute(
                f"SELECT {columns} FROM {left}.cdm.{table}"
                f" EXCEPT ALL SELECT {columns} FROM {right}.cdm.{table}"
            ).fetchall()
            for left, right in (("one", "three"), ("three", "one"))
        ]
    assert both == [[], []]


def test_every_letter_is_a_note_with_the_same_id(one: Site, three: Site) -> None:
    columns = "note_id, person_id, note_datetime, visit_occurrence_id"
    told_once = set(query(one, f"SELECT {columns} FROM cdm.note"))
    told_thrice = set(query(three, f"SELECT {columns} FROM cdm.note"))
    assert told_once <= told_thrice
    narratives = query(
        three,
        "SELECT DISTINCT s.event FROM cdm.note n JOIN etl.lineage l"
        " ON l.cdm_table = 'note' AND l.cdm_id = n.note_id JOIN"
        f" read_parquet('{three.staging}/*/document/*.parquet') s USING (record_key, row_key)"
        f" WHERE n.note_id NOT IN ({','.join(str(row[0]) for row in told_once)})",
    )
    assert narratives
    assert all(event.startswith("CDA^") for (event,) in narratives)


def test_observation_periods_only_grow(one: Site, three: Site) -> None:
    columns = "person_id, observation_period_start_date, observation_period_end_date"
    wider = query(three, f"SELECT {columns} FROM cdm.observation_period")
    for person, start, end in query(one, f"SELECT {columns} FROM cdm.observation_period"):
        assert any(p == person and s <= start and end <= e for p, s, e in wider)


def test_every_format_tells_some_of_it(three: Site) -> None:
    found = query(
        three,
        "SELECT format, count(DISTINCT category) FROM etl.lineage l JOIN"
        f" read_parquet('{three.staging}/*/event/*.parquet') s USING (record_key, row_key)"
        " WHERE l.role = 'source' GROUP BY format",
    )
    assert {name for name, _ in found} == {"hl7v2", "fhir", "cda"}


def test_what_is_told_twice_is_one_row_with_both_in_its_lineage(three: Site) -> None:
    (duplicates,) = query(
        three,
        "SELECT count(*) FROM etl.row_disposition WHERE kind = 'event'"
        " AND disposition = 'duplicate_of'",
    )[0]
    assert duplicates > 20
    (unlike,) = query(
        three,
        "SELECT count(*) FROM etl.lineage d LEFT JOIN etl.lineage s"
        " ON s.cdm_table = d.cdm_table AND s.cdm_id = d.cdm_id AND s.role = 'source'"
        " WHERE d.role = 'duplicate_of' AND s.cdm_id IS NULL",
    )[0]
    assert unlike == 0
