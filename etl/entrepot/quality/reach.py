"""How far the answer of a row reaches: its own person's rows, other persons', or the day's date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from entrepot.quality.checks import Relation, Scope
from entrepot.quality.plan import Plan, PlannedCheck, fill

_TABLE = re.compile(r"cdm\.(\w+)")
Use = tuple[str, str]  # table, expression over its rows `t`


def person_tables(plan: Plan) -> tuple[str, ...]:
    """Tables of the CDM whose rows name their person."""
    return tuple(
        table.name for table in plan.cdm if table.schema == "CDM" and "person_id" in table.columns
    )


@dataclass(frozen=True)
class Reach:
    """The row checks of a plan, by what their answers depend on.

    Args:
        whole: checks of rows of nobody, those that ask the date of the warehouse, which passes
            for everybody, and those that ask what stands beside the CDM (lineage).
        part: checks that a person's own rows answer, with what follows.
        site: (table, key) -> uses: rows of nobody that a person's row names.
        shared: (table, key) -> uses: rows that belong to a person, named by a key that another
            person's rows may hold too.
    """

    whole: Plan
    part: Plan
    site: Mapping[Use, frozenset[Use]]
    shared: Mapping[Use, frozenset[Use]]

    def owners(self, schema: str) -> Iterator[str]:
        """SELECTs of the persons whose rows are named by rows of `schema`."""
        for (table, key), uses in sorted(self.shared.items()):
            named = " UNION ALL ".join(f"SELECT {by} FROM {schema}.{t} t" for t, by in sorted(uses))
            yield f"SELECT o.person_id FROM cdm.{table} o WHERE o.{key} IN ({named})"


def reach_of(plan: Plan, placeholders: Mapping[str, str]) -> Reach:
    """Sorts the row checks of `plan`; every aggregate check is left out."""
    rows = [item for item in plan.checks if item.check.scope is Scope.ROW]
    persons = frozenset(person_tables(plan))
    part = [item for item in rows if item.table in persons and _of_its_person(plan, item)]
    chosen = {item.check_id for item in part}
    site: dict[Use, set[Use]] = {}
    shared: dict[Use, set[Use]] = {}
    for item in part:
        for relation, by, values in _joins(plan, item, placeholders):
            table, key = _named(relation, values)
            if table in persons and key != "person_id":
                use = (table, f"t.{key}") if relation.across else (item.table, by)
                shared.setdefault((table, key), set()).add(use)
            elif table in plan.cdm and plan.cdm.table(table).schema == "CDM":
                site.setdefault((table, key), set()).add((item.table, by))
    return Reach(
        replace(plan, checks=tuple(item for item in rows if item.check_id not in chosen)),
        replace(plan, checks=tuple(part)),
        {place: frozenset(uses) for place, uses in site.items()},
        {place: frozenset(uses) for place, uses in shared.items()},
    )


def _named(relation: Relation, values: Mapping[str, str]) -> Use:
    """Table and field by which rows of one person meet those of another; empty for none."""
    if relation.across:
        table, _, name = relation.across.rpartition(".")
        return table, name
    source = _TABLE.fullmatch(fill(relation.source, values))
    return (source[1], fill(relation.key, values)) if source else ("", "")


def _joins(
    plan: Plan, item: PlannedCheck, placeholders: Mapping[str, str]
) -> Iterator[tuple[Relation, str, dict[str, str]]]:
    """Relations of a check, by what of its row, and what the placeholders stand for."""
    values = {**item.values, **placeholders}
    for join in item.check.joins.values():
        by = fill(join.by, values)
        relation = plan.relations[fill(join.relation, values)]
        yield relation, by if "t." in by else f"t.{by}", values


def _of_its_person(plan: Plan, item: PlannedCheck) -> bool:
    """Whether equal rows of a person, and of what these name, give equal answers."""
    texts = [item.check.violated, item.check.applies]
    for relation, by, values in _joins(plan, item, {"as_of": "{as_of}"}):
        texts += [by, relation.source, relation.where, relation.having, *relation.columns.values()]
        if not _is_bounded(plan, relation, fill(relation.source, values)):
            return False
    return not any(name in text for text in texts for name in ("{as_of}", "etl."))


def _is_bounded(plan: Plan, relation: Relation, source: str) -> bool:
    """Whether the relation says of a person's rows what few known rows say: never all rows."""
    read = {name for name in _TABLE.findall(source) if plan.cdm.table(name).schema == "CDM"}
    if _TABLE.fullmatch(source):
        says_more = relation.columns or relation.where or relation.having
        return read <= set(person_tables(plan)) or not says_more
    return not read or bool(relation.across)
