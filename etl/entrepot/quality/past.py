"""Reads a history: every load in sums, the newest ones check by check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.quality.history import GATE, NAME, literal
from entrepot.quality.results import ResultLine, Status

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 24
"""Loads that are read check by check: what a page has room to draw."""

_SUMS = """SELECT load_number, any_value(load_id), any_value(release_id), any_value(as_of),
    category, status, count(*) FROM {table} WHERE suite = ? AND source = ''
    GROUP BY load_number, category, status ORDER BY load_number, category, status"""
_LINES = """SELECT load_number, check_id, cdm_table, cdm_field, category, severity, action,
    violated, denominator, status, source FROM {table} WHERE suite = ? AND load_number IN
    (SELECT DISTINCT load_number FROM {table} WHERE suite = ? ORDER BY load_number DESC LIMIT ?)
    ORDER BY ALL"""


@dataclass(frozen=True)
class PastLoad:
    """One load that was judged.

    Args:
        number: order of the loads, from 1; thinned histories have gaps.
        release_id: empty where the load was refused.
        counts: (category, status) → checks.
        lines: check by check, for the newest loads alone.
    """

    number: int
    load_id: str
    release_id: str
    as_of: dt.datetime
    counts: Mapping[tuple[str, Status], int]
    lines: list[ResultLine] = field(default_factory=list)


def history_of_release(warehouse: Path) -> list[PastLoad]:
    """Loads that a release remembers, oldest first; none without a release or a history."""
    return _read(f"ATTACH {literal(warehouse)} AS former (READ_ONLY)", f"former.etl.{NAME}", GATE)


def history_of_file(path: Path, suite: str) -> list[PastLoad]:
    """Loads of one suite that a file remembers, oldest first; none without a file."""
    view = f"CREATE VIEW {NAME} AS FROM read_parquet({literal(path)})"
    return _read(view, NAME, suite)


def _read(opening: str, table: str, suite: str) -> list[PastLoad]:
    import duckdb

    connection = duckdb.connect(config={"autoload_known_extensions": "false"})
    try:
        connection.execute(opening)
        return _loads(connection, table, suite)
    except duckdb.Error:  # no file, or one of a version that kept no history
        return []
    finally:
        connection.close()


def _loads(connection: DuckDBPyConnection, table: str, suite: str) -> list[PastLoad]:
    found: dict[int, PastLoad] = {}
    for number, load_id, release, as_of, category, status, checks in connection.execute(
        _SUMS.format(table=table), [suite]
    ).fetchall():
        load = found.setdefault(number, PastLoad(number, load_id, release or "", as_of, {}))
        found[number] = PastLoad(
            number, load_id, load.release_id, as_of,
            {**load.counts, (category, Status(status)): checks},
        )  # fmt: skip
    for row in connection.execute(_LINES.format(table=table), [suite, suite, SHOWN]).fetchall():
        number, check, cdm_table, cdm_field, category, severity, action, *counted = row
        violated, denominator, status, source = counted
        if number in found:
            found[number].lines.append(ResultLine(
                check, cdm_table, cdm_field, category, severity, action, violated, denominator,
                Status(status), source,
            ))  # fmt: skip
    return list(found.values())
