"""Spreads the checks over the CDM specification: the closed list of what a load must answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.omop.cdm import Cdm, Table, load_cdm
from entrepot.quality import checks as check_files
from entrepot.quality.checks import Check, CheckSet, Links, Relation, Scope, load_checks
from entrepot.quality.rule_tables import RuleTable, load_counts, load_rule_tables
from entrepot.quality.spread import MAPPED_TABLES, Limits, chosen, places
from entrepot.quality.thresholds import FOLDER as THRESHOLD_FOLDER
from entrepot.quality.thresholds import Threshold, Thresholds, load_thresholds

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_OPEN = frozenset({"as_of"})  # known only when a load is judged


@dataclass(frozen=True)
class PlannedCheck:
    """One check at one place of the CDM.

    Args:
        check_id: `family`, `family.table` or `family.table.field`.
        values: what the placeholders of the check's SQL stand for here.
    """

    check: Check
    check_id: str
    table: str
    field: str
    values: Mapping[str, str]
    threshold: Threshold


@dataclass(frozen=True)
class Link:
    """A foreign key that a removal follows."""

    table: str
    field: str
    target: str


@dataclass(frozen=True)
class FollowedLinks:
    """What a removed row takes with it (`remove`, `events`, `facts`) or loses (`clear`)."""

    remove: tuple[Link, ...]
    clear: tuple[Link, ...]
    events: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """Every check that a load must answer, and how removals spread."""

    cdm: Cdm
    checks: tuple[PlannedCheck, ...]
    relations: Mapping[str, Relation]
    links: FollowedLinks
    tables: Mapping[str, RuleTable]

    @cached_property
    def by_id(self) -> Mapping[str, PlannedCheck]:
        """Checks by `check_id`."""
        return {planned.check_id: planned for planned in self.checks}

    @cached_property
    def row_checks(self) -> Mapping[str, tuple[PlannedCheck, ...]]:
        """Row-scope checks by table, in the order of the specification."""
        found: dict[str, list[PlannedCheck]] = {}
        for planned in self.checks:
            if planned.check.scope is Scope.ROW:
                found.setdefault(planned.table, []).append(planned)
        return {table: tuple(checks) for table, checks in found.items()}


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with its `{placeholders}` replaced; counts of a regular expression stay (`{8,}`)."""
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def row_key(table: Table) -> str:
    """The field that names a row in `etl.quarantine` and `etl.lineage`; empty when there is none.

    DEATH has no primary key in the specification; its rows are named by their person.
    """
    if len(table.primary_key) == 1:
        return table.primary_key[0]
    return "person_id" if "person_id" in table.columns else ""


def build_plan(overlays: Iterable[Path] = (), *, anywhere: bool = False) -> Plan:
    """Reads checks and thresholds and spreads them over the CDM.

    Args:
        anywhere: with the checks for databases that the road did not make, instead of those that
            ask the ledger, staging and the profiles of the published release.

    Raises:
        ConfigurationError: a check without a threshold, a threshold without a check, an unknown
            placeholder or relation, a foreign key that `links` does not name exactly once.
    """
    roots = tuple(overlays)
    more = check_files.ANYWHERE if anywhere else check_files.ROAD
    checks = load_checks(roots, (check_files.FOLDER, more))
    thresholds = load_thresholds(roots, (THRESHOLD_FOLDER, more))
    return make_plan(load_cdm(roots), checks, thresholds, roots)


def make_plan(
    cdm: Cdm, check_set: CheckSet, thresholds: Thresholds, overlays: Iterable[Path] = ()
) -> Plan:
    """The plan of these checks; see `build_plan`."""
    roots = tuple(overlays)
    limits = load_counts(roots)
    planned: list[PlannedCheck] = []
    for check in check_set.checks.values():
        found = list(_spread(check, cdm, thresholds, limits))
        if not found:
            raise ConfigurationError(f"check {check.id} applies nowhere", where=check_files.FOLDER)
        planned += found
    relations = {table.name: _key_alone(table) for table in cdm if table.primary_key}
    plan = Plan(
        cdm,
        tuple(planned),
        {**relations, **check_set.relations},
        _followed(cdm, check_set.links),
        load_rule_tables(roots),
    )
    _refuse_unused(plan, thresholds)
    for item in plan.checks:
        _refuse_unknown_names(item, plan.relations)
    return plan


def _key_alone(table: Table) -> Relation:
    return Relation(source=f"cdm.{table.name}", key=table.primary_key[0])


def _spread(
    check: Check, cdm: Cdm, thresholds: Thresholds, limits: Limits
) -> Iterator[PlannedCheck]:
    for table, field, extra in places(check, cdm, limits):
        place = [check.id] + ([table, field] if check.for_each else [])
        key = row_key(cdm.table(table)) if table in cdm else ""
        values = {"table": table, "field": field, "key": key, "mapped_rows": mapped_rows(cdm)}
        yield PlannedCheck(
            check=check,
            check_id=".".join(part for part in place if part),
            table=table,
            field=field,
            values={**values, **extra},
            threshold=thresholds.find(check.id, table, field),
        )


def mapped_rows(cdm: Cdm) -> str:
    """SELECT of `cdm_table` and `cdm_id` of every row that comes from a staged one."""
    return " UNION ALL ".join(
        f"SELECT '{name}' AS cdm_table, {row_key(cdm.table(name))} AS cdm_id FROM cdm.{name}"
        for name in MAPPED_TABLES
    )


def _followed(cdm: Cdm, links: Links) -> FollowedLinks:
    kept: dict[str, list[Link]] = {"remove": [], "clear": []}
    for field in cdm.foreign_keys:
        target = field.foreign_key
        if cdm.table(field.table).schema != "CDM" or target is None:
            continue
        if cdm.table(target.table).schema != "CDM":
            continue
        place = f"{field.table}.{field.name}"
        named = [
            kind
            for kind, patterns in (("remove", links.remove), ("clear", links.clear))
            if chosen(place, patterns)
        ]
        if len(named) != 1:
            raise ConfigurationError(
                f"links must name {place} once, in `remove` or in `clear`",
                where=check_files.FOLDER,
            )
        kept[named[0]].append(Link(field.table, field.name, target.table))
    return FollowedLinks(
        tuple(kept["remove"]),
        tuple(kept["clear"]),
        tuple(_places(cdm, links.events)),
        tuple(_places(cdm, links.facts)),
    )


def _places(cdm: Cdm, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for place in names:
        table, _, name = place.partition(".")
        if table not in cdm or name not in cdm.table(table).columns:
            raise ConfigurationError(f"no field {place}", where=check_files.FOLDER)
        yield table, name


def _refuse_unused(plan: Plan, thresholds: Thresholds) -> None:
    covered = {(item.check.id, item.table, item.field) for item in plan.checks}
    known = covered | {(c, t, "") for c, t, _ in covered} | {(c, "", "") for c, _, _ in covered}
    for check, table, field in sorted(thresholds.places - known):
        place = ".".join(part for part in (check, table, field) if part)
        raise ConfigurationError(f"{place} is no check", where=THRESHOLD_FOLDER)


def _refuse_unknown_names(item: PlannedCheck, relations: Mapping[str, Relation]) -> None:
    check, where = item.check, f"{check_files.FOLDER}: {item.check.id}"
    known = _OPEN | item.values.keys() | check.joins.keys()
    texts = [check.violated, check.applies, check.query, *(j.by for j in check.joins.values())]
    for join in check.joins.values():
        name = fill(join.relation, item.values)
        if name not in relations:
            raise ConfigurationError(f"no relation {name!r}", where=where)
        relation = relations[name]
        texts += [relation.source, relation.key, relation.where, relation.having]
    for name in PLACEHOLDER.findall(" ".join(texts)):
        if name not in known:
            raise ConfigurationError(f"no placeholder {{{name}}}", where=where)
