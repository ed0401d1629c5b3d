"""Person sets as compressed bitmaps, sealed with AES-256-GCM for the ledger's file."""

from __future__ import annotations

import hashlib
import hmac
import os
import zlib

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from entrepot.errors import ConfigurationError
from entrepot.federation.disclosure.tables import PersonSet, set_digest

KEY_BYTES = 32
BUCKETS = 64
_NONCE_BYTES = 12
_LEVEL = 1  # of zlib: bitmaps are either thin, and any level does, or random, and none does


class Seal:
    """Seals and finds the ledger's content under keys derived from one of 32 bytes.

    Raises:
        ConfigurationError: a key of another length.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigurationError(
                f"the ledger's key has {len(key)} bytes, not {KEY_BYTES}",
                remedy="restore the node's keys",
            )
        self._cipher = AESGCM(_derived(key, b"content"))
        self._index = _derived(key, b"index")
        self._buckets = int.from_bytes(_derived(key, b"buckets")[:8], "big") | 1

    def close(self, plain: bytes, context: str) -> bytes:
        """Ciphertext behind its random nonce; `context` is authenticated, not stored."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """The inverse of `close`.

        Raises:
            ConfigurationError: another key, or a changed byte.
        """
        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, content, context.encode())
        except InvalidTag:
            raise ConfigurationError(
                "the disclosure ledger cannot be opened with this node's key",
                where=context, remedy="restore ledger and keys together",
            ) from None  # fmt: skip

    def mark(self, persons: PersonSet, release: str = "") -> bytes:
        """Finds the very same persons again; says nothing without the key."""
        return hmac.digest(self._index, set_digest(persons) + release.encode(), hashlib.sha256)

    def named(self, name: str) -> bytes:
        """Finds a name again; says nothing without the key."""
        return hmac.digest(self._index, name.encode(), hashlib.sha256)

    def sketch(self, persons: PersonSet) -> npt.NDArray[np.int64]:
        """Persons per keyed bucket, shape (64,).

        Two sets differ by at least as many persons as their sketches differ by in all buckets.
        """
        mixed = persons.astype(np.uint64) * np.uint64(self._buckets)
        bucket = (mixed >> np.uint64(58)).astype(np.int64)
        return np.bincount(bucket, minlength=BUCKETS).astype(np.int64)


def packed(persons: PersonSet, population: PersonSet) -> bytes:
    """A bitmap over the population's order, compressed."""
    bits = np.zeros(len(population), dtype=bool)
    bits[np.searchsorted(population, persons)] = True
    return zlib.compress(np.packbits(bits).tobytes(), _LEVEL)


def unpacked(content: bytes, population: PersonSet) -> PersonSet:
    """The inverse of `packed`."""
    bits = np.unpackbits(np.frombuffer(zlib.decompress(content), dtype=np.uint8))
    found: PersonSet = population[bits[: len(population)].astype(bool)]
    return found


def _derived(key: bytes, label: bytes) -> bytes:
    info = b"entrepot/disclosure/ledger/v1/" + label
    return HKDF(SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)
