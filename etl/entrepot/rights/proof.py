"""The proof is a query: no row of a withdrawn person in any table of either zone's stores."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import Engine, text

from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.keys import Keyring
from entrepot.publish.frozen import kept_files
from entrepot.resources import data_file
from entrepot.road.gone import Gone, read_gone
from entrepot.yaml_files import read_yaml

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FILE = "mappings/privacy/proof.yaml"

_SIZE = re.compile(r"\(\d+(,\d+)?\)")  # of VARCHAR(50), DECIMAL(38,10)

Run = Callable[[str], list[tuple[Any, ...]]]


class Kinds(BaseModel):
    """Which types of columns may hold what; names as the databases give them, in lower case."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ids: frozenset[str]
    keys: frozenset[str]
    neither: frozenset[str]


class ProofRules(BaseModel):
    """The statements, as data."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kinds: Kinds
    statement: str
    id_test: str
    key_test: str
    ids_test: str
    keys_test: str
    columns: str
    zone: dict[str, str]


@dataclass(frozen=True)
class Statement:
    """One statement that was run; its answer is expected to be 0."""

    place: str
    sql: str
    rows: int


@dataclass(frozen=True)
class Proof:
    """All statements.

    Args:
        persons: how many person ids were looked for.
    """

    persons: int
    statements: tuple[Statement, ...]

    @property
    def rows(self) -> int:
        """Rows that should not be there."""
        return sum(one.rows for one in self.statements)

    @property
    def clean(self) -> bool:
        """0 rows in each table of each store; a store that cannot be asked raises."""
        return not self.rows

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the statements and their answers."""
        said = [asdict(one) for one in self.statements]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def prove(site: Site, engine: Engine, keyring: Keyring) -> Proof:
    """Runs one statement for each table of warehouse, staging, study spaces and, for erased
    persons, the identifying zone.

    Raises:
        EntrepotError: a store cannot be opened.
    """
    rules = read_yaml(data_file(FILE, site.overlays), ProofRules)
    gone = read_gone(site, engine, keyring)
    found = [*_core(site, rules, gone), *_staging(site, rules, gone)]
    found += [*_studies(site, rules, gone, keyring), *_zone(engine, rules)]
    return Proof(len(gone.persons), tuple(found))


def _core(site: Site, rules: ProofRules, gone: Gone) -> Iterator[Statement]:
    """The release, as a file and on the server where there is one."""
    if site.warehouse.is_file():
        yield from _file(site.warehouse, "warehouse", rules, gone.persons, gone.keys)
    for path in kept_files(site):
        yield from _file(path, f"kept release {path.stem[:12]}", rules, gone.persons, gone.keys)
    settings = site.config.publish
    if settings.url.get_secret_value():
        scope = f"table_schema IN ('{settings.schema_}', '{settings.schema_}_etl')"
        yield from _server(settings.url, "postgresql", scope, rules, gone.persons, gone.keys)


def _studies(site: Site, rules: ProofRules, gone: Gone, keyring: Keyring) -> Iterator[Statement]:
    """Each study's space, under the ids of that study and under those of the core."""
    from entrepot.study import study_person_id
    from entrepot.study.space import open_spaces

    for space, known in open_spaces(site):
        study = space.study_id
        persons = gone.persons | gone.refused.get(study, frozenset())
        ids = persons | {study_person_id(keyring, study, person) for person in persons}
        if known["target"] == "postgresql":
            scope = f"table_schema = '{space.schema}'"
            url = site.config.studies.url
            yield from _server(url, f"study {study}", scope, rules, ids, gone.keys)
        elif space.file.is_file():
            yield from _file(space.file, f"study {study}", rules, ids, gone.keys)


def _file(
    path: Path, name: str, rules: ProofRules, ids: Collection[int], keys: Collection[str]
) -> Iterator[Statement]:
    from entrepot.publish.warehouse import literal

    with _searching(ids, keys) as connection:
        connection.execute(f"ATTACH {literal(path)} AS store (READ_ONLY)")
        connection.execute("USE store")
        run = _runner(connection)
        columns = run(rules.columns.format(scope="table_catalog = 'store'"))
        yield from _tables(name, columns, rules, run)


def _staging(site: Site, rules: ProofRules, gone: Gone) -> Iterator[Statement]:
    from entrepot.publish.warehouse import literal

    with _searching(gone.persons, gone.keys) as connection:
        run = _runner(connection)
        for folder in sorted(site.staging.glob("[0-9]*/*")):
            if any(folder.glob("*.parquet")):
                table = f"read_parquet({literal(folder / '*.parquet')}, union_by_name = true)"
                described = run(f"DESCRIBE SELECT * FROM {table}")
                columns = [("staging", folder.name, row[0], row[1]) for row in described]
                yield from _tables("staging", columns, rules, run, table)


def _server(
    url: SecretStr, name: str, scope: str, rules: ProofRules, ids: Collection[int],
    keys: Collection[str],
) -> list[Statement]:  # fmt: skip
    """The tables of some schemas in PostgreSQL."""
    from entrepot.publish.postgres_connection import connect, execute, parse_url, told

    address = parse_url(url.get_secret_value())
    with connect(address) as database, told(address.place), database.transaction():
        execute(database, "CREATE TEMP TABLE gone_person (id BIGINT) ON COMMIT DROP")
        execute(database, "CREATE TEMP TABLE gone_key (key TEXT) ON COMMIT DROP")
        execute(database, "INSERT INTO gone_person SELECT unnest(%s::bigint[])", (sorted(ids),))
        execute(database, "INSERT INTO gone_key SELECT unnest(%s::text[])", (sorted(keys),))
        columns = execute(database, rules.columns.format(scope=scope))
        return list(_tables(name, columns, rules, lambda sql: execute(database, sql)))


def _zone(engine: Engine, rules: ProofRules) -> Iterator[Statement]:
    """Numbers and keys of erased persons in the identifying zone."""
    with engine.connect() as connection:
        for name, stated in rules.zone.items():
            postgres = engine.dialect.name == "postgresql"
            sql = stated.replace(_ZEROS, _POSTGRES_ZEROS) if postgres else stated
            rows = connection.execute(text(sql)).scalar_one()
            yield Statement(f"identifying zone {name}", " ".join(sql.split()), int(rows))


_ZEROS = "zeroblob(length(data_key.wrapped_key))"
_POSTGRES_ZEROS = "decode(repeat('00', length(data_key.wrapped_key)), 'hex')"


def _tables(
    store: str, columns: Iterable[tuple[Any, ...]], rules: ProofRules, run: Run, source: str = ""
) -> Iterator[Statement]:
    """One statement a table: every column that could hold an id or a key.

    Raises:
        EntrepotError: a column of a type that nobody said how to look into.
    """
    tables: dict[str, list[str]] = {}
    for schema, table, column, kind in columns:
        tests = tables.setdefault(f"{schema}.{table}", [])
        tests += _tests(column, str(kind), rules, f"{store} {schema}.{table}.{column}")
    for table, tests in tables.items():
        if tests:
            test = " OR ".join(tests)
            sql = rules.statement.format(table=source or table, test=test)
            shown = rules.statement.format(table=table, test=test)
            yield Statement(f"{store} {table}", shown, int(run(sql)[0][0]))


def _tests(column: str, kind: str, rules: ProofRules, where: str) -> list[str]:
    listed = kind.endswith("[]")
    name = _SIZE.sub("", kind.removesuffix("[]")).lower()
    quoted = f'"{column}"'
    if name in rules.kinds.ids:
        return [(rules.ids_test if listed else rules.id_test).format(column=quoted)]
    if name in rules.kinds.keys:
        return [(rules.keys_test if listed else rules.key_test).format(column=quoted)]
    if name in rules.kinds.neither:
        return []
    raise EntrepotError(
        f"the proof does not know how to look into a column of type {name}", where=where,
        remedy=f"add the type to `kinds` in {FILE}, or take the column away",
    )  # fmt: skip


@contextmanager
def _searching(ids: Collection[int], keys: Collection[str]) -> Iterator[DuckDBPyConnection]:
    """An engine of its own with the temporary tables `gone_person` and `gone_key`."""
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect(config={"autoload_known_extensions": "false"})
    try:
        connection.register("ids", pa.table({"id": pa.array(sorted(ids), pa.int64())}))
        connection.register("keys", pa.table({"key": pa.array(sorted(keys), pa.string())}))
        connection.execute("CREATE TEMP TABLE gone_person AS FROM ids")
        connection.execute("CREATE TEMP TABLE gone_key AS FROM keys")
        yield connection
    finally:
        connection.close()


def _runner(connection: DuckDBPyConnection) -> Run:
    return lambda sql: connection.execute(sql).fetchall()
