"""Persons who must be nowhere beyond the door, or not in one study, by their `person_id`."""

from __future__ import annotations

from sqlalchemy import Connection

from entrepot.config import Site
from entrepot.keys import PERSON, Keyring
from entrepot.register.erasure_log import ErasureLog
from entrepot.register.erasures import erased_persons
from entrepot.register.registers import STUDY
from entrepot.register.snapshot import Snapshot

PERSON_BITS = 53


def withdrawn_ids(site: Site, keyring: Keyring, snapshot: Snapshot, study: str = "") -> set[int]:
    """Who opposed or was erased; with a study, also who opposed to that study alone.

    Under every number that ever stood for them: a person who was merged after a space was made
    stands there under the number of before.

    Raises:
        ConfigurationError: the list of erasures is damaged or older than what was noted.
    """
    scope = f"{STUDY}:{study}"
    ids = {
        keyring.number(PERSON, PERSON_BITS, "id", key)
        for person in snapshot.persons.values()
        if person.withdrawn or (study and scope in person.refused)
        for key in person.keys
    }
    return ids | erased_persons(ErasureLog(site, keyring).lines())


def withdrawn_persons(
    site: Site, keyring: Keyring, connection: Connection, study: str = ""
) -> set[int]:
    """`withdrawn_ids`, of the register as it stands."""
    snapshot = Snapshot(connection, keyring, site.config.register_)
    return withdrawn_ids(site, keyring, snapshot, study)
