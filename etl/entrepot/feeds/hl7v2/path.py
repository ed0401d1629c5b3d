"""Paths into a message, compiled once into straight functions.

::

    PID-3           the whole field (see `Segment.text`)
    PID-3.1         component 1 (its first sub-component) of the first repetition
    PID-3.4.2       sub-component 2 of component 4
    PID-3[2].1      of the second repetition
    PID-3[5=PI].1   of the first repetition whose component 5 is PI
    PID-3[5=PI|MR|].1             … is PI, MR or empty
    PID-3[4.2=1.2.250.1;5=INS].1  … every condition, here one on a sub-component
    PID-3[*].1      of the first repetition that has one; `read_all`: of every repetition

A null field (`""`) is read as the null by every path into it, filters included: the sender
deletes all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from entrepot.errors import ConfigurationError
from entrepot.feeds.hl7v2.syntax import NULL

if TYPE_CHECKING:
    from entrepot.feeds.hl7v2.message import Message
    from entrepot.feeds.hl7v2.segment import Segment

_PATH = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})-(?P<field>[1-9][0-9]{0,2})"
    r"(?:\[(?P<bracket>[^\[\]]+)\])?"
    r"(?:\.(?P<component>[1-9][0-9]{0,2})(?:\.(?P<subcomponent>[1-9][0-9]{0,2}))?)?"
)
_CONDITION = re.compile(
    r"(?P<component>[1-9][0-9]{0,2})(?:\.(?P<subcomponent>[1-9][0-9]{0,2}))?=(?P<values>[^=]*)"
)
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")

Reader = Callable[["Message", "Segment | None"], str]
ListReader = Callable[["Message", "Segment | None"], list[str]]
_Pick = Callable[["Segment"], str]
_PickAll = Callable[["Segment"], list[str]]
_Part = Callable[["Segment", str], str]
_Test = Callable[["Segment", str], bool]


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path; both readers take the message and the row's segment (or None).

    Args:
        text: as written.
        segment: name of the segment it reads.
        number: field number.
        read: one value, unescaped; '' when absent, NULL when the sender deletes it. The segment
            is the row's own if it has the name, else the one in the same group (`Scope`);
            without a row, the first of the message.
        read_all: one value for each repetition that the bracket admits (without a bracket: the
            first), absent components included, so that two lists of one field stay parallel;
            from the row's own segment, else from every one below the row, else from the one
            above it; without a row, from every one of the message.
    """

    text: str
    segment: str
    number: int
    read: Reader = field(compare=False, repr=False)
    read_all: ListReader = field(compare=False, repr=False)

    def position(self, segment: Segment | None = None) -> str:
        """Where it reads, for faults: `OBX[4]-5` on a row of its own segment, else `OBX-5`."""
        if segment is not None and segment.name == self.segment:
            return segment.position(self.number)
        return f"{self.segment}-{self.number}"


@lru_cache(maxsize=4096)
def compile_path(text: str) -> Path:
    """Compiles one path.

    Raises:
        ConfigurationError: the text follows none of the forms above.
    """
    match = _PATH.fullmatch(text)
    if match is None:
        raise _refused(text)
    name, number = match["segment"], int(match["field"])
    pick, pick_all = _picks(text, match, number)
    if match["component"] and match["bracket"] is None:
        read = _component_reader(name, number, *_part_numbers(match))
    else:
        read = _reader(name, pick)
    return Path(text, name, number, read, _list_reader(name, pick_all))


def _reader(name: str, pick: _Pick) -> Reader:
    def read(message: Message, segment: Segment | None) -> str:
        if segment is None or segment.name != name:
            segment = _found(message, name, segment)
            if segment is None:
                return ""
        return pick(segment)

    return read


def _component_reader(name: str, number: int, component: int, subcomponent: int) -> Reader:
    """`_reader` without a step between, for the form that nearly every mapping uses."""

    def read(message: Message, segment: Segment | None) -> str:
        if segment is None or segment.name != name:
            segment = _found(message, name, segment)
            if segment is None:
                return ""
        return segment.component(number, 1, component, subcomponent)

    return read


def _found(message: Message, name: str, row: Segment | None) -> Segment | None:
    if row is not None:
        return message.related(name, row)
    named = message.named(name)
    return named[0] if named else None


def _list_reader(name: str, pick_all: _PickAll) -> ListReader:
    def read_all(message: Message, segment: Segment | None) -> list[str]:
        if segment is None:
            segments = message.named(name)
        elif segment.name == name:
            segments = [segment]
        else:
            segments = message.all_related(name, segment)
        return [value for found in segments for value in pick_all(found)]

    return read_all


def _picks(text: str, match: re.Match[str], number: int) -> tuple[_Pick, _PickAll]:
    bracket = match["bracket"]
    component, subcomponent = _part_numbers(match)
    if bracket is None or _NUMBER.fullmatch(bracket):
        pick = _one(number, None if bracket is None else int(bracket), component, subcomponent)
        return pick, lambda segment: [value] if (value := pick(segment)) else []
    part = _part(number, component, subcomponent)
    tests = [] if bracket == "*" else [_test(text, one, number) for one in bracket.split(";")]
    return _filtered(number, part, tests)


def _part_numbers(match: re.Match[str]) -> tuple[int, int]:
    """Component (0: the whole) and sub-component (the first unless stated)."""
    return int(match["component"] or 0), int(match["subcomponent"] or 1)


def _one(number: int, repetition: int | None, component: int, subcomponent: int) -> _Pick:
    if component == 0:
        return lambda segment: segment.text(number, repetition)
    rep = repetition or 1
    return lambda segment: segment.component(number, rep, component, subcomponent)


def _part(number: int, component: int, subcomponent: int) -> _Part:
    if component == 0:
        return lambda segment, raw: segment.whole(raw, number)
    return lambda segment, raw: segment.part(raw, number, component, subcomponent)


def _test(text: str, condition: str, number: int) -> _Test:
    match = _CONDITION.fullmatch(condition)
    if match is None:
        raise _refused(text)
    allowed = frozenset(match["values"].split("|"))
    part = _part(number, *_part_numbers(match))
    return lambda segment, raw: part(segment, raw) in allowed


def _filtered(number: int, part: _Part, tests: list[_Test]) -> tuple[_Pick, _PickAll]:
    def pick_all(segment: Segment) -> list[str]:
        if segment.field(number) == NULL:
            return [NULL]
        return [
            part(segment, raw)
            for raw in segment.repetitions(number)
            if not tests or (raw and all(test(segment, raw) for test in tests))
        ]

    def pick(segment: Segment) -> str:
        values = pick_all(segment)
        if not tests:
            return next((value for value in values if value), "")
        return values[0] if values else ""

    return pick, pick_all


def _refused(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"{text} is no path into an HL7 v2 message",
        remedy="forms: PID-3, PID-3.1, PID-3.4.2, PID-3[2].1, PID-3[5=PI|MR].1, PID-3[*].1",
    )
