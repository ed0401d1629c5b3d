"""The frozen view of the register that the door works with: who each record is about, and how it
stands. Each record's digest says what its derivation depends on; a changed digest re-derives it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, select

from entrepot.config import Register as RegisterConfig
from entrepot.keys import REGISTER, Keyring
from entrepot.register import tables
from entrepot.register.clusters import LinkStatement, clusters
from entrepot.register.erased import ERASED, Suppression
from entrepot.register.person import REFERENCE, rank
from entrepot.register.registers import ALL
from entrepot.register.versions import stale_records

_UNKNOWN = ("quarantined", "subject_unknown", "subject")
_WITHOUT_NUMBER = ("quarantined", "subject_without_ipp", "PID-3")


@dataclass(slots=True)
class Person:
    """One cluster: its pseudonym, its sealed identities, and what the rights say."""

    root: bytes
    person_key: str = ""
    other_keys: tuple[str, ...] = ()  # what their other numbers give: the key before a merge
    identities: list[tuple[bytes, bytes]] = field(default_factory=list)  # (subject, digest)
    standing: set[tuple[bytes, bytes]] = field(default_factory=set)  # of records not superseded
    opposed: bool = False
    erased: bool = False
    refused: set[str] = field(default_factory=set)  # scopes `study:ID`; no row of the core changes
    secret: bool = False
    mother_key: str = ""

    @property
    def withdrawn(self) -> bool:
        """Nothing of this person crosses the door."""
        return self.opposed or self.erased

    @property
    def keys(self) -> tuple[str, ...]:
        """Every pseudonym that a number of this person gives or gave."""
        return (self.person_key, *self.other_keys)


@dataclass(frozen=True, slots=True)
class Standing:
    """One record before the door: its person and the verdict that needs no parsing."""

    record_id: int
    person: bytes | None
    disposition: str  # known, quarantined, excluded
    reason: str
    position: str
    digest: bytes


class Snapshot:
    """All persons and the standing of all records, read in one transaction.

    Memory: about 300 bytes per record and 500 per person.
    """

    def __init__(self, connection: Connection, keyring: Keyring, config: RegisterConfig) -> None:
        self._keyring, self._config = keyring, config
        self._spellings: dict[bytes, set[bytes]] = defaultdict(set)
        for row in connection.execute(select(tables.spelling)):
            self._spellings[row.alias].add(row.hmac)
        self._stale = stale_records(connection)
        links = [
            LinkStatement(row.left, row.right, row.relation, row.version)
            for row in connection.execute(select(tables.link))
            if row.record_id not in self._stale
        ]
        self._roots = clusters(links + self._one_spelling())
        self.persons: dict[bytes, Person] = {}
        self._by_ins: dict[bytes, set[bytes]] = defaultdict(set)
        self._records = connection.execute(
            select(tables.registration).order_by(tables.registration.c.record_id)
        ).all()
        self._read_persons(connection, {n for link in links for n in (link.left, link.right)})
        self._read_oppositions(connection)
        self._suppression = Suppression.read(connection)
        self._read_erasures()
        self._read_kin(connection)
        self._conflicts = self._read_conflicts(connection)

    def _one_spelling(self) -> list[LinkStatement]:
        """A name that stands for one OID is that OID; one that stands for two joins nobody."""
        return [
            LinkStatement(min(alias, number), max(alias, number), "link", "")
            for alias, numbers in self._spellings.items()
            if len(numbers) == 1
            for number in numbers
        ]

    def root(self, number: bytes) -> bytes:
        """The cluster of a number."""
        return self._roots.get(number, number)

    def attributed(self) -> Iterator[tuple[Row[Any], bytes]]:
        """Registrations of which somebody is the subject, with their person."""
        for row in self._records:
            root = self._person_of(row)
            if root is not None:
                yield row, root

    @cached_property
    def numbers(self) -> dict[bytes, set[bytes]]:
        """Person -> HMACs of all their numbers, an INS that their records state included."""
        found: dict[bytes, set[bytes]] = {root: {root} for root in self.persons}
        for number in self._roots:
            found.setdefault(self.root(number), set()).add(number)
        for row, root in self.attributed():
            if row.ins is not None:
                found[root].add(row.ins)
        return found

    def standings(self, fingerprint: str) -> list[Standing]:
        """Every record's standing; `fingerprint` is that of mappings, lists and code."""
        states = {root: self._state(person, fingerprint) for root, person in self.persons.items()}
        return [self._standing(row, states, fingerprint) for row in self._records]

    def identity(self, connection: Connection, person: Person) -> tuple[list[bytes], list[bytes]]:
        """The person's identity payloads, opened: all ever stated, and those that stand."""
        table = tables.identity
        found, standing = [], []
        for subject, digest in person.identities:
            query = select(table.c.sealed).where(
                table.c.subject == subject, table.c.digest == digest
            )
            sealed = connection.execute(query).scalar_one()
            found.append(self._keyring.unseal(REGISTER, sealed, subject))
            if (subject, digest) in person.standing:
                standing.append(found[-1])
        return found, standing

    def _read_persons(self, connection: Connection, linked: set[bytes]) -> None:
        """A server's id is a person's number only while a record that stands says whose it is.

        After a deletion its resources would else be somebody new: unopposed, no name to scrub.
        """
        stated = linked | {
            row.subject
            for row in self._records
            if not row.referred and row.record_id not in self._stale
        }
        keys: dict[bytes, list[tuple[int, str]]] = defaultdict(list)
        for row in connection.execute(select(tables.identifier)):
            if row.authority.startswith(REFERENCE) and row.hmac not in stated:
                continue
            order = (rank(row.authority, self._config), row.person_key)
            keys[self.root(row.hmac)].append(order)
        for root, found in keys.items():
            (_, first), *others = sorted(found)
            self.persons[root] = Person(root, first, tuple(key for _, key in others))
        for row in self._records:
            if row.subject is None or self.root(row.subject) not in self.persons:
                continue
            person = self.persons[self.root(row.subject)]
            person.secret |= row.secret
            if row.identity_digest is not None:
                pair = (row.subject, row.identity_digest)
                person.identities.append(pair)
                if row.record_id not in self._stale:
                    person.standing.add(pair)
            if row.ins is not None and row.ins != row.subject:
                self._by_ins[row.ins].add(person.root)
        for person in self.persons.values():
            person.identities = sorted(set(person.identities))
        self._read_ins_identities()

    def _read_ins_identities(self) -> None:
        """A record that names its person by a validated INS alone joins the one who has it."""
        for row in self._records:
            if row.subject is not None and row.subject == row.ins:
                root = self._person_of(row)
                if root is not None and row.identity_digest is not None:
                    identities = self.persons[root].identities
                    pair = (row.subject, row.identity_digest)
                    if pair not in identities:
                        identities.append(pair)
                        identities.sort()

    def _read_oppositions(self, connection: Connection) -> None:
        query = select(tables.opposition).where(tables.opposition.c.withdrawn_on.is_(None))
        for row in connection.execute(query):
            if row.record_id in self._stale:
                continue
            numbers = {row.identifier, *self._spellings.get(row.identifier, ())}
            found = [self.persons.get(self.root(number)) for number in numbers]
            for person in found:
                if person is not None and row.scope == ALL:
                    person.opposed = True
                elif person is not None:
                    person.refused.add(row.scope)

    def _read_erasures(self) -> None:
        """Whoever was joined to an erased person since is one, until a message parts them."""
        for number, (_, before) in self._suppression.numbers.items():
            person = self.persons.get(self.root(number))
            if person is not None and before is None:
                person.erased = True

    def _read_kin(self, connection: Connection) -> None:
        last: dict[bytes, tuple[str, bytes]] = {}
        for row in connection.execute(select(tables.kin)):
            if row.record_id in self._stale:
                continue
            child = self.root(row.child)
            last[child] = max(last.get(child, ("", b"")), (row.version, self.root(row.mother)))
        for child, (_, mother) in last.items():
            infant, parent = self.persons.get(child), self.persons.get(mother)
            if infant is None or parent is None:
                continue
            if not (infant.secret or parent.secret or parent.withdrawn or child == mother):
                infant.mother_key = parent.person_key

    def _read_conflicts(self, connection: Connection) -> dict[int, str]:
        """Record -> position of a key that two persons, neither withdrawn, state."""
        standing = {}
        for row in self._records:
            root = self._person_of(row)
            known = row.disposition == "known" and root is not None
            known = known and row.record_id not in self._stale
            if known and not self.persons[root].withdrawn:  # type: ignore[index]
                standing[row.record_id] = root
        owners: dict[bytes, set[bytes | None]] = defaultdict(set)
        stated = [
            row
            for row in connection.execute(select(tables.stated_key))
            if row.record_id in standing
        ]
        for row in stated:
            owners[row.hmac].add(standing[row.record_id])
        conflicts: dict[int, str] = {}
        for row in sorted(stated, key=lambda row: (row.record_id, row.position)):
            if len(owners[row.hmac]) > 1:
                conflicts.setdefault(row.record_id, row.position)
        return conflicts

    def _person_of(self, row: Row[Any]) -> bytes | None:
        subject, ins = row.subject, row.ins
        if subject is None:
            return None
        if subject == ins and self.root(subject) not in self.persons:
            found = self._by_ins.get(ins, set())
            return next(iter(found)) if len(found) == 1 else None
        root = self.root(subject)
        return root if root in self.persons else None

    def _state(self, person: Person, fingerprint: str) -> bytes:
        state = hashlib.sha256(f"{fingerprint}|{person.person_key}|{person.mother_key}".encode())
        state.update(bytes([person.opposed + 2 * person.erased, person.secret]))
        for subject, digest in person.identities:
            state.update(subject + digest + bytes([(subject, digest) in person.standing]))
        return state.digest()

    def _standing(self, row: Row[Any], states: dict[bytes, bytes], fingerprint: str) -> Standing:
        root = self._person_of(row)
        disposition, reason, position = self._verdict(row, root)
        state = states[root] if root is not None else fingerprint.encode()
        digest = hashlib.sha256(state + f"|{disposition}|{reason}|{position}".encode()).digest()
        record_id: int = row.record_id
        return Standing(record_id, root, disposition, reason, position, digest)

    def _verdict(self, row: Row[Any], root: bytes | None) -> tuple[str, str, str]:
        found: tuple[str, str, str] = (row.disposition, row.reason, row.position)
        # The rights go first: nothing of who opposed is worked on, not even a fault.
        if root is not None and self.persons[root].withdrawn:
            rule = ERASED if self.persons[root].erased else "opposed_patient"
            return ("excluded", rule, "")
        if row.record_id in self._stale:
            return ("excluded", self._stale[row.record_id], "")
        if found[0] != "known" or not row.personal:
            return found
        if root is None:
            return _UNKNOWN if row.referred else _WITHOUT_NUMBER
        conflict = self._conflicts.get(row.record_id)
        if conflict is not None:
            return ("quarantined", "key_of_two_persons", conflict)
        return found
