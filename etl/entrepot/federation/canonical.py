"""One spelling of a JSON value (RFC 8785), so that a signature covers bytes and never a meaning.

What is read must stand in that spelling already: two programs cannot read one signed text two ways
(a key given twice, a number that one of them rounds).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring as _text
from typing import Any, NoReturn

# The largest of 550 definitions of OHDSI's PhenotypeLibrary has 710 kB; a query may hold several.
# A megabyte takes 0.1 s of a processor to read.
MAX_BYTES = 8_000_000
# The deepest of them nests 17 deep (criteria within criteria).
MAX_DEPTH = 48
_WORDS = {None: "null", True: "true", False: "false"}
_EXACT = 2**53 - 1  # integers that every JSON reader keeps
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


class NotCanonicalError(ValueError):
    """A text that is no JSON, too large, too deep, or spelt in another way; holds none of it."""


def canonical(value: Any) -> bytes:
    """A JSON value as RFC 8785 spells it: keys by UTF-16 code units, numbers as ECMAScript's.

    Raises:
        NotCanonicalError: no JSON value, a number that is not finite, or an integer beyond 2^53.
    """
    try:
        out: list[str] = []
        _spell(value, out, 0)
        return "".join(out).encode("utf-8")
    except UnicodeEncodeError:
        raise NotCanonicalError("a lone surrogate") from None


def read_canonical(text: bytes, most: int = MAX_BYTES) -> Any:
    """The value of a text that is its own canonical spelling.

    Args:
        most: bytes beyond which nothing is read.

    Raises:
        NotCanonicalError: as its name says.
    """
    if len(text) > most:
        raise NotCanonicalError("too large")
    try:
        words = text.decode("utf-8")
        _limit_depth(words)
        value = json.loads(
            words, object_pairs_hook=_once, parse_constant=_refuse, parse_int=_integer
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise NotCanonicalError("not JSON") from None
    if canonical(value) != text:
        raise NotCanonicalError("not in canonical spelling")
    return value


def digest(value: Any) -> str:
    """SHA-256 of the canonical spelling, 64 hexadecimal characters."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _spell(value: Any, out: list[str], depth: int) -> None:
    """Into one list: generators within generators took four times as long."""
    if depth > MAX_DEPTH:
        raise NotCanonicalError("too deep")
    if isinstance(value, str):
        out.append(_text(value))
    elif isinstance(value, Mapping):
        _object(value, out, depth)
    elif isinstance(value, list | tuple):
        out.append("[")
        for number, one in enumerate(value):
            if number:
                out.append(",")
            _spell(one, out, depth + 1)
        out.append("]")
    else:
        out.append(_scalar(value))


def _object(value: Mapping[Any, Any], out: list[str], depth: int) -> None:
    if not all(isinstance(key, str) for key in value):
        raise NotCanonicalError("a key that is no text")
    out.append("{")
    for number, key in enumerate(sorted(value, key=_utf16)):
        out.append(f"{',' if number else ''}{_text(key)}:")
        _spell(value[key], out, depth + 1)
    out.append("}")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int):
        if abs(value) > _EXACT:
            raise NotCanonicalError("an integer beyond 2^53")
        return str(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return _number(value)
    raise NotCanonicalError("no JSON value")


def _number(value: float) -> str:
    """ECMAScript's Number::toString: the shortest figures that give the number back."""
    sign, figures, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not value or not isinstance(exponent, int):
        return "0"
    digits = "".join(map(str, figures))
    point = len(digits) + exponent
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return "-" * sign + text


def _limit_depth(text: str) -> None:
    """Before the parser is called: it recurses in C."""
    depth = 0
    for mark in _MARKS.finditer(text):
        if mark[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise NotCanonicalError("too deep")
        elif mark[0] in "]}":
            depth -= 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonicalError("a key that stands twice")
    return found


def _refuse(_word: str) -> NoReturn:
    raise NotCanonicalError("a number that is not finite")


def _integer(text: str) -> int:
    if len(text) > 17:
        raise NotCanonicalError("an integer beyond 2^53")
    return int(text)
