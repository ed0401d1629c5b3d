"""What an erasure has to name: every number of the person, and the records that nobody attributed.

A record that the register could not or need not attribute (an order, an event without mapping, a
message it could not read) is searched: for its own PID by the mappings, and for the person's
numbers in its bytes. What cannot be opened at all (an encrypted archive) stays until the end of
its retention; `unreadable` counts it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from entrepot.errors import ConfigurationError
from entrepot.feeds.feeds import Feeds
from entrepot.keys import PERSON, Keyring
from entrepot.landing.ledger import ERASED, Ledger
from entrepot.landing.segments import SegmentReader
from entrepot.landing.tables import RecordRow, data_key
from entrepot.register.registering import FORMATS
from entrepot.register.registration import Landed, Registrar
from entrepot.register.snapshot import Snapshot
from entrepot.register.tables import registration, spelling
from entrepot.register.withdrawn import PERSON_BITS
from entrepot.road.inputs import Inputs

_SEARCHED = 5  # characters: a shorter number stands by chance in any message


@dataclass(frozen=True)
class Target:
    """One person, as the list of erasures names them.

    Args:
        numbers: HMACs, hexadecimal.
        persons: `person_id` that any of the numbers gives.
        records: addresses of records without a subject that name the person.
    """

    numbers: tuple[str, ...]
    persons: tuple[int, ...]
    records: tuple[str, ...]


def find_target(inputs: Inputs, hmac: bytes) -> Target:
    """The whole cluster of a number.

    Raises:
        ConfigurationError: no record ever stated this number.
    """
    with inputs.database.connect() as connection:
        snapshot = Snapshot(connection, inputs.keyring, inputs.site.config.register_)
        root = find_root(connection, snapshot, hmac)
        named = unattributed(inputs, connection, snapshot, root)
    numbers = snapshot.numbers[root] | {hmac}
    return Target(
        tuple(one.hex() for one in numbers),
        person_ids(inputs.keyring, snapshot.persons[root].keys),
        tuple(row.address.hex() for row in named),
    )


def unattributed(
    inputs: Inputs, connection: Connection, snapshot: Snapshot, root: bytes
) -> list[RecordRow]:
    """Records without a subject that name the person; each is deciphered and searched."""
    payloads, _ = snapshot.identity(connection, snapshot.persons[root])
    waiting = list(_unattributed(connection))
    return list(_naming(inputs, waiting, snapshot.numbers[root], plain_numbers(payloads)))


def find_root(connection: Connection, snapshot: Snapshot, hmac: bytes) -> bytes:
    """The person whom a number (or its authority's other spelling) names.

    Raises:
        ConfigurationError: no record ever stated this number.
    """
    spelled = select(spelling.c.hmac).where(spelling.c.alias == hmac)
    for number in (hmac, *connection.scalars(spelled)):
        root = snapshot.root(number)
        if root in snapshot.persons:
            return root
    raise ConfigurationError(
        "the register knows nobody of this number",
        remedy="check --authority and --ipp; entrepot oppose add keeps out who never came",
    )


def person_ids(keyring: Keyring, keys: tuple[str, ...]) -> tuple[int, ...]:
    """`person_id` of each pseudonym."""
    return tuple(keyring.number(PERSON, PERSON_BITS, "id", key) for key in keys)


def plain_numbers(payloads: list[bytes]) -> set[str]:
    """The person's numbers, long enough to be searched for."""
    stated = (value for payload in payloads for _, value in json.loads(payload)["numbers"])
    return {value for value in stated if len(value) >= _SEARCHED}


def _unattributed(connection: Connection) -> Iterator[int]:
    """Registered records without a subject whose content is still there."""
    query = (
        select(registration.c.record_id)
        .join(data_key, data_key.c.record_id == registration.c.record_id)
        .where(registration.c.subject.is_(None), data_key.c.wrapped_key != ERASED)
    )
    yield from connection.scalars(query)


def _naming(
    inputs: Inputs, ids: list[int], numbers: set[bytes], plain: set[str]
) -> Iterator[RecordRow]:
    """Of these records, those that name the person."""
    keyring, site = inputs.keyring, inputs.site
    registrar = Registrar(site.config, keyring, Feeds(inputs.mappings))
    words = b"|".join(re.escape(number.encode()) for number in sorted(plain, key=len, reverse=True))
    search = re.compile(rb"(?<![A-Za-z0-9])(?:" + words + rb")(?![A-Za-z0-9])") if plain else None
    with SegmentReader(site.segments, keyring) as reader:
        for row in Ledger(inputs.database, keyring).records(ids=ids):
            content = reader.read(row)
            if search is not None and search.search(content):
                yield row
            elif row.format in FORMATS and row.fault is None:
                landed = Landed(row.record_id, row.source, row.format, content, row.received_at)
                if any(one.hmac(keyring) in numbers for one in registrar.own_numbers(landed)):
                    yield row
