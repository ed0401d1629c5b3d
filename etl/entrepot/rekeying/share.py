"""One share of a root key as text: whose, which, of which split; found when miscopied."""

from __future__ import annotations

import struct
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.keys import ROOT_BYTES, Keyring
from entrepot.rekeying import bech32m, shamir

PREFIX = "entrepot"
_FORMAT = 1
_HEAD = struct.Struct(">BBBBH8s4sB")  # format, threshold, shares, number, version, …, site's length
_GROUP, _LINE = 4, 8


@dataclass(frozen=True)
class Share:
    """One of the shares of a split.

    Args:
        version: of the root key.
        fingerprint: of the root key, 16 hexadecimal characters.
        split: tells one split of the same key from another, 8 hexadecimal characters.
        threshold: how many shares restore the key.
        shares: how many there are.
        number: 1, 2…
    """

    site: str
    version: int
    fingerprint: str
    split: str
    threshold: int
    shares: int
    number: int
    data: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"share {self.number} of {self.shares} of site {self.site}, split {self.split}"


def text_of(share: Share) -> str:
    """What is printed for its holder: two lines that say what it is, and the share in groups."""
    site = share.site.encode()
    head = _HEAD.pack(
        _FORMAT, share.threshold, share.shares, share.number, share.version,
        bytes.fromhex(share.fingerprint), bytes.fromhex(share.split), len(site),
    )  # fmt: skip
    groups = textwrap.wrap(bech32m.encode(PREFIX, head + site + share.data), _GROUP)
    lines = [" ".join(groups[n : n + _LINE]) for n in range(0, len(groups), _LINE)]
    told = f"# {share}: root key {share.fingerprint}, version {share.version}"
    kept = f"# Any {share.threshold} of them restore it: keep this one away from the others."
    return "\n".join([told, kept, *lines, ""])


def share_of(text: str, place: str) -> Share:
    """The share of a printed text; lines that begin with # are not read.

    Args:
        place: where the text stands, for errors: a share is never repeated.

    Raises:
        ConfigurationError: not a share, or a character is wrong.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    try:
        data = bech32m.decode(PREFIX, "".join("".join(lines).split()))
        format_, threshold, shares, number, version, key, split, length = _HEAD.unpack_from(data)
        site, secret = data[_HEAD.size : _HEAD.size + length], data[_HEAD.size + length :]
        if format_ != _FORMAT or len(site) != length or len(secret) != ROOT_BYTES:
            raise ValueError("another format")
        return Share(
            site.decode(), version, key.hex(), split.hex(), threshold, shares, number, secret
        )
    except (ValueError, struct.error):
        raise ConfigurationError(
            "not a share of a root key, or a character of it is wrong",
            where=place,
            remedy="compare it with what was printed, group by group",
        ) from None


def read_share(path: Path) -> Share:
    """The share of a holder's file.

    Raises:
        ConfigurationError: it cannot be read, or is no share.
    """
    try:
        return share_of(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the share cannot be read ({type(error).__name__})", where=path.name
        ) from None


def cut(keyring: Keyring, site: str, split: str, shares: int, threshold: int) -> list[Share]:
    """The shares of a root key; any `threshold` of them restore it."""
    parts = shamir.split(keyring.root(), shares, threshold)
    return [
        Share(site, keyring.version, keyring.fingerprint, split, threshold, shares, number, data)
        for number, data in parts.items()
    ]


def joined(shares: Sequence[Share]) -> Keyring:
    """The keyring of a root key restored of its shares.

    Raises:
        ConfigurationError: too few, one of another site, key or split, one given twice, or shares
            that do not give the key that they name.
    """
    if not shares:
        raise ConfigurationError("no share was given", remedy="--share FILE")
    first = shares[0]
    for other in shares[1:]:
        _refuse_foreign(first, other)
    distinct = {one.number: one.data for one in shares}
    if len(distinct) < first.threshold:
        raise ConfigurationError(
            f"{len(distinct)} different shares of split {first.split} were given,"
            f" {first.threshold} are needed",
            remedy="ask another holder",
        )
    keyring = Keyring(shamir.combine(distinct))
    if keyring.fingerprint != first.fingerprint:
        raise ConfigurationError(
            f"these shares do not give root key {first.fingerprint}: one was altered",
            where=f"split {first.split}",
            remedy="try another pair, to tell which",
        )
    return keyring


def _refuse_foreign(first: Share, other: Share) -> None:
    for name, mine, its in (
        ("site", first.site, other.site),
        ("root key", first.fingerprint, other.fingerprint),
        ("split", first.split, other.split),
    ):
        if mine != its:
            raise ConfigurationError(
                f"share {first.number} is of {name} {mine}, share {other.number} of {its}",
                remedy="shares of one split belong together",
            )
