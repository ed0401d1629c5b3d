"""Loads an Athena export into the site's vocabulary file, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.durable import sync
from entrepot.errors import ConfigurationError
from entrepot.vocabulary.athena import TABLES, AthenaTable, find_file, open_bytes, read_header

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str, int, int], None]  # table, tables done, tables in all

_LINE = re.compile(r"CSV Error on Line: (\d+)")
_COLUMN = re.compile(r'converting column "(\w+)"')
_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 20
_BASIS = "SOURCES.csv"


@dataclass(frozen=True)
class VocabularyRelease:
    """What was loaded.

    Args:
        name: the release's own name, `vocabulary_version` of the vocabulary `None`.
        concepts: rows of `concept`.
        sha: SHA-256 over the content of the nine files, the same for plain and gz ones.
    """

    name: str
    concepts: int
    sha: str


def load_vocabulary(
    folder: Path, target: Path, progress: Progress | None = None, *, memory_limit: str = "2GB"
) -> VocabularyRelease:
    """Loads the nine files of `folder` into the DuckDB file `target`.

    The tables have the names and types of CDM v5.4; `release` holds one row (name, sha256,
    concepts) and `concept_basis` what `SOURCES.csv` says of the ids, empty for Athena's own
    exports. An existing file is replaced only by a complete one.

    Args:
        memory_limit: bound of DuckDB's memory; what exceeds it is spilled beside `target`.

    Raises:
        ConfigurationError: a missing file or column, a bad line (with its number), a folder that
            is no release (no concept 0, no vocabulary `None`, a concept id twice).
    """
    import duckdb

    files = {table: find_file(folder, table) for table in TABLES}
    target.parent.mkdir(parents=True, exist_ok=True)
    building = target.with_name(f".{target.name}.loading")
    _discard(building)
    try:
        with duckdb.connect(str(building)) as connection:
            connection.execute("SET preserve_insertion_order = false")
            connection.execute("SET memory_limit = ?", [memory_limit])
            release = _fill(connection, files, progress)
            _load_basis(connection, folder / _BASIS)
        sync(building)
        os.replace(building, target)
        sync(target.parent)
    finally:
        _discard(building)
    return release


def read_release(target: Path) -> VocabularyRelease:
    """The release that `target` holds.

    Raises:
        ConfigurationError: no vocabulary was loaded, or the file is not one.
    """
    import duckdb

    try:
        with duckdb.connect(str(target), read_only=True) as connection:
            row = connection.execute("SELECT name, concepts, sha256 FROM release").fetchone()
    except duckdb.Error:
        row = None
    if row is None:
        raise ConfigurationError(
            "no vocabulary is loaded", where=str(target), remedy="entrepot vocabulary load DIR"
        )
    return VocabularyRelease(str(row[0]), int(row[1]), str(row[2]))


def folder_sha(folder: Path) -> str:
    """The `sha` that loading `folder` would give, without loading it.

    Raises:
        ConfigurationError: a missing file.
    """
    digest = hashlib.sha256()
    for table in TABLES:
        digest.update(_line(table, _content(find_file(folder, table))[0]))
    return digest.hexdigest()


def _line(table: AthenaTable, sha: str) -> bytes:
    return f"{table.name}:{sha}\n".encode()


def _fill(
    connection: duckdb.DuckDBPyConnection,
    files: dict[AthenaTable, Path],
    progress: Progress | None,
) -> VocabularyRelease:
    digest = hashlib.sha256()
    for done, (table, path) in enumerate(files.items()):
        if progress:
            progress(table.name, done, len(files))
        rows = _load_table(connection, table, path)
        sha, lines = _content(path)
        if rows + 1 != lines:
            _check_blank_lines(path, rows)
        digest.update(_line(table, sha))
    release = _checked_release(connection, digest.hexdigest())
    connection.execute("CREATE TABLE release (name VARCHAR, sha256 VARCHAR, concepts BIGINT)")
    connection.execute(
        "INSERT INTO release VALUES (?, ?, ?)", [release.name, release.sha, release.concepts]
    )
    if progress:
        progress("", len(files), len(files))
    return release


def _load_table(connection: duckdb.DuckDBPyConnection, table: AthenaTable, path: Path) -> int:
    """Fills one table; returns its rows."""
    import duckdb

    header = read_header(path, table)
    types = {column.name: column.sql_type for column in table.columns}
    columns = {name: types.get(name, "VARCHAR") for name in header}
    chosen = ", ".join(
        f"coalesce({c.name}, '')" if c.may_be_empty else c.name for c in table.columns
    )
    connection.execute(table.ddl)
    try:
        connection.execute(
            f"INSERT INTO {table.name} SELECT {chosen} FROM read_csv(?, columns = {columns},"
            " delim = '\t', quote = '', escape = '', comment = '', nullstr = '', header = true,"
            f" auto_detect = false, dateformat = '%Y%m%d', max_line_size = {_LONGEST_LINE})",
            [str(path)],
        )
    except duckdb.ConstraintException:
        raise _empty_field(path, table, header) from None
    except duckdb.Error as error:
        raise _bad_line(path, str(error)) from None
    counted = connection.execute(f"SELECT count(*) FROM {table.name}").fetchall()
    return int(counted[0][0])


def _bad_line(path: Path, message: str) -> ConfigurationError:
    """The fault without the line's content: DuckDB's own message repeats the whole line."""
    line, column = _LINE.search(message), _COLUMN.search(message)
    fault = "cannot be read as tab separated text"
    if column:
        fault = f"column {column[1]} holds something else than its type"
    elif "Expected Number of Columns" in message:
        fault = "wrong number of fields"
    elif "unicode" in message:
        fault = "not UTF-8"
    where = f"{path}, line {line[1]}" if line else str(path)
    return ConfigurationError(fault, where=where, remedy="take Athena's file as downloaded")


def _empty_field(path: Path, table: AthenaTable, header: list[str]) -> ConfigurationError:
    """Finds the first line without a mandatory field; only run when there is one."""
    places = [(header.index(name), name) for name in header if name in table.mandatory]
    with open_bytes(path) as stream:
        next(stream)
        for number, line in enumerate(stream, start=2):
            fields = line.rstrip(b"\r\n").split(b"\t")
            for place, name in places:
                if len(fields) > place and fields != [b""] and not fields[place]:
                    return ConfigurationError(
                        f"column {name} is empty",
                        where=f"{path}, line {number}",
                        remedy="take Athena's file as downloaded",
                    )
    return ConfigurationError("an empty mandatory field", where=str(path))


def _content(path: Path) -> tuple[str, int]:
    """SHA-256 of the decompressed content, and its number of lines."""
    digest, lines, last = hashlib.sha256(), 0, b"\n"
    with open_bytes(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return digest.hexdigest(), lines + (last != b"\n")


def _check_blank_lines(path: Path, rows: int) -> None:
    """Blank lines alone may be left out; any other difference is a loss."""
    with open_bytes(path) as stream:
        filled = sum(1 for line in stream if line.strip(b"\r\n"))
    if rows + 1 != filled:
        raise ConfigurationError(
            f"{filled - 1} lines but {rows} rows",
            where=str(path),
            remedy="take Athena's file as downloaded",
        )


def _checked_release(connection: duckdb.DuckDBPyConnection, sha: str) -> VocabularyRelease:
    names = connection.execute(
        "SELECT DISTINCT vocabulary_version FROM vocabulary WHERE vocabulary_id = 'None'"
    ).fetchall()
    if len(names) != 1 or not names[0][0]:
        raise ConfigurationError(
            "the vocabulary 'None', whose version names the release, is not there once",
            where="VOCABULARY.csv",
            remedy="take Athena's file as downloaded",
        )
    concepts, distinct, zero = connection.execute(
        "SELECT count(*), count(DISTINCT concept_id), count(*) FILTER (concept_id = 0) FROM concept"
    ).fetchall()[0]
    if concepts != distinct or zero != 1:
        what = "a concept id is there twice" if zero else "concept 0 is missing"
        raise ConfigurationError(
            what, where="CONCEPT.csv", remedy="take Athena's file as downloaded"
        )
    return VocabularyRelease(str(names[0][0]), int(concepts), sha)


def _load_basis(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The demonstration vocabulary says of each concept whether another table confirms it."""
    connection.execute(
        "CREATE TABLE concept_basis (concept_id BIGINT, status VARCHAR, basis VARCHAR)"
    )
    if path.is_file():
        connection.execute(
            "INSERT INTO concept_basis SELECT CAST(key AS BIGINT), status, basis"
            " FROM read_csv(?, all_varchar = true, header = true) WHERE file = 'CONCEPT'",
            [str(path)],
        )


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)  # DuckDB's spill folder
