"""Readers of R4 datatypes that fill several staging columns at once.

A reader takes the elements that its path finds, each with its type, and returns text as a mapping
would read it (`entrepot.feeds.document`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from entrepot.errors import RecordFault
from entrepot.feeds.document import MAX_INTEGER_DIGITS, Result
from entrepot.feeds.fhir.attachments import PARTS, best
from entrepot.feeds.fhir.specification import DATES, NUMBERS
from entrepot.feeds.fhir.values import dtm, number
from entrepot.feeds.hl7v2.values import decimal, range_limits
from entrepot.feeds.times import written

Found = list[tuple[str, Any]]
ReaderFunction = Callable[[Found], Result]

UCUM = frozenset(
    {"http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8", "2.16.840.1.113883.6.8"}
)
_UNKNOWN = ("", 99)
_TEXTS = frozenset({"string", "markdown", "code", "uri", "id"})
_PLAIN = (*NUMBERS, *DATES, "boolean", "decimal", "time")
_CONCEPTS = frozenset({"CodeableConcept", "Coding"})
_QUANTITIES = frozenset({"Quantity", "Age", "Duration", "Count", "Distance"})
_CODING = {"system": None, "code": None, "display": None, "userSelected": None}
_QUANTITY = dict.fromkeys(("value", "comparator", "unit", "system", "code"))
_SIMPLE = {"value": None, "unit": None}

# What a reader needs of each type; a type that is not named is not read.
Needs = dict[str, dict[str, Any]]
_CODED: Needs = {
    "CodeableConcept": {"coding": _CODING, "text": None},
    "Coding": _CODING,
    "code": {},
}
_VALUE: Needs = {
    **_CODED,
    **dict.fromkeys(_QUANTITIES, _QUANTITY),
    **{name: {} for name in (*_TEXTS, *_PLAIN)},
    "Range": {"low": _SIMPLE, "high": _SIMPLE},
    "Ratio": {"numerator": _SIMPLE, "denominator": _SIMPLE},
    "Period": {"start": None, "end": None},
    "SampledData": {"data": None},
}
_RANGE: Needs = {
    "ObservationReferenceRange": {
        "low": {"value": None},
        "high": {"value": None},
        "type": {"coding": {"code": None}},
        "text": None,
    }
}
_ATTACHMENT: Needs = {
    "Attachment": dict.fromkeys(PARTS),
    "Binary": dict.fromkeys(PARTS[:2]),
}


class Columns:
    """The readers by name, with what each of them needs.

    Args:
        systems: code system as sent -> (vocabulary, rank), as `facts.code_systems` reads them;
            of several codings the lowest rank speaks first, a system that is not there last.
    """

    def __init__(self, systems: Mapping[str, tuple[str, int]]) -> None:
        self._systems = systems
        self.readers: dict[str, tuple[ReaderFunction, Needs]] = {
            "codeable_concept": (self.codeable_concept, _CODED),
            "value": (self.value, _VALUE),
            "range": (reference_range, _RANGE),
            "attachment": (attachment, _ATTACHMENT),
        }

    def codeable_concept(self, found: Found) -> Result:
        """The first concept that says something: its two best codings; without a code its label.

        A label is text, which the door must scrub; beside a code nothing reads it.
        """
        for type_, concept in found:
            codings, text = _said(type_, concept)
            ranked = self._ranked(codings)
            if ranked:
                values = {}
                for prefix, coding in zip(("", "alt_"), ranked, strict=False):
                    values[f"{prefix}code"] = coding.code
                    values[f"{prefix}system"] = coding.system or ""
                return values, None, []
            if label := text or _display(codings):
                return {"label": label}, None, []
        return {}, None, []

    def coded_value(self, type_: str, concept: Any) -> Result:
        """A coded `value[x]`: its best coding, and its text or display as its text."""
        codings, text = _said(type_, concept)
        ranked = self._ranked(codings)
        values = {"value_text": text or _display((*ranked, *codings))}
        if ranked:
            values |= {"value_code": ranked[0].code, "value_system": ranked[0].system or ""}
        return values, None, []

    def value(self, found: Found) -> Result:
        """`value[x]`: number, operator and unit, or code, or text."""
        if not found:
            return {}, None, []
        if len(found) > 1:
            raise RecordFault("invalid_fhir", "value[x]")  # R4 2.1.0.2: a choice has one value
        type_, value = found[0]
        if type_ in _QUANTITIES:
            return _quantity(value)
        if type_ in _CONCEPTS:
            return self.coded_value(type_, value)
        return _primitive(type_, value)

    def _ranked(self, codings: Sequence[Any]) -> Sequence[Any]:
        """Distinct codings, best first; order breaks the last tie."""
        if len(codings) == 1 and codings[0].code:
            return codings
        distinct: dict[tuple[str | None, str], Any] = {}
        for coding in codings:
            if coding.code:
                distinct.setdefault((coding.system, coding.code), coding)
        systems = self._systems
        return sorted(
            distinct.values(),
            key=lambda c: (systems.get(c.system or "", _UNKNOWN)[1], not c.userSelected),
        )


def reference_range(found: Found) -> Result:
    """Low and high limit of the first normal range; of its text when neither is stated."""
    for _, stated in found:
        types = [coding.code for coding in stated.type.coding] if stated.type is not None else []
        if types and "normal" not in types:
            continue
        low, high = (_limit(stated.low), _limit(stated.high))
        if not low and not high and stated.text:
            low, high = (_plain(limit) for limit in range_limits(stated.text))
        if low or high:
            return {"range_low": low, "range_high": high}, None, []
    return {}, None, []


def attachment(found: Found) -> Result:
    """The attachment to read; see `attachments.best`."""
    chosen, notices = best(value for _, value in found)
    return {}, chosen, notices


class _Code:
    """A primitive code as a coding without a system."""

    __slots__ = ("code",)
    system = display = userSelected = None  # noqa: N815 - the names of Coding's elements

    def __init__(self, code: str) -> None:
        self.code = code


def _said(type_: str, concept: Any) -> tuple[Sequence[Any], str]:
    """The codings of a CodeableConcept, a Coding or a code, and the concept's own text."""
    if type_ == "CodeableConcept":
        return concept.coding, concept.text or ""
    return [concept if type_ == "Coding" else _Code(concept)], ""


def _display(codings: Sequence[Any]) -> str:
    return next((one.display for one in codings if one.display), "")


def _quantity(value: Any) -> Result:
    code, system, operator = value.code, value.system, value.comparator or ""
    unit = code if code and system in UCUM else value.unit or code or ""
    unit_system = (system or "") if unit and unit == code else ""
    if value.value is None:
        return {"unit_code": unit, "unit_system": unit_system}, None, []
    digits = number(value.value)
    values, _, notices = _number(digits, operator, operator + digits)
    values["unit_code"], values["unit_system"] = unit, unit_system
    return values, None, notices


def _number(digits: str, operator: str, text: str) -> Result:
    if len(digits) > MAX_INTEGER_DIGITS:
        integer = digits.partition(".")[0].lstrip("-")
        if len(integer) > MAX_INTEGER_DIGITS:
            return {"value_text": text}, None, ["number_too_long"]
    return {"value_number": digits, "operator": operator, "value_text": text}, None, []


def _primitive(type_: str, value: Any) -> Result:
    if type_ == "boolean":
        return {"value_code": "true" if value else "false", "value_system": "boolean"}, None, []
    if type_ in NUMBERS or type_ == "decimal":
        digits = number(value) if type_ == "decimal" else str(value)
        return _number(digits, "", digits)
    if type_ in _TEXTS:
        return _text(value)
    return {"value_text": _spelled(type_, value)}, None, []


def _text(value: str) -> Result:
    """A text that is a number, as laboratories send `<0,5`, is one."""
    read, operator, normalised = decimal(value)
    if read is None:
        return {"value_text": value}, None, []
    result = _number(format(read, "f"), operator or "", value)
    if normalised and "value_number" in result[0]:
        result[2].append("decimal_comma" if "," in value else "comparator_in_number")
    return result


def _spelled(type_: str, value: Any) -> str:
    """A value that is no number and no code, as text."""
    if type_ == "Range":
        return " - ".join(filter(None, (_amount(value.low), _amount(value.high))))
    if type_ == "Ratio":
        return f"{_amount(value.numerator)}:{_amount(value.denominator)}"
    if type_ == "Period":
        return "/".join(written(dtm(moment or "")) for moment in (value.start, value.end))
    if type_ == "SampledData":
        return str(value.data or "")
    return written(dtm(value)) if type_ in DATES else str(value)


def _amount(quantity: Any) -> str:
    """`5 mg`; '' when absent."""
    return " ".join(filter(None, (_limit(quantity), quantity and quantity.unit)))


def _limit(quantity: Any) -> str:
    return "" if quantity is None or quantity.value is None else number(quantity.value)


def _plain(limit: Decimal | None) -> str:
    return "" if limit is None else format(limit, "f")
