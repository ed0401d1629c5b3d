"""The elements that a mapping's `foreach` names, each with its place."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from entrepot.errors import ConfigurationError
from entrepot.feeds.fhir.document import FhirDocument, FhirNode
from entrepot.feeds.fhir.operations import Filter, Here, Move, Plan
from entrepot.feeds.fhir.straight import holds_of

Collect = Callable[[Any, FhirDocument, str, list[FhirNode]], None]


def nodes_of(plan: Plan) -> Collect:
    """Appends a node for every element that a plan of moves and filters finds.

    Raises:
        ConfigurationError: the path does more than go along elements.
    """
    step, rest = plan[0], plan[1:]
    if isinstance(step, Here):
        return lambda element, document, place, out: out.append(FhirNode(place, element))
    if isinstance(step, Filter):
        return _filtered(step, nodes_of(rest))
    if isinstance(step, Move):
        return _many(step, nodes_of(rest)) if step.many else _one(step, nodes_of(rest))
    raise ConfigurationError("foreach goes along elements, with where() at most")


def _filtered(step: Filter, following: Collect) -> Collect:
    holds = holds_of(step)

    def collect(element: Any, document: FhirDocument, place: str, out: list[FhirNode]) -> None:
        if holds(element, document):
            following(element, document, place, out)

    return collect


def _many(step: Move, following: Collect) -> Collect:
    get, name = attrgetter(step.attribute), step.json

    def collect(element: Any, document: FhirDocument, place: str, out: list[FhirNode]) -> None:
        before = f"{place}.{name}" if place else name
        for number, inner in enumerate(get(element)):
            following(inner, document, f"{before}[{number}]", out)

    return collect


def _one(step: Move, following: Collect) -> Collect:
    get, name = attrgetter(step.attribute), step.json

    def collect(element: Any, document: FhirDocument, place: str, out: list[FhirNode]) -> None:
        inner = get(element)
        if inner is not None:
            following(inner, document, f"{place}.{name}" if place else name, out)

    return collect
