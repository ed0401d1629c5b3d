"""A release in PostgreSQL: every cell as sent, readable by the named roles and by nobody else."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from entrepot.config import Publish
from entrepot.errors import ConfigurationError, EntrepotError, GateBlockedError
from entrepot.omop.cdm import load_cdm
from entrepot.publish.canonical import dump, dump_sql, table_hashes
from entrepot.publish.postgres import bring_up, hash_postgres, publish_postgres, read_postgres
from entrepot.publish.postgres_hashes import copy_sql
from entrepot.publish.release import publish, read_release
from entrepot.publish.warehouse import open_warehouse
from postgres_server import Given, Server

pytestmark = pytest.mark.integration

CDM = load_cdm()
NUMBERS = itertools.count()

# What CSV, COPY and a careless client get wrong.
TEXTS: list[str | None] = [
    None, "", " ", "  leading and trailing  ", "\\N", "\\.", "a\n\\.\nb", "NULL", "NaN", '"', '""',
    'say "é"', "comma, semicolon; tab\t|", "line\nfeed", "return\r", "both\r\n", "\n", "'quoted'",
    "back\\slash\\", "\b\v\f\x01\x1f\x7f", "œuvre — 37,5 °C", "e\u0301 is not \u00e9", "😀𝔘",
    "\u00a0\u2028\u2029\ufeff", "\uffff", "{1,2}", "%s %(x)s $1 :x", "x" * 3_000_000,
]  # fmt: skip
FLOATS = [None, "nan", "inf", "-inf", "-0.0", "1e-300", "0.1", "123456789.123456789"]
MOMENTS = [
    dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999),
    dt.datetime(2024, 3, 31, 2, 30), dt.datetime(2024, 2, 29, 7, 5, 9, 120), None,
]  # fmt: skip
VALUES = [
    None, Decimal("0.0000000001"), Decimal("-0.5"), Decimal("13.5000000000"), Decimal(0),
    Decimal("9999999999999999999999999999.9999999999"), Decimal(100),
]  # fmt: skip


@pytest.fixture
def settings(server: Server | Given) -> Callable[..., Publish]:
    """Settings of a schema that no other test uses."""
    schema = f"cdm{next(NUMBERS)}"

    def make(**more: object) -> Publish:
        return Publish.model_validate(
            {"url": server.url(), "schema": schema, "wait_seconds": 0, **more}
        )

    return make


@pytest.fixture
def release(make: Callable[..., Path], target: Path) -> Callable[..., Path]:
    """A published DuckDB file of some persons, and of what the statements add."""

    def publish_file(persons: int, *statements: str) -> Path:
        publish(make(persons, *statements), target)
        return target

    return publish_file


@pytest.fixture
def rows(server: Server | Given) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs one statement as a role, the superuser unless named."""

    def run(sql: str, role: str = "") -> list[tuple[Any, ...]]:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            if role:
                connection.execute(f'SET SESSION AUTHORIZATION "{role}"'.encode())
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    return run


def _filled(path: Path) -> None:
    """A candidate with the rows that are hard to carry."""
    with duckdb.connect(str(path)) as connection:
        for number, text in enumerate(TEXTS):
            connection.execute(
                "INSERT INTO cdm.note (note_id, person_id, note_date, note_type_concept_id,"
                " note_class_concept_id, note_title, note_text, encoding_concept_id,"
                " language_concept_id) VALUES (?, 9007199254740991, DATE '0001-01-01', 0, 0, ?, ?,"
                " 0, 0)",
                [number - 2**63, text, text or ""],
            )
        for number, (moment, value) in enumerate(itertools.product(MOMENTS, VALUES)):
            connection.execute(
                "INSERT INTO cdm.measurement (measurement_id, person_id, measurement_concept_id,"
                " measurement_date, measurement_datetime, measurement_type_concept_id,"
                " value_as_number, unit_source_value) VALUES (?, 1, 2147483648, ?, ?, 0, ?, ?)",
                [number, dt.date(9999, 12, 31), moment, value, TEXTS[number % 24]],
            )
        # No key: the lines themselves are the order; two are equal.
        connection.execute(
            "INSERT INTO cdm.death SELECT 2, DATE '2024-01-01', NULL, NULL, 0, x, NULL"
            " FROM unnest(['é', 'Z', 'a', 'a', '', NULL]) AS t(x)"
        )
        for name in ("é", "Z", "a", "Za", "_"):
            connection.execute("INSERT INTO cdm.domain VALUES (?, ?, 1)", [name, name])
        connection.execute(
            "CREATE TABLE etl.metric AS SELECT unnest(?)::DOUBLE AS share, 7::DECIMAL(9,2) AS cost,"
            " (2::HUGEINT << 100) AS large, [1, NULL] AS parts, true AS passed,"
            " TIMESTAMP '2024-03-31 02:30:00.000120' AS at",
            [FLOATS],
        )
        connection.execute("CREATE TABLE etl.run (key VARCHAR, value VARCHAR)")
        for text in TEXTS:
            connection.execute("INSERT INTO etl.run VALUES ('text', ?)", [text])


@pytest.fixture
def hard(make: Callable[..., Path], target: Path) -> Path:
    """A release of rows that are hard to carry."""
    candidate = make(3)
    _filled(candidate)
    publish(candidate, target)
    return target


def test_every_cell_arrives_and_the_hashes_are_equal(
    hard: Path, settings: Callable[..., Publish], rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    done = publish_postgres(hard, settings())
    schema = done.schema
    with open_warehouse(hard) as connection:
        assert table_hashes(connection) == dict(done.hashes)
    assert hash_postgres(settings()) == (dict(done.hashes), dict(done.hashes))
    notes = rows(f"SELECT note_title, note_text FROM {schema}.note ORDER BY note_id")
    assert notes == [(text, text or "") for text in TEXTS]
    found = rows(
        f"SELECT measurement_datetime, value_as_number FROM {schema}.measurement"
        " ORDER BY measurement_id"
    )
    assert found == list(itertools.product(MOMENTS, VALUES))
    texts = rows(f"SELECT value FROM {schema}_etl.run")
    assert sorted(texts, key=str) == sorted([(text,) for text in TEXTS], key=str)
    shares = [str(share) for (share,) in rows(f"SELECT share FROM {schema}_etl.metric")]
    assert sorted(shares) == sorted(str(None if x is None else float(x)) for x in FLOATS)
    others = rows(f"SELECT DISTINCT cost, large, parts, passed, at FROM {schema}_etl.metric")
    moment = dt.datetime(2024, 3, 31, 2, 30, 0, 120)
    assert others == [(Decimal(7), Decimal(2**101), "[1, NULL]", True, moment)]


def test_the_hash_is_that_of_the_specified_dump(
    hard: Path,
    settings: Callable[..., Publish],
    psql: Callable[[str], str],
    server: Server | Given,
) -> None:
    schema = publish_postgres(hard, settings()).schema
    for name in ("note", "measurement", "death", "domain"):
        table = CDM.table(name)
        lines = psql(dump_sql(table, schema, "postgres") + ";").encode()
        with open_warehouse(hard) as connection:
            assert lines == b"".join(dump(connection, table)), name
        with psycopg.connect(server.url()) as plain:
            for unique in (True, False):
                with plain.cursor().copy(copy_sql(table, schema, unique=unique).encode()) as copy:
                    assert b"".join(bytes(line) for line in copy) == lines, (name, unique)


def test_rows_of_one_key_without_a_constraint_are_ordered_by_the_line(
    release: Callable[..., Path],
    settings: Callable[..., Publish],
    psql: Callable[[str], str],
) -> None:
    schema = publish_postgres(release(3), settings()).schema
    psql(f"ALTER TABLE {schema}.person DROP CONSTRAINT pk_person CASCADE;")
    hashes = set()
    for order in ("ASC", "DESC"):
        psql(
            "SET session_replication_role = replica;"
            f"TRUNCATE {schema}.person; INSERT INTO {schema}.person (person_id, gender_concept_id,"
            " year_of_birth, race_concept_id, ethnicity_concept_id)"
            f" SELECT 1, i, 1950, 0, 0 FROM generate_series(1, 9) AS t(i) ORDER BY i {order};"
        )
        hashes.add(hash_postgres(settings())[0]["person"])
    assert len(hashes) == 1


def test_the_next_release_takes_the_place_of_the_former_one(
    release: Callable[..., Path],
    settings: Callable[..., Publish],
    rows: Callable[..., list[tuple[Any, ...]]],
) -> None:
    assert read_postgres(settings()) is None
    first = publish_postgres(release(3, "CREATE TABLE etl.run AS SELECT 1 AS old"), settings())
    second = publish_postgres(release(5), settings())
    schema = second.schema
    assert read_postgres(settings()) == second
    assert first.release_id != second.release_id
    assert second.rows["person"] == 5
    assert rows(f"SELECT count(*) FROM {schema}.person") == [(5,)]
    left = rows(
        f"SELECT nspname::text, obj_description(oid) FROM pg_namespace"
        f" WHERE nspname LIKE '{schema}\\_%' OR nspname = '{schema}' ORDER BY 1"
    )
    mark = f"OMOP CDM v5.4, release {second.release_id} of entrepot"
    assert left == [(schema, mark), (f"{schema}_etl", mark)]
    assert rows(f"SELECT to_regclass('{schema}_etl.run')") == [(None,)]
    made = rows(
        "SELECT contype::text, count(*) FROM pg_constraint"
        f" WHERE connamespace = '{schema}'::regnamespace AND contype IN ('p', 'f') GROUP BY 1"
    )
    assert dict(made) == {"p": 28, "f": len(CDM.foreign_keys)}
    estimated = rows(f"SELECT reltuples FROM pg_class WHERE oid = '{schema}.person'::regclass")
    assert estimated == [(5.0,)]


def test_a_server_is_brought_up_to_the_local_release_once(
    release: Callable[..., Path],
    settings: Callable[..., Publish],
    rows: Callable[..., list[tuple[Any, ...]]],
) -> None:
    file = release(3)
    schema = bring_up(file, settings()).schema
    before = rows(f"SELECT '{schema}.person'::regclass::oid")
    bring_up(file, settings())
    assert rows(f"SELECT '{schema}.person'::regclass::oid") == before
    bring_up(release(4), settings())
    assert rows(f"SELECT count(*) FROM {schema}.person") == [(4,)]


ROLES = "CREATE ROLE {0}_reader; CREATE ROLE {0}_other;"
DENIED = (
    "INSERT INTO {0}.domain VALUES ('x', 'x', 1)",
    "UPDATE {0}.person SET year_of_birth = 1",
    "DELETE FROM {0}.person",
    "TRUNCATE {0}.person",
    "CREATE TABLE {0}.mine (x int)",
    "ALTER TABLE {0}.person ADD x int",
    "DROP TABLE {0}.person",
    "ALTER SCHEMA {0} RENAME TO mine",
    "DO $$ BEGIN LOCK TABLE {0}.person IN EXCLUSIVE MODE; END $$",
    "CREATE TABLE {0}_etl.mine (x int)",
    "SELECT * FROM {0}_etl.run",
    "SELECT * FROM {0}_private.secret",
    "CREATE SCHEMA mine",
)


@pytest.fixture
def guarded(
    release: Callable[..., Path],
    settings: Callable[..., Publish],
    psql: Callable[[str], str],
) -> Iterator[str]:
    """A release with one reader, in a database whose defaults give more than they should."""
    schema = settings().schema_
    psql(ROLES.format(schema))
    psql(
        f"CREATE SCHEMA {schema}_private; CREATE TABLE {schema}_private.secret AS SELECT 1;"
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {schema}_other, PUBLIC;"
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO {schema}_other, {schema}_reader;"
    )
    file = release(3, "CREATE TABLE etl.run AS SELECT 1 AS x")
    try:
        publish_postgres(file, settings(readers=[f"{schema}_reader"]))
        yield schema
    finally:
        psql(
            f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM {schema}_other, PUBLIC;"
            f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM {schema}_other, {schema}_reader;"
        )


def test_a_reader_reads_the_release_and_can_do_nothing_else(
    guarded: str, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    reader = f"{guarded}_reader"
    assert rows(f"SELECT count(*) FROM {guarded}.person", reader) == [(3,)]
    assert len(rows(f"SELECT * FROM {guarded}_etl.release", reader)) == 39
    for statement in DENIED:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(statement.format(guarded), reader)


def test_a_reader_can_verify_the_release(
    guarded: str, settings: Callable[..., Publish], server: Server | Given
) -> None:
    url = server.url()
    as_reader = f"{url}{'&' if '?' in url else '?'}options=-crole%3D{guarded}_reader"
    now, stated = hash_postgres(settings(url=as_reader))
    assert now == stated
    found = read_postgres(settings(url=as_reader))
    assert found is not None
    assert found.rows["person"] == 3


def test_another_role_sees_nothing(
    guarded: str, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    other = f"{guarded}_other"
    for table in (f"{guarded}.person", f"{guarded}_etl.release"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(f"SELECT * FROM {table}", other)
    granted = rows(
        "SELECT DISTINCT grantee::regrole::text, privilege_type FROM pg_class,"
        f" aclexplode(relacl) WHERE relnamespace = '{guarded}'::regnamespace"
        " AND grantee <> relowner"
    )
    assert granted == [(f"{guarded}_reader", "SELECT")]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("CREATE VIEW {0}_study.v AS SELECT * FROM {0}.person", "view {0}_study.v"),
        (
            "CREATE MATERIALIZED VIEW {0}_study.v AS SELECT * FROM {0}.note",
            "materialized view {0}_study.v",
        ),
        (
            "CREATE TABLE {0}_study.t (p BIGINT REFERENCES {0}.person)",
            "constraint t_p_fkey on table {0}_study.t",
        ),
        (
            "CREATE FUNCTION {0}_study.f() RETURNS BIGINT BEGIN ATOMIC"
            " SELECT count(*) FROM {0}.person; END",
            "function {0}_study.f()",
        ),
        ("CREATE TABLE {0}.cohort_of_mine (x int)", "table {0}.cohort_of_mine"),
        ("CREATE FUNCTION {0}.f() RETURNS int RETURN 1", "function {0}.f()"),
        ("CREATE TABLE {0}_etl.of_mine (x int)", "table {0}_etl.of_mine"),
        (
            "CREATE POLICY one_site ON {0}.visit_occurrence USING (care_site_id = 1)",
            "policy one_site on table {0}.visit_occurrence",
        ),
    ],
)
def test_what_others_built_on_the_release_is_not_dropped_without_a_word(
    release: Callable[..., Path],
    settings: Callable[..., Publish],
    psql: Callable[[str], str],
    spoil: str,
    told: str,
) -> None:
    schema = publish_postgres(release(3), settings()).schema
    psql(f"CREATE SCHEMA {schema}_study; {spoil.format(schema)};")
    with pytest.raises(EntrepotError) as fault:
        publish_postgres(release(5), settings())
    assert told.format(schema) in fault.value.what
    assert psql(f"SELECT count(*) FROM {schema}.person;") == "3\n"
    assert "DROP" in fault.value.remedy


def test_what_others_build_during_the_load_is_not_dropped_either(
    release: Callable[..., Path], settings: Callable[..., Publish], psql: Callable[[str], str]
) -> None:
    schema = publish_postgres(release(3), settings()).schema

    def build(done: int, total: int) -> None:
        if done == 5:
            psql(f"CREATE SCHEMA s{schema}; CREATE VIEW s{schema}.v AS TABLE {schema}.person;")

    with pytest.raises(EntrepotError, match="hangs on it"):
        publish_postgres(release(5), settings(), progress=build)
    assert psql(f"SELECT count(*) FROM s{schema}.v;") == "3\n"


def test_a_schema_of_others_is_never_replaced(
    release: Callable[..., Path], settings: Callable[..., Publish], psql: Callable[[str], str]
) -> None:
    schema = settings().schema_
    for name in (schema, f"{schema}_etl", f"{schema}_next"):
        psql(f"CREATE SCHEMA {name}; CREATE TABLE {name}.mine AS SELECT 7 AS x;")
        with pytest.raises(ConfigurationError) as fault:
            publish_postgres(release(3), settings())
        assert fault.value.where == name
        assert psql(f"SELECT x FROM {name}.mine;") == "7\n"
        psql(f"DROP TABLE {name}.mine;")
        if name == f"{schema}_next":
            psql(f"DROP SCHEMA {name};")
    # An empty one was made for us.
    assert publish_postgres(release(3), settings()).rows["person"] == 3


def test_a_role_that_is_missing_is_told_before_anything_is_written(
    release: Callable[..., Path], settings: Callable[..., Publish], psql: Callable[[str], str]
) -> None:
    with pytest.raises(ConfigurationError, match="no such role: nobody_of_this_name"):
        publish_postgres(release(3), settings(readers=["nobody_of_this_name"]))
    with pytest.raises(ConfigurationError, match="no such role: PUBLIC"):
        publish_postgres(release(3), settings(readers=["PUBLIC"]))
    assert read_postgres(settings()) is None


def test_a_release_whose_tables_are_not_what_it_states_is_not_published(
    release: Callable[..., Path], settings: Callable[..., Publish], psql: Callable[[str], str]
) -> None:
    schema = publish_postgres(release(3), settings()).schema
    changed = release(5)
    changed.chmod(0o644)
    with duckdb.connect(str(changed)) as connection:
        connection.execute("UPDATE cdm.person SET year_of_birth = 1951 WHERE person_id = 2")
    with pytest.raises(EntrepotError, match="something else than was sent") as fault:
        publish_postgres(changed, settings())
    assert fault.value.where == "person"
    assert psql(f"SELECT count(*) FROM {schema}.person;") == "3\n"


@pytest.mark.parametrize(
    ("spoil", "kind", "told"),
    [
        (
            "INSERT INTO cdm.domain SELECT 'DUPONT' || chr(0), 'x', 1",
            EntrepotError,
            r"the character U\+0000.*\[cdm\.domain\]",
        ),
        ("INSERT INTO cdm.domain SELECT 'DUPONT', 'x', i FROM range(2) t(i)", GateBlockedError,
         "is there twice"),
    ],
)  # fmt: skip
def test_what_postgres_cannot_hold_is_told_without_its_value(
    release: Callable[..., Path],
    settings: Callable[..., Publish],
    spoil: str,
    kind: type[EntrepotError],
    told: str,
) -> None:
    publish_postgres(release(3), settings())
    with pytest.raises(kind, match=told) as fault:
        publish_postgres(release(5, spoil), settings())
    assert "DUPONT" not in str(fault.value)
    assert fault.value.__cause__ is None
    found = read_postgres(settings())
    assert found is not None
    assert found.rows["person"] == 3


def test_only_a_release_is_published(
    make: Callable[..., Path], settings: Callable[..., Publish], tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="not a release"):
        publish_postgres(make(3), settings())
    with pytest.raises(ConfigurationError, match="no release to publish"):
        publish_postgres(tmp_path / "none.duckdb", settings())


def test_hashes_tell_a_cell_that_was_changed_by_its_owner(
    release: Callable[..., Path], settings: Callable[..., Publish], psql: Callable[[str], str]
) -> None:
    file = release(3)
    schema = publish_postgres(file, settings()).schema
    psql(f"UPDATE {schema}.person SET person_source_value = 'P1' WHERE person_id = 1;")
    now, stated = hash_postgres(settings())
    assert {name for name in now if now[name] != stated[name]} == {"person"}
    former = read_release(file)
    assert former is not None
    assert stated == dict(former.hashes)
    psql(f"ALTER TABLE {schema}.note DROP COLUMN note_title;")
    with pytest.raises(ConfigurationError, match=f"{schema}.note"):
        hash_postgres(settings())


def test_there_is_nothing_to_verify_before_the_first_release(
    settings: Callable[..., Publish],
) -> None:
    with pytest.raises(ConfigurationError, match="no release of entrepot here yet"):
        hash_postgres(settings())


def test_the_sha256_of_the_server_is_the_same(
    hard: Path, settings: Callable[..., Publish], psql: Callable[[str], str]
) -> None:
    """By another program: psql makes the dump, the standard library hashes it."""
    done = publish_postgres(hard, settings())
    for name in ("person", "note", "death"):
        lines = psql(dump_sql(CDM.table(name), done.schema, "postgres") + ";").encode()
        assert hashlib.sha256(lines).hexdigest() == done.hashes[name]
