"""Counts of the plan's checks over a database that is only read, and the rows that violate them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from entrepot.quality.checks import Scope
from entrepot.quality.database import Database, QueryError, counted, paired
from entrepot.quality.inputs import GateInputs
from entrepot.quality.plan import Plan, PlannedCheck, fill
from entrepot.quality.rule_tables import RuleTable
from entrepot.quality.sql import Compiled, Place, RowCondition, TableChecks, compile_plan

OF_THE_ROAD = frozenset({"accounting.yaml"})
_COLUMN = re.compile(r"\bt\.\"?([a-z_0-9]+)\"?")
_TABLE, _WORD = re.compile(r"\bcdm\.(\w+)"), re.compile(r"\w+")
Columns = Mapping[str, Mapping[str, str]]
_TYPES = {"integer": "BIGINT", "float": "DOUBLE", "date": "DATE", "datetime": "TIMESTAMP"}
_KEY = re.compile(r"(big|small|tiny|huge|u)?int|long|short|byte|numeric|decimal|number|double|real")


@dataclass(frozen=True)
class Counted:
    """Violations of one check among the rows it applies to; None where SQL failed."""

    violated: int | None
    denominator: int | None

    @property
    def error(self) -> bool:
        """Whether the database could not answer."""
        return self.violated is None


ERROR = Counted(None, None)


class PlanCounts:
    """The checks of a plan over one database.

    Args:
        inputs: `as_of` and opposed persons; the ledger has no part in it.
        columns: what the database has; checks of a missing column are not asked.
        needed: tables that no warehouse is without: of any other an absent one is taken as empty.
    """

    def __init__(
        self, plan: Plan, database: Database, columns: Columns, inputs: GateInputs,
        needed: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self._database, self._columns, self._inputs = database, columns, inputs
        self._stated = {
            (table.name, field.name): field.kind for table in plan.cdm for field in table.fields
        }
        self._held: set[str] = set()
        self._lost: set[str] = set()
        self._absent = [
            table for table in plan.cdm if table.name not in columns and table.name not in needed
        ]
        self._plan_relations = plan.relations
        self._missing = {
            table.name: set(table.columns) - set(columns[table.name])
            for table in plan.cdm if table.name in columns
        }  # fmt: skip
        known = [one for one in plan.checks if one.check.file not in OF_THE_ROAD]
        self.plan = replace(plan, checks=tuple(one for one in known if self._has(one)))
        self.missing = tuple(one for one in known if not self._has(one))

    def _has(self, item: PlannedCheck) -> bool:
        if self._lacks_columns(item):
            return False
        table = self._columns.get(item.table, {})
        needed = {item.field} if item.field else set()
        values = {**item.values, **self._inputs.placeholders}
        for join in item.check.joins.values():
            by = fill(join.by, values)
            needed |= set(_COLUMN.findall(by)) if "t." in by else {by}
            if "t." not in by and not self._joinable(item.table, by):
                return False
        return item.table in self._columns and needed <= set(table)

    def _joinable(self, table: str, field: str) -> bool:
        """A key of a type that holds no number would make the database refuse the whole query."""
        kind = self._columns.get(table, {}).get(field, "")
        stated = self._stated.get((table, field))
        return stated != "integer" or not kind or _KEY.match(kind) is not None

    def _lacks_columns(self, item: PlannedCheck) -> bool:
        """Whether its conditions, or a key set that it joins, name a column that a table lacks."""
        check, joins = item.check, item.check.joins
        values = {**item.values, **self._inputs.placeholders, **dict.fromkeys(joins, "j")}
        named = set(_COLUMN.findall(fill(f"{check.applies} {check.violated}", values)))
        if not named <= self._columns.get(item.table, {}).keys():
            return True
        for join in joins.values():
            relation = self._plan_relations[fill(join.relation, values)]
            parts = (relation.source, relation.key, relation.where, *relation.columns.values())
            sql = fill(" ".join(parts), values)
            words = set(_WORD.findall(sql))
            if any(words & self._missing.get(table, set()) for table in _TABLE.findall(sql)):
                return True
        return False

    @cached_property
    def compiled(self) -> Compiled:
        """The queries of the row checks that can be asked."""
        place = Place(absent=frozenset(table.name for table in self._absent))
        return compile_plan(self.plan, self._inputs.placeholders, place)

    @cached_property
    def _told(self) -> dict[str, str]:
        opposed = RuleTable(
            {"person_id": "BIGINT"}, tuple((one,) for one in self._inputs.opposed_person_ids)
        )
        tables = {**self.plan.tables, "gate_opposed": opposed}
        told = {name: table.select() for name, table in tables.items()}
        for table in self._absent:
            none = ", ".join(
                f"CAST(NULL AS {_TYPES.get(field.kind, 'VARCHAR')}) AS {field.name}"
                for field in table.fields
            )
            told[f"absent_{table.name}"] = f"SELECT {none} WHERE 1 = 0"
        return told

    def counts(self) -> dict[str, Counted]:
        """Every check that can be asked, by `check_id`; empty tables are not read."""
        found: dict[str, Counted] = {one.check_id: ERROR for one in self.plan.checks}
        for name, table in self.compiled.tables.items():
            if name in self._filled and table.conditions:
                found.update(self._of(table, table.conditions))
            else:
                found.update({one.check_id: Counted(0, 0) for one in table.conditions})
        for item in self.plan.checks:
            if item.check.scope is Scope.AGGREGATE:
                found[item.check_id] = self._aggregate(item)
        return found

    def _of(self, table: TableChecks, conditions: Sequence[RowCondition]) -> dict[str, Counted]:
        """By one query; where it fails, without what joins a key set that cannot be made."""

        def query(some: Sequence[RowCondition]) -> str:
            return self._query(table, some, table.counts(some))

        try:
            numbers = self._database.rows(query(conditions))[0]
            return {one.check_id: Counted(*two) for one, two in paired(conditions, numbers)}
        except QueryError:
            self._probe(table.sets(conditions))
        found = {one.check_id: ERROR for one in conditions}
        asked = [one for one in conditions if not self._lost.intersection(table.sets([one]))]
        for one, answer in counted(self._database, asked, query):
            found[one.check_id] = ERROR if answer is None else Counted(*answer)
        return found

    @cached_property
    def _filled(self) -> set[str]:
        tables = [f"SELECT '{name}', count(*) FROM cdm.{name}" for name in self.compiled.tables]
        if not tables:
            return set()
        return {name for name, rows in self._database.rows(" UNION ALL ".join(tables)) if rows}

    def _query(self, table: TableChecks, conditions: Sequence[RowCondition], query: str) -> str:
        """The query with the key sets that it joins: held beside the database, or inside it."""
        sets = table.sets(conditions)
        if self._lost.intersection(sets):
            raise QueryError("a key set of this query cannot be made")
        return query if self._hold(sets) else self.compiled.alone(sets, query, self._told)

    def _hold(self, sets: Iterable[str]) -> bool:
        """Whether the database holds these key sets now; a server that is only read never does."""
        needed = [one for one in sets if one not in self._held]
        texts = " ".join(self.compiled.sets[one] for one in needed)
        inputs = [one for one in self._told if one in texts and one not in self._held]
        lines = [*((one, self._told[one]) for one in inputs),
                 *((one, self.compiled.sets[one]) for one in needed)]  # fmt: skip
        for one, select in lines:
            if not self._database.hold(one, select):
                return False
            self._held.add(one)
        return True

    def _probe(self, sets: Iterable[str]) -> None:
        """Finds the key sets that the database cannot make: no query asks for them again."""
        for one in sets:
            if one in self._held or one in self._lost:
                continue
            try:
                if not self._hold([one]):
                    count = f"SELECT count(*) FROM {one}"
                    self._database.rows(self.compiled.alone([one], count, self._told))
            except QueryError:
                self._lost.add(one)

    def _aggregate(self, item: PlannedCheck) -> Counted:
        query = fill(item.check.query, {**item.values, **self._inputs.placeholders})
        query = self.compiled.place.of(query)
        try:
            violated, denominator = self._database.rows(
                f"{self._absent_in(query)}SELECT violated, denominator FROM ({query}) q"
            )[0]
        except QueryError:
            return ERROR
        return ERROR if violated is None else Counted(int(violated), int(denominator))

    def _absent_in(self, query: str) -> str:
        named = [name for name in self._told if name.startswith("absent_") and name in query]
        clauses = ", ".join(f"{name} AS ({self._told[name]})" for name in named)
        return f"WITH {clauses} " if clauses else ""

    def violating(self, check_ids: Iterable[str]) -> Iterator[tuple[str, str, object]]:
        """(check id, table, key) of every row that violates one of these row checks."""
        wanted = set(check_ids)
        for name, table in self.compiled.tables.items():
            for condition in table.conditions:
                if condition.check_id not in wanted or not table.key:
                    continue
                query = self._query(table, [condition], table.keys(condition))
                for (key,) in self._database.rows(query):
                    yield condition.check_id, name, key
