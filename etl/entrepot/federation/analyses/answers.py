"""What a node answers: protected counts in a known shape, or a masked share of a sum; nothing else.

Shares, differences, rates and curves are no part of an answer: they are functions of its counts and
are computed where it is read (`entrepot.federation.pooling`), so they cannot contradict them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from entrepot.errors import EntrepotError
from entrepot.federation.analyses.parameters import MAX_CELLS, Analysis
from entrepot.federation.analyses.shapes import TableShape, shapes

ALL = "*"  # in a margin's key, the dimension that was summed
MOST = 10**8  # persons: more than France has
Key = tuple[str, ...]
Small = Annotated[int, Field(strict=True, ge=1, le=1000)]


class AnswerError(EntrepotError):
    """An answer that no sound node gives; it is refused whole."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswerCell(_Answer):
    """Persons of one cell, rounded; None where they are few, none, or withheld."""

    key: Annotated[tuple[Annotated[str, Field(max_length=60)], ...], Field(max_length=4)]
    count: Annotated[int, Field(strict=True, ge=0, le=MOST)] | None


class AnswerTable(_Answer):
    """Figures in the order of their shape: inner cells, margins, unions."""

    name: Annotated[str, Field(max_length=130)]
    dimensions: Annotated[tuple[str, ...], Field(max_length=4)]
    cells: Annotated[tuple[AnswerCell, ...], Field(max_length=4 * MAX_CELLS)]

    def counts(self) -> dict[tuple[str, ...], int | None]:
        """Count by key of every figure."""
        return {cell.key: cell.count for cell in self.cells}


class CountsAnswer(_Answer):
    """Tables of counts.

    Args:
        threshold: fewer persons are never shown.
        base: counts are multiples of it.
    """

    kind: Literal[
        "counts", "stratified", "attrition", "characterisation", "incidence", "survival",
        "prevalence",
    ]  # fmt: skip
    threshold: Small
    base: Small
    tables: Annotated[tuple[AnswerTable, ...], Field(max_length=200)]

    def table(self, name: str) -> AnswerTable:
        """The table of that name.

        Raises:
            KeyError: the answer has none.
        """
        return {table.name: table for table in self.tables}[name]


class ShareAnswer(_Answer):
    """One node's part of the sums of one round, masked; None where the node gives none.

    Args:
        share: numbers modulo 2^128 in hexadecimal.
    """

    kind: Literal["logistic", "cox"]
    threshold: Small
    base: Small
    round: Annotated[int, Field(strict=True, ge=0, le=50)]
    share: (
        Annotated[
            tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")], ...], Field(max_length=600)
        ]
        | None
    )


Answer = Annotated[CountsAnswer | ShareAnswer, Field(discriminator="kind")]
ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)


def read_answer(
    payload: str | bytes | Mapping[str, Any], analysis: Analysis, minimum: int = 11
) -> Answer:
    """An answer that fits its question.

    Args:
        payload: JSON, or what a JSON parser made of it.
        minimum: the study's threshold; a node may only have a higher one.

    Raises:
        AnswerError: an unknown field, a table of another shape, a count below the threshold or no
            multiple of the base, margins that cannot belong to their cells.
    """
    try:
        if isinstance(payload, str | bytes):
            answer = ANSWER.validate_json(payload)
        else:
            answer = ANSWER.validate_python(payload)
    except ValidationError as error:
        # Not the place: names of unknown fields are the sender's own words.
        kind = error.errors(include_input=False, include_url=False)[0]["type"]
        raise AnswerError("no answer of a known form", where=kind) from None
    if answer.kind != analysis.kind:
        raise AnswerError("an answer to another question", where="kind")
    if answer.threshold < minimum:
        raise AnswerError("a threshold below the study's", where="threshold")
    if isinstance(answer, CountsAnswer):
        _check_tables(answer, shapes(analysis))
    return answer


def slack(threshold: int, base: int) -> int:
    """How far a shown count may lie from the true one.

    Rounding moves it by less than the base, and a set of persons that differs from one counted
    before by fewer than the threshold repeats that count.
    """
    return base - 1 + threshold - 1


def margin_keys(shape: TableShape) -> Iterator[tuple[str, ...]]:
    """Keys of every margin, in order: `*` stands for what was summed."""
    axes = [(*values, ALL) for values in shape.values]
    return (key for key in itertools.product(*axes) if ALL in key)


def inner_of(shape: TableShape, key: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Inner cells that a margin sums."""
    axes = [
        values if part == ALL else (part,) for part, values in zip(key, shape.values, strict=True)
    ]
    return itertools.product(*axes)


def sums_of(shape: TableShape) -> Iterator[tuple[Key, tuple[Key, ...]]]:
    """Every margin and union with the inner cells that it sums."""
    for key in margin_keys(shape):
        yield key, tuple(inner_of(shape, key))
    yield from shape.unions


def figure_keys(shape: TableShape) -> list[Key]:
    """Keys of a table's figures in order: inner cells, margins, unions."""
    return [*shape.inner(), *(key for key, _ in sums_of(shape))]


def _check_tables(answer: CountsAnswer, expected: Sequence[TableShape]) -> None:
    if [table.name for table in answer.tables] != [shape.name for shape in expected]:
        raise AnswerError("other tables than the question has", where="tables")
    for table, shape in zip(answer.tables, expected, strict=True):
        keys = [cell.key for cell in table.cells]
        if table.dimensions != shape.dimensions or keys != figure_keys(shape):
            raise AnswerError("a table of another shape", where=table.name)
        for cell in table.cells:
            _check_count(answer, table.name, cell.count)
        _check_sums(answer, table, shape)
    _check_totals(answer, expected)


def _check_count(answer: CountsAnswer, where: str, count: int | None) -> None:
    if count is not None and (count % answer.base or count < answer.threshold):
        raise AnswerError("a count that the node's own policy does not show", where=where)


def _check_sums(answer: CountsAnswer, table: AnswerTable, shape: TableShape) -> None:
    counts, away = table.counts(), slack(answer.threshold, answer.base)
    for key, of in sums_of(shape):
        total, inner = counts[key], [counts[one] for one in of]
        shown = [count for count in inner if count is not None]
        if total is None:
            continue
        over = sum(max(answer.threshold, count - away) for count in shown) > total + away
        under = len(shown) == len(inner) and sum(shown) + away * len(shown) < total - away
        if over or under:
            raise AnswerError("a sum that its cells cannot make", where=table.name)


def _check_totals(answer: CountsAnswer, expected: Sequence[TableShape]) -> None:
    """Tables of one cohort divide the same persons: one set has one count."""
    totals: dict[str, int] = {}
    for table, shape in zip(answer.tables, expected, strict=True):
        total = table.counts()[(ALL,) * len(shape.dimensions)]
        if total is not None and totals.setdefault(shape.cohort, total) != total:
            raise AnswerError("two sizes of one cohort", where=table.name)
