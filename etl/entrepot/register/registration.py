"""The register pass over one record: event, time, subject, links, keys of one person only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from entrepot.config import Register as RegisterConfig
from entrepot.config import SiteConfig, Source
from entrepot.errors import RecordFault
from entrepot.feeds.extract import CompiledMapping, Extractor, RawRow
from entrepot.feeds.hl7v2.message import Message, parse
from entrepot.feeds.hl7v2.path import compile_path
from entrepot.feeds.hl7v2.values import instant, timestamp
from entrepot.feeds.keys import exclusive_keys
from entrepot.keys import REGISTER, Keyring
from entrepot.register.person import (
    Identifier,
    Subject,
    first_identifier,
    identifiers,
    identity_payload,
    subject,
)

FUTURE = dt.timedelta(days=1)  # a message dated later than this after its receipt is not believed
_TIMES = (compile_path("MSH-7"), compile_path("EVN-2"))
_LINK_EVENTS_PIDS = 2


@dataclass(slots=True)
class Registered:
    """What the register keeps of one record; `disposition` is known, quarantined or excluded."""

    record_id: int
    disposition: str = "known"
    reason: str = ""
    position: str = ""
    event: str = ""
    stated_at: dt.datetime | None = None
    instant: dt.datetime | None = None
    control: bytes | None = None
    subject: Identifier | None = None
    also: tuple[Identifier, ...] = ()
    ins: Identifier | None = None
    secret: bool = False
    payload: bytes = b""
    links: list[tuple[Identifier, Identifier, str]] = field(default_factory=list)
    keys: list[tuple[bytes, str]] = field(default_factory=list)
    mother: Identifier | None = None
    opposed_on: dt.date | None = None
    notices: list[tuple[str, str]] = field(default_factory=list)

    def version(self) -> str:
        """Sorts statements of the register as their senders made them."""
        return f"{self.instant:%Y%m%d%H%M%S%f}" if self.instant else ""


class Registrar:
    """Reads records for the register; holds the compiled mappings and the site's rules."""

    def __init__(self, config: SiteConfig, keyring: Keyring, extractor: Extractor) -> None:
        self._config, self._keyring, self._extractor = config, keyring, extractor

    def register(
        self, record_id: int, source_name: str, content: bytes, received_at: dt.datetime
    ) -> Registered:
        """One record's registration; a fault becomes its disposition, never an exception.

        Args:
            received_at: UTC, naive, as the ledger keeps it.
        """
        result = Registered(record_id)
        try:
            self._read(result, source_name, content, received_at)
        except RecordFault as fault:
            result.disposition = "quarantined"
            result.reason, result.position = fault.reason, fault.position
        return result

    def _read(
        self, result: Registered, source_name: str, content: bytes, received_at: dt.datetime
    ) -> None:
        source = self._config.sources.get(source_name, Source())
        message = parse(content, source.charset)
        try:
            self._read_message(result, source_name, message, received_at)
        finally:
            result.notices += _all_notices(message)

    def _read_message(
        self, result: Registered, source_name: str, message: Message, received_at: dt.datetime
    ) -> None:
        source = self._config.sources.get(source_name, Source())
        result.event = message.structure
        rule = self._extractor.exclusion(result.event)
        if rule is not None:
            result.disposition, result.reason = "excluded", rule
            return
        if not self._extractor.covers(result.event):
            raise RecordFault("event_not_mapped", "MSH-9")
        result.control = self._keyring.digest(REGISTER, source_name, message.control_id)
        result.stated_at, result.instant = stated_at(message, self._config)
        self._identify(result, message, source)
        if result.instant > received_at + FUTURE:
            raise RecordFault("message_in_future", "MSH-7")
        result.keys = exclusive_keys(self._extractor, message, source.domain, self._keyring)

    def _identify(self, result: Registered, message: Message, source: Source) -> None:
        config = self._config.register_
        compiled = self._extractor.mappings(result.event)
        people = _rows(compiled, "identity", message)
        if not people:
            raise RecordFault("subject_without_ipp", "PID")
        subjects = [subject(row, source, config) for row in people]
        links = _rows(compiled, "link", message)
        if len({_local_key(s) for s in subjects}) > 1 and not links:
            raise RecordFault("several_subjects", "PID[2]")
        first = subjects[0]
        result.subject = first_identifier(first, config)
        result.also = first.local
        result.secret = first.secret
        result.ins = first.ins if first.validated else None
        result.notices += [(code, "PID-3") for s in subjects for code in s.notices]
        if result.subject is None and result.ins is None:
            raise RecordFault("subject_without_ipp", "PID-3")
        result.payload = identity_payload(people)
        result.mother = _mother(people[0], source, config)
        result.links = _links(links, subjects, source, config)
        result.opposed_on = self._opposition(compiled, message, result)

    def _opposition(
        self, compiled: list[CompiledMapping], message: Message, result: Registered
    ) -> dt.date | None:
        types = self._config.oppositions.con_types
        if not types:
            return None
        for row in _rows(compiled, "opposition", message):
            if row.values["type"] in types and row.values["status"] == "R":
                moment, _ = timestamp(row.values["date"], self._config.zone)
                stated = result.stated_at or dt.datetime.min
                return (moment or stated).date()
        return None


def _all_notices(message: Message) -> list[tuple[str, str]]:
    """The reader's notices; fields with escapes that no mapping read are read for theirs."""
    for segment in message.segments[1:]:
        if "\\" in segment.raw:
            for number in range(1, segment.count() + 1):
                segment.text(number)
    return list(message.notices)


def stated_at(message: Message, config: SiteConfig) -> tuple[dt.datetime, dt.datetime]:
    """When the sender stated the message (MSH-7, else EVN-2): local civil time, and UTC.

    Dates of the warehouse are local; versions are ordered by UTC, because an hour of October
    is told twice.

    Raises:
        RecordFault: neither is there, or the first that is there is impossible.
    """
    for path in _TIMES:
        text = path.read(message, None)
        if text:
            try:
                moment, _ = timestamp(text, config.zone)
                utc = instant(text, config.zone)
            except RecordFault as fault:
                raise RecordFault(fault.reason, path.position(None)) from None
            if moment is not None and utc is not None:
                return moment, utc
    raise RecordFault("message_time_missing", "MSH-7")


def _rows(compiled: list[CompiledMapping], kind: str, message: Message) -> list[RawRow]:
    found = [mapping for mapping in compiled if mapping.mapping.kind == kind]
    return [row for mapping in found for row in mapping.rows(message)]


def _local_key(person: Subject) -> tuple[str, ...]:
    return tuple(f"{i.authority}\x1f{i.value}" for i in person.local)


def _mother(row: RawRow, source: Source, config: RegisterConfig) -> Identifier | None:
    values = row.values
    found = identifiers(
        [values["mother_value"]], [values["mother_namespace"]], [values["mother_authority"]], [""],
        source, config,
    )  # fmt: skip
    return found[0] if found else None


def _links(
    rows: list[RawRow], subjects: list[Subject], source: Source, config: RegisterConfig
) -> list[tuple[Identifier, Identifier, str]]:
    links = [(subjects[0].local[0], other, "link") for other in subjects[0].local[1:]]
    for row in rows:
        relation = row.mapping.relation or "link"
        if row.mapping.pair == "PID":
            pair = _two(subjects)
        else:
            pair = _absorbed(row, subjects, source, config)
        if _number(pair[0]) == _number(pair[1]):
            raise RecordFault("merge_self", row.position or "PID[2]")
        links.append((*pair, relation))
    return links


def _number(identifier: Identifier) -> tuple[str, str]:
    return identifier.authority, identifier.value


def _two(subjects: list[Subject]) -> tuple[Identifier, Identifier]:
    if len(subjects) != _LINK_EVENTS_PIDS or not all(s.local for s in subjects):
        raise RecordFault("link_incomplete", "PID[2]")
    return subjects[0].local[0], subjects[1].local[0]


def _absorbed(
    row: RawRow, subjects: list[Subject], source: Source, config: RegisterConfig
) -> tuple[Identifier, Identifier]:
    lists = row.lists
    found = identifiers(
        lists["value"], lists["namespace"], lists["authority"], lists["type"], source, config
    )
    local = [i for i in found if i.type_code in config.identifier_types]
    number = row.segment.number if row.segment else 1
    person = subjects[min(number, len(subjects)) - 1]  # ADT_A39 repeats PID and MRG together
    if not local or not person.local:
        raise RecordFault("link_incomplete", f"MRG[{number}]-1")
    survivor = next((i for i in person.local if i.authority == local[0].authority), person.local[0])
    return survivor, local[0]
