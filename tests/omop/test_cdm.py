"""The model of the CDM against third-party lists of its tables, fields and references."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import FIELDS_FILE, TABLES_FILE, Cdm, load_cdm
from entrepot.resources import data_file

pytestmark = pytest.mark.core

# Where our model departs from the list that DataQualityDashboard 2.8.4 was made from, and why:
# omop_ddl/README.md.
ADDED_REFERENCES = {
    ("episode", "episode_parent_id"): "episode",
    ("note_nlp", "note_id"): "note",
    ("cost", "payer_plan_period_id"): "payer_plan_period",
}
DROPPED_REFERENCES = {("cohort_definition", "cohort_definition_id"): "cohort"}


@pytest.fixture
def cdm() -> Cdm:
    return load_cdm()


def _dqd_lines(shared: Path, check: str) -> Iterator[tuple[str, str, str]]:
    """(heading, table, field) of one check's list in the third-party notes."""
    text = (shared / "reference" / "dqd_checks.md").read_text(encoding="utf-8")
    section = re.search(rf"^\*\*{check}\*\* [^\n]*\n((?:- [^\n]*\n)+)", text, re.MULTILINE)
    assert section, check
    for line in section[1].splitlines():
        heading, _, rest = line.removeprefix("- ").partition(": ")
        for table, fields in re.findall(r"(\w+)\(([^)]*)\)", rest):
            for field in fields.split(", "):
                yield heading, table, field


def _dqd_fields(shared: Path, check: str) -> set[tuple[str, str]]:
    with (shared / "quality" / "dqd_2.8.4_expected.csv").open(encoding="utf-8") as stream:
        return {
            (row["cdmTableName"].lower(), row["cdmFieldName"].lower())
            for row in csv.DictReader(stream)
            if row["checkName"] == check
        }


def test_counts_of_the_specification(cdm: Cdm) -> None:
    assert len(cdm.tables) == 39
    assert sum(len(table.fields) for table in cdm) == 432
    assert [table.name for table in cdm.vocabulary_tables] == [
        *("concept", "vocabulary", "domain", "concept_class", "concept_relationship"),
        *("relationship", "concept_synonym", "concept_ancestor", "source_to_concept_map"),
        "drug_strength",
    ]
    assert {table.name for table in cdm if table.schema == "RESULTS"} == {
        "cohort",
        "cohort_definition",
    }


def test_columns_types_and_keys_equal_the_third_party_list(cdm: Cdm, shared: Path) -> None:
    path = shared / "cohorts" / "cdm54_columns.csv"
    with path.open(encoding="utf-8") as stream:
        expected = [tuple(row.values()) for row in csv.DictReader(stream)]
    yes = {True: "Yes", False: "No"}
    ours = [
        (table.name, field.name, field.type, yes[field.required], yes[field.primary_key])
        for table in cdm
        for field in table.fields
    ]
    assert ours == expected


def test_column_order_equals_a_real_cdm(cdm: Cdm, shared: Path) -> None:
    import duckdb

    folder = shared / "quality" / "synthea27nj_cdm54"
    with duckdb.connect() as connection:
        for table in cdm:
            described = connection.execute(
                f"DESCRIBE SELECT * FROM '{folder / table.name}.parquet'"
            ).fetchall()
            assert tuple(row[0] for row in described) == table.columns, table.name


def test_required_and_primary_keys_equal_the_dashboard(cdm: Cdm, shared: Path) -> None:
    in_scope = {table for table, _ in _dqd_fields(shared, "cdmField")}
    assert len(in_scope) == 31
    fields = [field for table in cdm if table.name in in_scope for field in table.fields]
    required = {(field.table, field.name) for field in fields if field.required}
    keys = {(field.table, field.name) for field in fields if field.primary_key}
    assert required == _dqd_fields(shared, "isRequired")
    assert keys == _dqd_fields(shared, "isPrimaryKey")


def test_references_equal_the_dashboard_but_for_the_stated_departures(
    cdm: Cdm, shared: Path
) -> None:
    expected = {
        (table, field): target.removeprefix("-> ").lower()
        for target, table, field in _dqd_lines(shared, "isForeignKey")
    }
    assert len(expected) == 163
    ours = {
        (field.table, field.name): field.foreign_key.table
        for field in cdm.foreign_keys
        if field.foreign_key and field.table in {table for table, _ in expected}
    }
    assert ours.items() - expected.items() == ADDED_REFERENCES.items()
    assert expected.items() - ours.items() == DROPPED_REFERENCES.items()


def test_domains_and_classes_equal_the_dashboard(cdm: Cdm, shared: Path) -> None:
    fields = [field for table in cdm for field in table.fields]
    domains = {(field.domain, field.table, field.name) for field in fields if field.domain}
    classes = {
        (field.concept_class, field.table, field.name) for field in fields if field.concept_class
    }
    assert domains == set(_dqd_lines(shared, "fkDomain"))
    assert classes == set(_dqd_lines(shared, "fkClass"))


def test_every_reference_has_the_type_of_its_target(cdm: Cdm) -> None:
    for field in cdm.foreign_keys:
        assert field.foreign_key
        target = cdm.table(field.foreign_key.table).field(field.foreign_key.field)
        assert field.kind == target.kind, (field.table, field.name)
        assert target.primary_key, (field.table, field.name)


def test_person_tables_hold_a_person_and_come_in_order(cdm: Cdm) -> None:
    names = [table.name for table in cdm.person_tables]
    assert names[0] == "person"
    assert {"death", "measurement", "note", "visit_detail", "episode", "specimen"} <= set(names)
    assert not {"location", "concept", "note_nlp", "cost", "cohort"} & set(names)


@pytest.mark.parametrize(
    ("table", "field", "identifier"),
    [
        ("person", "year_of_birth", False),
        ("fact_relationship", "fact_id_1", True),
        ("concept_relationship", "concept_id_2", True),
        ("concept_ancestor", "min_levels_of_separation", False),
        ("drug_strength", "box_size", False),
        ("concept", "domain_id", False),
        ("measurement", "measurement_event_id", True),
    ],
)
def test_identifiers_are_told_from_numbers(
    cdm: Cdm, table: str, field: str, identifier: bool
) -> None:
    assert cdm.table(table).field(field).identifier is identifier


def test_length_is_that_of_the_specification(cdm: Cdm) -> None:
    assert cdm.table("concept").field("concept_name").length == 255
    assert cdm.table("note").field("note_text").length is None
    assert cdm.table("note").field("note_text").kind == "text"
    assert cdm.table("person").field("person_id").length is None


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("person,year_of_birth,integer", "person,year_of_birth,number", ":4"),
        ("person,location_id,integer,no,no,location,location_id", "person,l,integer,no,no,x,y", ""),
        ("person,location_id,integer,no,no,location,", "person,location_id,integer,no,no,,", ":10"),
        ("person,year_of_birth", "person,Year", ":4"),
        ("person,year_of_birth", "person,month_of_birth", ""),
        ("person,year_of_birth,integer,yes", "person,year_of_birth,integer,true", ":4"),
        ("person,year_of_birth", "persons,year_of_birth", "cdm54_tables"),
        ("table,field,type", "table,column,type", ":1"),
        ("Number of devices.", "Number of devices.,more", ""),
    ],
)
def test_a_site_file_that_breaks_the_format_is_refused(
    tmp_path: Path, old: str, new: str, line: str
) -> None:
    folder = tmp_path / "omop_ddl"
    folder.mkdir()
    for name in (FIELDS_FILE, TABLES_FILE):
        text = data_file(name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError) as fault:
        load_cdm([tmp_path])
    assert line in fault.value.where
    assert "cdm54_" in fault.value.where


def test_a_site_file_replaces_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "omop_ddl").mkdir()
    text = data_file(FIELDS_FILE).read_text(encoding="utf-8")
    wider = text.replace("location,county,varchar(20)", "location,county,varchar(60)")
    (tmp_path / FIELDS_FILE).write_text(wider, encoding="utf-8")
    assert load_cdm([tmp_path]).table("location").field("county").length == 60
    assert load_cdm().table("location").field("county").length == 20
