"""No regular expression of the text engine costs more than its text is long.

Each is fed with what its own structure would make it repeat (`regex_pumps`), at lengths that grow
by four: four times the work is right, sixteen times is the square.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from regex_pumps import pumps

import entrepot.text
from entrepot.text import Identity, Scrubber, cell_leaks, joined_leaks, leaks

pytestmark = pytest.mark.core

SIZES = (250, 1_000, 4_000, 16_000)
MOST = 10  # times the work for four times the length: linear is 4, the square 16
FLOOR = 0.002  # seconds: below, the clock tells nothing
ENDS = ("", "!", "\x00")
PERSON = Identity(
    family_names=("Le Goff", "N'Diaye"),
    given_names=("Jean-Baptiste",),
    birth_dates=(date(1979, 3, 28),),
    partial_birth_dates=("1979-03",),
    addresses=("12 bis rue de l'Église",),
    phones=("06 12 34 56 78",),
    mails=("jb.legoff@exemple.fr",),
    numbers=(("IPP", "8001234567"), ("NDA", "24-AB-00127")),
    professional_numbers=("10101234567",),
)


def _within(value: object, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    """Patterns in a module's constants, and in the lists, tables and objects among them."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, dict):
        for key, inner in list(value.items()):
            yield from _within(key, depth + 1)
            yield from _within(inner, depth + 1)
    elif depth < 4 and isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _within(inner, depth + 1)


def collected() -> dict[str, re.Pattern[Any]]:
    """Pattern -> compiled: the constants of every module, and what is compiled on the way."""
    found: dict[str, re.Pattern[Any]] = {}
    for module in pkgutil.iter_modules(entrepot.text.__path__, "entrepot.text."):
        for value in vars(importlib.import_module(module.name)).values():
            found.update((repr(one.pattern), one) for one in _within(value))
    compiled: list[re.Pattern[Any]] = []
    original = re._compile  # type: ignore[attr-defined]

    def listening(pattern: Any, flags: Any) -> Any:
        compiled.append(original(pattern, flags))
        return compiled[-1]

    re._compile = listening  # type: ignore[attr-defined]
    try:
        text = Scrubber().scrub("Mme Le Goff, née le 28/03/1979, 06 12 34 56 78", PERSON).text
        leaks(text, PERSON), joined_leaks(text, PERSON), cell_leaks("LE GOFF 1", PERSON)
    finally:
        re._compile = original  # type: ignore[attr-defined]
    found.update((repr(one.pattern), one) for one in compiled)
    return found


PATTERNS = collected()


def seconds(pattern: re.Pattern[Any], text: str | bytes) -> float:
    start = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - start


def min_seconds(pattern: re.Pattern[Any], text: str | bytes, enough: float) -> float:
    """Measured again before more than `enough` is believed: others use the processor too."""
    spent = seconds(pattern, text)
    return spent if spent <= enough else min(spent, seconds(pattern, text), seconds(pattern, text))


def grows_too_fast(pattern: re.Pattern[Any], head: str, body: str, end: str) -> bool:
    def text(size: int) -> str | bytes:
        made = head + body * max(1, size // len(body)) + end
        return made if isinstance(pattern.pattern, str) else made.encode("latin-1", "replace")

    before = FLOOR
    for size in SIZES:
        spent = min_seconds(pattern, text(size), MOST * before)
        if spent > MOST * before:
            return True
        before = max(spent, FLOOR)
    return False


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_linear(name: str) -> None:
    pattern = PATTERNS[name]
    slow = [
        (head, body, end)
        for head, body in sorted(pumps(pattern))
        for end in ENDS
        if grows_too_fast(pattern, head, body, end)
    ]
    assert slow == []


@pytest.mark.parametrize("written", [r"(a+)+$", r"\d+\s*\d+!", r"(?:a|a)*b", r"<[^>]*\[", r"x*y"])
def test_the_pumps_find_what_is_not_linear(written: str) -> None:
    """Known bad ones: nested, adjacent, ambiguous, and a start at every character."""
    pattern = re.compile(written)
    cases = [(h, b, e) for h, b in pumps(pattern) for e in ENDS]
    if written.startswith(("(a+)+", "(?:a|a)")):  # exponential: a length that ends
        assert any(
            seconds(pattern, h + b * 22 + e) > 20 * max(seconds(pattern, h + b * 14 + e), 1e-5)
            for h, b, e in cases
        )
    else:
        assert any(grows_too_fast(pattern, *case) for case in cases)


def test_every_module_is_looked_at() -> None:
    assert len(PATTERNS) > 60
