"""The verdict: Great Expectations on the metrics table, and what is written about it."""

from __future__ import annotations

import csv
import json
import logging
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from gate_answer import spoilt
from gate_faults import FAULTS, Fault
from gate_hospital import inputs, warehouse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.quality.gate import Verdict, run_gate
from entrepot.quality.plan import Plan, build_plan

BY_NAME = {fault.name: fault for fault in FAULTS}
CANARIES = ("180057512345678", "jean.dupont@example.org", "06 12 34 56 78")


def _gate(fault: Fault, out: Path) -> Verdict:
    return run_gate(spoilt(fault), inputs(fault.opposed), out)


@pytest.mark.core
def test_a_sound_load_passes_and_says_what_was_asked(tmp_path: Path, plan: Plan) -> None:
    verdict = _gate(Fault("none", "SELECT 1", {}), tmp_path)
    assert verdict.passed
    assert (verdict.failures, verdict.warnings, dict(verdict.quarantined)) == ([], [], {})
    with (tmp_path / "results.csv").open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    assert [line["check_id"] for line in lines] == [item.check_id for item in plan.checks]
    assert {line["status"] for line in lines} == {"passed", "not_applicable"}
    said = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert said["passed"]
    assert said["checks"] == len(plan.checks)
    assert re.fullmatch("[0-9a-f]{64}", said["rules_sha256"])


@pytest.mark.core
def test_a_row_fault_is_quarantined_and_the_rest_passes(tmp_path: Path) -> None:
    verdict = _gate(BY_NAME["measurement_without_date_takes_its_observation"], tmp_path)
    assert verdict.passed
    assert dict(verdict.quarantined) == {"measurement": 1, "observation": 1}
    text = (tmp_path / "quarantine.csv").read_text(encoding="utf-8")
    cause = "required.measurement.measurement_date"
    assert text.splitlines() == [
        "table,key,check_id,reason",
        f"measurement,6001,{cause},NULL in a required field",
        f"observation,7001,parent:{cause},Hangs on a quarantined row: NULL in a required field",
    ]


@pytest.mark.core
@pytest.mark.parametrize(
    "name",
    ["opposed_person", "nir_in_a_note", "row_lost_without_a_trace"],
)
def test_what_must_block_blocks_and_names_the_checks(tmp_path: Path, name: str) -> None:
    fault = BY_NAME[name]
    verdict = _gate(fault, tmp_path)
    assert not verdict.passed
    assert {f.check_id: f.violated for f in verdict.failures} == fault.violated
    assert not json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))["passed"]


@pytest.mark.core
def test_a_warning_is_shown_and_lets_the_load_pass(tmp_path: Path) -> None:
    """21 of 27 drugs lie outside their visit: above 20 rows and 5 %."""
    fault = Fault(
        "many outside",
        """INSERT INTO cdm.visit_occurrence SELECT v.* REPLACE (1100 + i AS visit_occurrence_id,
        DATE '2024-03-01' AS visit_start_date, DATE '2024-03-02' AS visit_end_date)
        FROM (SELECT * FROM cdm.visit_occurrence WHERE person_id = 1) v, range(21) r(i);
        INSERT INTO cdm.visit_detail SELECT d.* REPLACE (2100 + i AS visit_detail_id,
        1100 + i AS visit_occurrence_id)
        FROM (SELECT * FROM cdm.visit_detail WHERE person_id = 1) d, range(21) r(i);
        INSERT INTO etl.lineage SELECT 'visit_occurrence', visit_occurrence_id, 'clinical-1',
        'visit_occurrence-' || visit_occurrence_id, 'source' FROM cdm.visit_occurrence
        WHERE visit_occurrence_id >= 1100;
        INSERT INTO etl.lineage SELECT 'visit_detail', visit_detail_id, 'clinical-1',
        'visit_detail-' || visit_detail_id, 'source' FROM cdm.visit_detail
        WHERE visit_detail_id >= 2100;
        INSERT INTO etl.row_disposition SELECT CASE cdm_table WHEN 'visit_detail' THEN 'movement'
        ELSE 'stay' END, record_key, 1, row_key, 'mapped', '' FROM etl.lineage
        WHERE cdm_table IN ('visit_detail', 'visit_occurrence') AND cdm_id % 1000 >= 100""",
        {},
    )
    connection = spoilt(fault)
    told = inputs()
    counts = {**told.ledger_counts, "stay": 24, "movement": 24}
    verdict = run_gate(connection, type(told)(told.as_of, (), counts), tmp_path)
    assert verdict.passed
    assert {(w.check_id, w.violated, w.denominator) for w in verdict.warnings} == {
        ("within_visit.visit_detail.visit_detail_start_date", 21, 24),
        ("within_visit.visit_detail.visit_detail_end_date", 21, 24),
    }


@pytest.mark.core
def test_no_output_holds_a_value_or_calls_out(tmp_path: Path) -> None:
    fault = Fault(
        "canaries",
        f"""UPDATE cdm.note SET note_text = '{CANARIES[0]} {CANARIES[1]}' WHERE note_id = 8001;
        UPDATE cdm.note SET note_title = '{CANARIES[2]}', note_date = NULL WHERE note_id = 8002""",
        {},
    )
    verdict = _gate(fault, tmp_path)
    assert not verdict.passed
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert verdict.data_docs in files
    assert sum(path.suffix == ".html" for path in files) >= 4
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not [canary for canary in CANARIES if canary in text], path
        if path.suffix == ".html":
            assert not re.search(r"<script|<link|<img|src=|url\(|https?://", text), path
    links = re.findall(r'href="([^"#]+)"', verdict.data_docs.read_text(encoding="utf-8"))
    assert links
    assert all((verdict.data_docs.parent / link).is_file() for link in links)


@pytest.mark.core
def test_nothing_is_left_outside_the_given_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch, home = tmp_path / "scratch", tmp_path / "home"
    scratch.mkdir()
    home.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(scratch)
    _gate(Fault("none", "SELECT 1", {}), tmp_path / "out")
    assert list(scratch.iterdir()) == []
    assert list(home.iterdir()) == []
    assert logging.getLogger("great_expectations._docs_decorators").level >= logging.CRITICAL


@pytest.mark.core
def test_the_gate_is_loaded_without_great_expectations() -> None:
    import subprocess
    import sys

    code = "import sys, entrepot.quality.gate; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the gate's own test: a metric that is deleted, nulled or loosened makes it fail ---


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """`etl.metric` of the sound warehouse."""
    connection = warehouse()
    run_gate(connection, inputs(), tmp_path_factory.mktemp("gate"))
    return connection.execute("SELECT * FROM etl.metric").df()


def _validate(metrics: pd.DataFrame, plan: Plan) -> tuple[bool, set[str]]:
    from entrepot.quality.validation import validate

    outcome = validate(metrics, plan)
    return outcome.passed, set(outcome.failing)


def _set(column: str, value: object) -> Callable[[pd.DataFrame, int], pd.DataFrame]:
    def changed(metrics: pd.DataFrame, row: int) -> pd.DataFrame:
        frame = metrics.copy()
        frame[column] = frame[column].astype(object)
        frame.at[row, column] = value
        return frame

    return changed


def _deleted(metrics: pd.DataFrame, row: int) -> pd.DataFrame:
    return metrics.drop(index=row).reset_index(drop=True)


def _replaced(metrics: pd.DataFrame, row: int) -> pd.DataFrame:
    frame = metrics.copy()
    frame.loc[row] = frame.loc[(row + 1) % len(frame)]
    return frame


def _added(metrics: pd.DataFrame, row: int) -> pd.DataFrame:
    extra = metrics.loc[[row]].assign(check_id="invented")
    return pd.concat([metrics, extra], ignore_index=True)


WEAKENINGS: dict[str, Callable[[pd.DataFrame, int], pd.DataFrame]] = {
    "deleted": _deleted,
    "given twice in place of another": _replaced,
    "added": _added,
    "violated nulled": _set("violated", None),
    "remaining nulled": _set("remaining", None),
    "denominator nulled": _set("denominator", None),
    "action nulled": _set("action", None),
    "percent nulled": _set("threshold_percent", None),
    "percent loosened": _set("threshold_percent", 101.0),
    "rows loosened": _set("threshold_rows", 10**6),
    "action loosened": _set("action", "ignore"),
    "severity loosened": _set("severity", "none"),
    "violated negative": _set("violated", -1),
    "denominator negative": _set("denominator", -1),
}


@pytest.mark.core
def test_the_untouched_metrics_pass(metrics: pd.DataFrame, plan: Plan) -> None:
    assert _validate(metrics, plan) == (True, set())


FIRST = {"deleted", "violated nulled", "percent loosened", "rows loosened", "action loosened"}


@pytest.mark.parametrize(
    "weakening",
    [
        pytest.param(name, marks=pytest.mark.core if name in FIRST else pytest.mark.integration)
        for name in WEAKENINGS
    ],
)
def test_a_weakened_metric_fails_the_gate(
    metrics: pd.DataFrame, plan: Plan, weakening: str
) -> None:
    row = 7 * len(weakening)
    passed, _ = _validate(WEAKENINGS[weakening](metrics, row), plan)
    assert not passed


@pytest.mark.integration
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_weakened_metric_fails_the_gate(
    metrics: pd.DataFrame, plan: Plan, data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(metrics) - 1))
    weakening = data.draw(st.sampled_from(sorted(WEAKENINGS)))
    assert not _validate(WEAKENINGS[weakening](metrics, row), plan)[0]


@pytest.mark.core
def test_an_empty_metrics_table_fails_the_gate(metrics: pd.DataFrame, plan: Plan) -> None:
    assert not _validate(metrics.iloc[:0], plan)[0]


@pytest.mark.core
def test_rows_that_quarantine_left_behind_fail_the_gate(metrics: pd.DataFrame, plan: Plan) -> None:
    row = int(metrics.index[metrics["check_id"] == "birth"][0])
    passed, failing = _validate(_set("remaining", 1)(metrics, row), plan)
    assert not passed
    assert failing == {"birth"}


@pytest.mark.core
def test_the_verdict_is_the_plain_rule_for_every_check(metrics: pd.DataFrame, plan: Plan) -> None:
    """One violation above what each threshold allows in 1,000 rows: every blocking check fails."""
    frame = metrics.copy()
    frame["denominator"] = 1000
    allowed = [
        max(item.threshold.rows, int(item.threshold.percent * Decimal(10)))
        for item in (plan.by_id[check_id] for check_id in frame["check_id"])
    ]
    frame["violated"] = allowed
    assert _validate(frame, plan) == (True, set())
    frame["violated"] = [number + 1 for number in allowed]
    passed, failing = _validate(frame, plan)
    assert not passed
    assert failing == {c.check_id for c in plan.checks if c.check.action.value != "warn"}


@pytest.mark.core
def test_metrics_of_other_thresholds_than_the_files_fail(
    metrics: pd.DataFrame, tmp_path: Path
) -> None:
    """A site tightened its file; metrics written with the looser threshold are refused."""
    folder = tmp_path / "quality" / "thresholds"
    folder.mkdir(parents=True)
    (folder / "site.csv").write_text(
        "check,table,field,percent,rows,reason,author_role\n"
        "reference,person,,0,0,Persons are few,data quality lead\n",
        encoding="utf-8",
    )
    assert not _validate(metrics, build_plan([tmp_path]))[0]
