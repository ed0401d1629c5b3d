"""What a cohort's SELECT answers: rows, inclusion masks and the attrition they tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from entrepot.cohorts.compiling import COMPILER_VERSION
from entrepot.cohorts.compiling.outcome import PART_EVENTS, PART_PERSONS, PART_ROW
from entrepot.cohorts.definition import CohortExpression, definition_hash

Masks = dict[int, int]


@dataclass(frozen=True)
class Outcome:
    """A cohort as one database gives it.

    Args:
        rows: (person_id, first day, last day), sorted.
        events: qualifying events by the mask of the inclusion rules they satisfy (bit n = rule n).
        persons: persons by the mask of their best event; both empty without inclusion rules.
    """

    rows: tuple[tuple[int, dt.date, dt.date], ...]
    events: Masks
    persons: Masks

    @classmethod
    def of(cls, answer: Iterable[Sequence[Any]]) -> Outcome:
        """From the rows of `compile_outcome`'s SELECT."""
        parts: dict[int, list[Sequence[Any]]] = {PART_ROW: [], PART_EVENTS: [], PART_PERSONS: []}
        for part, *values in answer:
            parts[int(part)].append(values)
        rows = sorted((int(row[0]), _day(row[1]), _day(row[2])) for row in parts[PART_ROW])
        events, persons = (
            {int(row[3]): int(row[4]) for row in parts[part]}
            for part in (PART_EVENTS, PART_PERSONS)
        )
        return cls(tuple(rows), events, persons)

    @property
    def count_persons(self) -> int:
        """Persons of the cohort."""
        return len({row[0] for row in self.rows})


@dataclass(frozen=True)
class Step:
    """One inclusion rule of an attrition.

    Args:
        name: the rule's.
        satisfying: that satisfy it alone.
        remaining: that satisfy it and every rule before it.
        gain: that only this rule excludes.
    """

    name: str
    satisfying: int
    remaining: int
    gain: int


def attrition(expression: CohortExpression, masks: Masks) -> tuple[Step, ...]:
    """The inclusion rules one after the other over `Outcome.events` or `Outcome.persons`."""
    rules = expression.inclusion_rules
    full = (1 << len(rules)) - 1
    steps = []
    for n, rule in enumerate(rules):
        before = (1 << (n + 1)) - 1
        steps.append(
            Step(
                rule.name,
                sum(count for mask, count in masks.items() if mask >> n & 1),
                sum(count for mask, count in masks.items() if mask & before == before),
                masks.get(full ^ (1 << n), 0),
            )
        )
    return tuple(steps)


def as_json(expression: CohortExpression, outcome: Outcome) -> dict[str, Any]:
    """The outcome as OHDSI's result tables have it (`cohort_inclusion_result`, mode 0 events,
    mode 1 persons), with the attrition of persons.
    """
    modes = enumerate((outcome.events, outcome.persons))
    return {
        "definition": definition_hash(expression),
        "compiler": COMPILER_VERSION,
        "rows": [[person, str(first), str(last)] for person, first, last in outcome.rows],
        "inclusion_result": [
            [mode, mask, count] for mode, masks in modes for mask, count in sorted(masks.items())
        ],
        "attrition": [asdict(step) for step in attrition(expression, outcome.persons)],
    }


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)[:10])
