"""Loading an Athena export: everything as it stands, or a clear error and nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from athena_folder import ALWAYS, MINIMAL, ZERO, lines, write_folder

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import load_cdm
from entrepot.publish.ddl import column_type
from entrepot.vocabulary.athena import TABLES
from entrepot.vocabulary.load import load_vocabulary, read_release

pytestmark = pytest.mark.core

NAMES = ['5" needle', "it's \\ odd", "NA", "null", "Höhe in µm", ""]


def _loaded(folder: Path, tmp_path: Path) -> duckdb.DuckDBPyConnection:
    target = tmp_path / "loaded" / "vocabulary.duckdb"
    load_vocabulary(folder, target)
    return duckdb.connect(str(target), read_only=True)


def _with(**tables: list[tuple[object, ...]]) -> Mapping[str, list[tuple[object, ...]]]:
    return {**MINIMAL, **tables}


def test_tables_are_those_of_the_cdm_specification() -> None:
    """Column names, order, types and NOT NULL, against the specification's own model."""
    cdm = load_cdm()
    for table in TABLES:
        fields = cdm.table(table.name).fields
        assert [(c.name, c.sql_type, c.required) for c in table.columns] == [
            (field.name, column_type(field, "duckdb"), field.required) for field in fields
        ]


def test_names_are_kept_as_they_are_written(tmp_path: Path) -> None:
    """Athena does not quote, and `NA` is the name of LOINC LA12334-1 (OHDSI/ETL-Synthea 125)."""
    rows: list[tuple[object, ...]] = [
        (number, name, "Unit", "UCUM", "Unit", "S", f"c{number}", *ALWAYS)
        for number, name in enumerate(NAMES, start=1)
    ]
    folder = write_folder(tmp_path / "athena", _with(CONCEPT=[ZERO, *rows]))
    with _loaded(folder, tmp_path) as connection:
        found = connection.execute(
            "SELECT concept_name FROM concept WHERE concept_id > 0 ORDER BY concept_id"
        ).fetchall()
    assert [row[0] for row in found] == NAMES


def test_an_empty_synonym_is_no_fault(tmp_path: Path) -> None:
    """Releases had synonyms without a name (OHDSI/CommonDataModel 354, 363)."""
    tables = _with(CONCEPT_SYNONYM=[(0, "", 4180186)])
    with _loaded(write_folder(tmp_path / "athena", tables), tmp_path) as connection:
        assert connection.execute("FROM concept_synonym").fetchall() == [(0, "", 4180186)]


def test_missing_values_dates_and_numbers(tmp_path: Path) -> None:
    strength = (1, 2, "1.5E-3", 8576, "", "", "", "", 30, "20200229", "20991231", "D")
    tables = _with(DRUG_STRENGTH=[strength])
    with _loaded(write_folder(tmp_path / "athena", tables), tmp_path) as connection:
        row = connection.execute(
            "SELECT amount_value, numerator_value, box_size, valid_start_date::VARCHAR,"
            " invalid_reason FROM drug_strength"
        ).fetchone()
    assert row == (Decimal("0.0015000000"), None, 30, "2020-02-29", "D")


def test_release_is_named_and_hashed_by_content(tmp_path: Path) -> None:
    plain = write_folder(tmp_path / "plain")
    packed = write_folder(tmp_path / "packed", packed=True)
    other = write_folder(tmp_path / "other", _with(DOMAIN=[("Unit", "unit", 0)]))
    target = tmp_path / "site" / "vocabulary.duckdb"
    release = load_vocabulary(plain, target)
    assert (release.name, release.concepts) == ("v5.0 29-AUG-25", 1)
    assert read_release(target) == release
    assert load_vocabulary(packed, target).sha == release.sha
    assert load_vocabulary(other, target).sha != release.sha


def test_columns_in_another_order_and_line_ends_of_windows(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "athena")
    (folder / "DOMAIN.csv").write_bytes(
        b"domain_concept_id\tDOMAIN_NAME\tdomain_id\tadded_later\r\n19\tCondition\tC\tx\r\n\r\n"
    )
    with _loaded(folder, tmp_path) as connection:
        assert connection.execute("FROM domain").fetchall() == [("C", "Condition", 19)]


def test_progress_names_every_table_once(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    target = tmp_path / "vocabulary.duckdb"
    load_vocabulary(write_folder(tmp_path / "a"), target, lambda *step: told.append(step))
    assert [step[0] for step in told] == [*(table.name for table in TABLES), ""]
    assert [step[1] for step in told] == list(range(len(TABLES) + 1))


BAD_LINES = {
    "date that does not exist": ("1\tx\tU\tU\tU\tS\tc\t20200230\t20991231\t", "valid_start_date"),
    "text for an id": ("one\tx\tU\tU\tU\tS\tc\t19700101\t20991231\t", "concept_id"),
    "a field too few": ("1\tx\tU\tU\tU\tS\tc\t19700101\t20991231", "number of fields"),
    "a field too many": ("1\tx\tU\tU\tU\tS\tc\t19700101\t20991231\t\tx", "number of fields"),
    "no vocabulary": ("1\tx\tU\t\tU\tS\tc\t19700101\t20991231\t", "vocabulary_id is empty"),
}


@pytest.mark.parametrize(("line", "fault"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_named_and_nothing_changes(line: str, fault: str, tmp_path: Path) -> None:
    target = tmp_path / "site" / "vocabulary.duckdb"
    release = load_vocabulary(write_folder(tmp_path / "good"), target)
    folder = write_folder(tmp_path / "bad")
    good = lines("CONCEPT", [ZERO])
    (folder / "CONCEPT.csv").write_text(good + line + "\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load_vocabulary(folder, target)
    assert fault in raised.value.what
    assert raised.value.where.endswith("CONCEPT.csv, line 3")
    assert read_release(target) == release
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "athena")
    (folder / "DOMAIN.csv").write_bytes(lines("DOMAIN", []).encode() + b"X\tH\xf6he\t0\n")
    with pytest.raises(ConfigurationError, match="UTF-8") as raised:
        load_vocabulary(folder, tmp_path / "v.duckdb")
    assert raised.value.where.endswith("DOMAIN.csv, line 2")


def test_missing_file_column_and_truncated_archive(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "athena", packed=True)
    target = tmp_path / "v.duckdb"
    whole = (folder / "CONCEPT.csv.gz").read_bytes()
    (folder / "CONCEPT.csv.gz").write_bytes(whole[:-12])
    with pytest.raises(ConfigurationError, match=r"CONCEPT\.csv\.gz"):
        load_vocabulary(folder, target)
    (folder / "CONCEPT.csv.gz").unlink()
    with pytest.raises(ConfigurationError, match=r"CONCEPT\.csv is missing"):
        load_vocabulary(folder, target)
    headless = lines("CONCEPT", [ZERO]).replace("invalid_reason", "reason")
    (folder / "CONCEPT.csv").write_text(headless, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="column invalid_reason is missing"):
        load_vocabulary(folder, target)
    with pytest.raises(ConfigurationError, match="no vocabulary folder"):
        load_vocabulary(tmp_path / "nowhere", target)
    assert not target.exists()


NO_RELEASE = {
    "no row None": (_with(VOCABULARY=[("SNOMED", "x", "", "", 0)]), "'None'"),
    "None without a version": (_with(VOCABULARY=[("None", "x", "", "", 0)]), "'None'"),
    "no concept 0": (_with(CONCEPT=[(1, *ZERO[1:])]), "concept 0"),
    "an id twice": (_with(CONCEPT=[ZERO, (7, *ZERO[1:]), (7, *ZERO[1:])]), "twice"),
}


@pytest.mark.parametrize(("tables", "fault"), NO_RELEASE.values(), ids=NO_RELEASE.keys())
def test_what_is_no_release_is_refused(
    tables: Mapping[str, list[tuple[object, ...]]], fault: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        load_vocabulary(write_folder(tmp_path / "athena", tables), tmp_path / "v.duckdb")


def test_no_vocabulary_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no vocabulary is loaded"):
        read_release(tmp_path / "v.duckdb")
    (tmp_path / "text.duckdb").write_text("not a database", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no vocabulary is loaded"):
        read_release(tmp_path / "text.duckdb")


def test_what_a_killed_load_left_is_no_obstacle(tmp_path: Path) -> None:
    target = tmp_path / "vocabulary.duckdb"
    (tmp_path / ".vocabulary.duckdb.loading").write_bytes(b"half a file")
    load_vocabulary(write_folder(tmp_path / "athena"), target)
    assert read_release(target).concepts == 1
