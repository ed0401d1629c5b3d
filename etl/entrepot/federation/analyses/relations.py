"""One query of an analysis: a shipped SQL file over cohorts that stand in it as CTEs.

Nothing of an asker becomes SQL text: cohorts come from the compiler, numbers become number literals
and domains are words of a closed list.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses.parameters import Feature, Prevalence
from entrepot.resources import data_file

FOLDER = "mappings/federation"


class DomainTable(NamedTuple):
    """Where the events of a domain are, as OMOP CDM 5.4 names it."""

    domain: str
    cdm_table: str
    concept_field: str
    date_field: str


def query(
    name: str, relations: Mapping[str, Any], numbers: Mapping[str, int] | None = None,
    dialect: str = "duckdb",
) -> str:  # fmt: skip
    """The SQL of `mappings/federation/NAME.sql` over its relations.

    Args:
        relations: CTEs by name, in the order in which they build on one another: SQL in `dialect`
            or a sqlglot expression.
        numbers: what `$name` stands for.
        dialect: of the answer, as sqlglot names it.

    Raises:
        ConfigurationError: the file names a number that is not given.
    """
    import sqlglot
    from sqlglot import exp

    tree = shipped(name)
    for place in list(tree.find_all(exp.Placeholder, exp.Parameter)):
        if place.name not in (numbers or {}):
            raise ConfigurationError(f"no value for ${place.name}", where=f"{FOLDER}/{name}.sql")
        place.replace(exp.Literal.number(int((numbers or {})[place.name])))
    inner = [(cte.alias, cte.this) for cte in tree.ctes]
    tree.set("with_", None)
    for alias, select in [*relations.items(), *inner]:
        text = isinstance(select, str)
        body = sqlglot.parse_one(select, read=dialect) if text else select
        tree = tree.with_(alias, as_=body, copy=False)
    return str(tree.sql(dialect=dialect))


def shipped(name: str) -> Any:
    """The tree of one of our files, to be changed freely."""
    return _parsed(name).copy()


def wanted(features: Sequence[Feature]) -> Any:
    """Relation `wanted`: feature (its place), domain, concept_id, descendants (1 or 0)."""
    rows = [
        (place, feature.domain, int(feature.concept_id), int(feature.descendants))
        for place, feature in enumerate(features)
    ]
    return _values(rows, "feature", "domain", "concept_id", "descendants")


def events(features: Sequence[Feature]) -> Any:
    """Relation `events`: domain, person_id, concept_id, start_date of the features' domains."""
    from sqlglot import exp

    named = {feature.domain for feature in features}
    parts = [
        exp.select(
            exp.alias_(exp.Literal.string(one.domain), "domain"), "person_id",
            exp.alias_(exp.column(one.concept_field), "concept_id"),
            exp.alias_(exp.column(one.date_field), "start_date"),
        ).from_(exp.table_(one.cdm_table, db="cdm"))
        for one in domain_tables() if one.domain in named
    ]  # fmt: skip
    return parts[0] if len(parts) == 1 else exp.union(*parts, distinct=False)


def periods(analysis: Prevalence) -> Any:
    """Relation `periods`: period (its year), first_day, last_day."""
    from sqlglot import exp

    last = "12-31" if analysis.at == "any_day" else "01-01"
    rows = [
        (year, exp.cast(exp.Literal.string(f"{year}-01-01"), "date"),
         exp.cast(exp.Literal.string(f"{year}-{last}"), "date"))
        for year in map(int, analysis.years.each())
    ]  # fmt: skip
    return _values(rows, "period", "first_day", "last_day")


@lru_cache(maxsize=1)
def domain_tables() -> tuple[DomainTable, ...]:
    """`mappings/federation/domains.csv`."""
    with data_file(f"{FOLDER}/domains.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(DomainTable(**row) for row in csv.DictReader(stream))


def _values(rows: Sequence[tuple[Any, ...]], *columns: str) -> Any:
    from sqlglot import exp

    return exp.select(*columns).from_(exp.values(rows, alias="given", columns=list(columns)))


@lru_cache(maxsize=32)
def _parsed(name: str) -> Any:
    import sqlglot

    text = data_file(f"{FOLDER}/{name}.sql").read_text(encoding="utf-8")
    return sqlglot.parse_one(text, read="duckdb")
