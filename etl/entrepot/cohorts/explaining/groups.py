"""Groups in words: nested lists of what must hold around an event."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.cohorts.definition import (
    CorrelatedCriteria,
    CriteriaGroup,
    Criterion,
    Endpoint,
    Occurrence,
    Window,
)
from entrepot.cohorts.explaining.criteria import Saying

INDENT = "  "


def group(saying: Saying, told: CriteriaGroup, phrase: str, **stated: object) -> Iterator[str]:
    """Lines: a phrase that ends in how many must hold, and the members, one level deeper."""
    if told.empty:
        yield saying.words.say(phrase, group=saying.words.say("always"), **stated)
        return
    how_many = saying.words.groups[told.type].format(count=told.count)
    yield saying.words.say(phrase, group=how_many, **stated)
    for one in told.criteria_list:
        yield from _member(_correlated(saying, one))
    for demographic in told.demographic_criteria_list:
        said = saying.listed(demographic) or saying.words.say("always")
        labelled = saying.words.say("attribute", label=saying.words.say("person"), said=said)
        yield f"{INDENT}- {labelled}"
    for inner in told.groups:
        yield from _member(group(saying, inner, "plain"))


def criterion(saying: Saying, told: Criterion) -> Iterator[str]:
    """Lines: the criterion, and the group that it must satisfy itself."""
    nested = told.correlated_criteria
    if nested is None or nested.empty:
        yield saying.criterion(told)
        return
    first, *rest = group(saying, nested, "group_nested")
    yield f"{saying.criterion(told)}, {first}"
    yield from rest


def _member(lines: Iterator[str]) -> Iterator[str]:
    """Lines as a list's item."""
    yield f"{INDENT}- {next(lines)}"
    yield from (f"{INDENT}{INDENT}{line}" for line in lines)


def _correlated(saying: Saying, told: CorrelatedCriteria) -> Iterator[str]:
    first, *rest = criterion(saying, told.criteria.criterion)
    said = [_window(saying, told.start_window, "window_start")]
    if told.end_window is not None:
        said.append(_window(saying, told.end_window, "window_end"))
    for asked, phrase in (
        (told.restrict_visit, "same_visit"),
        (told.ignore_observation_period, "observation_any"),
    ):
        if asked:
            said.append(saying.words.say(phrase))
    event = ", ".join([first, *said])
    yield saying.words.say("occurrence", count=_occurrence(saying, told.occurrence), event=event)
    yield from rest


def _occurrence(saying: Saying, told: Occurrence) -> str:
    count = saying.words.occurrences[str(told.type)].format(count=told.count)
    if not told.is_distinct:
        return count
    column = saying.words.columns[told.count_column or "DOMAIN_CONCEPT"]
    return saying.words.say("distinct", count=count, column=column)


def _window(saying: Saying, window: Window, phrase: str) -> str:
    """A start window may look at an event's end, and an end window at its start."""
    if window.use_event_end is not None:
        phrase = "window_end" if window.use_event_end else "window_start"
    anchor = saying.words.say("index_end" if window.use_index_end else "index_start")
    sides = {"start": _endpoint(saying, window.start), "end": _endpoint(saying, window.end)}
    return saying.words.say(phrase, anchor=anchor, **sides)


def _endpoint(saying: Saying, endpoint: Endpoint) -> str:
    side = "before" if endpoint.coeff < 0 else "after"
    if endpoint.days is None:
        return saying.words.say(f"{side}_any")
    return saying.words.say(side, days=endpoint.days)
