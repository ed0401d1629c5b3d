"""The canonical dump: what a line is, that it loses nothing, and that nothing else enters it."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import Kind, Table, load_cdm
from entrepot.publish.canonical import dump, dump_sql, release_id, table_hashes
from entrepot.publish.ddl import ddl

pytestmark = pytest.mark.core

Cell = int | str | Decimal | dt.date | dt.datetime | None
Row = tuple[Cell, ...]

CDM = load_cdm()

MEASUREMENT_COLUMNS = (
    "measurement_id, person_id, measurement_concept_id, measurement_date, measurement_datetime,"
    " measurement_type_concept_id, value_as_number, range_low, unit_source_value"
)
MEASUREMENTS = f"""INSERT INTO {{schema}}.measurement ({MEASUREMENT_COLUMNS}) VALUES
 (10, 1, 3000963, '2024-02-29', '2024-02-29 07:05:09', 32817, 13.50, -0.5, 'g/dL'),
 (9, 1, 3000963, '0999-01-02', '2024-02-29 07:05:09.000120', 32817, 0, 100, ''),
 (-3, 9223372036854775807, 0, '9999-12-31', NULL, 32817, 0.0000000001, NULL, '\\N');"""

# Written by hand from docs/reference/canonical_dump.md; the order is -3, 9, 10: by number.
MEASUREMENTS_DUMP = "\n".join(
    [
        r"-3|9223372036854775807|0|9999-12-31|\N|\N|32817|\N|0.0000000001|\N|\N|\N|\N|\N|\N|\N"
        r"|\N|\N|\\N|\N|\N|\N|\N",
        r"9|1|3000963|0999-01-02|2024-02-29T07:05:09.000120|\N|32817|\N|0|\N|\N|100|\N|\N|\N|\N"
        r"|\N|\N||\N|\N|\N|\N",
        r"10|1|3000963|2024-02-29|2024-02-29T07:05:09|\N|32817|\N|13.5|\N|\N|-0.5|\N|\N|\N|\N"
        r"|\N|\N|g/dL|\N|\N|\N|\N",
        "",
    ]
).replace("|", "\t")

VOCABULARIES = [
    ("é", "after every letter of ASCII", None, "", 1),
    ("Z", "tab\there", "line\nfeed", "return\r", 2),
    ("a", "back\\slash", "\\N", "\b\v\f", 3),
    ("Za", "plain", "\\t", "😀", 4),
]


def _made() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(ddl("duckdb", "cdm"))
    return connection


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return _made()


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row]) -> None:
    marks = ", ".join("?" * len(CDM.table(table).columns))
    for row in rows:
        connection.execute(f"INSERT INTO cdm.{table} VALUES ({marks})", row)


def _hashed(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row]) -> str:
    """The hash of the table when it holds these rows only."""
    connection.execute(f"DELETE FROM cdm.{table}")
    _insert(connection, table, rows)
    return table_hashes(connection, tables=[table])[table]


def _dump(connection: duckdb.DuckDBPyConnection, table: str) -> bytes:
    return b"".join(dump(connection, CDM.table(table)))


def test_a_line_is_what_the_specification_says(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(MEASUREMENTS.format(schema="cdm"))
    assert _dump(connection, "measurement").decode() == MEASUREMENTS_DUMP
    hashes = table_hashes(connection, tables=["measurement"])
    assert hashes == {"measurement": hashlib.sha256(MEASUREMENTS_DUMP.encode()).hexdigest()}


def test_an_empty_table_is_the_hash_of_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    hashes = table_hashes(connection)
    assert list(hashes) == [table.name for table in CDM]
    assert set(hashes.values()) == {hashlib.sha256(b"").hexdigest()}


def test_text_keys_come_in_byte_order(connection: duckdb.DuckDBPyConnection) -> None:
    _insert(connection, "vocabulary", VOCABULARIES)
    lines = _dump(connection, "vocabulary").decode().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["Z", "Za", "a", "é"]


def test_more_rows_than_are_read_at_once(connection: duckdb.DuckDBPyConnection) -> None:
    count = 5000
    connection.execute(
        "INSERT INTO cdm.concept_ancestor SELECT i // 7, i, i % 3, 4"
        f" FROM range({count}) AS t(i) ORDER BY hash(i)"
    )
    lines = [f"{i // 7}\t{i}\t{i % 3}\t4" for i in range(count)]
    assert _dump(connection, "concept_ancestor").decode().splitlines() == sorted(lines)


def _decoded(text: str, kind: Kind) -> Cell:
    """One cell read back by the rules of the specification."""
    if text == r"\N":
        return None
    if kind == "integer":
        return int(text)
    if kind == "float":
        return Decimal(text)
    if kind == "date":
        return dt.date.fromisoformat(text)
    if kind == "datetime":
        return dt.datetime.fromisoformat(text)
    marks = {"\\": "\\", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
    characters = iter(text)
    return "".join(marks[next(characters)] if c == "\\" else c for c in characters)


def _read_back(lines: bytes, table: Table) -> list[Row]:
    return [
        tuple(
            _decoded(cell, field.kind)
            for cell, field in zip(line.split("\t"), table.fields, strict=True)
        )
        for line in lines.decode().split("\n")[:-1]
    ]


# One for all examples of the property tests: making 39 tables takes longer than an example.
SHARED = _made()

TEXT = st.one_of(
    st.none(),
    st.text(alphabet="\\N\t\n\r\b\v\f|'\"aé", max_size=6),
    st.text(alphabet=st.characters(codec="utf-8", min_codepoint=1), max_size=6),
)
BIGINT = st.integers(-(2**63), 2**63 - 1)
NUMBER = st.decimals(allow_nan=False, allow_infinity=False, places=10, max_value=10**27).filter(
    lambda value: abs(value) < 10**27
)
METADATA = st.tuples(
    BIGINT,
    BIGINT,
    BIGINT,
    TEXT.filter(lambda text: text is not None),
    TEXT,
    st.none() | BIGINT,
    st.none() | NUMBER,
    st.none() | st.dates(),
    st.none() | st.datetimes(),
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(METADATA, max_size=5, unique_by=lambda row: row[0]))
def test_the_dump_loses_nothing(rows: Sequence[Row]) -> None:
    SHARED.execute("DELETE FROM cdm.metadata")
    _insert(SHARED, "metadata", rows)
    expected = sorted(rows, key=lambda row: row[0] if isinstance(row[0], int) else 0)
    assert _read_back(_dump(SHARED, "metadata"), CDM.table("metadata")) == expected


DEATH = st.tuples(
    BIGINT, st.dates(), st.none() | st.datetimes(), st.none(), BIGINT, TEXT, st.none()
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(DEATH, min_size=1, max_size=6), seed=st.integers(0, 99))
def test_insertion_order_changes_nothing_and_a_copy_counts(rows: Sequence[Row], seed: int) -> None:
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    tables = (rows, shuffled, [*shuffled, rows[0]])
    hashes = [_hashed(SHARED, "death", table) for table in tables]
    assert hashes[0] == hashes[1] != hashes[2]


def test_rows_of_one_key_are_ordered_by_the_rest() -> None:
    hashes = set()
    for concepts in ((1, 2), (2, 1)):
        made = _made()
        for concept in concepts:
            made.execute(
                "INSERT INTO cdm.condition_era VALUES (7, 1, ?, '2024-01-01', '2024-01-02', 1)",
                [concept],
            )
        hashes.add(table_hashes(made, tables=["condition_era"])["condition_era"])
    assert len(hashes) == 1


CDM_SOURCE = (
    "INSERT INTO cdm.cdm_source VALUES ('EDS', 'EDS', 'H', NULL, NULL, 'v1', DATE '{source}',"
    " DATE '{made}', 'v5.4', 756265, 'v')"
)


def test_only_the_day_of_making_is_left_out() -> None:
    def hashed(source: str, made: str) -> str:
        connection = _made()
        connection.execute(CDM_SOURCE.format(source=source, made=made))
        return table_hashes(connection, tables=["cdm_source"])["cdm_source"]

    assert hashed("2024-01-01", "2024-02-01") == hashed("2024-01-01", "2024-02-02")
    assert hashed("2024-01-01", "2024-02-01") != hashed("2024-01-02", "2024-02-01")


def test_an_unknown_or_missing_table_is_told(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ConfigurationError, match="no such CDM table"):
        table_hashes(connection, tables=["patient"])
    connection.execute("DROP TABLE cdm.note")
    with pytest.raises(ConfigurationError, match=r"cdm\.note"):
        table_hashes(connection)
    connection.execute("CREATE TABLE cdm.note (note_id BIGINT)")
    with pytest.raises(ConfigurationError, match=r"cdm\.note"):
        table_hashes(connection)


def test_a_release_is_named_by_its_hashes() -> None:
    hashes = {"person": "a" * 64, "note": "b" * 64}
    assert release_id(hashes) == release_id(dict(reversed(hashes.items())))
    assert release_id(hashes) != release_id({**hashes, "note": "c" * 64})
    assert release_id(hashes) != release_id({"person": "b" * 64, "note": "a" * 64})
    assert len(release_id(hashes)) == 12


def test_postgres_gives_the_same_lines(
    connection: duckdb.DuckDBPyConnection, psql: Callable[[str], str]
) -> None:
    _insert(connection, "vocabulary", VOCABULARIES)
    connection.execute(MEASUREMENTS.format(schema="cdm"))
    psql(ddl("postgres", "dumped"))
    psql(MEASUREMENTS.format(schema="dumped"))
    for row in VOCABULARIES:
        cells = ", ".join(
            "NULL" if cell is None else str(cell) if isinstance(cell, int) else f"$q${cell}$q$"
            for cell in row
        )
        psql(f"INSERT INTO dumped.vocabulary VALUES ({cells});")
    for name in ("measurement", "vocabulary"):
        lines = psql(dump_sql(CDM.table(name), "dumped", "postgres") + ";")
        assert lines.encode() == _dump(connection, name), name


def test_text_is_escaped_as_postgres_copy_does(
    connection: duckdb.DuckDBPyConnection, psql: Callable[[str], str]
) -> None:
    _insert(connection, "vocabulary", VOCABULARIES)
    psql(ddl("postgres", "copied"))
    values = ", ".join(
        "(" + ", ".join("NULL" if c is None else f"$q${c}$q$" for c in row[:4]) + f", {row[4]})"
        for row in VOCABULARIES
    )
    psql(f"INSERT INTO copied.vocabulary VALUES {values};")
    copied = psql(
        'COPY (SELECT * FROM copied.vocabulary ORDER BY vocabulary_id COLLATE "C") TO STDOUT;'
    )
    assert copied.encode() == _dump(connection, "vocabulary")


def test_every_table_has_a_dump_in_both_dialects(connection: duckdb.DuckDBPyConnection) -> None:
    for table in CDM:
        connection.execute(f"EXPLAIN {dump_sql(table)}")
        assert sqlglot.parse_one(dump_sql(table, dialect="postgres"), dialect="postgres")
