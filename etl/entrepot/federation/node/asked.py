"""What is asked, judged by the question alone: compiler, parameters, sizes, tables.

SQL that a node runs is compiled here from the definition, never taken from a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.federation.canonical import canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.envelopes import Query
from entrepot.federation.node.relations import allowed
from entrepot.federation.refusals import Code, Refused
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

if TYPE_CHECKING:
    from entrepot.cohorts import CohortExpression
    from entrepot.federation.analyses import Analysis

FILE = "quality/federation/node.yaml"
Count = Annotated[int, Field(ge=1)]


class Limits(BaseModel):
    """`quality/federation/node.yaml`: how large one question may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    definition_bytes: Count
    concept_sets: Count
    concepts: Count


def read_limits(site: Site) -> Limits:
    """The limits of a site.

    Raises:
        ConfigurationError: a key that there is not.
    """
    return read_yaml(data_file(FILE, site.overlays), Limits)


def check_question(site: Site, query: Query, card: StudyCard) -> None:
    """Passes a question that this node could answer; opens no data.

    Raises:
        Refused: what is wrong with it.
    """
    from entrepot.cohorts import COMPILER_VERSION

    if query.compiler != COMPILER_VERSION:
        raise Refused(Code.COMPILER_DIFFERS)
    limits = read_limits(site)
    for definition in query.cohorts.values():
        _check_size(definition, limits)
    cohorts = definitions(query)
    parameters(query)
    known = allowed(card.tables)
    for expression in cohorts.values():
        if not tables_of(expression) <= known:
            raise Refused(Code.TABLE_NOT_ALLOWED)


def definitions(query: Query) -> dict[str, CohortExpression]:
    """The cohorts of a question, read by this node's compiler.

    Raises:
        Refused: one of them is no definition.
    """
    from entrepot.cohorts import read_definition

    try:
        return {
            name: read_definition(canonical(definition), f"cohort {number}")
            for number, (name, definition) in enumerate(sorted(query.cohorts.items()), start=1)
        }
    except ConfigurationError:
        raise Refused(Code.DEFINITION_REFUSED) from None


def parameters(query: Query) -> Analysis:
    """What is to be computed.

    Raises:
        Refused: no analysis, or one that names cohorts which the question does not bring.
    """
    from pydantic import ValidationError

    from entrepot.federation.analyses import ANALYSIS, cohorts_of, shapes

    try:
        analysis: Analysis = ANALYSIS.validate_python(query.analysis)
        shapes(analysis)
    except (ValidationError, ConfigurationError):
        raise Refused(Code.ANALYSIS_REFUSED) from None
    if not set(cohorts_of(analysis)) <= set(query.cohorts):
        raise Refused(Code.ANALYSIS_REFUSED)
    return analysis


def tables_of(expression: CohortExpression) -> frozenset[str]:
    """Tables of the CDM that the compiled definition reads.

    Raises:
        Refused: the compiler knows no such definition.
    """
    import sqlglot
    from sqlglot import exp

    from entrepot.cohorts import Dialect, compile_cohort

    try:
        sql = compile_cohort(expression, Dialect.DUCKDB)
    except ConfigurationError:
        raise Refused(Code.DEFINITION_REFUSED) from None
    tree = sqlglot.parse_one(sql, read="duckdb")
    return frozenset(table.name for table in tree.find_all(exp.Table) if table.db == "cdm")


def _check_size(definition: Mapping[str, Any], limits: Limits) -> None:
    """Before the compiler reads it."""
    if len(canonical(definition)) > limits.definition_bytes:
        raise Refused(Code.DEFINITION_REFUSED)
    sizes = list(_concept_sets(definition))
    if len(sizes) > limits.concept_sets or sum(sizes) > limits.concepts:
        raise Refused(Code.CONCEPT_SETS_TOO_LARGE)


def _concept_sets(value: Any) -> Iterator[int]:
    """Items of each concept set, wherever it stands."""
    if isinstance(value, Mapping):
        items = value.get("items")
        if isinstance(items, list):
            yield len(items)
        for one in value.values():
            yield from _concept_sets(one)
    elif isinstance(value, list):
        for one in value:
            yield from _concept_sets(one)
