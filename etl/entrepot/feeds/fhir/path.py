"""Paths of mappings as the road calls them: for each resource type that a mapping reads."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from entrepot.errors import ConfigurationError
from entrepot.feeds.fhir.document import FhirDocument, FhirNode
from entrepot.feeds.fhir.expression import Expression, Name, parse, refused
from entrepot.feeds.fhir.operations import Fork, Here, Jump, Plan
from entrepot.feeds.fhir.plan import Planner
from entrepot.feeds.fhir.shape import Shape
from entrepot.feeds.fhir.straight import ReadAll, ReadOne, reads_of

Reads = tuple[ReadOne, ReadAll]

ROOT, NODE, REFERENCE, ENTRY = "%resource", "%self", "%reference", "%entry"
_ENTRY_FIELDS = ("fullUrl", "method", "url", "lastModified")


@dataclass(frozen=True, slots=True)
class FhirPath:
    """A compiled path.

    Args:
        text: as the mapping has it.
        read: the first value in document order; ''.
        read_all: all values; with `[*]` one for each repetition of that step.
    """

    text: str
    read: ReadOne = field(compare=False, repr=False)
    read_all: ReadAll = field(compare=False, repr=False)

    def position(self, node: FhirNode | None = None) -> str:
        """`component[2].code.text` on a row's node, else the path as written."""
        if self.text.startswith(f"{ROOT}."):
            return self.text.partition(".")[2]
        if node is None or self.text.startswith("%"):
            return self.text
        return f"{node.place}.{self.text}"


@dataclass(frozen=True, slots=True)
class Start:
    """Where the paths of one mapping start, for one resource type.

    Args:
        type: the resource type.
        root: its shape.
        node: the shape of the mapping's `foreach`; None without one.
    """

    type: str
    root: Shape
    node: Shape | None


def compile_path(planner: Planner, text: str, starts: Sequence[Start]) -> FhirPath:
    """A path for every resource type that knows it; a type that does not reads ''.

    Raises:
        ConfigurationError: none of the types knows it.
    """
    expressions = parse(text)
    if all(one.variable in {REFERENCE, ENTRY} for one in expressions):
        return FhirPath(text, *_entry_reads(expressions[0], text))  # of a deletion too
    table: dict[str, Reads] = {}
    error = refused(text, "no such resource type")
    for start in starts:
        reads = []
        for expression in expressions:
            try:
                reads.append(_reads(planner, expression, start, text))
            except ConfigurationError as refusal:
                error = refusal
        if reads:
            table[start.type] = reads[0] if len(reads) == 1 else _first_that_reads(reads)
    if not table:
        raise error
    alone = len(starts) == 1  # then no document of another type is ever asked
    return FhirPath(text, *(next(iter(table.values())) if alone else _by_type(table)))


def plans_of(planner: Planner, text: str, start: Start) -> list[tuple[bool, Plan]]:
    """Plans to elements taken as a whole, and whether each starts at the root.

    Raises:
        ConfigurationError: no alternative fits the type.
    """
    plans, error = [], refused(text)
    for expression in parse(text):
        try:
            shape, from_root = _origin(expression, start, text)
            plans.append((from_root, planner.plan(shape, expression.steps, text, whole=True)))
        except ConfigurationError as refusal:
            error = refusal
    if not plans:
        raise error
    return plans


def ends_of(plan: Plan) -> list[Shape]:
    """The shapes at which a plan to whole elements ends."""
    end = plan[-1]
    if isinstance(end, Here):
        return [end.shape]
    if isinstance(end, Fork):
        return [shape for inner in end.plans for shape in ends_of(inner)]
    if isinstance(end, Jump):
        return [shape for inner in end.plans.values() for shape in ends_of(inner)]
    return []


def pruned(plan: Plan, types: Container[str]) -> Plan | None:
    """The plan without the choices that end at another type; None when nothing is left."""
    end = plan[-1]
    if isinstance(end, Fork):
        branches = tuple(left for one in end.plans if (left := pruned(one, types)) is not None)
        return (*plan[:-1], Fork(branches)) if branches else None
    if isinstance(end, Jump):
        table = {n: left for n, p in end.plans.items() if (left := pruned(p, types)) is not None}
        return (*plan[:-1], Jump(table)) if table else None
    return plan if isinstance(end, Here) and end.shape.type in types else None


def _origin(expression: Expression, start: Start, text: str) -> tuple[Shape, bool]:
    if expression.variable in {"", NODE}:
        return start.node or start.root, start.node is None
    if expression.variable != ROOT:
        raise refused(text, f"no variable {expression.variable}")
    return start.root, True


def _reads(planner: Planner, expression: Expression, start: Start, text: str) -> Reads:
    if expression.variable in {REFERENCE, ENTRY}:
        return _entry_reads(expression, text)
    shape, from_root = _origin(expression, start, text)
    plan = planner.plan(shape, expression.steps, text)
    return reads_of(plan, from_root)


def _entry_reads(expression: Expression, text: str) -> Reads:
    steps = expression.steps
    if expression.variable == REFERENCE and not steps:
        read: ReadOne = lambda document, node: document.own_reference  # noqa: E731
    else:
        names = [step.text for step in steps if isinstance(step, Name)]
        if len(names) != 1 or names[0] not in _ENTRY_FIELDS:
            raise refused(text, f"%entry has {', '.join(_ENTRY_FIELDS)}")
        name = names[0]
        read = lambda document, node: str(getattr(document.entry, name))  # noqa: E731
    return read, lambda document, node: [value] if (value := read(document, node)) else []


def _first_that_reads(reads: list[Reads]) -> Reads:
    def read(document: FhirDocument, node: FhirNode | None) -> str:
        for one, _ in reads:
            value = one(document, node)
            if value:
                return value
        return ""

    def read_all(document: FhirDocument, node: FhirNode | None) -> list[str]:
        for _, every in reads:
            values = every(document, node)
            if any(values):
                return values
        return []

    return read, read_all


def _by_type(table: dict[str, Reads]) -> Reads:
    ones = {type_: reads[0] for type_, reads in table.items()}
    alls = {type_: reads[1] for type_, reads in table.items()}

    def read(document: Any, node: Any) -> str:
        one = ones.get(document.event)
        return "" if one is None else one(document, node)

    def read_all(document: Any, node: Any) -> list[str]:
        every = alls.get(document.event)
        return [] if every is None else every(document, node)

    return read, read_all
