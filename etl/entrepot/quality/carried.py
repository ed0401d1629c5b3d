"""The rows that a gate asks: all, or those of the persons whom this load changed.

A person whose every row is the one that the release in place holds was judged when it was
published: what was counted of such persons is carried over, and the rules are asked of the others'
rows. Who changed is read off the rows themselves and not off what was staged: a hash of every row
on either side costs about what counting every column does (0.3 of 21.6 CPU s at 5 million rows),
and holds whatever made them. docs/adr/0031-counts-carried-over.md says what else a person's
answers depend on, and why each of it is covered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from entrepot.quality.checks import Action
from entrepot.quality.metrics import Count, count_rows
from entrepot.quality.plan import Plan, PlannedCheck
from entrepot.quality.reach import Reach, person_tables, reach_of
from entrepot.quality.sql import Compiled, Place, TableChecks, compile_plan

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from entrepot.quality.inputs import GateInputs

RELEASE = "carried_from"
ASKED, FORMER = "gate_asked", "gate_former"
TABLE = "row_metric"
RULES, ROWS = "gate_rules", "gate_rows"
"""Keys of `etl.run`: what the counts were made by, and the sum of the hashes of what they count."""
LEAST_ROWS = 1_000_000
"""Below, asking every row costs less than finding out whom to ask (5 CPU s, most of it plans)."""
MOST = 0.25
"""Share of the persons above which every row is asked."""

_WRITE = f"""
CREATE OR REPLACE TABLE etl.{TABLE} (check_id VARCHAR, violated BIGINT, denominator BIGINT);
DELETE FROM etl.run WHERE key IN ('{RULES}', '{ROWS}');
"""


@dataclass(frozen=True)
class Asked:
    """What a gate asks of which rows.

    Args:
        whole: checks asked of every row.
        part: checks asked of the rows of touched persons; None when every row is asked.
        kept: what the other persons' rows answer, by check.
        persons: how many persons are asked; None for all.
        first: counts of `whole`, where they are known already.
    """

    whole: Compiled
    part: Compiled | None = None
    kept: Mapping[str, Count] = field(default_factory=dict)
    persons: int | None = None
    first: Mapping[str, Count] = field(default_factory=dict)

    @property
    def tables(self) -> Iterator[TableChecks]:
        """The queries of every table, those of touched persons after the others."""
        return chain(self.whole.tables.values(), self.part.tables.values() if self.part else ())

    def counts(self, connection: DuckDBPyConnection) -> Iterator[dict[str, Count]]:
        """Every row check by `check_id`, over the rows of the candidate as they are each time."""
        whole = self.first or count_rows(connection, self.whole)
        while True:
            yield {**whole, **self._of_part(connection)}
            whole = count_rows(connection, self.whole)

    def _of_part(self, connection: DuckDBPyConnection) -> dict[str, Count]:
        if self.part is None:
            return {}
        _fill(connection, self.part, "cdm")
        return {
            name: Count(self.kept[name].violated + one.violated,
                        self.kept[name].denominator + one.denominator)
            for name, one in count_rows(connection, self.part).items()
        }  # fmt: skip


def rows_to_ask(connection: DuckDBPyConnection, plan: Plan, inputs: GateInputs) -> Asked:
    """Decides whom the checks of `plan` are asked of; inputs are staged already.

    Everything is asked when no release was judged by the same rules, when its rows are not those
    that its counts were made of, and when much of it changed.
    """
    everything = Asked(compile_plan(plan, inputs.placeholders))
    if inputs.baseline is None or not inputs.rules or _rows(connection, plan) < LEAST_ROWS:
        return everything
    with _attached(connection, inputs) as found:
        return (found and _in_part(connection, plan, inputs)) or everything


def keep_counts(
    connection: DuckDBPyConnection, plan: Plan, inputs: GateInputs, left: Mapping[str, Count]
) -> None:
    """Writes into the candidate what the next load may carry over: counts of the rows that stay."""
    import pyarrow as pa

    connection.execute(_WRITE)
    lines = [
        {"check_id": name, "violated": one.violated, "denominator": one.denominator}
        for name, one in left.items()
    ]
    if lines:
        connection.register("gate_input", pa.Table.from_pylist(lines))
        connection.execute(f"INSERT INTO etl.{TABLE} BY NAME FROM gate_input")
        connection.unregister("gate_input")
    total = connection.execute(f"SELECT sum(hashed) FROM ({_hashes(plan, 'cdm')}) h").fetchall()
    connection.execute(
        "INSERT INTO etl.run VALUES (?, ?), (?, ?)", [RULES, inputs.rules, ROWS, str(total[0][0])]
    )


def _in_part(connection: DuckDBPyConnection, plan: Plan, inputs: GateInputs) -> Asked | None:
    """None when every row is to be asked."""
    counted = _carried(connection, inputs)
    if counted is None or not _touched(connection, plan):
        return None
    reach = reach_of(plan, inputs.placeholders)
    whole = compile_plan(reach.whole, inputs.placeholders)
    connection.execute(
        "INSERT INTO gate_touched SELECT person_id FROM gate_opposed"
        " WHERE person_id NOT IN (FROM gate_touched)"
    )
    first = count_rows(connection, whole)
    _add_violators(connection, whole, first)
    _add_bereft(connection, reach)
    part = compile_plan(reach.part, inputs.placeholders, _place(connection, plan, ASKED))
    persons = _add_others(connection, reach, part)
    if persons > MOST * _persons(connection):
        return None
    kept = _kept(connection, reach.part, inputs, counted)
    return None if kept is None else Asked(whole, part, kept, persons, first)


def _rows(connection: DuckDBPyConnection, plan: Plan) -> int:
    counts = " UNION ALL ".join(f"SELECT count(*) AS n FROM cdm.{t}" for t in person_tables(plan))
    return int(connection.execute(f"SELECT sum(n) FROM ({counts}) q").fetchall()[0][0])


def _persons(connection: DuckDBPyConnection) -> int:
    return int(connection.execute("SELECT count(*) FROM cdm.person").fetchall()[0][0])


@contextmanager
def _attached(connection: DuckDBPyConnection, inputs: GateInputs) -> Iterator[bool]:
    import duckdb

    path = str(inputs.baseline).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{path}' AS {RELEASE} (READ_ONLY)")
    except duckdb.Error:
        yield False
        return
    try:
        yield True
    finally:
        connection.execute(f"DETACH {RELEASE}")


def _carried(connection: DuckDBPyConnection, inputs: GateInputs) -> dict[str, Count] | None:
    """The release's counts, when the same rules made them."""
    import duckdb

    try:
        made_by = connection.execute(
            f"SELECT value FROM {RELEASE}.etl.run WHERE key = '{RULES}'"
        ).fetchall()
        if made_by != [(inputs.rules,)]:
            return None
        lines = connection.execute(f"FROM {RELEASE}.etl.{TABLE}").fetchall()
    except duckdb.Error:  # of a version that kept none
        return None
    return {check_id: Count(violated, denominator) for check_id, violated, denominator in lines}


def _hashes(plan: Plan, schema: str) -> str:
    """SELECT of `person_id` and `hashed`, the sum of the hashes of that person's rows."""
    parts = []
    for name in person_tables(plan):
        columns = ", ".join(f'"{one}"' for one in plan.cdm.table(name).columns)
        parts.append(
            f"SELECT person_id, sum(hash('{name}', {columns})) AS hashed FROM {schema}.{name}"
            " GROUP BY person_id"
        )
    return (
        f"SELECT person_id, sum(hashed) AS hashed FROM ({' UNION ALL '.join(parts)}) p GROUP BY 1"
    )


def _touched(connection: DuckDBPyConnection, plan: Plan) -> bool:
    """`gate_touched`: persons whose rows are not those of the release; False when all are asked:
    rows of nobody, or a release that is not the one that was counted."""
    for name, schema in (("gate_new", "cdm"), ("gate_old", f"{RELEASE}.cdm")):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {_hashes(plan, schema)}")
    nobodys, same = connection.execute(
        "SELECT (SELECT count(*) FROM gate_new WHERE person_id IS NULL),"
        " (SELECT CAST(sum(hashed) AS VARCHAR) FROM gate_old) ="
        f" (SELECT max(value) FROM {RELEASE}.etl.run WHERE key = '{ROWS}')"
    ).fetchall()[0]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE gate_touched AS"
        " SELECT coalesce(n.person_id, o.person_id) AS person_id FROM gate_new n"
        " FULL JOIN gate_old o ON o.person_id = n.person_id"
        " WHERE o.hashed IS DISTINCT FROM n.hashed"
    )
    return bool(same) and not nobodys


def _add(connection: DuckDBPyConnection, select: str) -> int:
    """Persons of `select` join those touched; how many are new."""
    return int(connection.execute(
        f"INSERT INTO gate_touched SELECT DISTINCT person_id FROM ({select}) q"
        " WHERE person_id IS NOT NULL AND person_id NOT IN (FROM gate_touched)"
    ).fetchall()[0][0])  # fmt: skip


def _add_violators(
    connection: DuckDBPyConnection, whole: Compiled, counts: Mapping[str, Count]
) -> None:
    """Whoever fails a check that is asked of every row is asked everything."""
    failing = {name for name, count in counts.items() if count.violated}
    for checks in whole.tables.values():
        failed = [one.check_id for one in checks.conditions if one.check_id in failing]
        if failed and checks.person:
            _add(connection, checks.failing(failed))


def _add_bereft(connection: DuckDBPyConnection, reach: Reach) -> None:
    """Persons whose rows name a unit, a place or a professional that the release had alone."""
    for (table, key), uses in reach.site.items():
        gone = f"SELECT {key} FROM {RELEASE}.cdm.{table} EXCEPT SELECT {key} FROM cdm.{table}"
        if connection.execute(f"{gone} LIMIT 1").fetchall():
            for name, by in uses:
                _add(connection, f"SELECT t.person_id FROM cdm.{name} t WHERE {by} IN ({gone})")


def _add_others(connection: DuckDBPyConnection, reach: Reach, part: Compiled) -> int:
    """Persons whose rows share a key with, or are named by, rows of those touched; the total."""
    owners = " UNION ALL ".join(reach.owners(ASKED))
    _fill(connection, part, "cdm")
    while owners and _add(connection, owners):
        _fill(connection, part, "cdm")
    return int(connection.execute("SELECT count(*) FROM gate_touched").fetchall()[0][0])


def _place(connection: DuckDBPyConnection, plan: Plan, schema: str) -> Place:
    connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {schema}")
    return Place(schema, frozenset(person_tables(plan)), "gate_row", f"{schema}_set")


def _fill(connection: DuckDBPyConnection, part: Compiled, source: str) -> None:
    """The rows of touched persons, each with its place in the table that it stands in."""
    places = {checks.place for checks in part.tables.values()}
    for place in places:
        for name in sorted(place.tables):
            connection.execute(
                f"CREATE OR REPLACE TABLE {place.table(name)} AS SELECT rowid AS gate_row, *"
                f" FROM {source}.{name} WHERE person_id IN (FROM gate_touched)"
            )


def _kept(
    connection: DuckDBPyConnection, plan: Plan, inputs: GateInputs, counted: Mapping[str, Count]
) -> dict[str, Count] | None:
    """What the release counted, without the rows that touched persons have there.

    None when the two do not fit, and for a check of rows to quarantine that a release has.
    """
    former = compile_plan(plan, inputs.placeholders, _place(connection, plan, FORMER))
    _fill(connection, former, f"{RELEASE}.cdm")
    gone, kept = count_rows(connection, former), {}
    for item in plan.checks:
        if item.check_id not in gone:
            continue
        if item.check_id not in counted:
            return None
        left = _less(counted[item.check_id], gone[item.check_id])
        if min(left.violated, left.denominator) < 0 or (_quarantines(item) and left.violated):
            return None
        kept[item.check_id] = left
    return kept


def _less(counted: Count, gone: Count) -> Count:
    # Rows that answered nothing then may answer now (an opposition): only what was counted goes.
    violated = counted.violated - gone.violated if counted.violated else 0
    return Count(violated, counted.denominator - gone.denominator)


def _quarantines(item: PlannedCheck) -> bool:
    return item.check.action is Action.QUARANTINE
