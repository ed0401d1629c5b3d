"""Time from entry to the first outcome or to the end of observation, in whole intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from entrepot.federation.analyses.asked import Asked
from entrepot.federation.analyses.cells import count_table
from entrepot.federation.analyses.parameters import Incidence, Survival
from entrepot.federation.analyses.relations import shipped
from entrepot.federation.analyses.shapes import shapes
from entrepot.federation.disclosure import CountTable


@dataclass(frozen=True)
class Followed:
    """One person, in days from entry.

    Args:
        last_day: end of the observation period that holds the entry.
        outcome_day: of the first outcome after the day of entry, seen or not.
        prior: an outcome up to the day of entry.
    """

    person: int
    last_day: int
    outcome_day: int | None
    prior: bool

    def until(self, horizon: int) -> tuple[int, bool]:
        """Last day at risk up to a horizon, and whether the outcome came on it."""
        end = min(self.last_day, horizon)
        if self.outcome_day is not None and self.outcome_day <= end:
            return self.outcome_day, True
        return end, False


def followed(asked: Asked, target: str, outcome: str) -> Iterator[Followed]:
    """Everybody of the target cohort who is in an observation period at entry."""
    relations = {
        "target": asked.cohort(target), "outcome": asked.cohort(outcome), "entry": shipped("entry")
    }  # fmt: skip
    for person, last_day, outcome_day, prior in asked.rows("follow_up", relations):
        day = None if outcome_day is None else int(outcome_day)
        yield Followed(person, int(last_day), day, bool(prior))


def exit_tables(asked: Asked, analysis: Incidence | Survival) -> tuple[CountTable, ...]:
    """Per cohort, how and in which interval each person's follow-up ends.

    Incidence and survival ask for the same counts and are read in two ways.
    """
    horizon = analysis.interval_days * analysis.intervals
    return tuple(
        count_table(
            shape,
            (
                (one.person, (_exit(one, horizon, analysis.interval_days),))
                for one in followed(asked, shape.name, analysis.outcome)
                if not (one.prior and analysis.prior == "exclude")
            ),
        )
        for shape in shapes(analysis, asked.strata)
    )


def _exit(one: Followed, horizon: int, width: int) -> str:
    """Interval n holds the days (n-1)·width+1 … n·width; observation may end at their beginning."""
    day, event = one.until(horizon)
    if event:
        return f"event:{(day - 1) // width + 1}"
    return "completed" if day == horizon else f"censored:{day // width + 1}"
