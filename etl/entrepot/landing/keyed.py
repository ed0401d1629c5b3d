"""What a rotation of the root key does to a column, stated where the column is: `info=keyed(…)`.

Every binary column of the zone, and every text column that holds a keyed value, states one of these
rules (a test walks the tables); a table whose rows the next run makes again states `Rederived`.
"""

from __future__ import annotations

from dataclasses import dataclass

REKEY = "rekey"


@dataclass(frozen=True)
class Rederived:
    """A table whose rows register and door make again: removed by the rotation.

    What it says of an erased record nobody can make again: such rows stay, with the digests of
    columns that state `Carried` and without the others.
    """


@dataclass(frozen=True)
class Landed:
    """A record's address and data key: the rotation seals its content anew."""


@dataclass(frozen=True)
class Sealed:
    """`Keyring.seal(label, plain, context)`: opened with the old key, sealed with the new one.

    Args:
        label: of the key.
        context: columns of the row whose values, joined by 0x1F (texts and numbers as UTF-8), are
            the context; bytes are a context that is the same in every row.
    """

    label: str
    context: tuple[str, ...] | bytes


@dataclass(frozen=True)
class Hashed:
    """`Keyring.digest` (a binary column) or `Keyring.keyed` (a text) of what another column seals.

    Args:
        label: of the key.
        of: the sealed column of the same row; its plain text is hashed whole, so that parts joined
            by 0x1F give the digest of these parts.
        prefix: parts in front of it.
    """

    label: str
    of: str
    prefix: tuple[str, ...] = ()


@dataclass(frozen=True)
class Carried:
    """A digest of which nobody keeps the plain text: hashed again under the new key.

    Looked up by `column.in_(keyring.digests(label, *parts))`, never by `digest` alone.
    """

    label: str


@dataclass(frozen=True)
class Unkeyed:
    """Bytes or a pseudonym that stay as they are.

    Args:
        why: no key made them, or they are history (`former ids` finds whom they meant).
    """

    why: str


Rule = Rederived | Landed | Sealed | Hashed | Carried | Unkeyed


def keyed(rule: Rule) -> dict[str, Rule]:
    """The `info` of a column or table."""
    return {REKEY: rule}
