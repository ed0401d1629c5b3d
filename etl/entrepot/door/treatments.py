"""The five treatments (keep, key, generalise, scrub, drop): raw text becomes typed, safe cells."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from entrepot.door.civil_time import moment
from entrepot.door.scrubbing import Scrubbing
from entrepot.errors import RecordFault
from entrepot.feeds.document import NULL
from entrepot.feeds.encapsulated import is_pdf
from entrepot.feeds.hl7v2.values import instant, stated_date
from entrepot.feeds.keys import KEY_AS, reference_parts
from entrepot.feeds.mapping import Column, Mapping
from entrepot.feeds.raw_row import RawRow
from entrepot.keys import Keyring
from entrepot.staging.kinds import ALIAS, LOCATION, ColumnType, Kind, Reference
from entrepot.text import LETTER

__all__ = ["Scrubbing", "Treatments", "departement"]

_POSTCODE_LENGTH = 5
_MOST_NUMBERS = 5_000  # of one reference: units, professionals and stays come again
_OVERSEAS = ("97", "98")
_NOTHING = frozenset(("", NULL))


@dataclass(slots=True)
class _Target:
    """The row that is being filled, and what fills it."""

    cells: dict[str, Any]
    row: RawRow
    domain: str
    scrubbing: Scrubbing


_Fill = Callable[[_Target, str], None]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a mapping does with each column, compiled once.

    Args:
        mapping: kept, so that no other mapping takes its place in memory.
        empty: the cells of a row that says nothing.
        fills: column -> what fills its cells; None drops it.
    """

    mapping: Mapping
    empty: dict[str, Any]
    fills: dict[str, _Fill | None]


class Treatments:
    """Turns the columns of raw rows into cells of a staging kind."""

    def __init__(self, keyring: Keyring, zone: ZoneInfo) -> None:
        self._keyring, self._zone = keyring, zone
        self._plans: dict[int, _Plan] = {}

    def cells(self, row: RawRow, kind: Kind, domain: str, scrubbing: Scrubbing) -> dict[str, Any]:
        """Own and reference columns of the row, plus `cleared`."""
        mapping = row.mapping
        plan = self._plans.get(id(mapping)) or self._plan(mapping, kind)
        target = _Target(plan.empty.copy(), row, domain, scrubbing)
        nulls: list[str] = []
        for name, text in row.values.items():
            if not text or (fill := plan.fills[name]) is None:
                continue
            if text == NULL:
                nulls.append(name)
                continue
            try:
                fill(target, text)
            except RecordFault as fault:
                raise RecordFault(fault.reason, fault.position or row.where(name)) from None
        if mapping.mode == "patch":
            target.cells["cleared"] = _cleared(kind, {*mapping.clear, *nulls})
        return target.cells

    def _plan(self, mapping: Mapping, kind: Kind) -> _Plan:
        treatments = {name: column.treatment for name, column in mapping.columns.items()}
        for reader in mapping.readers:
            treatments.update(reader.columns)
        fills = {
            name: None if treatment == "drop" else self._fill(mapping, kind, name)
            for name, treatment in treatments.items()
        }
        if "alt_code" in kind.columns and (label := fills.get("label")) is not None:
            fills["label"] = _unless_coded(label)
        empty = {**dict.fromkeys(kind.schema.names), "cleared": ""}
        plan = self._plans[id(mapping)] = _Plan(mapping, empty, fills)
        return plan

    def _fill(self, mapping: Mapping, kind: Kind, name: str) -> _Fill:
        column_type, column = kind.columns.get(name), mapping.columns.get(name)
        if column_type is None:
            return self._reference(_reference_of(mapping, kind, name))
        if column is not None and column.to is not None:
            return self._departement if column.to == "departement" else _date_part(name, column.to)
        if column_type is ColumnType.TEXT:
            return _scrub(name, with_spans=name == "text" and "date_spans" in kind.columns)
        if column_type is ColumnType.TIMESTAMP:
            dated = name == "start_at" and "date_precision" in kind.columns
            return self._timestamp(name, "date_precision" if dated else "")
        fill = _typed(name, column_type)
        return fill if column is None else _unless_ours(name, column, fill)

    def _reference(self, reference: Reference) -> _Fill:
        @lru_cache(maxsize=_MOST_NUMBERS)
        def referred(domain: str, text: str) -> dict[str, Any]:
            label, parts = reference.label, reference_parts(reference, domain, text)
            cells: dict[str, Any] = {}
            if reference.key:
                cells[reference.key] = self._keyring.keyed(label, *parts)
            if reference.id:
                cells[reference.id] = self._keyring.number(label, reference.bits, *parts)
            return cells

        return lambda target, text: target.cells.update(referred(target.domain, text))

    def _timestamp(self, name: str, precision_name: str) -> _Fill:
        def fill(target: _Target, text: str) -> None:
            target.cells[name], precision, notice = moment(text, self._zone)
            if precision_name:
                target.cells[precision_name] = precision
            if notice:
                target.row.notices.append(notice)

        return fill

    def _departement(self, target: _Target, text: str) -> None:
        code = target.cells["departement"] = departement(text)
        if code:
            parts = reference_parts(LOCATION, "", code)
            target.cells[LOCATION.id] = self._keyring.number(LOCATION.label, LOCATION.bits, *parts)

    def instant(self, text: str) -> dt.datetime | None:
        """The moment in UTC, to order by."""
        return instant(text, self._zone)


def _reference_of(mapping: Mapping, kind: Kind, name: str) -> Reference:
    reference = next(r for r in kind.references if r.name == name)
    if reference is ALIAS:  # another name of what the row is: keyed as rows refer to it
        return replace(KEY_AS[mapping.key_as or "unit"], key=ALIAS.key, id="")
    return reference


def _date_part(name: str, to: str) -> _Fill:
    def fill(target: _Target, text: str) -> None:
        date, precision = stated_date(text)
        if date is not None:
            known_month = precision != "year"
            target.cells[name] = (
                date.year if to == "year" else (date.month if known_month else None)
            )

    return fill


# Labels come from code systems, titles and directions are short: a word that no list knows is a
# drug or an organism there more often than a name.
SHORT = "short"
_CLASSES = {"text": LETTER, "label": "label"}


def _scrub(name: str, *, with_spans: bool) -> _Fill:
    def fill(target: _Target, text: str) -> None:
        drawn = name == "text" and is_pdf(target.row.attachment)
        if drawn:
            target.cells[name], spans = target.scrubbing.drawn_text(text)
        else:
            target.cells[name], spans = target.scrubbing.text(text, _CLASSES.get(name, SHORT))
        if with_spans:
            target.cells["date_spans"] = json.dumps(spans)

    return fill


def _unless_coded(fill: _Fill) -> _Fill:
    """The words beside a code stay outside: the CDM has room for one source value, the code."""

    def filling(target: _Target, text: str) -> None:
        values = target.row.values
        if values.get("code", "") in _NOTHING and values.get("alt_code", "") in _NOTHING:
            fill(target, text)

    return filling


def _typed(name: str, column_type: ColumnType) -> _Fill:
    convert = {ColumnType.DECIMAL: _decimal, ColumnType.INTEGER: _integer}.get(column_type)

    def fill(target: _Target, text: str) -> None:
        code = target.scrubbing.check_code
        target.cells[name] = code(text.strip()) if convert is None else convert(text)

    return fill


def _unless_ours(name: str, column: Column, fill: _Fill) -> _Fill:
    """A word of the mapping itself, not of the record, passes: a patient may be called `Final`."""
    ours = frozenset((column.values or {}).values())
    constant = column.constant is not None
    if not (ours or constant):
        return fill

    def passing(target: _Target, text: str) -> None:
        if constant or text in ours:
            target.cells[name] = text
        else:
            fill(target, text)

    return passing


def departement(postcode: str) -> str:
    """Postcode -> département: 45000 → 45, 97400 → 974, Corsica 2A and 2B; else empty.

    20000-20190 is Corse-du-Sud (2A), 202xx and 206xx Haute-Corse (2B).
    """
    code = postcode.strip()
    if len(code) != _POSTCODE_LENGTH or not (code.isascii() and code.isdigit()):
        return ""
    if code.startswith(_OVERSEAS):
        return code[:3]
    if code.startswith("20"):
        return "2A" if code < "20200" else "2B"
    return code[:2]


def _cleared(kind: Kind, names: set[str]) -> str:
    """`,a,b,`: the columns (of a reference: its physical columns) that the sender deletes."""
    columns = set()
    for name in names:
        reference = next((r for r in kind.references if r.name == name), None)
        columns |= {reference.key, reference.id} if reference else {name}
        if name == "departement":
            columns.add(LOCATION.id)
    columns.discard("")
    return f",{','.join(sorted(columns))}," if columns else ""


def _integer(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", ".").strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 27:
        return None
    return number.quantize(Decimal("1e-10"))
