"""Counts of every DQD check over a database; a query that fails is cut until the check is found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from entrepot.quality.database import Database, QueryError, Row, counted
from entrepot.quality.dqd import statements
from entrepot.quality.dqd.statements import Conditions
from entrepot.quality.dqd.types import Catalogue, Counted, DqdCheck
from entrepot.quality.plan import fill


@dataclass(frozen=True)
class Count:
    """Violated rows and those that a check applies to; `error` when SQL failed."""

    violated: int = 0
    denominator: int = 0
    error: bool = False


FAILED = Count(error=True)
Columns = Mapping[str, Mapping[str, str]]


class Counting:
    """The counts of a catalogue over one database.

    Args:
        today: what DQD's `GETDATE()` stands for.
    """

    def __init__(
        self, catalogue: Catalogue, database: Database, columns: Columns, today: dt.date
    ) -> None:
        self._catalogue, self._database, self._columns = catalogue, database, columns
        self._today = today

    def counts(self) -> dict[str, Count]:
        """By check id; checks whose table or field is missing are left out, but for presence."""
        by_kind: dict[Counted, list[DqdCheck]] = {kind: [] for kind in Counted}
        found: dict[str, Count] = {}
        for check in self._catalogue.checks:
            if check.type.counted is Counted.PRESENCE:
                found[check.check_id] = Count(int(not self._present(check)), 1)
            elif self._present(check):
                by_kind[check.type.counted].append(check)
        for kind, count in self._counters().items():
            known = [check for check in by_kind[kind] if self._answerable(check)]
            found.update({check.check_id: FAILED for check in by_kind[kind]})
            found.update(count(known))
        return found

    def _counters(self) -> dict[Counted, Callable[[Sequence[DqdCheck]], dict[str, Count]]]:
        return {
            Counted.ROWS: self._rows, Counted.VALUES: self._values,
            Counted.PAIRS: self._pairs, Counted.QUERY: self._queries,
        }  # fmt: skip

    def _present(self, check: DqdCheck) -> bool:
        columns = self._columns.get(check.table)
        return columns is not None and (not check.field or check.field in columns)

    def _answerable(self, check: DqdCheck) -> bool:
        """Whether everything else that the check reads is there."""
        kind = check.type
        needs = [fill(one, {"table": check.table, "other": check.other})
                 for one in kind.needs]  # fmt: skip
        needs += [f"{check.table}.{by}" for by in check.joins.values()]
        sets = [self._catalogue.sets[name] for name in check.joins]
        needs += [f"{one.table}.{one.key}" for one in sets]
        if check.other:
            needs.append(f"{check.table}.{check.other}")
        if check.target:
            needs.append(f"{check.target}.{check.target_field}")
        if kind.descendants:
            needs.append("concept_ancestor.ancestor_concept_id")
        places = [place.partition(".") for place in needs]
        return all(field in self._columns.get(table, {}) for table, _, field in places)

    def _rows(self, checks: Sequence[DqdCheck]) -> dict[str, Count]:
        found: dict[str, Count] = {}
        impossible = self._impossible_birth(checks)
        for table, of_table in _grouped(checks, lambda check: check.table).items():
            ready = [statements.conditions(c, self._columns[table], self._today) for c in of_table]
            query = partial(statements.of_rows, table, sets=self._catalogue.sets)
            found.update(self._fused(ready, query))
        if impossible:
            found.update({c.check_id: FAILED for c in checks if c.type.fails_on})
        return found

    def _impossible_birth(self, checks: Iterable[DqdCheck]) -> bool:
        if not any(check.type.fails_on for check in checks):
            return False
        try:
            return bool(self._database.rows(statements.IMPOSSIBLE_BIRTH)[0][0])
        except QueryError:
            return True

    def _values(self, checks: Sequence[DqdCheck]) -> dict[str, Count]:
        found: dict[str, Count] = {}
        by_field = _grouped(checks, lambda c: (c.table, c.field, c.target, c.target_field))
        for (table, *_), of_field in by_field.items():
            ready = [statements.conditions(c, self._columns[table], self._today) for c in of_field]
            found.update(self._fused(ready, statements.of_values))
        return found

    def _fused(
        self, ready: Sequence[Conditions], query: Callable[[Sequence[Conditions]], str]
    ) -> dict[str, Count]:
        return {
            one.check.check_id: FAILED if numbers is None else Count(*numbers)
            for one, numbers in counted(self._database, ready, query)
        }

    def _pairs(self, checks: Sequence[DqdCheck]) -> dict[str, Count]:
        found: dict[str, Count] = {}
        places = _grouped(checks, lambda c: (c.type.name, c.table, c.field))
        for (_, table, field), of_field in places.items():
            kind = of_field[0].type
            sql = statements.of_pairs(kind, table, field, self._catalogue.sets)
            try:
                pairs = self._database.rows(sql)
                times = self._descendants(of_field) if kind.descendants else {}
            except QueryError:
                found.update({check.check_id: FAILED for check in of_field})
                continue
            by_concept = _grouped(pairs, lambda pair: int(pair[0]))
            for check in of_field:
                found[check.check_id] = _pair_count(check, by_concept, times)
        return found

    def _descendants(self, checks: Iterable[DqdCheck]) -> dict[int, dict[int, int]]:
        ancestors = {concept for check in checks for concept in check.concepts}
        found: dict[int, dict[int, int]] = {}
        lines = self._database.rows(statements.of_descendants(ancestors))
        for ancestor, descendant, times in lines:
            found.setdefault(int(ancestor), {})[int(descendant)] = int(times)
        return found

    def _queries(self, checks: Sequence[DqdCheck]) -> dict[str, Count]:
        found = {}
        for check in checks:
            values = {"table": check.table, "field": check.field, "other": check.other}
            try:
                violated, denominator = self._database.rows(fill(check.type.query, values))[0]
                found[check.check_id] = Count(int(violated), int(denominator))
            except QueryError:
                found[check.check_id] = FAILED
        return found


def _pair_count(
    check: DqdCheck,
    pairs: Mapping[int, Sequence[Row]],
    descendants: Mapping[int, Mapping[int, int]],
) -> Count:
    times: dict[int, int] = {}
    for concept in check.concepts:
        for one, n in descendants.get(concept, {}).items():
            times[one] = times.get(one, 0) + n
    if not check.type.descendants:
        times = dict.fromkeys(check.concepts, 1)
    violated = denominator = 0
    for concept, n in times.items():
        for _, second, rows, joined in pairs.get(concept, ()):
            if second is not None and second == check.type.without:
                continue
            denominator += n * int(rows)
            if second is not None and int(second) not in check.allowed:
                violated += n * int(joined)
    return Count(violated, denominator)


def _grouped(items: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found
