"""`entrepot quality` as it is typed: exit codes, files, databases that are not as they should."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from omop_hospital import Traits, write_hospital
from typer.testing import CliRunner

from entrepot.cli.main import app
from entrepot.errors import EntrepotError

pytestmark = pytest.mark.integration

Break = Callable[[duckdb.DuckDBPyConnection], object]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean") / "clean.duckdb"
    write_hospital(path, Traits(persons=120))
    return path


def check(database: Path, out: Path, *options: str) -> tuple[int, dict[str, object]]:
    called = CliRunner().invoke(
        app, ["quality", "check", "--database", str(database), "--out", str(out), *options]
    )
    if called.exception is not None and not isinstance(called.exception, SystemExit):
        raise called.exception
    verdict = out / "verdict.json"
    return called.exit_code, json.loads(verdict.read_text()) if verdict.is_file() else {}


def broken(clean: Path, folder: Path, *statements: str) -> Path:
    path = folder / "broken.duckdb"
    path.write_bytes(clean.read_bytes())
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def test_a_clean_database_passes_and_its_files_say_so(clean: Path, tmp_path: Path) -> None:
    code, verdict = check(clean, tmp_path)
    assert (code, verdict["passed"], verdict["blocking"]) == (0, True, [])
    with (tmp_path / "results.csv").open(encoding="utf-8") as stream:
        results = {row["checkId"]: row for row in csv.DictReader(stream)}
    required = results["field_isrequired_person_person_id"]
    rows = duckdb.connect(str(clean), read_only=True).execute("SELECT count(*) FROM cdm.person")
    assert required["numDenominatorRows"] == str(rows.fetchall()[0][0])
    assert (required["passed"], required["failed"], required["severity"]) == ("1", "0", "fatal")
    assert (tmp_path / "quarantine.csv").read_text() == "table,pk,check_id,reason\n"


def test_the_database_is_not_changed(clean: Path, tmp_path: Path) -> None:
    clean.chmod(0o400)
    before = clean.read_bytes()
    assert check(clean, tmp_path)[0] == 0
    assert clean.read_bytes() == before


BLOCKED = {
    "a table is missing": ("DROP TABLE cdm.measurement", "table_cdmtable_measurement"),
    "a column is missing": (
        "ALTER TABLE cdm.person DROP COLUMN year_of_birth", "field_cdmfield_person_year_of_birth",
    ),
    "text in an integer column": (
        "CREATE OR REPLACE TABLE cdm.person AS SELECT * REPLACE (CASE WHEN person_id % 50 = 0"
        " THEN 'x' ELSE CAST(year_of_birth AS VARCHAR) END AS year_of_birth) FROM cdm.person",
        "field_cdmdatatype_person_year_of_birth",
    ),
    "no line in cdm_source": ("DELETE FROM cdm.cdm_source", "entrepot_source_described"),
    "an empty vocabulary": ("DELETE FROM cdm.concept", "entrepot_vocabulary_concept"),
    "a month of birth of 13": (
        "UPDATE cdm.person SET month_of_birth = 13", "entrepot_birth",
    ),
    "no person at all": ("DELETE FROM cdm.person", "field_isforeignkey_death_person_id"),
    "nothing in any table": (
        "".join(f"DELETE FROM cdm.{table};" for table in (
            "person", "observation_period", "visit_occurrence", "visit_detail", "death", "note",
            "condition_occurrence", "procedure_occurrence", "drug_exposure", "measurement",
            "observation", "condition_era", "drug_era", "specimen", "device_exposure",
        )),
        "entrepot_somebody",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BLOCKED)
def test_what_is_wrong_blocks_and_is_named(case: str, clean: Path, tmp_path: Path) -> None:
    statement, check_id = BLOCKED[case]
    code, verdict = check(broken(clean, tmp_path, statement), tmp_path / "out")
    assert code == 3
    assert check_id in {one["check_id"] for one in verdict["blocking"]}  # type: ignore[attr-defined]


def test_an_opposed_person_blocks(clean: Path, tmp_path: Path) -> None:
    opposed = tmp_path / "opposed.txt"
    opposed.write_text("7\n")
    code, verdict = check(clean, tmp_path / "out", "--opposed", str(opposed))
    named = {one["check_id"] for one in verdict["blocking"]}  # type: ignore[attr-defined]
    assert (code, "entrepot_opposed_person_person_id" in named) == (3, True)


def test_dqds_verdicts_on_demand(clean: Path, tmp_path: Path) -> None:
    _, verdict = check(clean, tmp_path, "--compat", "dqd")
    assert (verdict["compat"], verdict["checks"]) == ("dqd", 2374)


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [("absent.duckdb", None, ()), ("text.duckdb", b"no database", ()),
     ("clean.duckdb", b"", ("--schema", "nowhere"))],
)  # fmt: skip
def test_what_cannot_run_is_an_error_of_the_user(
    name: str, content: bytes | None, options: tuple[str, ...], clean: Path, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content or clean.read_bytes())
    with pytest.raises(EntrepotError) as raised:
        check(path, tmp_path / "out", *options)
    assert raised.value.exit_code == 2


def test_results_that_cannot_be_written_are_an_error_of_the_user(
    clean: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EntrepotError) as raised:
        check(clean, tmp_path / "file")
    assert raised.value.exit_code == 2


def test_the_file_for_ares(clean: Path, tmp_path: Path) -> None:
    out = tmp_path / "dq-result.json"
    called = CliRunner().invoke(
        app, ["quality", "export-dqd", "--database", str(clean), "--out", str(out)]
    )
    assert called.exit_code == 0
    document = json.loads(out.read_text())
    assert len(document["CheckResults"]) == document["Overview"]["countTotal"][0] == 2374
    assert document["Metadata"][0]["cdmSourceName"] == "Hôpital"
