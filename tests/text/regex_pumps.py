"""Strings that make a regular expression repeat itself, made from its own structure.

For every repetition of a pattern: the shortest text that leads to it, then its body many times,
then a character that lets the match fail. That is how nested and adjacent quantifiers are brought
to backtrack, and how a search is brought to start anew at each character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

PROBES = "a1 A.-\n/:'@é_,([°=<&\\{+\u00a0"  # what the engine's classes tell apart
MOST_BODIES = 6
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}


def pumps(pattern: re.Pattern[str] | re.Pattern[bytes]) -> set[tuple[str, str]]:
    """(what leads there, what is repeated) for every repetition in `pattern`."""
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    found = set(_of_sequence(list(tree), "", pattern.flags))
    whole = _shortest(list(tree), pattern.flags)
    if whole:
        found.add(("", whole))
    return found


def _of_sequence(items: list[Any], before: str, flags: int) -> Iterator[tuple[str, str]]:
    for operation, argument in items:
        yield from _of_item(operation, argument, before, flags)
        before += _shortest([(operation, argument)], flags)


def _of_item(operation: Any, argument: Any, before: str, flags: int) -> Iterator[tuple[str, str]]:
    if operation in _REPEATS:
        least, most, body = argument
        if most > max(least, 3):
            bodies = _bodies(list(body), flags)
            yield from ((before, one) for one in bodies)
            yield from (("", before + one) for one in bodies[:2])
        yield from _of_sequence(list(body), before, flags)
    elif operation is sre.SUBPATTERN:
        yield from _of_sequence(list(argument[3]), before, flags)
    elif operation is sre.BRANCH:
        for branch in argument[1]:
            yield from _of_sequence(list(branch), before, flags)
    elif operation in (sre.ASSERT, sre.ASSERT_NOT):
        yield from _of_sequence(list(argument[1]), before, flags)


def _bodies(body: list[Any], flags: int) -> list[str]:
    """Ways to go once through the body of a repetition: with each probe in its first class."""
    least = _shortest(body, flags)
    found = [least] if least else []
    operation, argument = body[0]
    while operation is sre.SUBPATTERN and argument[3]:
        operation, argument = next(iter(argument[3]))
    rest = least[1:] if operation in (sre.IN, sre.ANY, sre.NOT_LITERAL) else None
    if rest is not None:
        found += [c + rest for c in PROBES if _accepts(operation, argument, c, flags)]
    return list(dict.fromkeys(found))[:MOST_BODIES]


def _shortest(items: list[Any], flags: int) -> str:
    """A short text that the items accept (assertions are taken to hold)."""
    return "".join(_short(operation, argument, flags) for operation, argument in items)


def _short(operation: Any, argument: Any, flags: int) -> str:
    if operation is sre.LITERAL:
        return chr(argument)
    if operation in (sre.IN, sre.ANY, sre.NOT_LITERAL):
        return next((c for c in PROBES if _accepts(operation, argument, c, flags)), "a")
    if operation in _REPEATS:
        return _shortest(list(argument[2]), flags) * min(argument[0], 40)
    if operation is sre.SUBPATTERN:
        return _shortest(list(argument[3]), flags)
    if operation is sre.BRANCH:
        return min((_shortest(list(branch), flags) for branch in argument[1]), key=len)
    return ""


def _accepts(operation: Any, argument: Any, character: str, flags: int) -> bool:
    """Whether one character matches one class, as the compiled pattern would judge it."""
    if operation is sre.ANY:
        return character != "\n" or bool(flags & re.DOTALL)
    if operation is sre.NOT_LITERAL:
        return ord(character) != argument
    negated = any(kind is sre.NEGATE for kind, _ in argument)
    return any(_in_class(kind, value, character) for kind, value in argument) is not negated


def _in_class(kind: Any, value: Any, character: str) -> bool:
    if kind is sre.LITERAL:
        return ord(character) == value
    if kind is sre.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    if kind is sre.CATEGORY:
        name = str(value).removeprefix("CATEGORY_")
        mark = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s"}[name.removeprefix("NOT_")]
        return (re.match(mark, character) is None) is name.startswith("NOT_")
    return False
