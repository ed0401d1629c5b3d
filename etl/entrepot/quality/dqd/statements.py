"""DQD's checks as SQL: one query per table and one per keyed field, instead of 2,374.

Measured on the 25,000 rows of the reference data: see `docs/reference/quality.md`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from entrepot.quality.dqd.types import CheckType, DqdCheck, KeySet
from entrepot.quality.plan import fill

_INTEGER = re.compile(r"(big|small|tiny|huge|u)?int(eger)?\d*$|hugeint|long|short|byte")
# DQD makes a date of year, month and day; a month of 13 is an error there and no date here. Text
# makes the date: of `make_date` sqlglot makes a function that PostgreSQL does not know.
_MONTH = """lpad(CAST(year_of_birth AS VARCHAR), 4, '0') || '-'
    || lpad(CAST(coalesce(month_of_birth, 1) AS VARCHAR), 2, '0') || '-'"""
_BIRTH = f"""CASE WHEN year_of_birth NOT BETWEEN 1 AND 9999
    OR coalesce(month_of_birth, 1) NOT BETWEEN 1 AND 12
    OR coalesce(day_of_birth, 1) NOT BETWEEN 1 AND 31 THEN NULL
  WHEN day_of_birth = 29 THEN CAST(CAST({_MONTH} || '28' AS DATE) + INTERVAL 1 DAY AS DATE)
  WHEN day_of_birth = 30 THEN CAST(CAST({_MONTH} || '28' AS DATE) + INTERVAL 2 DAY AS DATE)
  WHEN day_of_birth = 31 THEN CAST(CAST({_MONTH} || '28' AS DATE) + INTERVAL 3 DAY AS DATE)
  ELSE CAST({_MONTH} || lpad(CAST(coalesce(day_of_birth, 1) AS VARCHAR), 2, '0') AS DATE) END"""
_JUNE = """CASE WHEN year_of_birth BETWEEN 1 AND 9999
    THEN CAST(lpad(CAST(year_of_birth AS VARCHAR), 4, '0') || '-06-01' AS DATE) END"""
IMPOSSIBLE_BIRTH = """SELECT count(*) FROM cdm.person WHERE birth_datetime IS NULL AND
    (coalesce(month_of_birth, 1) NOT BETWEEN 1 AND 12
    OR coalesce(day_of_birth, 1) NOT BETWEEN 1 AND 31)"""
_CONCEPT = """SELECT concept_id AS id, min(domain_id) AS domain_id,
    min(concept_class_id) AS concept_class_id,
    min(CASE WHEN standard_concept = 'S' AND invalid_reason IS NULL THEN 1 ELSE 0 END) AS standard
  FROM cdm.concept WHERE concept_id IN (SELECT v FROM g) GROUP BY concept_id"""


@dataclass(frozen=True)
class Conditions:
    """A check's two conditions, ready for a query; an empty `applies` means every row."""

    check: DqdCheck
    applies: str
    violated: str


def conditions(check: DqdCheck, columns: Mapping[str, str], today: dt.date) -> Conditions:
    """The conditions of `check` over a table of these columns."""
    kind = check.type
    other = check.other and kind.violated_with_other
    applies = kind.applies_with_other if other else kind.applies
    violated = kind.violated_with_other if other else kind.violated
    if kind.violated_as_text and not is_integer(columns[check.field]):
        violated = kind.violated_as_text
    values = _values(check, columns, today)
    return Conditions(check, fill(applies, values), fill(violated, values))


def is_integer(column_type: str) -> bool:
    """Whether a database's type holds whole numbers."""
    return _INTEGER.match(column_type) is not None


def _values(check: DqdCheck, columns: Mapping[str, str], today: dt.date) -> dict[str, str]:
    limit, value = check.limit, f"t.{check.field}"
    if limit == "tomorrow":
        limit = (today + dt.timedelta(days=1)).isoformat()
    if limit == "next_year":
        limit = str(today.year + 1)
    if "-" in limit:
        limit, value = f"DATE '{limit}'", f"CAST(t.{check.field} AS DATE)"
    return {
        "table": check.table, "field": check.field, "other": check.other, "limit": limit,
        "value": value, "domain": check.domain, "concept_class": check.concept_class,
    }  # fmt: skip


def of_rows(table: str, checks: Sequence[Conditions], sets: Mapping[str, KeySet]) -> str:
    """One row: violated and denominator of every check, in order."""
    joins = {name: by for c in checks for name, by in c.check.joins.items()}
    columns = [part for c in checks for part in (
        _counted(c.violated, joins), _counted(c.applies, joins) if c.applies else "count(*)"
    )]  # fmt: skip
    return (f"SELECT {', '.join(columns)} FROM cdm.{table} t {_joined(joins, sets)}").rstrip()


def _counted(condition: str, joins: Iterable[str]) -> str:
    """Rows that fulfil `condition`, as many times as DQD's joins repeat them."""
    weights = " * ".join(f"{name}.n" for name in joins if f"{name}." in condition)
    if not weights:
        return f"count(CASE WHEN {condition} THEN 1 END)"
    return f"coalesce(sum(CASE WHEN {condition} THEN {weights} END), 0)"


def _joined(joins: Mapping[str, str], sets: Mapping[str, KeySet]) -> str:
    return " ".join(
        f"LEFT JOIN ({key_set(sets[name])}) {name} ON {name}.id = t.{by}"
        for name, by in joins.items()
    )


def key_set(one: KeySet) -> str:
    """One line per key, `n` rows each."""
    columns = ", ".join(
        f"{fill(sql, {'birth': _BIRTH, 'june': _JUNE})} AS {name}"
        for name, sql in one.columns.items()
    )
    return (
        f"SELECT {one.key} AS id, count(*) AS n, {columns} FROM cdm.{one.table}"
        f" WHERE {one.key} IS NOT NULL GROUP BY {one.key}"
    )


def of_values(checks: Sequence[Conditions]) -> str:
    """As `of_rows`, over the distinct values of their one field and what it refers to."""
    columns = [part for c in checks for part in (
        _weighed(c.violated), _weighed(c.applies) if c.applies else "coalesce(sum(g.n), 0)"
    )]  # fmt: skip
    check = checks[0].check
    referred = ""
    if check.target == "concept":
        referred = f"LEFT JOIN ({_CONCEPT}) r ON r.id = g.v"
    elif check.target:
        referred = (
            f"LEFT JOIN (SELECT DISTINCT {check.target_field} AS id FROM cdm.{check.target}) r"
            " ON r.id = g.v"
        )
    return (
        f"WITH g AS (SELECT {check.field} AS v, count(*) AS n FROM cdm.{check.table}"
        f" GROUP BY {check.field}) SELECT {', '.join(columns)} FROM g {referred}"
    )


def _weighed(condition: str) -> str:
    return f"coalesce(sum(CASE WHEN {condition} THEN g.n END), 0)"


def of_pairs(kind: CheckType, table: str, field: str, sets: Mapping[str, KeySet]) -> str:
    """Distinct (concept, second value), rows, and rows as DQD's join repeats them."""
    weights = " * ".join(f"coalesce({name}.n, 0)" for name in kind.joins) or "1"
    return (
        f"SELECT t.{field}, {kind.second}, count(*), sum({weights})"
        f" FROM cdm.{table} t {_joined(kind.joins, sets)}"
        f" WHERE t.{field} IS NOT NULL GROUP BY 1, 2"
    )


def of_descendants(ancestors: Iterable[int]) -> str:
    """(ancestor, descendant) of these concepts; DQD counts a row once for each ancestor."""
    ids = ", ".join(map(str, sorted(ancestors)))
    return (
        f"SELECT ancestor_concept_id, descendant_concept_id, count(*)"
        f" FROM cdm.concept_ancestor WHERE ancestor_concept_id IN ({ids}) GROUP BY 1, 2"
    )
