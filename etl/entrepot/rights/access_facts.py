"""The identifying zone's part of an access report: identity, records, rights, who looked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select

from entrepot.audit import Entry, read_entries
from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.keys import Keyring
from entrepot.landing.tables import record
from entrepot.register.oppositions import fingerprint
from entrepot.register.person import IDENTITY_LISTS
from entrepot.register.snapshot import Snapshot
from entrepot.register.tables import information, opposition, registration
from entrepot.report.dispositions import Meanings
from entrepot.rights.retention import retention_end
from entrepot.rights.target import person_ids

_PAGE = 500


class AccessWords(BaseModel):
    """`mappings/privacy/access.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    language_concept_ids: list[int]
    tables: dict[str, dict[str, str]]
    identity: dict[str, str]
    dispositions: dict[str, str]
    columns: dict[str, str]

    def heading(self, column: str) -> str:
        """What people call a column; empty for one that is left out, itself when unknown."""
        endings = sorted((end for end in self.columns if column.endswith(end)), key=len)
        return self.columns[endings[-1]] if endings else column.replace("_", " ")


@dataclass(frozen=True)
class Subject:
    """One person, and where what is known of them stands.

    Args:
        unattributed: records that name the person and that nobody had to attribute (orders).
    """

    site: Site
    keyring: Keyring
    connection: Connection
    snapshot: Snapshot
    root: bytes
    unattributed: tuple[int, ...] = ()

    @property
    def hmacs(self) -> set[bytes]:
        """HMACs of the person's numbers."""
        return self.snapshot.numbers[self.root]

    @property
    def records(self) -> list[int]:
        """Ids of the records of which the person is the subject, or that name them."""
        own = [row.record_id for row, root in self.snapshot.attributed() if root == self.root]
        return [*own, *self.unattributed]


def zone_facts(subject: Subject, words: AccessWords) -> dict[str, Any]:
    """JSON-able facts by section."""
    records = _records(subject, words)
    stated = [one["stated_at"] for one in records if one["stated_at"] is not None]
    last = max(stated, default=None)
    person = subject.snapshot.persons[subject.root]
    return {
        "identity": _identity(subject, words),
        "records": records,
        "rights": _rights(subject),
        "informations": _informations(subject),
        "consultations": _consultations(subject),
        "opposed": person.opposed,
        "last_activity": last,
        "retention_end": retention_end(subject.site, last.date()) if last else None,
    }


def _identity(subject: Subject, words: AccessWords) -> list[dict[str, Any]]:
    """Everything that any record ever stated of the person, under the words that people use."""
    person = subject.snapshot.persons[subject.root]
    payloads, _ = subject.snapshot.identity(subject.connection, person)
    merged: dict[str, set[str]] = {name: set() for name in words.identity}
    for payload in map(json.loads, payloads):
        for name in (*IDENTITY_LISTS, "birth_dates"):
            merged.setdefault(name, set()).update(payload.get(name, []))
        merged["numbers"] |= {f"{label} {value}" for label, value in payload["numbers"]}
    return [
        {"name": name, "label": words.identity.get(name, name), "values": sorted(values)}
        for name, values in merged.items()
        if values
    ]


def _records(subject: Subject, words: AccessWords) -> list[dict[str, Any]]:
    """What was received of the person, and what became of it."""
    meanings = Meanings(subject.site.overlays)
    ids, found = subject.records, []
    columns = (record.c.source, record.c.format, record.c.received_at, record.c.deliveries,
               registration.c.event, registration.c.stated_at, derivation.c.disposition,
               derivation.c.reason)  # fmt: skip
    for start in range(0, len(ids), _PAGE):
        query = (
            select(record.c.record_id, *columns)
            .join(registration, registration.c.record_id == record.c.record_id)
            .outerjoin(derivation, derivation.c.record_id == record.c.record_id)
            .where(record.c.record_id.in_(ids[start : start + _PAGE]))
        )
        for row in subject.connection.execute(query):
            told = dict(row._mapping)
            told["became"] = words.dispositions.get(row.disposition or "", "pas encore traité")
            told["meaning"] = meanings.of(row.reason).french if row.reason else ""
            found.append(told)
    return sorted(found, key=lambda one: (one["received_at"], one["record_id"]))


def _rights(subject: Subject) -> list[dict[str, Any]]:
    columns = (opposition.c.register, opposition.c.scope, opposition.c.opposed_on,
               opposition.c.until, opposition.c.withdrawn_on, opposition.c.channel,
               opposition.c.by_holder)  # fmt: skip
    query = select(*columns).where(opposition.c.identifier.in_(subject.hmacs))
    return [dict(row._mapping) for row in subject.connection.execute(query)]


def _informations(subject: Subject) -> list[dict[str, Any]]:
    columns = (information.c.informed_on, information.c.channel, information.c.notice,
               information.c.to_holder)  # fmt: skip
    query = select(*columns).where(information.c.identifier.in_(subject.hmacs))
    return [dict(row._mapping) for row in subject.connection.execute(query)]


def _consultations(subject: Subject) -> list[dict[str, Any]]:
    """Entries of the audit log that speak of the person or of one of their records."""
    return [
        {"at": entry.at, "action": str(entry.action), "account": entry.account,
         "by": entry.facts.get("by") or "",
         "why": entry.facts.get("why") or entry.facts.get("reason") or ""}
        for entry in _entries(subject)
    ]  # fmt: skip


def _entries(subject: Subject) -> Iterator[Entry]:
    keyring, records = subject.keyring, set(subject.records)
    person = subject.snapshot.persons[subject.root]
    named = {fingerprint(keyring, hmac) for hmac in subject.hmacs}
    named |= {str(one) for one in person_ids(keyring, person.keys)}
    for entry in read_entries(subject.site, keyring):
        if entry.facts.get("record") in records or str(entry.facts.get("person")) in named:
            yield entry
