"""Quarantine: failing rows leave the candidate, and what hangs on them goes with them.

Only the table, the key and the reason of a row are kept (`etl.quarantine`), never a value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from entrepot.quality.carried import Asked, rows_to_ask
from entrepot.quality.checks import Action
from entrepot.quality.inputs import GateInputs, stage_inputs
from entrepot.quality.metrics import Count
from entrepot.quality.plan import Link, Plan, row_key
from entrepot.quality.spread import MAPPED_TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Rederive = Callable[["DuckDBPyConnection"], None]
PARENT = "parent:"
MAX_ROUNDS = 10
"""Rounds until nothing fails any more: 2 are usual, 3 when a person lost the last event."""

_QUARANTINE = """CREATE TABLE IF NOT EXISTS etl.quarantine
    (cdm_table VARCHAR, cdm_id BIGINT, check_id VARCHAR)"""
_REMOVED = """CREATE OR REPLACE TEMP TABLE gate_removed
    (cdm_table VARCHAR, row_id BIGINT, cdm_id BIGINT, person_id BIGINT, check_id VARCHAR)"""


@dataclass(frozen=True)
class QuarantineReport:
    """What quarantine found and did.

    Args:
        found: by check id, violations before their rows were removed.
        left: by check id, violations that are still in the candidate.
        removed: rows removed, by table, dependants included.
        cleared: pointers set to NULL because their row went, by `table.field`.
        persons: how many persons' rows were asked, the others' counts being carried over from the
            release in place; None when every row was.
    """

    found: Mapping[str, Count]
    left: Mapping[str, Count]
    removed: Mapping[str, int]
    cleared: Mapping[str, int]
    persons: int | None = None


def quarantine_rows(
    connection: DuckDBPyConnection,
    plan: Plan,
    inputs: GateInputs,
    rederive: Rederive | None = None,
) -> QuarantineReport:
    """Removes every row that fails a check of action `quarantine`, with its dependants.

    Args:
        connection: the candidate, schemas `cdm` and `etl`.
        rederive: makes the derived tables anew from the rows that stayed; faults of derived rows
            count only after it ran.

    Returns:
        The report; a second call on its result removes nothing.
    """
    connection.execute(_QUARANTINE)
    stage_inputs(connection, inputs, plan.tables)
    asked = rows_to_ask(connection, plan, inputs)
    found: dict[str, Count] = {}
    removed: dict[str, int] = {}
    cleared: dict[str, int] = {}
    for counts in islice(asked.counts(connection), MAX_ROUNDS):
        failing = _failing(plan, counts)
        if rederive and any(plan.by_id[check].table in MAPPED_TABLES for check in failing):
            failing = {c for c in failing if plan.by_id[c].table in MAPPED_TABLES}
        _remember(found, counts, failing, plan)
        if not failing:
            break
        _collect(connection, asked, failing)
        _follow(connection, plan)
        _add(removed, _remove(connection))
        _add(cleared, _clear(connection, plan.links.clear))
        _dispose(connection)
        if rederive:
            rederive(connection)
            rederive = None
    return QuarantineReport(found, counts, removed, cleared, asked.persons)


def _failing(plan: Plan, counts: Mapping[str, Count]) -> set[str]:
    return {
        check_id
        for check_id, count in counts.items()
        if count.violated and plan.by_id[check_id].check.action is Action.QUARANTINE
    }


def _remember(
    found: dict[str, Count], counts: Mapping[str, Count], failing: Collection[str], plan: Plan
) -> None:
    """Adds the rows about to be removed; of what stays, the worst count of any round is kept."""
    for check_id, count in counts.items():
        known = found.get(check_id, Count(0, 0))
        if plan.by_id[check_id].check.action is not Action.QUARANTINE:
            violated = max(known.violated, count.violated)
        else:
            violated = known.violated + (count.violated if check_id in failing else 0)
        found[check_id] = Count(violated, max(known.denominator, count.denominator))


def _collect(connection: DuckDBPyConnection, asked: Asked, failing: Collection[str]) -> None:
    connection.execute(_REMOVED)
    for checks in asked.tables:
        check_ids = [c.check_id for c in checks.conditions if c.check_id in failing]
        if not check_ids:
            continue
        query = checks.failing(check_ids)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE gate_failing AS {query}")
        for n, check_id in enumerate(check_ids):
            connection.execute(
                f"INSERT INTO gate_removed SELECT '{checks.table}', row_id, cdm_id, person_id, "
                f"'{check_id}' FROM gate_failing WHERE f{n}"
            )


def _follow(connection: DuckDBPyConnection, plan: Plan) -> None:
    """Adds dependants until none is new; their reason is the first cause, `parent:<check>`."""
    statements = [_dependants(plan, link) for link in plan.links.remove]
    statements += [_on_event(plan, table, field) for table, field in plan.links.events]
    statements += [_on_fact(plan, table, field) for table, field in plan.links.facts]
    size = 0
    while size < (size := _size(connection)):
        for statement in statements:
            connection.execute(statement)


def _size(connection: DuckDBPyConnection) -> int:
    return int(connection.execute("SELECT count(*) FROM gate_removed").fetchall()[0][0])


_CAUSES = f"""(SELECT DISTINCT cdm_table, cdm_id, person_id,
    CASE WHEN starts_with(check_id, '{PARENT}') THEN check_id
    ELSE '{PARENT}' || check_id END AS check_id FROM gate_removed)"""


def _dependants(plan: Plan, link: Link) -> str:
    matches = f"p.cdm_table = '{link.target}' AND p.cdm_id = t.{link.field}"
    return _add_rows(plan, link.table, matches)


def _on_event(plan: Plan, table: str, field: str) -> str:
    # Event ids are keyed hashes of 63 bits over all tables: id and person name one event.
    return _add_rows(plan, table, f"p.cdm_id = t.{field} AND p.person_id = t.person_id")


def _on_fact(plan: Plan, table: str, field: str) -> str:
    # Keyed ids of one table meet those of another once in 10⁹ rows: the id alone names the fact.
    mapped = ", ".join(f"'{name}'" for name in MAPPED_TABLES)
    return _add_rows(plan, table, f"p.cdm_id = t.{field} AND p.cdm_table IN ({mapped})")


def _add_rows(plan: Plan, table: str, matches: str) -> str:
    model = plan.cdm.table(table)
    key = f"t.{row_key(model)}" if row_key(model) else "CAST(NULL AS BIGINT)"
    person = "t.person_id" if "person_id" in model.columns else "CAST(NULL AS BIGINT)"
    return f"""INSERT INTO gate_removed
        SELECT DISTINCT '{table}', t.rowid, {key}, {person}, p.check_id
        FROM cdm.{table} t JOIN {_CAUSES} p ON {matches}
        WHERE NOT EXISTS (SELECT 1 FROM gate_removed r WHERE r.cdm_table = '{table}'
            AND r.row_id = t.rowid AND r.check_id = p.check_id)"""


def _remove(connection: DuckDBPyConnection) -> dict[str, int]:
    connection.execute(
        """INSERT INTO etl.quarantine SELECT cdm_table, cdm_id, check_id
        FROM (SELECT DISTINCT cdm_table, row_id, cdm_id, check_id FROM gate_removed) r"""
    )
    tables = connection.execute(
        "SELECT cdm_table, count(DISTINCT row_id) FROM gate_removed GROUP BY 1 ORDER BY 1"
    ).fetchall()
    for table, _ in tables:
        connection.execute(
            f"""DELETE FROM cdm.{table} WHERE rowid IN
            (SELECT row_id FROM gate_removed WHERE cdm_table = '{table}')"""
        )
    return dict(tables)


def _clear(connection: DuckDBPyConnection, links: Iterable[Link]) -> dict[str, int]:
    cleared: dict[str, int] = {}
    for link in links:
        changed = connection.execute(
            f"""UPDATE cdm.{link.table} SET {link.field} = NULL WHERE {link.field} IN
            (SELECT cdm_id FROM gate_removed WHERE cdm_table = '{link.target}')"""
        ).fetchall()[0][0]
        if changed:
            cleared[f"{link.table}.{link.field}"] = changed
    return cleared


def _dispose(connection: DuckDBPyConnection) -> None:
    """A staged row whose every CDM row is gone is `quarantined`, a direct reason coming first."""
    mapped = ", ".join(f"'{name}'" for name in MAPPED_TABLES)
    connection.execute(
        f"""UPDATE etl.row_disposition AS d SET disposition = 'quarantined', reason = g.reason
        FROM (SELECT l.record_key, l.row_key, substr(min(q.ranked), 2) AS reason
            FROM etl.lineage l
            LEFT JOIN (SELECT cdm_table, cdm_id, min(CASE WHEN starts_with(check_id, '{PARENT}')
                THEN '1' ELSE '0' END || check_id) AS ranked
                FROM etl.quarantine GROUP BY cdm_table, cdm_id) q
            ON q.cdm_table = l.cdm_table AND q.cdm_id = l.cdm_id
            WHERE l.cdm_table IN ({mapped})
            GROUP BY l.record_key, l.row_key HAVING count(*) = count(q.ranked)) g
        WHERE d.disposition = 'mapped' AND d.record_key = g.record_key AND d.row_key = g.row_key"""
    )


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        total[name] = total.get(name, 0) + number
