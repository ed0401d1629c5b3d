"""Typed values of HL7 v2 text: times, numbers, structured numbers, reference ranges.

Section numbers are HL7 v2.5's chapter 2.A. Nothing is guessed: what is not surely a value of the
type is refused (times) or None (numbers, which may be legitimate text in an OBX-5).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.syntax import NULL

MAX_INTEGER_DIGITS = 28  # of a staging and CDM decimal: DECIMAL(38, 10)
MAX_DECIMALS = 10

_PRECISIONS = ("year", "month", "day", "hour", "minute", "second")
_DAY, _HOUR = 2, 3  # places in it
_TIME = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})"
    r"(?:\.([0-9]{1,6}))?)?)?)?)?)?(?:([+-])([0-9]{2})([0-9]{2}))?"
)
_SPACES = "\u0020\u00a0\u2009\u202f"  # what French typography puts between thousands
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_NUMBER = re.compile(
    rf"(?P<sign>[+\-−]?)(?P<integer>[0-9]{{1,3}}(?:[{_SPACES}][0-9]{{3}})+|[0-9]*)"
    r"(?:[.,](?P<decimals>[0-9]+))?(?:[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
_COMPARED = re.compile(rf"(<=|>=|<|>|=|≤|≥)?[{_SPACES}]*(.*)", re.DOTALL)
_SIGNS = {"≤": "<=", "≥": ">="}
_LONGEST = 100  # characters; longer texts are no numbers and are not worth a regular expression
_BOUND = rf"[+\-−]?(?:[0-9]{{1,3}}(?:[{_SPACES}][0-9]{{3}})+|[0-9]+)(?:[.,][0-9]+)?"
_RANGE = re.compile(rf"({_BOUND})[{_SPACES}]*(?:-|–|—|à)[{_SPACES}]*({_BOUND})")


class StructuredNumber(NamedTuple):
    """An SN value (2.A.71): comparator, first number, separator or suffix, second number."""

    comparator: str | None
    first: Decimal
    separator: str | None = None
    second: Decimal | None = None


def timestamp(text: str, zone: ZoneInfo) -> tuple[datetime | None, str]:
    """A TS, DTM or DT: `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]` (2.A.22, 2.A.77).

    With an offset and an hour it is converted to the zone's civil time; without, it is civil time
    already and stays as stated, even in the hour that a change to summer time skips or repeats. A
    date alone never moves. French unknown parts (`19790000`, `19790300`) lower the precision. Six
    decimals of a second are read where the norm has four; the second component of an old TS
    (`^D`, its precision) says what the digits say and is ignored.

    Returns:
        The local time without zone, and year, month, day, hour, minute or second: what is
        stated; parts beyond are the first possible ones. (None, "") for an empty or null text.

    Raises:
        RecordFault: `impossible_date`, without position: 30 February, month 13, hour 24, second
            60, a year before 1000, an unreadable text.
    """
    stated = _stated(text)
    if stated is None:
        return None, ""
    value, precision, offset = stated
    if offset is not None and precision >= _HOUR:
        try:
            value = value.replace(tzinfo=offset).astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            raise RecordFault("impossible_date") from None
    return value, _PRECISIONS[precision]


def instant(text: str, zone: ZoneInfo) -> datetime | None:
    """The same moment in UTC, without zone: what orders statements across a change of clocks.

    Without an offset it is the zone's civil time, the first of the two in a repeated hour.

    Raises:
        RecordFault: `impossible_date`, without position.
    """
    stated = _stated(text)
    if stated is None:
        return None
    value, precision, offset = stated
    aware = value.replace(tzinfo=zone if offset is None or precision < _HOUR else offset)
    try:
        return aware.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise RecordFault("impossible_date") from None


def stated_date(text: str) -> tuple[date | None, str]:
    """The calendar date of a TS, DTM or DT as its sender wrote it, whatever its offset.

    For what is a date and no instant, a birth date first: some systems send it as midnight with
    the offset of the server, and converting that moves it to the day before.

    Returns:
        The date, and year, month or day; (None, "") for an empty or null text.

    Raises:
        RecordFault: as `timestamp`.
    """
    stated = _stated(text)
    if stated is None:
        return None, ""
    value, precision, _ = stated
    return value.date(), _PRECISIONS[min(precision, _DAY)]


def decimal(text: str) -> tuple[Decimal | None, str | None, bool]:
    """A number as NM (2.A.47) or as French laboratories write it.

    A comma is the decimal sign (`1,234` is 1.234), a space parts thousands (`1 234,5`), a
    comparator may stand before (`<`, `<=`, `>`, `>=`, `=`). A point beside a comma, a suffix, other
    scripts' digits, infinities make no number.

    Returns:
        The number, None when it is none or exceeds 28 integer digits or 10 decimals; the
        comparator; whether a number was read from something other than plain NM text.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None, None, False
    if _PLAIN.fullmatch(text):
        return _bounded(Decimal(text)), None, False
    comparator, rest = _COMPARED.fullmatch(text).groups()  # type: ignore[union-attr]
    value = _french(rest)
    if value is None:
        return None, None, False
    return value, _SIGNS.get(comparator, comparator), True


def structured_number(text: str) -> StructuredNumber | None:
    """An SN (2.A.71): `>^10`, `^1^:^128`, `^2^-^4`, `^2^+`; None when it is none.

    Components are joined by `^`, as `Segment.text` gives them. A number in the first component
    alone (`>10`, `12`), a common slip, is read as `decimal` reads it.
    """
    parts = [part.strip() for part in text.split("^")]
    if len(parts) == 1:
        value, comparator, _ = decimal(text)
        return None if value is None else StructuredNumber(comparator, value)
    comparator, first, separator, second, *rest = (*parts, "", "", "")
    if any(rest) or comparator not in {"", "<", "<=", ">", ">=", "=", "<>"}:
        return None
    low, high = _alone(first), _alone(second)
    if low is None or separator not in {"", "-", "+", "/", ".", ":"}:
        return None
    if (second and high is None) or (high is not None and not separator):
        return None
    return StructuredNumber(comparator or None, low, separator or None, high)


def range_limits(text: str) -> tuple[Decimal | None, Decimal | None]:
    """Low and high limit of a reference range (OBX-7, 7.4.2.7).

    `12-16`, `0,5 - 1,2`, `-3-5`, `12 à 16`; one limit for `<5`, `>=3` (whether it is included is
    not told apart); (None, None) for anything else, and when the low limit exceeds the high one.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None, None
    match = _RANGE.fullmatch(text)
    if match is not None:
        low, high = _french(match[1]), _french(match[2])
        return (low, high) if low is not None and high is not None and low <= high else (None, None)
    value, comparator, _ = decimal(text)
    if comparator in {"<", "<="}:
        return None, value
    if comparator in {">", ">="}:
        return value, None
    return None, None


def _stated(text: str) -> tuple[datetime, int, timezone | None] | None:
    """The civil time stated, the index of its precision, its offset; None without any text."""
    text = text.strip().partition("^")[0]
    if not text or text == NULL:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise RecordFault("impossible_date")
    parts = _known([int(part) for part in match.groups()[:6] if part is not None])
    fraction = int((match[7] or "").ljust(6, "0"))
    try:
        offset = _offset(match[8], match[9], match[10]) if match[8] else None
        value = datetime(*_filled(parts), fraction)
    except ValueError:
        raise RecordFault("impossible_date") from None
    if value.year < 1000 or (fraction and len(parts) < len(_PRECISIONS)):
        raise RecordFault("impossible_date")
    return value, len(parts) - 1, offset


def _known(parts: list[int]) -> list[int]:
    """The parts before an unknown (zero) month or day: only zeros may follow that."""
    for place in (1, 2):
        if len(parts) > place and parts[place] == 0:
            if any(parts[place:]):
                raise RecordFault("impossible_date")
            return parts[:place]
    return parts


def _filled(parts: list[int]) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second = (*parts, *(1, 1, 0, 0, 0)[len(parts) - 1 :])
    return year, month, day, hour, minute, second


def _offset(sign: str, hours: str, minutes: str) -> timezone:
    if int(hours) > 14 or int(minutes) > 59:
        raise ValueError("offset")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def _alone(text: str) -> Decimal | None:
    value, comparator, _ = decimal(text)
    return value if comparator is None else None


def _french(text: str) -> Decimal | None:
    match = _NUMBER.fullmatch(text)
    if match is None or not (match["integer"] or match["decimals"]):
        return None
    sign = "-" if match["sign"] in {"-", "−"} else ""
    integer = re.sub(rf"[{_SPACES}]", "", match["integer"])
    exponent = match["exponent"] or "0"
    return _bounded(Decimal(f"{sign}{integer or 0}.{match['decimals'] or 0}E{exponent}"))


def _bounded(value: Decimal) -> Decimal | None:
    """The number if a DECIMAL(38, 10) holds it exactly; zeros after its last decimal aside."""
    _, digits, exponent = value.as_tuple()
    significant = "".join(map(str, digits)).lstrip("0")
    if not significant:
        return Decimal(0)
    stripped = significant.rstrip("0")
    power = int(exponent) + len(significant) - len(stripped)
    if -power > MAX_DECIMALS or len(stripped) + power > MAX_INTEGER_DIGITS:
        return None
    integer, _, decimals = format(value, "f").partition(".")
    return Decimal(f"{integer}.{decimals[:MAX_DECIMALS]}" if decimals else integer)
