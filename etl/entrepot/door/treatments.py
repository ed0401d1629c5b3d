"""The five treatments (keep, key, generalise, scrub, drop): raw text becomes typed, safe cells."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from entrepot.door.civil_time import moment
from entrepot.errors import RecordFault
from entrepot.feeds.document import NULL
from entrepot.feeds.encapsulated import is_pdf
from entrepot.feeds.extract import RawRow
from entrepot.feeds.hl7v2.values import instant, stated_date
from entrepot.feeds.keys import KEY_AS, reference_parts
from entrepot.feeds.mapping import Column
from entrepot.keys import Keyring
from entrepot.staging.kinds import ALIAS, LOCATION, ColumnType, Kind, Reference
from entrepot.text import Identity, Scrubber, cell_leaks, joined_leaks, leaks

# Numbers of at most 8 digits identify nobody: they need no scrubbing (9 and more do: FINESS, NIR).
_HARMLESS = re.compile(r"[<>=≤≥]{0,2}\s*[-+]?\d{1,4}(?:[  ]?\d{3})?(?:[.,/:-]\d{1,4}){0,2}\s*")
_POSTCODE_LENGTH = 5
_SHORT, _MOST_TEXTS = 200, 5_000  # texts that come again: labels, words of results
_Scrubbed = tuple[str, list[tuple[int, int]], dict[str, int]]
_OVERSEAS = ("97", "98")


@dataclass(slots=True)
class Scrubbing:
    """The text engine bound to one identity; equal short texts are scrubbed once."""

    scrubber: Scrubber
    identity: Identity
    entities: Counter[str] = field(default_factory=Counter)
    _known: dict[str, _Scrubbed] = field(default_factory=dict)
    _harmless: set[str] = field(default_factory=set)

    def text(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """The text without identities and the spans of its true dates.

        Raises:
            RecordFault: the independent scan still finds an identifier (`residual_identifier`).
        """
        if _HARMLESS.fullmatch(text):
            return text, []
        found = self._known.get(text)
        if found is None:
            scrubbed = self.scrubber.scrub(text, self.identity)
            if leaks(scrubbed.text, self.identity):
                raise RecordFault("residual_identifier")
            found = (scrubbed.text, list(scrubbed.date_spans), dict(scrubbed.entities))
            if len(text) <= _SHORT and len(self._known) < _MOST_TEXTS:
                self._known[text] = found
        self.entities.update(found[2])
        return found[:2]

    def drawn_text(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """As `text`, of a PDF: a name in pieces is a name.

        Raises:
            RecordFault: `residual_identifier`.
        """
        found = self.text(text)
        if joined_leaks(found[0], self.identity):
            raise RecordFault("residual_identifier")
        return found

    def check_code(self, value: str) -> str:
        """A code as sent, unless it holds an identifier of this person."""
        if value not in self._harmless:
            if cell_leaks(value, self.identity):
                raise RecordFault("residual_identifier")
            if len(self._harmless) < _MOST_TEXTS:
                self._harmless.add(value)
        return value


@dataclass(slots=True)
class _Target:
    """The row that is being filled, and what fills it."""

    cells: dict[str, Any]
    kind: Kind
    row: RawRow
    domain: str
    scrubbing: Scrubbing


class Treatments:
    """Turns the columns of raw rows into cells of a staging kind."""

    def __init__(self, keyring: Keyring, zone: ZoneInfo) -> None:
        self._keyring, self._zone = keyring, zone

    def cells(self, row: RawRow, kind: Kind, domain: str, scrubbing: Scrubbing) -> dict[str, Any]:
        """Own and reference columns of the row, plus `cleared`."""
        target = _Target(dict.fromkeys(kind.schema.names), kind, row, domain, scrubbing)
        cleared = set(row.mapping.clear)
        treatments = {name: column.treatment for name, column in row.mapping.columns.items()}
        for reader in row.mapping.readers:
            treatments.update(reader.columns)
        for name, text in row.values.items():
            treatment = treatments[name]
            if not text or treatment == "drop":
                continue
            if text == NULL:
                cleared.add(name)
                continue
            try:
                self._fill(target, name, text)
            except RecordFault as fault:
                raise RecordFault(fault.reason, fault.position or row.where(name)) from None
        target.cells["cleared"] = _cleared(kind, cleared) if row.mapping.mode == "patch" else ""
        return target.cells

    def _fill(self, target: _Target, name: str, text: str) -> None:
        cells, kind = target.cells, target.kind
        column_type = kind.columns.get(name)
        column = target.row.mapping.columns.get(name)
        if column_type is None:
            reference = next(r for r in kind.references if r.name == name)
            if reference is ALIAS:  # another name of what the row is: keyed as rows refer to it
                named = KEY_AS[target.row.mapping.key_as or "unit"]
                reference = replace(named, key=ALIAS.key, id="")
            self._reference(cells, reference, target.domain, text)
        elif column is not None and column.to is not None:
            self._generalise(cells, name, text, column.to)
        elif column_type is ColumnType.TEXT:
            drawn = name == "text" and is_pdf(target.row.attachment)
            scrub = target.scrubbing.drawn_text if drawn else target.scrubbing.text
            cells[name], spans = scrub(text)
            if "date_spans" in kind.columns and name == "text":
                cells["date_spans"] = json.dumps(spans)
        else:
            ours = column is not None and _is_ours(column, text)
            cells[name] = text if ours else self._typed(column_type, text, target)
            if name == "start_at" and "date_precision" in kind.columns:
                cells["date_precision"] = moment(text, self._zone)[1]

    def _typed(self, column_type: ColumnType, text: str, target: _Target) -> object:
        if column_type is ColumnType.TIMESTAMP:
            value, _, notice = moment(text, self._zone)
            target.row.notices += [notice] if notice else []
            return value
        if column_type is ColumnType.DECIMAL:
            return _decimal(text)
        if column_type is ColumnType.INTEGER:
            return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
        return target.scrubbing.check_code(text.strip())

    def _reference(
        self, cells: dict[str, Any], reference: Reference, domain: str, text: str
    ) -> None:
        parts = reference_parts(reference, domain, text)
        if reference.key:
            cells[reference.key] = self._keyring.keyed(reference.label, *parts)
        if reference.id:
            cells[reference.id] = self._keyring.number(reference.label, reference.bits, *parts)

    def _generalise(self, cells: dict[str, Any], name: str, text: str, to: str) -> None:
        if to == "departement":
            cells[name] = departement(text)
            if cells[name]:
                parts = reference_parts(LOCATION, "", cells[name])
                cells[LOCATION.id] = self._keyring.number(LOCATION.label, LOCATION.bits, *parts)
            return
        date, precision = stated_date(text)
        if date is not None:
            known_month = precision != "year"
            cells[name] = date.year if to == "year" else (date.month if known_month else None)

    def instant(self, text: str) -> dt.datetime | None:
        """The moment in UTC, to order by."""
        return instant(text, self._zone)


def _is_ours(column: Column, text: str) -> bool:
    """A word of the mapping itself, not of the record: a patient may be called `Final`."""
    return column.constant is not None or text in (column.values or {}).values()


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


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", ".").strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 27:
        return None
    return number.quantize(Decimal("1e-10"))
