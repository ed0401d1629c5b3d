"""Readers of typed HL7 elements that fill several columns at once (HL7 v2.5 chapter 7.4.2).

A reader returns text: column -> value as a mapping would read it, an attachment, notices.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from entrepot.feeds.document import MAX_INTEGER_DIGITS, NULL, Attachment, Result
from entrepot.feeds.hl7v2.message import Message, Segment
from entrepot.feeds.hl7v2.path import Path, compile_path
from entrepot.feeds.hl7v2.values import decimal, range_limits, structured_number
from entrepot.feeds.times import written

_TYPE = compile_path("OBX-2")
_CODED = {"CE", "CWE", "CNE"}
_CODES = {"IS", "ID"}
_DATES = {"DT", "TS", "DTM"}


ReaderFunction = Callable[[Message, Segment | None, str], Result]


def obx_value(message: Message, segment: Segment | None, path: str) -> Result:
    """OBX-5 by OBX-2: number and operator, code and system, or text; the text as sent is kept."""
    value_type = _TYPE.read(message, segment)
    if value_type in _CODED:
        return _coded(message, segment, path)
    if value_type == "SN":
        raw = _whole(path).read(message, segment)
        found = structured_number(raw)
        alone = found is not None and not found.separator  # a range or a ratio is no number
        number = found.first if found is not None and alone else None
        return _numeric(raw.replace("^", ""), number, found and found.comparator, False)
    text = _whole(path).read(message, segment)
    if value_type in _CODES:
        return {"value_code": text, "value_text": text}, None, []
    if value_type in _DATES:
        return {"value_text": written(text)}, None, []
    if value_type == "TM":
        return {"value_text": text}, None, []
    result = _numeric(text, *decimal(text))
    if value_type == "NM" and text not in {"", NULL} and "value_number" not in result[0]:
        result[2].append("value_not_numeric")
    return result


def obx_range(message: Message, segment: Segment | None, path: str) -> Result:
    """OBX-7 as low and high limits; a text that is no range gives none."""
    low, high = range_limits(_whole(path).read(message, segment))
    values = {"range_low": _digits(low), "range_high": _digits(high)}
    return values, None, []


def attachment(message: Message, segment: Segment | None, path: str) -> Result:
    """An ED value: type and subtype, encoding, data."""
    kind, subtype, encoding, data = (_part(path, n).read(message, segment) for n in (2, 3, 4, 5))
    if not data.strip():  # announced and not sent: there is nothing to decode or to scrub
        return {}, None, ["attachment_empty"]
    return {}, Attachment(subtype or kind, encoding, data), []


READERS: dict[str, ReaderFunction] = {
    "obx_value": obx_value,
    "obx_range": obx_range,
    "attachment": attachment,
}


def _coded(message: Message, segment: Segment | None, path: str) -> Result:
    """One coded value; several (two germs of one culture) stay together as text, and a notice."""
    codes = _every(path, 1).read_all(message, segment)
    texts = _every(path, 2).read_all(message, segment)
    if len(codes) > 1:
        named = [text or code for code, text in zip(codes, texts, strict=True)]
        return {"value_text": "; ".join(filter(None, named))}, None, ["value_repeated"]
    parts = [_part(path, n).read(message, segment) for n in range(1, 7)]
    code, text, system = parts[:3] if parts[0] else parts[3:]  # else the alternate coding
    return {"value_code": code, "value_system": system, "value_text": text or parts[1]}, None, []


def _numeric(text: str, number: Decimal | None, operator: str | None, normalised: bool) -> Result:
    values = {"value_text": text}
    if number is None:
        return values, None, []
    if number.adjusted() >= MAX_INTEGER_DIGITS:
        return values, None, ["number_too_long"]
    values["value_number"] = format(number, "f")
    values["operator"] = operator or ""
    return values, None, _read_otherwise(text) if normalised else []


def _read_otherwise(text: str) -> list[str]:
    """Why the number is not the text: told, never silent."""
    return ["decimal_comma"] if "," in text else ["comparator_in_number"]


def _digits(number: Decimal | None) -> str:
    return "" if number is None else format(number, "f")


@lru_cache(maxsize=64)
def _whole(path: str) -> Path:
    return compile_path(path)


@lru_cache(maxsize=64)
def _every(path: str, component: int) -> Path:
    return compile_path(f"{path}[*].{component}")


@lru_cache(maxsize=64)
def _part(path: str, component: int) -> Path:
    return compile_path(f"{path}.{component}")
