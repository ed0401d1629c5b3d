"""Primitive values of R4 in the one spelling of all feeds (see `entrepot.feeds.document`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from entrepot.errors import RecordFault
from entrepot.feeds.fhir.specification import DATES, NUMBERS, Element

# R4 datatypes, regular expressions of date, dateTime and instant; seconds and zone may lack.
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_MICROSECONDS = 7  # the point and six digits: what a DTM reader keeps
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_OID = "urn:oid:"
_BINARY = re.compile(
    r"(?:(?:.*/)?Binary/|urn:uuid:|urn:oid:)([A-Za-z0-9.\-]{1,64})(?:/_history/.*)?"
)


@lru_cache(maxsize=4096)  # resources of one stay tell the same moments
def dtm(text: str) -> str:
    """A date or dateTime as HL7 DTM text (`20240331023000.123+0100`); anything else as it is."""
    match = _DATE.fullmatch(text)
    if match is None:
        return text
    year, month, day, hour, minute, second, fraction, zone = match.groups("")
    if zone == "Z":
        zone = "+0000"
    parts = (year, month, day, hour, minute, second, fraction[:_MICROSECONDS])
    return "".join(parts) + zone.replace(":", "")


def day(text: str) -> str:
    """A `date`, which has no time of day; anything else as it is."""
    return dtm(text) if "T" not in text else text


def number(raw: Any) -> str:
    """A JSON number with the very digits sent (`1.10`), without an exponent.

    Raises:
        RecordFault: `invalid_fhir`: a string or another JSON type.
    """
    text = str(raw, "utf-8")
    if text.isdecimal() or text.replace(".", "", 1).isdecimal():
        return text
    if not _NUMBER.fullmatch(text):
        raise RecordFault("invalid_fhir", "decimal")
    return format(Decimal(text), "f") if "e" in text or "E" in text else text


def is_number(text: str) -> bool:
    """Whether a text is a JSON number."""
    return _NUMBER.fullmatch(text) is not None


def oid(uri: str) -> str:
    """An identifier system without `urn:oid:`, as the other feeds write it."""
    return uri.removeprefix(_OID)


def content_reference(url: str) -> str:
    """The id of a Binary that an address names; any other address as it is."""
    match = _BINARY.fullmatch(url)
    return match[1] if match else url


_OF_ELEMENTS = {("Attachment", "url"): content_reference, ("Identifier", "system"): oid}


def text_of(element: Element, owner: str) -> Callable[[Any], str] | None:
    """The function that spells an element's values; None when they are text already."""
    if element.type == "boolean":
        return lambda value: "true" if value else "false"
    if element.type in NUMBERS:
        return str
    if element.type == "decimal":
        return number
    if element.type == "date":
        return day
    if element.type in DATES:
        return dtm
    return _OF_ELEMENTS.get((owner, element.name))
