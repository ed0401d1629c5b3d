"""Plans made into straight functions: what runs for every row is attribute access and loops.

The function's source is written from the plan and compiled once, as dataclasses write theirs.
Only attribute names of our own structs stand in it; literals of mappings are passed as constants.
A value that is found goes to a sink: returned, appended to `out`, or compared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

from entrepot.feeds.fhir.operations import (
    Condition,
    Filter,
    Fork,
    Found,
    Here,
    Inside,
    Jump,
    Move,
    OwnId,
    Pick,
    Plan,
    Single,
    Text,
    Token,
)
from entrepot.feeds.fhir.values import oid

if TYPE_CHECKING:
    from entrepot.feeds.fhir.document import FhirDocument, FhirNode

First = Callable[[Any, "FhirDocument"], str]
Each = Callable[[Any, "FhirDocument", list[Any]], None]
Holds = Callable[[Any, "FhirDocument"], bool]
ReadOne = Callable[["FhirDocument", "FhirNode | None"], str]
ReadAll = Callable[["FhirDocument", "FhirNode | None"], list[str]]

# What a path starts from: the resource (None for a deletion), or the row's element.
_ROOT = ("document.root", "document.root is None")
_NODE = ("node.element", "node is None")


def first_of(plan: Plan) -> First:
    """(place, document) -> the first value, ''."""
    first: First = _Source("first").function("place, document", [], plan, "return ''")
    return first


def each_of(plan: Plan) -> Each:
    """(place, document, out): every value appended; of whole elements (type, element)."""
    each: Each = _Source("each").function("place, document, out", [], plan, "")
    return each


def holds_of(step: Filter) -> Holds:
    """(place, document) -> whether the filter lets the place pass."""
    source = _Source("test")
    condition = source.condition(step, "place")
    holds: Holds = source.compiled("place, document", [f"return {condition}"])
    return holds


def reads_of(plan: Plan, from_root: bool) -> tuple[ReadOne, ReadAll]:
    """The two functions of a path, from the document's root or the row's node."""
    start, absent = _ROOT if from_root else _NODE
    head = [f"if {absent}: return ''", f"place = {start}"]
    one = _Source("first").function("document, node", head, plan, "return ''")
    head = ["out = []", f"if {absent}: return out", f"place = {start}"]
    every = _Source("each").function("document, node", head, plan, "return out")
    return one, every


@cache
def _code(text: str) -> CodeType:
    """Paths of different mappings are mostly alike: 6,175 functions of a run, few of them new."""
    return compile(text, "<path>", "exec")


class _Source:
    """Writes one function; `sink` is what becomes of a value: first, each, test."""

    def __init__(self, sink: str, wanted: frozenset[str] = frozenset()) -> None:
        self._sink = sink
        self._lines: list[str] = []
        self._constants: dict[str, Any] = {"wanted": wanted}
        self._count = 0

    def function(self, arguments: str, head: list[str], plan: Plan, end: str) -> Any:
        """The compiled function of a plan that starts at `place`."""
        self._plan(plan, "place", 1)
        body = [*head, *self._lines, *([end] if end else [])]
        return self.compiled(arguments, [line.removeprefix(" ") for line in body])

    def compiled(self, arguments: str, body: list[str]) -> Any:
        """A function of this body and the constants that were gathered."""
        text = f"def read({arguments}):\n" + "\n".join(f" {line}" for line in body or ["pass"])
        exec(_code(text), self._constants)  # noqa: S102 - our own text
        return self._constants.pop("read")

    def condition(self, step: Filter, place: str) -> str:
        """A filter as an expression on a variable; values of one path make one comparison."""
        alternatives = []
        for plan, values in _grouped(step):
            alternatives.append(self._among(plan, values, place))
        for conjunction in step.alternatives:
            if not _is_single_value(conjunction):
                tests = [self._test(condition, place) for condition in conjunction]
                alternatives.append(" and ".join(tests))
        return " or ".join(alternatives)

    def _among(self, plan: Plan, values: frozenset[str], place: str) -> str:
        head, end = plan[0], plan[-1]
        if isinstance(end, Text) and end.spell is oid:
            values = frozenset(oid(value) for value in values)
        if len(plan) == 2 and isinstance(head, Move) and not head.many and end == Text(None):
            return f"{place}.{head.attribute} in {self._constant(values)}"
        test = _Source("test", values).function("place, document", [], plan, "return False")
        return f"{self._constant(test)}({place}, document)"

    def _test(self, condition: Condition, place: str) -> str:
        if condition.is_type:
            types = {condition.is_type, ""} if condition.sole else {condition.is_type}
            return f"document.type_of({place}) in {self._constant(frozenset(types))}"
        if condition.equal is None:
            return f"{self._constant(first_of(condition.plan))}({place}, document)"
        if not condition.equal:  # `= ''`: absent
            return f"not {self._constant(first_of(condition.plan))}({place}, document)"
        return self._among(condition.plan, frozenset({condition.equal}), place)

    def _plan(self, plan: Plan, place: str, depth: int) -> None:
        at = _last_pick(plan)
        if at is not None:
            self._pick(plan, at, place, depth)
            return
        step, rest = plan[0], plan[1:]
        if isinstance(step, Move):
            self._move(step, rest, place, depth)
        elif isinstance(step, Filter):
            self._line(depth, f"if {self.condition(step, place)}:")
            self._plan(rest, place, depth + 1)
        elif isinstance(step, Single):
            self._single(rest, place, depth)
        elif isinstance(step, Jump):
            self._jump(step, place, depth)
        elif isinstance(step, Inside):
            name, resource = self._variable(), self._variable()
            self._line(depth, f"for {name}, {resource} in document.all_contained():")
            self._line(depth + 1, f"if {name} == {self._constant(step.type)}:")
            self._plan(rest, resource, depth + 2)
        elif isinstance(step, Fork):
            for branch in step.plans:
                self._plan(branch, place, depth)
        else:
            self._end(step, place, depth)

    def _move(self, step: Move, rest: Plan, place: str, depth: int) -> None:
        inner = self._variable()
        if step.many:
            self._line(depth, f"for {inner} in {place}.{step.attribute}:")
            depth += 1
        else:
            self._line(depth, f"{inner} = {place}.{step.attribute}")
        self._line(depth, f"if {inner} is not None:")
        self._plan(rest, inner, depth + 1)

    def _pick(self, plan: Plan, at: int, place: str, depth: int) -> None:
        items, sink = self._variable(), self._sink
        self._line(depth, f"{items} = []")
        self._sink = f"{items}.append"
        self._plan((*plan[:at], _END), place, depth)
        self._sink = sink
        pick = plan[at]
        number = pick.number if isinstance(pick, Pick) else 0
        self._line(depth, f"if len({items}) > {number}:")
        inner = self._variable()
        self._line(depth + 1, f"{inner} = {items}[{number}]")
        self._plan(plan[at + 1 :], inner, depth + 1)

    def _single(self, rest: Plan, place: str, depth: int) -> None:
        if self._sink == "each":
            self._line(depth, f"out.append({self._constant(first_of(rest))}({place}, document))")
        else:
            self._plan(rest, place, depth)

    def _jump(self, step: Jump, place: str, depth: int) -> None:
        name, resource, follow = self._variable(), self._variable(), self._variable()
        made = {"each": each_of, "first": first_of}.get(self._sink, first_of)
        table = self._constant({type_: made(inner) for type_, inner in step.plans.items()})
        self._line(depth, f"{name}, {resource} = document.contained({place})")
        self._line(depth, f"{follow} = {table}.get({name})")
        self._line(depth, f"if {follow} is not None:")
        if self._sink == "each":
            self._line(depth + 1, f"{follow}({resource}, document, out)")
        else:
            self._value(f"{follow}({resource}, document)", depth + 1)

    def _end(self, step: Any, place: str, depth: int) -> None:
        if isinstance(step, Here):
            kind = self._constant(step.shape.type)
            self._line(depth, f"out.append(({kind}, {place}))")
        elif isinstance(step, Token):
            self._value(f"document.token({place})", depth)
        elif isinstance(step, OwnId):
            self._value(f"document.own_id({place})", depth)
        elif isinstance(step, Found):
            self._value("'true'", depth)
        elif isinstance(step, Text) and step.spell is not None:
            self._value(f"{self._constant(step.spell)}({place})", depth)
        else:
            self._value(place, depth)

    def _value(self, expression: str, depth: int) -> None:
        if self._sink == "test":
            self._line(depth, f"if {expression} in wanted: return True")
            return
        if not expression.isidentifier():
            value = self._variable()
            self._line(depth, f"{value} = {expression}")
            expression = value
        if self._sink == "first":
            self._line(depth, f"if {expression}: return {expression}")
        elif self._sink == "each":
            self._line(depth, f"if {expression}: out.append({expression})")
        else:
            self._line(depth, f"{self._sink}({expression})")

    def _line(self, depth: int, text: str) -> None:
        self._lines.append(" " * depth + text)

    def _variable(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name


_END = Text(None)


def _last_pick(plan: Plan) -> int | None:
    picks = [n for n, step in enumerate(plan) if isinstance(step, Pick)]
    return picks[-1] if picks else None


def _is_single_value(conjunction: tuple[Condition, ...]) -> bool:
    return len(conjunction) == 1 and bool(conjunction[0].equal)


def _grouped(step: Filter) -> list[tuple[Plan, frozenset[str]]]:
    """Alternatives `p = 'x' or p = 'y'` by their path."""
    groups: list[tuple[Plan, set[str]]] = []
    for conjunction in step.alternatives:
        if not _is_single_value(conjunction):
            continue
        plan, value = conjunction[0].plan, conjunction[0].equal or ""
        same = next((values for known, values in groups if known == plan), None)
        if same is None:
            groups.append((plan, {value}))
        else:
            same.add(value)
    return [(plan, frozenset(values)) for plan, values in groups]
