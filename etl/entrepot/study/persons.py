"""Who is in a space and who shares a shift: read from the register, on the keyring's side alone.

Twins and their mother move together even when the mother opposed or was never published: her link
serves as a common seed here and enters no table. Of secret births the register holds no link.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from entrepot.config import Site
from entrepot.keys import PERSON, Keyring
from entrepot.register import tables
from entrepot.register.snapshot import Snapshot
from entrepot.register.versions import stale_records

if TYPE_CHECKING:
    from entrepot.register.snapshot import Person

Pair = tuple[int, int]


def person_id(keyring: Keyring, person_key: str) -> int:
    """The core's `person_id` of a pseudonym, as the door makes it."""
    return keyring.number(PERSON, 53, "id", person_key)


def mothers(connection: Connection, keyring: Keyring, snapshot: Snapshot) -> list[Pair]:
    """(child, mother) as the register stands: the last statement of each child, `person_id`."""
    stale = stale_records(connection)
    last: dict[bytes, tuple[str, bytes]] = {}
    for row in connection.execute(select(tables.kin)):
        if row.record_id not in stale:
            child = snapshot.root(row.child)
            said = (row.version, snapshot.root(row.mother))
            last[child] = max(last.get(child, ("", b"")), said)
    found = []
    for child, (_, mother) in last.items():
        infant, parent = snapshot.persons.get(child), snapshot.persons.get(mother)
        if _are_kin(infant, parent) and infant is not None and parent is not None:
            found.append(
                (person_id(keyring, infant.person_key), person_id(keyring, parent.person_key))
            )
    return found


def _are_kin(infant: Person | None, parent: Person | None) -> bool:
    if infant is None or parent is None or infant.root == parent.root:
        return False
    return not (infant.secret or parent.secret)


def anchors(pairs: Iterable[Pair]) -> dict[int, int]:
    """Person -> whose number draws the shift of their mother-child component.

    It is the mother whose own mother is not known: a birth changes nothing for her, nor for her
    other children. Two of them in one component (a corrected link) leave the smaller number.
    """
    links = list(pairs)
    parent: dict[int, int] = {}

    def top(person: int) -> int:
        while (above := parent.setdefault(person, person)) != person:
            parent[person] = parent[above]
            person = above
        return person

    for child, mother in links:
        parent[top(child)] = top(mother)
    children = {child for child, _ in links}
    members: dict[int, list[int]] = {}
    for person in parent:
        members.setdefault(top(person), []).append(person)
    found: dict[int, int] = {}
    for group in members.values():
        anchor = min([one for one in group if one not in children] or group)
        found.update(dict.fromkeys(group, anchor))
    return found


@contextmanager
def opened_register(site: Site, keyring: Keyring) -> Iterator[tuple[Connection, Snapshot]]:
    """The register as it stands, when it is fresh enough to be relied on.

    Raises:
        ConfigurationError: the key is another one, or the register of oppositions is stale.
    """
    from entrepot.landing.database import check_keyring, create_tables, zone_engine
    from entrepot.register.freshness import require_fresh

    engine = zone_engine(site)
    try:
        create_tables(engine)
        check_keyring(engine, keyring)
        with engine.connect() as connection:
            require_fresh(connection, site.config)
            yield connection, Snapshot(connection, keyring, site.config.register_)
    finally:
        engine.dispose()
