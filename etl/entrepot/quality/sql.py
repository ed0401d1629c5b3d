"""Checks as SQL: per table one query that counts every check, and one that lists failing rows.

DuckDB dialect without functions that sqlglot cannot carry to Spark and PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from entrepot.quality.checks import Relation
from entrepot.quality.plan import Plan, PlannedCheck, fill, row_key

_CDM_TABLE = re.compile(r"\bcdm\.(\w+)")


@dataclass(frozen=True)
class Place:
    """Where the rows are read.

    Args:
        schema: what holds `tables`; any other table is read in `cdm`.
        tables: of the CDM, with some persons' rows alone; empty when `cdm` holds every table.
        row: the column that tells which row of `cdm` a row is.
        sets: how the names of the key sets begin.
        absent: tables that the database lacks; key sets read `absent_<table>` in their place.
    """

    schema: str = "cdm"
    tables: frozenset[str] = frozenset()
    row: str = "rowid"
    sets: str = "gate_set"
    absent: frozenset[str] = frozenset()

    def table(self, name: str) -> str:
        """The table, with its schema."""
        if name in self.absent:
            return f"absent_{name}"
        return f"{self.schema if name in self.tables else 'cdm'}.{name}"

    def of(self, sql: str) -> str:
        """SQL over `cdm` as SQL over this place."""
        elsewhere = self.tables or self.absent
        return _CDM_TABLE.sub(lambda found: self.table(found[1]), sql) if elsewhere else sql


WHOLE = Place()


@dataclass(frozen=True)
class RowCondition:
    """The two conditions of a row check, ready for the query of its table."""

    check_id: str
    applies: str
    violated: str


@dataclass(frozen=True)
class Joined:
    """A key set that conditions of a table may name by its alias."""

    alias: str
    name: str
    by: str

    def used(self, conditions: Iterable[RowCondition]) -> bool:
        """Whether one of the conditions names it."""
        named = re.compile(rf"\b{self.alias}\b")
        return any(named.search(f"{one.applies} {one.violated}") for one in conditions)


@dataclass(frozen=True)
class TableChecks:
    """All row checks of one table over one set of joins.

    Args:
        key: the field that names a row, empty when the table has none.
        person: whether the rows carry a `person_id`.
        sets: names of the key sets that the joins use.
    """

    table: str
    key: str
    person: bool
    joins: tuple[Joined, ...]
    conditions: tuple[RowCondition, ...]
    place: Place = WHOLE

    def sets(self, conditions: Iterable[RowCondition]) -> tuple[str, ...]:
        """Names of the key sets that these conditions join."""
        some = tuple(conditions)
        return tuple(dict.fromkeys(one.name for one in self.joins if one.used(some)))

    def _rows(self, conditions: Sequence[RowCondition]) -> str:
        """The table with what these conditions join: each row once, as key sets have no two."""
        joins = [
            f"LEFT JOIN {one.name} {one.alias} ON {one.alias}.id = {one.by}"
            for one in self.joins
            if one.used(conditions)
        ]
        return " ".join([f"{self.place.table(self.table)} t", *joins])

    def counts(self, chosen: Sequence[RowCondition] = ()) -> str:
        """One row: violated and denominator of every check (or of those chosen), in order."""
        columns = []
        # Not count_if: in DuckDB it is NULL when the condition is NULL on every row, in Spark 0.
        for condition in chosen or self.conditions:
            columns.append(f"count(CASE WHEN {condition.violated} THEN 1 END)")
            applies = condition.applies
            columns.append(f"count(CASE WHEN {applies} THEN 1 END)" if applies else "count(*)")
        return f"SELECT {', '.join(columns)} FROM {self._rows(chosen or self.conditions)}"

    def failing(self, check_ids: Collection[str]) -> str:
        """Violating rows: row_id, cdm_id, person_id and one flag per check, `f0`, `f1`…"""
        chosen = [c for c in self.conditions if c.check_id in check_ids]
        flags = [f"coalesce({c.violated}, false) AS f{n}" for n, c in enumerate(chosen)]
        key = f"t.{self.key}" if self.key else "CAST(NULL AS BIGINT)"
        person = "t.person_id" if self.person else "CAST(NULL AS BIGINT)"
        anywhere = " OR ".join(f"({c.violated})" for c in chosen)
        return (
            f"SELECT t.{self.place.row} AS row_id, {key} AS cdm_id, {person} AS person_id,"
            f" {', '.join(flags)} FROM {self._rows(chosen)} WHERE {anywhere}"
        )

    def keys(self, condition: RowCondition) -> str:
        """Keys of the rows that violate one check, each once."""
        rows = self._rows((condition,))
        return f"SELECT DISTINCT t.{self.key} FROM {rows} WHERE {condition.violated}"


@dataclass(frozen=True)
class Compiled:
    """The queries of a plan.

    Args:
        sets: SELECT of every key set, by the name that the queries give it.
    """

    sets: Mapping[str, str]
    tables: Mapping[str, TableChecks]
    place: Place = WHOLE

    @property
    def relations(self) -> tuple[str, ...]:
        """Statements that make the key sets as temporary tables, to run before the queries."""
        return tuple(
            f"CREATE OR REPLACE TEMP TABLE {name} AS {select}" for name, select in self.sets.items()
        )

    def alone(self, sets: Iterable[str], query: str, inputs: Mapping[str, str]) -> str:
        """A query with the key sets that it names inside: for a database that is only read.

        Args:
            inputs: SELECT of every input table that key sets may name (`gate_opposed`).
        """
        needed = {name: self.sets[name] for name in sets}
        texts = " ".join(needed.values())
        told = {table: select for table, select in inputs.items() if table in texts}
        if not needed:
            return query
        clauses = ", ".join(f"{set_} AS ({select})" for set_, select in (told | needed).items())
        return f"WITH {clauses} {query}"


class _Relations:
    """Key sets by their SQL: two checks that join the same set share one temporary table."""

    def __init__(self, place: Place) -> None:
        self._place = place
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
        text = self._place.of(text[0]), text[1]
        self._uses.setdefault(text, set()).add(use)
        some = relation.referenced_only or self._place.tables
        self._restricted[text] = fill(relation.key, values) if some else ""
        return self._names.setdefault(text, f"{self._place.sets}_{len(self._names)}")

    def selects(self) -> dict[str, str]:
        made = {}
        for text, name in self._names.items():
            key, uses = self._restricted[text], " UNION ".join(sorted(self._uses[text]))
            only = f" AND {key} IN ({uses})" if key else ""
            made[name] = f"{text[0]}{only}{text[1]}"
        return made


def compile_plan(plan: Plan, placeholders: Mapping[str, str], place: Place = WHOLE) -> Compiled:
    """The queries of every row check; `placeholders` are those of `GateInputs`."""
    relations = _Relations(place)
    tables = {
        name: _table(plan, name, checks, placeholders, relations, place)
        for name, checks in plan.row_checks.items()
    }
    return Compiled(relations.selects(), tables, place)


def _table(
    plan: Plan,
    name: str,
    checks: Iterable[PlannedCheck],
    placeholders: Mapping[str, str],
    relations: _Relations,
    place: Place,
) -> TableChecks:
    aliases: dict[tuple[str, str], str] = {}
    conditions = []
    for item in checks:
        values = {**item.values, **placeholders}
        for join_name, join in item.check.joins.items():
            by = fill(join.by, values)
            relation = plan.relations[fill(join.relation, values)]
            by = by if "t." in by else f"t.{by}"
            use = f"SELECT {by} FROM {place.table(name)} t"
            key = (relations.name(relation, values, use), by)
            values[join_name] = aliases.setdefault(key, f"j{len(aliases)}")
        conditions.append(
            RowCondition(
                item.check_id,
                fill(item.check.applies, values),
                fill(item.check.violated, values),
            )
        )
    joins = tuple(Joined(alias, relation, by) for (relation, by), alias in aliases.items())
    table = plan.cdm.table(name)
    return TableChecks(
        name, row_key(table), "person_id" in table.columns, joins, tuple(conditions), place
    )
