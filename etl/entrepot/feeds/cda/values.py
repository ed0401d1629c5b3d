"""Typed values of CDA (datatypes R1): what `value` and a reference range hold, as columns.

A nullFlavor states no value: nothing is read, never a zero. Numbers stay as sent.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from entrepot.feeds.cda.codes import codings, shown
from entrepot.feeds.cda.names import XSI, hl7
from entrepot.feeds.cda.narrative import plain_text, referenced
from entrepot.feeds.document import MAX_INTEGER_DIGITS
from entrepot.feeds.hl7v2.values import decimal, range_limits
from entrepot.feeds.times import written

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

    from entrepot.feeds.cda.document import CdaDocument

Columns = tuple[dict[str, str], list[str]]
_TYPE = f"{{{XSI}}}type"
_LOW, _HIGH, _CENTER = hl7("low"), hl7("high"), hl7("center")
_NUMERATOR, _DENOMINATOR = hl7("numerator"), hl7("denominator")
_ORIGINAL = hl7("originalText")
_RANGE, _RANGE_VALUE = f"{hl7('referenceRange')}/{hl7('observationRange')}", hl7("value")
_RANGE_CODE = hl7("interpretationCode")


def value(document: CdaDocument, element: _Element) -> Columns:
    """A value by its xsi:type; without one, by its attributes."""
    if element.get("nullFlavor") is not None:
        return _coded(document, element)  # a translation or the original text may speak
    return _TYPES.get(_type(element), _text)(document, element)


def limits(element: _Element, unit: str) -> dict[str, str]:
    """Low and high of an observation's reference range, in the unit of its value.

    Several ranges: the one whose interpretation is normal or absent; one in another unit is none.
    """
    for found in _ordered(element.findall(_RANGE)):
        held = found.find(_RANGE_VALUE)
        if held is None or held.get("nullFlavor") is not None:
            continue
        low, high = held.find(_LOW), held.find(_HIGH)
        if low is None and high is None:
            low_text, high_text = (_plain(limit) for limit in range_limits(plain_text(held)))
        else:
            if not _same_unit(unit, low, high):
                continue
            low_text, high_text = _number_of(low), _number_of(high)
        if low_text or high_text:
            return {"range_low": low_text, "range_high": high_text}
    return {}


def _ordered(ranges: list[_Element]) -> list[_Element]:
    def not_normal(found: _Element) -> bool:
        code = found.find(_RANGE_CODE)
        return code is not None and code.get("code", "N") != "N"

    return sorted(ranges, key=not_normal)


def _type(element: _Element) -> str:
    stated = element.get(_TYPE, "").rpartition(":")[2]
    if stated:
        return str(stated)
    if element.get("unit") is not None:
        return "PQ"
    return "CD" if element.get("code") is not None else ""


def _quantity(document: CdaDocument, element: _Element) -> Columns:
    columns, notices = _numeric(element.get("value", ""), "")
    unit = element.get("unit") or element.get("currency") or ""
    if columns:
        columns["unit_code"] = unit
    return columns, notices


def _numeric(text: str, operator: str) -> Columns:
    """A number and its text; a text that is no number stays text."""
    text = text.strip()
    if not text:
        return {}, []
    number, compared, repaired = decimal(text)
    columns = {"value_text": operator + text}
    if number is None:
        return columns, ["value_not_numeric"]
    if number.adjusted() >= MAX_INTEGER_DIGITS:
        return columns, ["number_too_long"]
    columns["value_number"] = format(number, "f")
    columns["operator"] = operator or compared or ""
    return columns, ["decimal_comma"] if repaired and "," in text else []


def _interval(document: CdaDocument, element: _Element) -> Columns:
    """One-sided: operator and number; both sides: text, or the number when they are one."""
    low, high = _present(element.find(_LOW)), _present(element.find(_HIGH))
    center = _present(element.find(_CENTER))
    if low is None and high is None:
        return _quantity(document, element if center is None else center)
    if low is not None and high is not None:
        if low.get("value") == high.get("value") and low.get("unit") == high.get("unit"):
            return _quantity(document, low)
        text = f"{low.get('value')} - {high.get('value')} {high.get('unit', '')}"
        return {"value_text": text.strip()}, []
    return _one_sided(low, ">") if low is not None else _one_sided(high, "<")


def _one_sided(limit: _Element, sign: str) -> Columns:
    operator = sign if limit.get("inclusive") == "false" else f"{sign}="
    columns, notices = _numeric(limit.get("value", ""), operator)
    if columns:
        columns["unit_code"] = limit.get("unit", "")
    return columns, notices


def _coded(document: CdaDocument, element: _Element) -> Columns:
    found = codings(element, document.systems)
    text = shown(document, element, found)
    if not found:
        return ({"value_text": text} if text else {}), []
    best = found[0]
    return {"value_code": best.code, "value_system": best.system, "value_text": text}, []


def _truth(document: CdaDocument, element: _Element) -> Columns:
    sent = {"true": "true", "1": "true", "false": "false", "0": "false"}.get(
        element.get("value", "").strip(), ""
    )
    return ({"value_code": sent, "value_system": "boolean"} if sent else {}), []


def _text(document: CdaDocument, element: _Element) -> Columns:
    if element.get("representation") == "B64":
        return {}, ["media_not_read"]
    text = referenced(document, element) or element.get("value", "").strip()
    return ({"value_text": text} if text else {}), []


def _string(document: CdaDocument, element: _Element) -> Columns:
    """A string that is a number, with or without comparator, is one; else it is text."""
    columns, notices = _numeric(plain_text(element), "")
    return columns, [one for one in notices if one != "value_not_numeric"]


def _time(document: CdaDocument, element: _Element) -> Columns:
    """A moment as people write it, an interval as `from/to`: a date is no number."""
    parts = [element.get("value", "").strip()]
    if not parts[0]:
        sides = [_present(element.find(name)) for name in (_LOW, _HIGH)]
        parts = ["" if side is None else side.get("value", "").strip() for side in sides]
    text = "/".join(written(part) for part in parts) if any(parts) else ""
    return ({"value_text": text} if text else {}), []


def _ratio(document: CdaDocument, element: _Element) -> Columns:
    """A titre (1:128) is text: no number says it."""
    parts = [_present(element.find(name)) for name in (_NUMERATOR, _DENOMINATOR)]
    if any(part is None for part in parts):
        return {}, []
    shown = [f"{p.get('value', '')}{p.get('unit', '')}" for p in parts if p is not None]
    return {"value_text": ":".join(shown)}, []


def _present(element: _Element | None) -> _Element | None:
    if element is None or element.get("nullFlavor") is not None:
        return None
    return element if element.get("value") else None


def _number_of(element: _Element | None) -> str:
    found = _present(element)
    number = None if found is None else decimal(found.get("value", ""))[0]
    return _plain(number)


def _plain(number: Decimal | None) -> str:
    return "" if number is None else format(number, "f")


def _same_unit(unit: str, *sides: _Element | None) -> bool:
    stated = {side.get("unit") for side in sides if side is not None and side.get("unit")}
    return not unit or not stated or unit in stated


_TYPES: dict[str, Callable[[CdaDocument, _Element], Columns]] = {
    **dict.fromkeys(("PQ", "INT", "REAL", "MO", "PQR"), _quantity),
    **dict.fromkeys(("IVL_PQ", "IVL_INT", "IVL_REAL"), _interval),
    **dict.fromkeys(("CD", "CE", "CV", "CO", "CS", "CR", "SC"), _coded),
    "BL": _truth,
    **dict.fromkeys(("TS", "IVL_TS"), _time),
    "ST": _string,
    **dict.fromkeys(("RTO", "RTO_PQ_PQ", "RTO_INT_INT"), _ratio),
}
