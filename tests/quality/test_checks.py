"""Checks and thresholds as data: closed forms, faults named by file and line, portable SQL."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from gate_answer import OF_THE_ROAD
from gate_hospital import inputs
from sqlglot import exp

from entrepot.errors import ConfigurationError
from entrepot.quality.plan import Plan, build_plan, fill
from entrepot.quality.sql import compile_plan

pytestmark = pytest.mark.core

CHECK = """checks:
  - id: zip
    name: Postcode kept
    category: conformance
    severity: fatal
    scope: row
    action: block
    table: location
    field: zip
    violated: t.zip IS NOT NULL
    meaning_fr: Un code postal est resté.
    meaning_en: A postcode was kept.
"""
THRESHOLDS = "check,table,field,percent,rows,reason,author_role\n"
ZIP = "zip,,,0,0,Only the département is kept,data protection officer\n"


def overlay(root: Path, checks: str = CHECK, thresholds: str = THRESHOLDS + ZIP) -> Path:
    """A site's folder with one check file and one threshold file of its own."""
    for name, text in (("checks/own.yaml", checks), ("thresholds/own.csv", thresholds)):
        path = root / "quality" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_site_adds_a_check_by_one_entry_and_its_threshold(tmp_path: Path, plan: Plan) -> None:
    own = build_plan([overlay(tmp_path)])
    assert own.by_id.keys() - plan.by_id.keys() == {"zip"}


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("severity: fatal", "severity: serious"), 5, "severity"),
        (("action: block", "action: block\n    colour: red"), 8, "colour"),
        (("scope: row", "scope: aggregate"), 2, "query"),
        (("    violated: t.zip IS NOT NULL\n", ""), 2, "violated"),
        (("table: location\n    field: zip", "field: zip"), 2, "for_each"),
        (("id: zip", "id: Zip code"), 2, "id"),
        (("checks:", "controls:"), 1, "controls"),
    ],
)
def test_a_faulty_check_is_named_by_file_and_line(
    tmp_path: Path, change: tuple[str, str], line: int, says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_plan([overlay(tmp_path, checks=CHECK.replace(*change))])
    assert caught.value.where.endswith(f"own.yaml:{line}")
    assert says in caught.value.what


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ("zip,,,-1,0,why,who\n", 2),
        ("zip,,,many,0,why,who\n", 2),
        ("zip,,,0,0,,who\n", 2),
        ("zip,,zip,0,0,why,who\n", 2),
        ("zip,,,0,0,why\n", 2),
        (ZIP + ZIP, 3),
    ],
)
def test_a_faulty_threshold_is_named_by_file_and_line(
    tmp_path: Path, lines: str, line: int
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_plan([overlay(tmp_path, thresholds=THRESHOLDS + lines)])
    assert caught.value.where.endswith(f"own.csv:{line}")


@pytest.mark.parametrize(
    ("checks", "thresholds", "says"),
    [
        (CHECK, THRESHOLDS, "zip has no threshold"),
        (CHECK, THRESHOLDS + ZIP + "unknown,,,0,0,why,who\n", "unknown is no check"),
        (CHECK, THRESHOLDS + ZIP + "zip,person,,0,0,why,who\n", "zip.person is no check"),
        (CHECK.replace("t.zip IS", "t.{zap} IS"), THRESHOLDS + ZIP, "no placeholder {zap}"),
        (
            CHECK + "    joins: {x: {relation: nowhere, by: zip}}\n",
            THRESHOLDS + ZIP,
            "no relation 'nowhere'",
        ),
        (CHECK.replace("id: zip", "id: future"), THRESHOLDS, "future is defined twice"),
        (CHECK + "links: {remove: ['*.provider_id']}\n", THRESHOLDS + ZIP, "person.provider_id"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, checks: str, thresholds: str, says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_plan([overlay(tmp_path, checks, thresholds)])
    assert says in caught.value.what


def test_the_most_specific_threshold_wins(tmp_path: Path) -> None:
    lines = "required,note,,9,9,why,who\nrequired,note,note_text,7,7,why,who\n"
    plan = build_plan([overlay(tmp_path, thresholds=THRESHOLDS + ZIP + lines)])
    assert plan.by_id["required.note.note_text"].threshold.rows == 7
    assert plan.by_id["required.note.note_id"].threshold.rows == 9
    assert plan.by_id["required.person.person_id"].threshold.rows == 20


def test_a_site_s_line_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    line = "range,,,3,50,Our analysers print dilutions,head of the laboratory\n"
    plan = build_plan([overlay(tmp_path, thresholds=THRESHOLDS + ZIP + line)])
    limit = plan.by_id["range"].threshold
    assert (str(limit.percent), limit.rows, limit.author_role) == (
        "3", 50, "head of the laboratory",
    )  # fmt: skip
    assert plan.by_id["unit"].threshold.rows == 20


def test_a_site_that_says_it_twice_is_told_so(tmp_path: Path) -> None:
    line = "range,,,3,50,why,who\n"
    with pytest.raises(ConfigurationError) as caught:
        build_plan([overlay(tmp_path, thresholds=THRESHOLDS + ZIP + line + line)])
    assert caught.value.where.endswith("own.csv:4")


def test_the_spread_follows_the_specification(plan: Plan) -> None:
    """Places that the CDM v5.4 specification and DQD name, one of each kind."""
    for check_id in (
        "required.visit_detail.visit_occurrence_id",
        "key.observation_period.observation_period_id",
        "reference.measurement.unit_concept_id",
        "reference.care_site.location_id",
        "domain.visit_occurrence.admitted_from_concept_id",
        "standard.note.note_class_concept_id",
        "type_concept.observation_period.period_type_concept_id",
        "order.procedure_occurrence.procedure_datetime",
        "before_birth.death.death_date",
        "same_person.visit_detail.parent_visit_detail_id",
        "nir.drug_exposure.sig",
        "opposed.person.person_id",
    ):
        assert check_id in plan.by_id
    assert "domain.observation.observation_concept_id" not in plan.by_id
    assert "standard.measurement.measurement_source_concept_id" not in plan.by_id


# What both engines and PostgreSQL know under sqlglot's names; a new one needs a cell test first.
FUNCTIONS = {
    "Abs", "And", "Case", "Cast", "Coalesce", "Count", "DateDiff", "Extract", "If", "Length", "Max",
    "Min", "Or", "RegexpLike", "RegexpFullMatch", "RowNumber", "StrPosition", "Sum",
}  # fmt: skip


def _statements(plan: Plan) -> list[str]:
    compiled = compile_plan(plan, inputs().placeholders)
    queries = [*compiled.relations, *(table.counts() for table in compiled.tables.values())]
    return queries + [
        # What asks the ledger and the release before runs in the candidate alone: DuckDB's file
        # whichever engine derived it.
        fill(item.check.query, item.values)
        for item in plan.checks
        if item.check.query and item.check.file not in OF_THE_ROAD
    ]


def test_the_sql_uses_listed_functions_alone_and_goes_to_every_engine(plan: Plan) -> None:
    for statement in _statements(plan):
        tree = sqlglot.parse_one(statement, read="duckdb")
        used = {type(node).__name__ for node in tree.find_all(exp.Func)}
        assert used <= FUNCTIONS
        assert not list(tree.find_all(exp.Command))
        for dialect in ("spark", "postgres"):
            text = tree.sql(dialect=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)
            assert sqlglot.parse_one(text, read=dialect)
