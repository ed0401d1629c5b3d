"""Which numbers were erased, as the register pass and the snapshot ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from entrepot.keys import IDENTIFIER, Keyring
from entrepot.register.person import Identifier
from entrepot.register.registration import Registered
from entrepot.register.tables import erasure

ERASED, RETENTION_ENDED = "erased", "retention_ended"


@dataclass(frozen=True)
class Suppression:
    """The suppression list.

    Args:
        numbers: HMAC of a number -> (line of the list, before which time; None for ever).
    """

    numbers: Mapping[bytes, tuple[int, dt.datetime | None]] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: Connection) -> Suppression:
        """As the database holds it."""
        rows = connection.execute(select(erasure.c.hmac, erasure.c.sequence, erasure.c.before))
        return cls({row.hmac: (row.sequence, row.before) for row in rows})

    def covering(self, numbers: Iterable[bytes | None], at: dt.datetime) -> tuple[int, str] | None:
        """(line, reason) by which a record of these numbers, stated at a time, is refused."""
        for number in numbers:
            found = self.numbers.get(number) if number is not None else None
            if found is not None and found[1] is None:
                return found[0], ERASED
            if found is not None and found[1] is not None and at < found[1]:
                return found[0], RETENTION_ENDED
        return None

    def own(self, registered: Registered, keyring: Keyring) -> list[bytes]:
        """HMACs of the numbers by which a record names its own subject."""
        stated = [registered.subject, *registered.also]
        if registered.subject is None:
            stated.append(registered.ins)
        return [hmac for one in stated if one is not None for hmac in hmacs(keyring, one)]


def hmacs(keyring: Keyring, number: Identifier) -> tuple[bytes, ...]:
    """Every HMAC by which a list may know a number: that of today, and what rotations left."""
    return keyring.digests(IDENTIFIER, number.authority, number.value)


def stripped(record_id: int, reason: str, refused: Registered | None = None) -> Registered:
    """What the register keeps of a record that an erasure took: that there was one.

    Args:
        refused: what came after the erasure: whom it joins to the erased person stays known, by
            keyed hashes, so that nobody comes back under another number.
    """
    left = Registered(record_id, "excluded", reason)
    if refused is not None:
        left.links, left.instant = refused.links, refused.instant
    return left
