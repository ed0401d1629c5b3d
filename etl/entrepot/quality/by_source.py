"""How many rows of each feed a load has, and how many of them the gate took out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from entrepot.quality.checks import Action, Category, Severity
from entrepot.quality.results import ResultLine, Status

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHECK_ID = "rows_quarantined"
# A row that two feeds tell counts for both: lineage keeps every record that told it.
_QUERY = """SELECT f.source, l.cdm_table, count(DISTINCT q.cdm_id), count(DISTINCT l.cdm_id)
FROM etl.lineage l
JOIN ({feeds}) f ON f.record_key = l.record_key
LEFT JOIN (SELECT DISTINCT cdm_table, cdm_id FROM etl.quarantine) q
  ON q.cdm_table = l.cdm_table AND q.cdm_id = l.cdm_id
GROUP BY f.source, l.cdm_table ORDER BY f.source, l.cdm_table"""


def lines_by_source(connection: DuckDBPyConnection, kinds: Iterable[str]) -> list[ResultLine]:
    """One line per feed and table of a candidate that was judged.

    Args:
        kinds: staging kinds, whose views `staging_<kind>` the candidate has.
    """
    feeds = " UNION ".join(f"SELECT record_key, source FROM staging_{kind}" for kind in kinds)
    return [
        ResultLine(
            CHECK_ID, table, "", Category.CONFORMANCE.value, Severity.CHARACTERISATION.value,
            Action.WARN.value, violated, rows, Status.PASSED, source,
        )
        for source, table, violated, rows in connection.execute(
            _QUERY.format(feeds=feeds)
        ).fetchall()
    ]  # fmt: skip
