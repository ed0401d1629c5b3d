"""JSON of somebody else into a typed definition, or a refusal that says where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from entrepot.cohorts.definition.expression import CohortExpression
from entrepot.errors import ConfigurationError

MAX_BYTES = 16 * 1024 * 1024
# The deepest of OHDSI's PhenotypeLibrary has 17 levels; Python's parsers end near 1,000.
MAX_DEPTH = 100
# The largest of PhenotypeLibrary lists 1,613 concepts.
MAX_CONCEPTS = 50_000
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_LIMITS = frozenset({"PrimaryCriteriaLimit", "QualifiedLimit", "ExpressionLimit"})
_DAYS = frozenset({"Value", "Extent", "StartDate", "EndDate"})
_SHORT_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_REMEDY = "export the definition's JSON from ATLAS again, or mend it there"


def read_definition(text: str | bytes, where: str) -> CohortExpression:
    """A definition from Circe's JSON.

    Null means absent; in a limit's type it means no limit, as in Circe. A whole number may be
    written `10.0`, a day `2012-1-5`.

    Args:
        text: UTF-8.
        where: file or message it came from, for errors.

    Raises:
        ConfigurationError: no JSON, too large or deep, an unknown attribute or a wrong type; the
            message names the JSON path, never a value.
    """
    data = text.encode() if isinstance(text, str) else text
    data = data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > MAX_BYTES:
        raise _refused(f"the definition is larger than {MAX_BYTES} bytes", where)
    if _depth(data) > MAX_DEPTH:
        raise _refused(f"the definition is nested deeper than {MAX_DEPTH} levels", where)
    try:
        told = _plain(msgspec.json.decode(data))
        expression = msgspec.convert(told, CohortExpression)
    except msgspec.ValidationError as error:
        raise _refused(_said(str(error)), where) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(f"no valid JSON ({type(error).__name__})", where) from None
    listed = sum(len(one.expression.items) for one in expression.concept_sets)
    if listed > MAX_CONCEPTS:
        raise _refused(f"the concept sets list more than {MAX_CONCEPTS} concepts", where)
    return expression


def _depth(data: bytes) -> int:
    """How deep brackets nest, without parsing: a parser may be what the text wants to break."""
    return max(_levels(_QUOTED.sub(b"", data)), default=0)


def _levels(bare: bytes) -> Iterator[int]:
    level = 0
    for sign in re.findall(rb"[\[\]{}]", bare):
        level += 1 if sign in b"[{" else -1
        yield level


def _plain(value: object, name: str = "") -> object:
    """The same with one spelling of everything that Java's reader takes in several."""
    match value:
        case {"Type": None} if name in _LIMITS:
            return {"Type": "All"}
        case dict():
            return {key: _plain(one, key) for key, one in value.items() if one is not None}
        case list():
            return [_plain(one) for one in value]
        case float() if value.is_integer():
            return int(value)
        case str() if name in _DAYS and (short := _SHORT_DAY.fullmatch(value)):
            year, month, day = short.groups()
            return f"{year}-{month:0>2}-{day:0>2}"
    return value


def _said(message: str) -> str:
    """msgspec's message: it names types, attributes and the path."""
    what, _, path = message.partition(" - at `")
    # An enumeration's message quotes the value: it may be anything that was put there.
    what = re.sub(r"Invalid enum value .*", "this word is not one of Circe's", what)
    return f"{what} at {path.rstrip('`')}" if path else f"{what} at $"


def _refused(what: str, where: str) -> ConfigurationError:
    return ConfigurationError(what, where=where, remedy=_REMEDY)
