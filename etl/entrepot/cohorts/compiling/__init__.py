"""A cohort definition into one read-only SELECT."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from sqlglot import exp

from entrepot.cohorts.compiling.context import Cohort, Query
from entrepot.cohorts.compiling.dialect_sql import column, number
from entrepot.cohorts.compiling.entry import included_events, qualified_events
from entrepot.cohorts.compiling.leaving import cohort_rows
from entrepot.cohorts.compiling.outcome import masks_select, outcome_select
from entrepot.cohorts.definition import CohortExpression
from entrepot.cohorts.dialects import Dialect

# Part of what nodes of a network agree on: raised when any definition may give other rows.
COMPILER_VERSION = "2"


def compile_cohort(
    expression: CohortExpression,
    dialect: Dialect,
    schema: str = "cdm",
    vocabulary_schema: str | None = None,
) -> str:
    """One SELECT of the cohort's rows: `subject_id, cohort_start_date, cohort_end_date`.

    Args:
        schema: where the CDM's tables are.
        vocabulary_schema: where concept, concept_ancestor and concept_relationship are, when
            elsewhere.

    Raises:
        ConfigurationError: the definition asks for a column that CDM 5.4 does not have.
    """
    query = Query(dialect, schema)
    cohort = Cohort(query, expression)
    rows = _named(_rows(cohort).subquery("f", copy=False))
    return query.select(rows, vocabulary_schema or schema)


def compile_outcome(
    expression: CohortExpression,
    dialect: Dialect,
    schema: str = "cdm",
    vocabulary_schema: str | None = None,
) -> str:
    """One SELECT of the cohort's rows and of its inclusion masks; `Outcome.of` reads its rows.

    Raises:
        ConfigurationError: the definition asks for a column that CDM 5.4 does not have.
    """
    query = Query(dialect, schema)
    return query.select(outcome_select(Cohort(query, expression)), vocabulary_schema or schema)


def compile_masks(
    expression: CohortExpression,
    dialect: Dialect,
    schema: str = "cdm",
    vocabulary_schema: str | None = None,
) -> str:
    """One SELECT of `person_id, mask`: each person once, with the inclusion rules (bit n = rule n)
    that the person's best event satisfies. It never leaves the database's own hospital.

    Raises:
        ConfigurationError: the definition asks for a column that CDM 5.4 does not have.
    """
    query = Query(dialect, schema)
    return query.select(masks_select(Cohort(query, expression)), vocabulary_schema or schema)


def compile_batch(
    expressions: Mapping[int, CohortExpression],
    dialect: Dialect,
    schema: str = "cdm",
    vocabulary_schema: str | None = None,
    *,
    outcomes: bool = False,
) -> str:
    """One SELECT of several cohorts, `cohort_definition_id` first, then as `compile_cohort`.

    A concept set or a criterion that several definitions share is computed once.

    Args:
        expressions: by cohort_definition_id.
        outcomes: the other columns are those of `compile_outcome`.

    Raises:
        ConfigurationError: a definition asks for a column that CDM 5.4 does not have.
    """
    query = Query(dialect, schema)
    selects: list[exp.Query] = []
    for key, expression in expressions.items():
        cohort = Cohort(query, expression, f"cohort_{int(key)}_")
        rows = (
            outcome_select(cohort) if outcomes else _named(_rows(cohort).subquery("f", copy=False))
        )
        first = exp.alias_(number(int(key)), "cohort_definition_id", copy=False)
        selects.append(
            exp.select(first, column("b.*")).from_(rows.subquery("b", copy=False), copy=False)
        )
    union = reduce(lambda one, two: exp.union(one, two, distinct=False, copy=False), selects)
    return query.select(union, vocabulary_schema or schema)


def _rows(cohort: Cohort) -> exp.Select:
    return cohort_rows(cohort, included_events(cohort, qualified_events(cohort)))


def _named(rows: exp.Subquery) -> exp.Select:
    """Rows under the names of the CDM's cohort table."""
    names = {
        "subject_id": "person_id",
        "cohort_start_date": "start_date",
        "cohort_end_date": "end_date",
    }
    named = [exp.alias_(column(f"f.{told}"), name, copy=False) for name, told in names.items()]
    return exp.select(*named).from_(rows, copy=False)
