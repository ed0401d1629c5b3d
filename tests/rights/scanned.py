"""What tests look for in raw files: keys and ciphertext of one person, read before they went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.keys import PERSON
from entrepot.landing.database import zone_engine
from entrepot.landing.ledger import ERASED, Ledger
from entrepot.landing.segments import SegmentReader
from entrepot.landing.tables import data_key
from entrepot.register import tables
from entrepot.register.person import Identifier
from roads import keyring


@dataclass(frozen=True)
class Traces:
    """Bytes of one person.

    Args:
        zone: wrapped data keys, sealed identities and sealed numbers of the registers.
        research: person key and keys of their records, as text.
    """

    zone: frozenset[bytes]
    research: frozenset[bytes]


def traces(site: Site, number: Identifier) -> Traces:
    """Everything that is found by the person's number, before it is erased."""
    subject = number.hmac(keyring(site))
    own = select(tables.registration.c.record_id).where(tables.registration.c.subject == subject)
    engine = zone_engine(site)
    try:
        with engine.connect() as connection:
            records = list(connection.scalars(own))
            keys = connection.scalars(
                select(data_key.c.wrapped_key).where(data_key.c.record_id.in_(records))
            )
            identities = select(tables.identity.c.sealed).where(
                tables.identity.c.subject == subject
            )
            sealed = connection.scalars(identities)
            lines = connection.scalars(
                select(tables.opposition.c.sealed).where(tables.opposition.c.identifier == subject)
            )
            zone = {bytes(one) for one in (*keys, *sealed, *lines) if one}
            record_keys = connection.scalars(
                select(derivation.c.record_key).where(derivation.c.record_id.in_(records))
            )
            person = number.person_key(keyring(site))
            return Traces(frozenset(zone), frozenset(k.encode() for k in (*record_keys, person)))
    finally:
        engine.dispose()


def found(folder: Path, wanted: Iterable[bytes]) -> dict[str, int]:
    """File -> how many of the byte strings stand in it, for files that hold any."""
    words, hits = list(wanted), {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if count := sum(word in content for word in words):
                hits[path.relative_to(folder).as_posix()] = count
    return hits


def contents(site: Site) -> list[bytes]:
    """Every landed record that can still be read, deciphered."""
    engine = zone_engine(site)
    try:
        with SegmentReader(site.segments, keyring(site)) as reader:
            rows = Ledger(engine, keyring(site)).records()
            return [reader.read(row) for row in rows if row.wrapped_key not in (None, ERASED)]
    finally:
        engine.dispose()


def person_id(site: Site, number: Identifier) -> int:
    """The person's `person_id` in the core."""
    keys = keyring(site)
    return keys.number(PERSON, 53, "id", number.person_key(keys))
