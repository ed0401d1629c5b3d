"""What is wrong or doubtful in a definition, before anybody waits for its result."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from entrepot.cohorts.compiling import compile_cohort
from entrepot.cohorts.definition import CohortExpression, ConceptSetSelection, CustomEra
from entrepot.cohorts.dialects import Dialect
from entrepot.errors import ConfigurationError


class Doubt(msgspec.Struct, frozen=True):
    """One finding.

    Args:
        fatal: the definition cannot be run; else it runs, perhaps not as meant.
        what: in words.
    """

    fatal: bool
    what: str


def validate(expression: CohortExpression) -> list[Doubt]:
    """Findings of a definition that could be read; none when all is well."""
    return [*_refused(expression), *_sets(expression)]


def _refused(expression: CohortExpression) -> Iterator[Doubt]:
    said = set()
    for dialect in Dialect:
        try:
            compile_cohort(expression, dialect)
        except ConfigurationError as error:
            said.add(str(error))
    for what in sorted(said):
        yield Doubt(True, what)


def _sets(expression: CohortExpression) -> Iterator[Doubt]:
    held = {one.id: one for one in expression.concept_sets}
    named = set(_named(msgspec.structs.replace(expression, concept_sets=())))
    for number in sorted(named - held.keys()):
        yield Doubt(True, f"a criterion names concept set {number}, which the definition lacks")
    for number in sorted(held.keys() - named):
        yield Doubt(False, f"concept set {number} is named by no criterion")
    for number, one in sorted(held.items()):
        if not any(not item.is_excluded for item in one.expression.items):
            yield Doubt(False, f"concept set {number} includes no concept, so nothing matches it")


def _named(part: object) -> Iterator[int]:
    """Numbers of concept sets, wherever one is named: every plain number of a criterion is one."""
    if isinstance(part, tuple):
        for one in part:
            yield from _named(one)
    if not isinstance(part, msgspec.Struct):
        return
    if isinstance(part, ConceptSetSelection):
        if part.codeset_id is not None:
            yield part.codeset_id
        return
    if isinstance(part, CustomEra):
        yield part.drug_codeset_id
        return
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if name == "codeset_id" or name.endswith(("_source_concept", "_location")):
            yield from (value,) if isinstance(value, int) else ()
        elif name.endswith("_concept") and type(value) is int:
            yield value
        else:
            yield from _named(value)
