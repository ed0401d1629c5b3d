"""Checks as SQL: per table one query that counts every check, and one that lists failing rows.

DuckDB dialect without functions that sqlglot cannot carry to Spark and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from entrepot.quality.checks import Relation
from entrepot.quality.plan import Plan, PlannedCheck, fill, row_key


@dataclass(frozen=True)
class RowCondition:
    """The two conditions of a row check, ready for the query of its table."""

    check_id: str
    applies: str
    violated: str


@dataclass(frozen=True)
class TableChecks:
    """All row checks of one table over one set of joins.

    Args:
        key: the field that names a row, empty when the table has none.
        person: whether the rows carry a `person_id`.
    """

    table: str
    key: str
    person: bool
    joins: str
    conditions: tuple[RowCondition, ...]

    def counts(self) -> str:
        """One row: violated and denominator of every check, in order."""
        columns = []
        # Not count_if: in DuckDB it is NULL when the condition is NULL on every row, in Spark 0.
        for condition in self.conditions:
            columns.append(f"count(CASE WHEN {condition.violated} THEN 1 END)")
            applies = condition.applies
            columns.append(f"count(CASE WHEN {applies} THEN 1 END)" if applies else "count(*)")
        return f"SELECT {', '.join(columns)} FROM cdm.{self.table} t {self.joins}"

    def failing(self, check_ids: Collection[str]) -> str:
        """Violating rows: row_id, cdm_id, person_id and one flag per check, `f0`, `f1`…"""
        chosen = [c for c in self.conditions if c.check_id in check_ids]
        flags = [f"coalesce({c.violated}, false) AS f{n}" for n, c in enumerate(chosen)]
        key = f"t.{self.key}" if self.key else "CAST(NULL AS BIGINT)"
        person = "t.person_id" if self.person else "CAST(NULL AS BIGINT)"
        anywhere = " OR ".join(f"({c.violated})" for c in chosen)
        return (
            f"SELECT t.rowid AS row_id, {key} AS cdm_id, {person} AS person_id, {', '.join(flags)} "
            f"FROM cdm.{self.table} t {self.joins} WHERE {anywhere}"
        )


@dataclass(frozen=True)
class Compiled:
    """The queries of a plan.

    Args:
        relations: statements that make the temporary key sets, to run before the queries.
    """

    relations: tuple[str, ...]
    tables: Mapping[str, TableChecks]


class _Relations:
    """Key sets by their SQL: two checks that join the same set share one temporary table."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._uses: dict[tuple[str, str], set[str]] = {}
        self._restricted: dict[tuple[str, str], str] = {}

    def name(self, relation: Relation, values: Mapping[str, str], use: str) -> str:
        columns = [f"{relation.key} AS id"]
        columns += [f"{sql} AS {name}" for name, sql in relation.columns.items()]
        where = f" AND ({relation.where})" if relation.where else ""
        having = f" HAVING {relation.having}" if relation.having else ""
        head = (
            f"SELECT {', '.join(columns)} FROM {relation.source} WHERE {relation.key} IS NOT NULL"
        )
        text = fill(head + where, values), fill(f" GROUP BY {relation.key}{having}", values)
        self._uses.setdefault(text, set()).add(use)
        self._restricted[text] = fill(relation.key, values) if relation.referenced_only else ""
        return self._names.setdefault(text, f"gate_set_{len(self._names)}")

    def statements(self) -> tuple[str, ...]:
        made = []
        for text, name in self._names.items():
            key, uses = self._restricted[text], " UNION ".join(sorted(self._uses[text]))
            only = f" AND {key} IN ({uses})" if key else ""
            made.append(f"CREATE OR REPLACE TEMP TABLE {name} AS {text[0]}{only}{text[1]}")
        return tuple(made)


def compile_plan(plan: Plan, placeholders: Mapping[str, str]) -> Compiled:
    """The queries of every row check; `placeholders` are those of `GateInputs`."""
    relations = _Relations()
    tables = {
        name: _table(plan, name, checks, placeholders, relations)
        for name, checks in plan.row_checks.items()
    }
    return Compiled(relations.statements(), tables)


def _table(
    plan: Plan,
    name: str,
    checks: Iterable[PlannedCheck],
    placeholders: Mapping[str, str],
    relations: _Relations,
) -> TableChecks:
    aliases: dict[tuple[str, str], str] = {}
    conditions = []
    for item in checks:
        values = {**item.values, **placeholders}
        for join_name, join in item.check.joins.items():
            by = fill(join.by, values)
            relation = plan.relations[fill(join.relation, values)]
            use = f"SELECT {by} FROM cdm.{name}"
            key = (relations.name(relation, values, use), by)
            values[join_name] = aliases.setdefault(key, f"j{len(aliases)}")
        conditions.append(
            RowCondition(
                item.check_id,
                fill(item.check.applies, values),
                fill(item.check.violated, values),
            )
        )
    joins = " ".join(
        f"LEFT JOIN {relation} {alias} ON {alias}.id = t.{by}"
        for (relation, by), alias in aliases.items()
    )
    table = plan.cdm.table(name)
    return TableChecks(name, row_key(table), "person_id" in table.columns, joins, tuple(conditions))
