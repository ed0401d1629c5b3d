"""Publishes a candidate: a fresh file, made durable, renamed over the former release.

Whatever the moment of a crash, `target` is the old release or the new one, whole. Readers who hold
the old file open keep it until they close it.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.durable import sync
from entrepot.errors import ConfigurationError, EntrepotError, GateBlockedError
from entrepot.omop.cdm import Table, load_cdm
from entrepot.publish.canonical import release_id, table_hashes
from entrepot.publish.ddl import ddl, quoted
from entrepot.publish.warehouse import literal, open_warehouse, query
from entrepot.quality.history import name_release

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["ETL_TABLES", "Release", "open_warehouse", "publish", "query", "read_release"]

# What is published of schema `etl`; any other table or schema is working matter and stays behind.
ETL_TABLES = (
    "row_disposition", "lineage", "quarantine", "concept_resolution", "run", "metric",
    "metric_history", "row_metric", "profile_field", "profile_value",
)  # fmt: skip

_RELEASE_TABLE = (
    "CREATE TABLE etl.release"
    " (release_id VARCHAR NOT NULL, cdm_table VARCHAR NOT NULL,"
    " row_count BIGINT NOT NULL, sha256 VARCHAR NOT NULL)"
)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FULL_WORDS = ("No space left", "File too large", "quota exceeded")
_WRITE_BITS = 0o222


@dataclass(frozen=True, slots=True)
class Release:
    """A published warehouse.

    Args:
        release_id: short hash of the canonical hashes: equal content, equal id.
        hashes: SHA-256 of the canonical dump, by CDM table.
        rows: number of rows, by CDM table.
    """

    release_id: str
    path: Path
    hashes: Mapping[str, str]
    rows: Mapping[str, int]


def publish(
    candidate: Path,
    target: Path,
    *,
    memory_limit: str = "2GB",
    first: Callable[[Path], None] = lambda written: None,
) -> Release:
    """Makes the candidate the release and removes it.

    The published tables are copied into a new file beside `target`: what was deleted or dropped in
    the candidate stays readable in its own free blocks, and never reaches the release.

    Args:
        candidate: DuckDB file with the schemas `cdm` and `etl`, closed by its writer.
        target: the published file (`Site.warehouse`), replaced in one step.
        first: given the new file before it is renamed: what must hold the release earlier.

    Raises:
        GateBlockedError: a required field is empty, which the gate should have found.
        ConfigurationError: there is no candidate, or its tables are not those of the CDM v5.4.
        EntrepotError: the disk is full or the file cannot be written.
        After any of these the former release stands untouched.
    """
    if not candidate.is_file():
        raise ConfigurationError("no candidate to publish", where=str(candidate))
    target.parent.mkdir(parents=True, exist_ok=True)
    following = target.with_name(f".{target.name}.next")
    spill = candidate.with_name(f"{candidate.name}.spill")
    try:
        with _told(target):
            _discard(following)
            hashes, rows = _write(candidate, following, spill, memory_limit)
            _make_durable(following)
            first(following)
            # A log left beside the former release would be replayed into the new one.
            _wal(target).unlink(missing_ok=True)
            os.replace(following, target)
    finally:
        _discard(following)
        shutil.rmtree(spill, ignore_errors=True)
    _settle(target, candidate)
    return Release(release_id(hashes), target, hashes, rows)


def read_release(path: Path) -> Release | None:
    """What the published file says of itself, without reading its tables; None before the first.

    `entrepot verify` computes the hashes again and compares them with these.

    Raises:
        ConfigurationError: the file is not a release.
        EntrepotError: the file cannot be opened.
    """
    import duckdb

    if not path.exists():
        return None
    connection = open_warehouse(path)
    try:
        lines = connection.execute(
            "SELECT release_id, cdm_table, row_count, sha256 FROM etl.release"
        ).fetchall()
    except duckdb.Error:
        lines = []
    finally:
        connection.close()
    if not lines:
        raise ConfigurationError(
            "this file is not a release of entrepot", where=str(path), remedy="entrepot run"
        )
    return Release(
        release_id=str(lines[0][0]),
        path=path,
        hashes={table: sha256 for _, table, _, sha256 in lines},
        rows={table: count for _, table, count, _ in lines},
    )


def _write(
    candidate: Path, following: Path, spill: Path, memory_limit: str
) -> tuple[dict[str, str], dict[str, int]]:
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "preserve_insertion_order": "false",  # else a large copy buffers whole row groups
        "autoload_known_extensions": "false",
    }
    connection = duckdb.connect(config=settings)
    try:
        connection.execute(f"ATTACH {literal(candidate)} AS candidate (READ_ONLY)")
        connection.execute(f"ATTACH {literal(following)} AS release")
        connection.execute("USE release")
        connection.execute(ddl("duckdb"))
        rows = {table.name: _copy(connection, table) for table in load_cdm()}
        _copy_etl(connection)
        hashes = table_hashes(connection)
        _state(connection, hashes, rows)
        name_release(connection, release_id(hashes))
        # Closing would do it too, but without a word when the disk is full.
        connection.execute("CHECKPOINT release")
    finally:
        connection.close()
    return hashes, rows


def _copy(connection: DuckDBPyConnection, table: Table) -> int:
    import duckdb

    columns = ", ".join(quoted(name, "duckdb") for name in table.columns)
    try:
        copied = connection.execute(
            f"INSERT INTO cdm.{table.name} ({columns})"
            f" SELECT {columns} FROM candidate.cdm.{table.name}"
        ).fetchone()
    except duckdb.ConstraintException:
        raise GateBlockedError("a required field is empty", where=f"cdm.{table.name}") from None
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.ConversionException):
        raise ConfigurationError(
            "the candidate's table is missing or is not of the CDM v5.4",
            where=f"cdm.{table.name}",
        ) from None
    return int(copied[0]) if copied else 0


def _copy_etl(connection: DuckDBPyConnection) -> None:
    connection.execute("CREATE SCHEMA etl")
    present = {
        str(name)
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables()"
            " WHERE database_name = 'candidate' AND schema_name = 'etl'"
        ).fetchall()
    }
    for name in ETL_TABLES:
        if name in present:
            connection.execute(f"CREATE TABLE etl.{name} AS FROM candidate.etl.{name}")


def _state(
    connection: DuckDBPyConnection, hashes: Mapping[str, str], rows: Mapping[str, int]
) -> None:
    connection.execute(_RELEASE_TABLE)
    connection.executemany(
        "INSERT INTO etl.release VALUES (?, ?, ?, ?)",
        [(release_id(hashes), table, rows[table], hashes[table]) for table in hashes],
    )


def _make_durable(path: Path) -> None:
    # Closed after a checkpoint, a DuckDB file is alone: a log beside it would be half a release.
    if _wal(path).exists():
        raise EntrepotError("the new release still has a write-ahead log", where=path.name)
    sync(path)
    path.chmod(path.stat().st_mode & ~_WRITE_BITS)


def _settle(target: Path, candidate: Path) -> None:
    try:
        sync(target.parent)
        _discard(candidate)
    except OSError as error:
        raise EntrepotError(
            f"the new release is in place, but the disk failed after it ({error.strerror})",
            where=str(target.parent),
            remedy="check the disk, then run again",
        ) from None


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)
    _wal(path).unlink(missing_ok=True)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Turns what the engine or the system says into an error that holds no value of a row."""
    import duckdb

    try:
        yield
    except (OSError, duckdb.Error) as error:
        full = isinstance(error, OSError) and error.errno in _FULL
        if full or any(words in str(error) for words in _FULL_WORDS):
            raise EntrepotError(
                "the disk is full: the former release stands untouched",
                where=str(target.parent),
                remedy="free space of the size of the warehouse, then run again",
            ) from None
        raise EntrepotError(
            f"the release could not be written ({type(error).__name__}): the former one stands",
            where=str(target),
        ) from None
