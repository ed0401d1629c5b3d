"""One question asked of a node's database, its counts protected, its answer in the known shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses import counting, follow_up
from entrepot.federation.analyses.answers import (
    Answer,
    AnswerCell,
    AnswerTable,
    CountsAnswer,
    figure_keys,
)
from entrepot.federation.analyses.asked import Asked, Readable
from entrepot.federation.analyses.parameters import (
    Analysis,
    Attrition,
    Characterisation,
    Counts,
    Cox,
    Incidence,
    Logistic,
    Prevalence,
    Stratified,
    Survival,
    cohorts_of,
)
from entrepot.federation.analyses.shapes import TableShape, shapes
from entrepot.federation.analyses.strata import load_strata

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from entrepot.cohorts import CohortExpression
    from entrepot.federation.analyses.regression import RegressionTurn
    from entrepot.federation.disclosure import CountTable, PersonSet, ProtectedTable


class GuardPolicy(Protocol):
    """What an answer says of the policy that it was made under."""

    @property
    def threshold(self) -> int:
        """Fewer persons are never shown."""

    @property
    def rounding_base(self) -> int:
        """Counts are multiples of it."""


class Guard(Protocol):
    """Disclosure control of one question: `entrepot.federation.disclosure.Guard`."""

    @property
    def policy(self) -> GuardPolicy:
        """The node's own, as the study raised it."""

    def protect(self, tables: Sequence[CountTable]) -> tuple[ProtectedTable, ...]:
        """All tables of the answer, in the same order; called once."""

    def noise(self, label: str, persons: PersonSet, size: int) -> NDArray[np.float64]:
        """Numbers in [-1, 1) that follow from the set of persons, the label and the secret."""

    def regression_allowed(self, parameters: int, levels: Sequence[ProtectedTable]) -> bool:
        """Whether protected counts of each level by outcome are enough for so many parameters."""


def perform(
    database: Readable, cohorts: Mapping[str, CohortExpression], analysis: Analysis, guard: Guard,
    turn: RegressionTurn | None = None, *, overlays: Iterable[Path] = (),
) -> Answer:  # fmt: skip
    """Answers one question.

    Args:
        cohorts: definitions by the names that the analysis uses.
        turn: of a regression, what the node knows of its rounds.
        overlays: of the site, which may have codes of care sites of its own.

    Raises:
        ConfigurationError: the question contradicts itself: a cohort that it does not bring, too
            many cells, another number of inclusion rules.
    """
    from entrepot.cohorts import Dialect, compile_cohort

    shapes(analysis)  # a question that is too large is refused before anything is read
    missing = [name for name in cohorts_of(analysis) if name not in cohorts]
    if missing:
        raise ConfigurationError(
            "the question names a cohort that it does not bring", where=f"cohort {missing[0]}"
        )
    dialect = Dialect(database.dialect)
    selects = {name: compile_cohort(cohorts[name], dialect) for name in cohorts_of(analysis)}
    masks = _masks(cohorts, analysis, dialect) if isinstance(analysis, Attrition) else {}
    strata = load_strata(tuple(overlays))
    return answered(Asked(database, selects, masks, strata), analysis, guard, turn)


def _masks(
    cohorts: Mapping[str, CohortExpression], analysis: Attrition, dialect: Any
) -> dict[str, str]:
    expression = cohorts[analysis.cohort]
    if len(expression.inclusion_rules) != analysis.rules:
        raise ConfigurationError(
            "the definition has another number of inclusion rules than the question states",
            where=f"cohort {analysis.cohort}",
        )
    from entrepot.cohorts import compile_masks

    return {analysis.cohort: compile_masks(expression, dialect)}


def answered(
    asked: Asked, analysis: Analysis, guard: Guard, turn: RegressionTurn | None = None
) -> Answer:
    """As `perform`, with cohorts that are SELECTs already."""
    if isinstance(analysis, Logistic | Cox):
        from entrepot.federation.analyses.regression import share

        return share(asked, analysis, guard, turn)
    protected = guard.protect(_tables(asked, analysis))
    return CountsAnswer(
        kind=analysis.kind, threshold=guard.policy.threshold, base=guard.policy.rounding_base,
        tables=tuple(
            told(shape, table)
            for shape, table in zip(shapes(analysis, asked.strata), protected, strict=True)
        ),
    )  # fmt: skip


def _tables(asked: Asked, analysis: Analysis) -> tuple[CountTable, ...]:
    match analysis:
        case Counts():
            return counting.counts(asked, analysis)
        case Stratified():
            return counting.stratified(asked, analysis)
        case Attrition():
            return counting.attrition(asked, analysis)
        case Characterisation():
            return counting.characterisation(asked, analysis)
        case Prevalence():
            return counting.prevalence(asked, analysis)
        case Incidence() | Survival():
            return follow_up.exit_tables(asked, analysis)
    raise AssertionError(analysis.kind)


def told(shape: TableShape, table: ProtectedTable) -> AnswerTable:
    """A protected table in the order of its shape: inner cells, margins, unions."""
    counts = {tuple(cell.key): cell.count for cell in table.cells}
    return AnswerTable(
        name=shape.name, dimensions=shape.dimensions,
        cells=tuple(AnswerCell(key=key, count=counts[key]) for key in figure_keys(shape)),
    )  # fmt: skip
