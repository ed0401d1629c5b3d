"""Cohorts in OHDSI's language: definitions read, explained, compiled to one SELECT, and run."""

from entrepot.cohorts.compiling import (
    COMPILER_VERSION,
    compile_batch,
    compile_cohort,
    compile_masks,
    compile_outcome,
)
from entrepot.cohorts.definition import CohortExpression, definition_hash, read_definition
from entrepot.cohorts.dialects import Dialect
from entrepot.cohorts.outcome import Outcome, Step, as_json, attrition

__all__ = [
    "COMPILER_VERSION",
    "CohortExpression",
    "Dialect",
    "Outcome",
    "Step",
    "as_json",
    "attrition",
    "compile_batch",
    "compile_cohort",
    "compile_masks",
    "compile_outcome",
    "definition_hash",
    "read_definition",
]
