"""Keys of the federation: Ed25519 to sign (as `entrepot.people`), X25519 to be written to.

A key is known by its public half, 64 hexadecimal characters. Private halves are files of one owner.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import AwareDatetime, Field, PlainSerializer

from entrepot.errors import ConfigurationError
from entrepot.people import Person, read_key, verify, write_key

PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
Nonce = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
NodeName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
StudyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# To the second: one spelling of one moment.
Moment = Annotated[AwareDatetime, PlainSerializer(_utc, return_type=str, when_used="json")]

_INFO = b"entrepot/federation/sealed/v1"
_BLOCK = 4_096  # bytes: the length of a sealed answer tells its number of cells only so far


@dataclass(frozen=True)
class Pins:
    """Whom a node believes.

    Args:
        coordinators: public keys that may counter-sign.
        cards: hash -> study card that this node's steward accepted.
        revoked: public keys that are believed no more, whoever's they are.
    """

    coordinators: frozenset[str]
    cards: Mapping[str, Any] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()


def signed_by(key: str, payload: Mapping[str, Any], signature: str) -> bool:
    """Whether the holder of `key` signed just this payload, which states its act."""
    try:
        verify(Person("pinned", frozenset(), key), payload, signature)
    except ConfigurationError:
        return False
    return True


def create_sealing_key(path: Path) -> str:
    """Writes a new X25519 key, readable by its owner alone; returns its public half.

    Raises:
        ConfigurationError: the file is there already, or cannot be written.
    """
    key = X25519PrivateKey.generate()
    write_key(path, key)
    return key.public_key().public_bytes_raw().hex()


def read_sealing_key(path: Path) -> X25519PrivateKey:
    """The key of a file.

    Raises:
        ConfigurationError: no such key, or one that others can read.
    """
    key = read_key(path)
    if not isinstance(key, X25519PrivateKey):
        raise ConfigurationError("not an X25519 key in PEM without a password", where=str(path))
    return key


def seal(plain: bytes, reader: str, context: bytes) -> str:
    """`plain` for the holder of a key alone, in hexadecimal: a new key's public half, then AES-GCM.

    The length is filled up to a whole number of blocks. X25519, HKDF-SHA256, AES-256-GCM.

    Args:
        reader: the public half.
        context: authenticated beside it, and bound into the key.

    Raises:
        ValueError: `reader` is no point of the curve that may be used.
    """
    own = X25519PrivateKey.generate()
    shared = own.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(reader)))
    public, nonce = own.public_key().public_bytes_raw(), os.urandom(12)
    filled = plain + b"\x80" + bytes(-(len(plain) + 1) % _BLOCK)
    cipher = AESGCM(_key(shared, public, reader, context)).encrypt(nonce, filled, context)
    return (public + nonce + cipher).hex()


def unseal(sealed: str, key: X25519PrivateKey, context: bytes) -> bytes:
    """The inverse of `seal`.

    Raises:
        ValueError: it was sealed for another, in another context, or changed.
    """
    data = bytes.fromhex(sealed)
    public, nonce, cipher = data[:32], data[32:44], data[44:]
    reader = key.public_key().public_bytes_raw().hex()
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(public))
        plain = AESGCM(_key(shared, public, reader, context)).decrypt(nonce, cipher, context)
    except InvalidTag:
        raise ValueError("sealed for another, or changed") from None
    return plain.rstrip(b"\0")[:-1]


def _key(shared: bytes, public: bytes, reader: str, context: bytes) -> bytes:
    salt = public + bytes.fromhex(reader)
    return HKDF(hashes.SHA256(), length=32, salt=salt, info=_INFO + context).derive(shared)
