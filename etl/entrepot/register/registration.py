"""The register pass over one record: event, time, version, subject, links, keys of one person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from entrepot.config import SiteConfig, Source
from entrepot.errors import RecordFault
from entrepot.feeds.document import Document
from entrepot.feeds.extract import Extractor
from entrepot.feeds.feeds import Feeds
from entrepot.feeds.hl7v2.values import timestamp
from entrepot.feeds.keys import exclusive_keys
from entrepot.feeds.raw_row import RawRow
from entrepot.feeds.times import stated_at
from entrepot.feeds.validity import check_validity, explained
from entrepot.keys import RECORD, REGISTER, Keyring
from entrepot.register.links import link_statements
from entrepot.register.person import (
    Identifier,
    Subject,
    first_identifier,
    identifiers,
    identity_payload,
    reference,
    subject,
)
from entrepot.register.registers import OPPOSITION, OPTOUT

FUTURE = dt.timedelta(days=1)  # a message dated later than this after its receipt is not believed


@dataclass(frozen=True, slots=True)
class Landed:
    """One record as landing gives it; `received_at` is UTC, naive, as the ledger keeps it."""

    record_id: int
    source: str
    format: str
    content: bytes
    received_at: dt.datetime


@dataclass(slots=True)
class Version:
    """What a record is a version of, and what it replaces; all HMACs.

    Args:
        set: the resource or document set; empty when the record is a version of nothing.
        order: sorts the versions of a set as their sender made them.
        names: other names by which a record may be replaced.
        replaces: names and sets that this record replaces or withdraws.
    """

    set: bytes = b""
    order: str = ""
    names: tuple[bytes, ...] = ()
    replaces: tuple[bytes, ...] = ()


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
    opposition_register: str = OPPOSITION
    notices: list[tuple[str, str]] = field(default_factory=list)
    referred: bool = False  # the subject is a reference: somebody else states who it is
    personal: bool = True  # a unit or a professional belongs to nobody
    of: Version = field(default_factory=Version)

    def version(self) -> str:
        """Sorts statements of the register as their senders made them."""
        return f"{self.instant:%Y%m%d%H%M%S%f}" if self.instant else ""


class Registrar:
    """Reads records for the register; holds the compiled mappings and the site's rules."""

    def __init__(self, config: SiteConfig, keyring: Keyring, feeds: Feeds) -> None:
        self._config, self._keyring, self._feeds = config, keyring, feeds

    def register(self, landed: Landed) -> Registered:
        """One record's registration; a fault becomes its disposition, never an exception."""
        result = Registered(landed.record_id)
        try:
            self._read(result, landed)
        except RecordFault as fault:
            result.disposition = "quarantined"
            result.reason, result.position = fault.reason, fault.position
        return result

    def own_numbers(self, landed: Landed) -> list[Identifier]:
        """Numbers of the subject of a record that no rule needed to identify (an order, an event
        that nothing maps); empty when it cannot be read.
        """
        source = self._config.sources.get(landed.source, Source())
        extractor = self._feeds.extractor(landed.format)
        config, found = self._config.register_, list[Identifier]()
        try:
            document = extractor.parse(landed.content, source.charset)
            for row in extractor.rows(document, "identity"):
                one = subject(row, source, config, "")
                found += [*one.local, *([one.ins] if one.ins else [])]
                if token := row.values.get("subject_reference", ""):
                    found.append(reference(token, source))
        except RecordFault:
            return found
        return found

    def _read(self, result: Registered, landed: Landed) -> None:
        source = self._config.sources.get(landed.source, Source())
        extractor = self._feeds.extractor(landed.format)
        try:
            document = extractor.parse(landed.content, source.charset)
        except RecordFault:
            result.notices += explained(landed.format, landed.content)
            raise
        check_validity(landed.format, landed.content, source.validation)
        try:
            self._read_document(result, landed, source, extractor, document)
        finally:
            result.notices += document.notices

    def _read_document(
        self, result: Registered, landed: Landed, source: Source, extractor: Extractor,
        document: Document,
    ) -> None:  # fmt: skip
        places = extractor.places
        result.event = document.event
        rule = extractor.exclusion(result.event)
        if rule:
            result.disposition, result.reason = "excluded", rule
            if not extractor.versioned(result.event):
                return
        elif not extractor.covers(result.event):
            raise RecordFault("event_not_mapped", places.event)
        if document.control:
            result.control = self._keyring.digest(REGISTER, landed.source, document.control)
        result.stated_at, result.instant = stated_at(
            document, places, self._config.zone, landed.received_at
        )
        carried = self._carried(result, document, source)
        self._version(result, landed, [(extractor, document), *carried], source.domain)
        if rule:
            return
        for one, inner in ((extractor, document), *carried):
            if found := one.exclusion_by_content(inner):
                result.disposition, result.reason = "excluded", found
                return
            one.check_content(inner)
        result.personal = extractor.personal(result.event) or bool(carried)
        if result.personal:
            self._identify(result, source, extractor, [document, *(d for _, d in carried)])
        if result.instant > landed.received_at + FUTURE:
            raise RecordFault("message_in_future", places.time)
        result.keys = exclusive_keys(extractor, document, source.domain, self._keyring)

    def _carried(
        self, result: Registered, document: Document, source: Source
    ) -> list[tuple[Extractor, Document]]:
        """The CDA documents inside a message, parsed."""
        parsed: list[tuple[Extractor, Document]] = []
        for one in document.embedded():
            cda = self._feeds.extractor("cda")
            try:
                parsed.append((cda, cda.parse(one.content, source.charset)))
            except RecordFault as fault:
                if not one.withdrawn:
                    raise RecordFault(fault.reason, one.position) from None
                result.notices.append(("withdrawn_document_unreadable", one.position))
        return parsed

    def _version(
        self, result: Registered, landed: Landed, told: list[tuple[Extractor, Document]],
        domain: str,
    ) -> None:  # fmt: skip
        """The set of which the record is a version, and what it replaces."""
        content = self._keyring.keyed(RECORD, landed.content)
        carries = len(told) > 1
        for extractor, document in told:
            for row in extractor.rows(document, "statement"):
                self._state(result, row, domain, content, landed.format != "hl7v2" or carries)

    def _state(
        self, result: Registered, row: RawRow, domain: str, content: str, named: bool
    ) -> None:
        """`named` is false for a letter without document: its rows replace each other by key."""
        result.of.replaces += self._named(row.lists.get("replaces", []), domain)
        if named:
            result.of.names += self._named(row.lists.get("name", []), domain)
            number = row.values.get("version_number", "")
            count = int(number) if number.isascii() and number.isdigit() else 0
            self._order(result, row.values.get("set", ""), count, domain, content)

    def _order(self, result: Registered, name: str, number: int, domain: str, content: str) -> None:
        """DESIGN 6: version number, then when it was stated, then the content."""
        if name and not result.of.set:
            (result.of.set,) = self._named([name], domain)
            rank = 1 if result.disposition == "excluded" else 0  # of one time, a deletion is last
            result.of.order = f"{number:012d}|{result.instant:%Y%m%d%H%M%S%f}|{rank}|{content}"

    def _named(self, names: list[str], domain: str) -> tuple[bytes, ...]:
        return tuple(self._keyring.digest(REGISTER, "set", domain, name) for name in names if name)

    def _identify(
        self, result: Registered, source: Source, extractor: Extractor, told: list[Document]
    ) -> None:
        config, places = self._config.register_, extractor.places
        document = told[0]
        people = extractor.rows(document, "identity")
        if not people:
            raise RecordFault("subject_without_ipp", places.subject.partition("-")[0])
        links = extractor.rows(document, "link")
        subjects = [subject(row, source, config, places.subject) for row in people]
        if len({_local_key(s) for s in subjects}) > 1 and not links:
            raise RecordFault("several_subjects", places.second)
        first = subjects[0]
        result.subject, result.also = first_identifier(first, config), first.local
        result.secret = first.secret
        result.ins = first.ins if first.validated else None
        result.notices += [(code, places.subject) for s in subjects for code in s.notices]
        self._refer(result, people[0], source)
        if result.subject is None and result.ins is None:
            raise RecordFault("subject_without_ipp", places.subject)
        result.payload = identity_payload([*people, *self._inner(told[1:], first, source)])
        result.mother = _mother(people[0], source, self._config)
        result.links = link_statements(links, subjects, source, config)
        self._oppose(extractor, document, result)

    def _refer(self, result: Registered, row: RawRow, source: Source) -> None:
        """A resource that names its subject, by reference or number, states nothing about them."""
        result.referred = "subject_reference" in row.mapping.columns
        token = row.values.get("subject_reference", "")
        if token:
            result.subject = reference(token, source)

    def _inner(self, inner: list[Document], outer: Subject, source: Source) -> list[RawRow]:
        """Who the carried documents say they are about: the message's patient, or nobody's.

        Raises:
            RecordFault: `several_subjects`: an INS of the document is not the message's.
        """
        rows: list[RawRow] = []
        for document in inner:
            cda = self._feeds.extractor("cda")
            found = cda.rows(document, "identity")
            rows += found
            for row in found:
                one = subject(row, source, self._config.register_, cda.places.subject)
                if one.ins and outer.ins and one.ins.value != outer.ins.value:
                    raise RecordFault("several_subjects", cda.places.subject)
        return rows

    def _oppose(self, extractor: Extractor, document: Document, result: Registered) -> None:
        """What the record says of a right, where the site names its type; ZFA never does."""
        registers = (
            (OPPOSITION, self._config.oppositions.con_types),
            (OPTOUT, self._config.rights.optout_types),
        )
        if not any(types for _, types in registers):
            return
        for row in extractor.rows(document, "opposition"):
            said = [name for name, types in registers if row.values["type"] in types]
            if said and row.values["status"] == "R":
                moment, _ = timestamp(row.values["date"], self._config.zone)
                stated = result.stated_at or dt.datetime.min
                result.opposed_on = (moment or stated).date()
                result.opposition_register = said[0]
                return


def _local_key(person: Subject) -> tuple[str, ...]:
    return tuple(f"{i.authority}\x1f{i.value}" for i in person.local)


def _mother(row: RawRow, source: Source, config: SiteConfig) -> Identifier | None:
    values = [row.values.get(f"mother_{part}", "") for part in ("value", "namespace", "authority")]
    found = identifiers([[value] for value in (*values, "")], source, config.register_)
    return found[0] if found else None
