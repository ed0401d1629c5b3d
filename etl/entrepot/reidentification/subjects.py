"""From the numbers of the research zone to persons of the register, and to what is told of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection

from entrepot.config import Site
from entrepot.door.record import PERSON_BITS
from entrepot.keys import PERSON, Keyring
from entrepot.register.registers import STUDY
from entrepot.register.snapshot import Person, Snapshot
from entrepot.reidentification.refusals import Refusal
from entrepot.reidentification.requests import Request
from entrepot.rekeying import current_person_ids

# Part of an identity -> the lists of the register that it holds.
_LISTS = {
    "names": ("family_names", "given_names", "full_given_names"),
    "birth_dates": ("birth_dates",),
    "stays": ("stay_numbers",),
    "address": ("streets", "postcodes", "towns"),
    "contact": ("phones", "mails"),
}
_NUMBERS = {"ipp": "IPP", "ins": "SECU"}


@dataclass(frozen=True)
class Identified:
    """One person, as far as the motive lets them be told.

    Args:
        given: the number that was asked about.
        identity: name of a part -> its values, as the hospital's systems stated them.
    """

    given: int
    person_id: int
    identity: dict[str, list[str]]


@dataclass(frozen=True)
class Disclosure:
    """What an execution lets its requester see, and until when."""

    request: Request
    until: dt.datetime
    persons: tuple[Identified, ...]


class Subjects:
    """The register's persons by the numbers of the research zone, read in one transaction.

    A person bears the number of today, those of before their merges, and those under former root
    keys. Who was erased bears none.
    """

    def __init__(self, site: Site, connection: Connection, keyring: Keyring) -> None:
        self._connection, self._keyring = connection, keyring
        self._snapshot = Snapshot(connection, keyring, site.config.register_)
        self._by_study: dict[str, dict[int, int]] = {}

    @cached_property
    def _persons(self) -> dict[int, Person]:
        return {
            self._keyring.number(PERSON, PERSON_BITS, "id", key): person
            for person in self._snapshot.persons.values()
            if not person.erased
            for key in person.keys
        }

    def core_id(self, number: int, study: str) -> int | None:
        """The core's person_id of a number: the core's own, or a study's pseudonym.

        None when no person bears it: erased, never there, or of two persons after an unmerge.
        """
        core = self._numbers(study).get(number)
        if core is None:
            former = current_person_ids(
                self._connection, self._keyring, self._snapshot, number, study
            )
            core = former[0] if len(former) == 1 and former[0] in self._persons else None
        return core

    def _numbers(self, study: str) -> dict[int, int]:
        if study not in self._by_study:
            from entrepot.study import study_person_id

            self._by_study[study] = {
                study_person_id(self._keyring, study, one) if study else one: one
                for one in self._persons
            }
        return self._by_study[study]

    def require_unopposed(self, person_ids: Iterable[int], study: str) -> None:
        """Refuses when one of the persons opposed reuse, or this study (RGPD 21).

        Raises:
            Refusal: does not say who.
        """
        scope = f"{STUDY}:{study}"
        found = [person for one in person_ids if (person := self._person(one)) is not None]
        if any(person.opposed or scope in person.refused for person in found):
            raise Refusal("opposed")

    def identified(
        self, person_ids: Sequence[int], given: Sequence[int], parts: Sequence[str]
    ) -> list[Identified]:
        """Those who are still in the register; who was erased since is left out."""
        return [
            Identified(number, person_id, self._identity(person, parts))
            for person_id, number in zip(person_ids, given, strict=True)
            if (person := self._person(person_id)) is not None
        ]

    def _person(self, person_id: int) -> Person | None:
        """Of a request that may be older than the root key."""
        core = self.core_id(person_id, "")
        return None if core is None else self._persons[core]

    def _identity(self, person: Person, parts: Sequence[str]) -> dict[str, list[str]]:
        every, standing = self._snapshot.identity(self._connection, person)
        merged: dict[str, set[str]] = {part: set() for part in parts}
        for payload in standing or every:
            stated = json.loads(payload)
            for part in parts:
                for name in _LISTS.get(part, ()):
                    merged[part].update(stated.get(name, ()))
                label = _NUMBERS.get(part)
                merged[part].update(value for kind, value in stated["numbers"] if kind == label)
        return {part: sorted(values) for part, values in merged.items()}
