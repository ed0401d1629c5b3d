"""Derives one record: its bytes in, staging rows or a disposition out. All of it in memory."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from entrepot.config import SiteConfig, Source
from entrepot.door.attached import attached_text
from entrepot.door.civil_time import moment
from entrepot.door.identities import with_professionals
from entrepot.door.same_record import drop_replaced_by_itself, name_stay, says_the_same
from entrepot.door.treatments import Scrubbing, Treatments
from entrepot.errors import RecordFault
from entrepot.feeds.document import Document, Embedded
from entrepot.feeds.extract import CompiledMapping, Extractor
from entrepot.feeds.feeds import Feeds
from entrepot.feeds.keys import present, row_label, row_parts
from entrepot.feeds.raw_row import RawRow
from entrepot.feeds.times import stated_at
from entrepot.keys import EVENT, PERSON, RECORD, Keyring
from entrepot.staging.kinds import KINDS
from entrepot.text import Identity, Scrubber

_ACTION_ORDER = {"upsert": 0, "correct": 1, "delete": 2}
PERSON_BITS = 53
_MOST_IDENTITIES = 32


@dataclass(frozen=True, slots=True)
class Task:
    """One record to derive, with all that its derivation may depend on.

    Args:
        stays: a server's id of a stay -> its number, as this person's records state it.
    """

    record_id: int
    source: str
    format: str
    content: bytes
    received_at: dt.datetime
    record_key: str
    person_key: str
    mother_key: str
    identity: Identity
    stays: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Derived:
    """What became of the record at the door; see `workers.Outcome`."""

    record_id: int
    disposition: str = "staged"
    reason: str = ""
    position: str = ""
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notices: list[tuple[str, str]] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    attachments: int = 0
    masked: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Context:
    task: Task
    extractor: Extractor
    document: Document
    event: str
    dated: bool
    format: str
    domain: str
    rank: int
    stated: dt.datetime
    order: str  # the time stated, in UTC, as versions are sorted
    content_key: str


class Door:
    """One process's door: compiled mappings, keys and the text engine."""

    def __init__(
        self, config: SiteConfig, keyring: Keyring, feeds: Feeds, scrubber: Scrubber
    ) -> None:
        self._config, self._keyring = config, keyring
        self._feeds, self._scrubber = feeds, scrubber
        self._treatments = Treatments(keyring, config.zone)
        self._scrubbings: dict[Identity, Scrubbing] = {}

    def derive(self, task: Task) -> Derived:
        """The record's rows; a fault quarantines the whole record."""
        derived = Derived(task.record_id)
        try:
            self._derive(task, derived)
        except RecordFault as fault:
            derived.disposition, derived.rows, derived.notices = "quarantined", {}, []
            derived.reason, derived.position = fault.reason, fault.position
        return derived

    def _derive(self, task: Task, derived: Derived) -> None:
        source = self._config.sources.get(task.source, Source())
        extractor = self._feeds.extractor(task.format)
        document = extractor.parse(task.content, source.charset)
        carried = document.embedded()
        contexts = [self._context(task, source, task.format, extractor, document)]
        contexts += [self._inner(task, source, one) for one in carried if not one.withdrawn]
        professionals = [row for c in contexts for row in c.extractor.professionals(c.document)]
        identity = with_professionals(task.identity, professionals)
        scrubbing = self._scrubbing(identity)
        derived.notices += self._header_notices(document)
        for context in contexts:
            scrubbing.check_code(context.event)  # a document's type is a code as sent
            for compiled in context.extractor.mappings(context.event):
                if compiled.mapping.kind in KINDS:
                    self._add_rows(compiled, context, scrubbing, derived)
        derived.unread = _unread(contexts, task.content)
        drop_replaced_by_itself(derived.rows)
        number = 0
        for kind in derived.rows:
            for row in derived.rows[kind]:
                row["row_number"] = number
                number += 1
        if not number:
            withdrawn = any(one.withdrawn for one in carried)
            reason = "document_withdrawn" if withdrawn else "nothing_mapped"
            derived.disposition, derived.reason = "excluded", reason

    def _scrubbing(self, identity: Identity) -> Scrubbing:
        """One per person and professionals: a person's records repeat the same short texts."""
        found = self._scrubbings.get(identity)
        if found is None:
            if len(self._scrubbings) >= _MOST_IDENTITIES:
                self._scrubbings.clear()
            found = self._scrubbings[identity] = Scrubbing(self._scrubber, identity)
        return found

    def _context(
        self, task: Task, source: Source, format_: str, extractor: Extractor, document: Document
    ) -> _Context:
        local, utc = stated_at(document, extractor.places, self._config.zone, task.received_at)
        dated = any(text for text, _ in document.stated())  # when it was received dates no fact
        content = self._keyring.keyed(RECORD, task.content)
        return _Context(
            task, extractor, document, document.event, dated, format_, source.domain, source.rank,
            local, f"{utc:%Y%m%d%H%M%S%f}", content,
        )  # fmt: skip

    def _inner(self, task: Task, source: Source, one: Embedded) -> _Context:
        extractor = self._feeds.extractor("cda")
        try:
            document = extractor.parse(one.content, source.charset)
            return self._context(task, source, "cda", extractor, document)
        except RecordFault as fault:
            raise RecordFault(fault.reason, one.position) from None

    def _header_notices(self, document: Document) -> list[tuple[str, str]]:
        """What the record's own time says of itself."""
        for text, position in document.stated()[:1]:
            if text and (notice := moment(text, self._config.zone)[2]):
                return [(notice, position)]
        return []

    def _add_rows(
        self, compiled: CompiledMapping, context: _Context, scrubbing: Scrubbing, derived: Derived
    ) -> None:
        for parts, raw in self._grouped(compiled, context, derived).items():
            row = self._row(raw, parts, context, scrubbing)
            if "entities" not in KINDS[compiled.mapping.kind].columns:
                derived.masked.update(scrubbing.entities)
            derived.notices += [(code, raw.position) for code in raw.notices]
            derived.rows.setdefault(compiled.mapping.kind, []).append(row)

    def _grouped(
        self, compiled: CompiledMapping, context: _Context, derived: Derived
    ) -> dict[tuple[str, ...], RawRow]:
        """Key parts -> raw row. Two rows of one record with one key are either one text in pieces
        (joined before scrubbing: a name may be broken over lines) or two facts told apart by order.
        """
        found: dict[tuple[str, ...], RawRow] = {}
        seen: dict[tuple[str, ...], int] = {}
        for raw in compiled.rows(context.document):
            name_stay(raw, context.task.stays)
            parts = self._key_parts(raw, context)
            if parts is None:
                raw.notices.append(raw.mapping.without_key.removeprefix("notice:"))
                derived.notices += [(code, raw.position) for code in raw.notices]
                continue
            if raw.attachment is not None and raw.action != "delete":
                text = attached_text(raw.attachment, raw.position)
                if text is None:
                    continue
                raw.values["text"] = text
                derived.attachments += 1
            column = raw.mapping.collapse
            if parts in found and column is not None:
                pieces = [one for row in (found[parts], raw) if (one := row.values.get(column, ""))]
                if pieces:
                    found[parts].values[column] = "\n".join(pieces)
                continue
            if parts in found and says_the_same(found[parts], raw):
                derived.notices.append(("row_repeated", raw.position))
                continue
            seen[parts] = seen.get(parts, 0) + 1
            found[parts if seen[parts] == 1 else (*parts, f"#{seen[parts]}")] = raw
        return found

    def _key_parts(self, raw: RawRow, context: _Context) -> tuple[str, ...] | None:
        """What identifies the row: its person, its business key, or its place in the record."""
        mapping = raw.mapping
        if mapping.kind == "patient":
            return ("patient", context.task.person_key)
        person = context.task.person_key
        personal = KINDS[mapping.kind].personal and not KINDS[mapping.kind].exclusive
        owner = (person,) if personal else ()
        if present(raw.key):
            return row_parts(mapping, context.domain, raw.key) + owner
        if present(raw.key_by_person):
            raw.notices.append(mapping.without_key.removeprefix("notice:"))
            parts = row_parts(mapping, context.domain, [" of person"])
            return (*parts, person, *raw.key_by_person)
        if raw.key_in_record:
            inside = [context.task.record_key, *raw.key_in_record]
            return row_parts(mapping, context.domain, ["in record", *inside]) + owner
        if mapping.without_key.startswith("notice:"):
            return None
        raise RecordFault(mapping.without_key.removeprefix("quarantine:"), raw.position)

    def _row(
        self, raw: RawRow, parts: tuple[str, ...], context: _Context, scrubbing: Scrubbing
    ) -> dict[str, Any]:
        kind, task = KINDS[raw.mapping.kind], context.task
        scrubbing.entities.clear()
        row = self._treatments.cells(raw, kind, context.domain, scrubbing)
        row.update(
            record_key=task.record_key,
            source=task.source,
            format=context.format,
            event=context.event,
            person_key=task.person_key if kind.personal else "",
            person_id=self._person_id(task.person_key) if kind.personal else None,
            version=self._version(raw, context),
            stated_at=context.stated if context.dated else None,
            action="delete" if raw.action == "delete" else "upsert",
            mode=raw.mapping.mode,
        )
        if "entities" in kind.columns:
            row["entities"] = json.dumps(dict(sorted(scrubbing.entities.items())))
        if kind.name == "patient" and task.mother_key:
            row["mother_key"] = task.mother_key
            row["mother_id"] = self._person_id(task.mother_key)
        self._set_key(row, raw, parts, context)
        return row

    def _set_key(
        self, row: dict[str, Any], raw: RawRow, parts: tuple[str, ...], context: _Context
    ) -> None:
        if raw.mapping.kind == "patient":
            row["row_key"], row["row_id"] = context.task.person_key, row["person_id"]
            return
        label = row_label(raw.mapping)
        row["row_key"] = self._keyring.keyed(label, *parts)
        row["row_id"] = self._keyring.number(label, KINDS[raw.mapping.kind].id_bits, *parts)
        if KINDS[raw.mapping.kind].told_by_several:
            self._set_fact(row, raw.mapping.kind)

    def _set_fact(self, row: dict[str, Any], kind: str) -> None:
        """A fact has one id, whichever feed tells it and in whichever format."""
        fact = self._feeds.facts.parts(kind, row) if row["action"] == "upsert" else None
        if fact is not None:
            parts = ("fact", kind, row["person_key"], *fact)
            row["fact_key"] = self._keyring.keyed(EVENT, *parts)
            row["row_id"] = self._keyring.number(EVENT, KINDS[kind].id_bits, *parts)

    def _version(self, raw: RawRow, context: _Context) -> str:
        """rank|stated|event time|action|content: sorts as DESIGN 6 orders versions."""
        try:
            moment = self._treatments.instant(raw.event_time)
        except RecordFault as fault:
            raise RecordFault(fault.reason, raw.position or "EVN") from None
        event_time = f"{moment or dt.datetime.min:%Y%m%d%H%M%S%f}"
        rank = context.rank if raw.mapping.kind == "patient" else 0
        action = _ACTION_ORDER[raw.action]
        return f"{rank}|{context.order}|{event_time}|{action}|{context.content_key}"

    def _person_id(self, person_key: str) -> int:
        return self._keyring.number(PERSON, PERSON_BITS, "id", person_key)


def _unread(contexts: list[_Context], content: bytes) -> set[str]:
    """What no mapping reads, of the record and of the documents that it carries."""
    outer, *carried = contexts
    found = outer.extractor.unread(outer.document, content)
    for one in carried:
        names = one.extractor.unread(one.document, b"")
        found |= {f"{one.format}:{name}" for name in names}
    return found
