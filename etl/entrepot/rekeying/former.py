"""The re-keying map: which person of today an id of a former release stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, delete, func, insert, select

from entrepot.config import Register
from entrepot.door.tables import derivation
from entrepot.keys import PERSON, Keyring
from entrepot.landing.ledger import ERASED
from entrepot.landing.tables import data_key
from entrepot.register.snapshot import Snapshot
from entrepot.register.tables import identifier, registration
from entrepot.rekeying.tables import FORMER_ID, former_id

PERSON_BITS = 53
_PAGE = 1000
Held = tuple[int, int]  # person_id, record_id


def published_persons(connection: Connection, old: Keyring) -> set[Held]:
    """Each person_id of the release in place with the last record of each of their numbers.

    By number, because a record that unmerges two persons may already have landed; the last, because
    the end of retention takes the oldest first. An erased record leads nowhere.
    """
    query = (
        select(derivation.c.person_key, func.max(derivation.c.record_id))
        .join(data_key, data_key.c.record_id == derivation.c.record_id)
        .outerjoin(registration, registration.c.record_id == derivation.c.record_id)
        .where(derivation.c.person_key != "", data_key.c.wrapped_key != ERASED)
        .group_by(derivation.c.person_key, registration.c.subject)
    )
    return {(_person_id(old, key), record_id) for key, record_id in connection.execute(query)}


def numbered_persons(connection: Connection, old: Keyring, config: Register) -> set[Held]:
    """Each person_id that a number gives by itself: of releases from before a merge."""
    snapshot = Snapshot(connection, old, config)
    living = set(
        connection.scalars(select(data_key.c.record_id).where(data_key.c.wrapped_key != ERASED))
    )
    last: dict[bytes, int] = {}
    for row, root in snapshot.attributed():
        if row.record_id in living:
            for number in (row.subject, root):
                last[number] = max(last.get(number, 0), row.record_id)
    found = set()
    for number in connection.execute(select(identifier.c.hmac, identifier.c.person_key)):
        record_id = last.get(number.hmac) or last.get(snapshot.root(number.hmac))
        if record_id is not None:
            found.add((_person_id(old, number.person_key), record_id))
    return found


def keep(connection: Connection, new: Keyring, version: int, held: Iterable[Held]) -> None:
    """Enters ids of a former root's releases, findable under the new root alone.

    Args:
        version: of the root that made them.
    """
    lines = []
    for person_id, record_id in sorted(held):
        plain = str(person_id).encode()
        hmac = new.digest(FORMER_ID, plain)
        sealed = new.seal(FORMER_ID, plain, hmac)
        lines.append({"version": version, "hmac": hmac, "sealed": sealed, "record_id": record_id})
    for start in range(0, len(lines), _PAGE):
        connection.execute(insert(former_id), lines[start : start + _PAGE])


def forget(connection: Connection, record_ids: list[int]) -> int:
    """Removes the former ids that lead to these records (an erased person); how many there were."""
    gone = 0
    for start in range(0, len(record_ids), _PAGE):
        page = record_ids[start : start + _PAGE]
        done = connection.execute(delete(former_id).where(former_id.c.record_id.in_(page)))
        gone += int(done.rowcount)
    return gone


def current_person_ids(
    connection: Connection, keyring: Keyring, snapshot: Snapshot, person_id: int, study: str = ""
) -> list[int]:
    """Today's person_ids of a person whom a former release named by `person_id`, sorted.

    Several after an unmerge; none when the id was never given under a former root key, or the
    person's records were erased.

    Args:
        snapshot: the register as it stands, after the first run under today's key.
        study: the id is of this study's space; empty: of the core.
    """
    former = [person_id] if not study else _core_ids(connection, keyring, person_id, study)
    records = {one for core in former for one in _records(connection, keyring, core)}
    persons = {one.person for one in snapshot.standings("") if one.record_id in records}
    keys = {snapshot.persons[root].person_key for root in persons - {None} if root is not None}
    return sorted(_person_id(keyring, key) for key in keys)


def _person_id(keyring: Keyring, person_key: str) -> int:
    return keyring.number(PERSON, PERSON_BITS, "id", person_key)


def _records(connection: Connection, keyring: Keyring, person_id: int) -> list[int]:
    hmac = keyring.digest(FORMER_ID, str(person_id))
    query = select(former_id.c.record_id).where(former_id.c.hmac == hmac)
    return list(connection.scalars(query))


def _core_ids(connection: Connection, keyring: Keyring, study_id: int, study: str) -> Iterator[int]:
    """Core ids of former releases whose id in the study this was, by the study's former keys."""
    from entrepot.study.keys import study_label, study_person_id

    for one, kept in zip(keyring.former, keyring.formers(), strict=True):
        if study_label(study) not in one.keys:
            continue
        lines = select(former_id.c.hmac, former_id.c.sealed).where(
            former_id.c.version == one.version
        )
        for row in connection.execute(lines):
            core = int(keyring.unseal(FORMER_ID, row.sealed, row.hmac))
            if study_person_id(kept, study, core) == study_id:
                yield core
