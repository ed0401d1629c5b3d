"""Random streams: one per (seed, patient, purpose), so that no patient depends on another."""

from __future__ import annotations

import hashlib
from random import Random


def stream(seed: int, index: int | str, purpose: str) -> Random:
    """The random stream of one purpose; strings are hashed by `random` with SHA-512."""
    return Random(f"{seed}/{index}/{purpose}")


def scattered(number: int, digits: int) -> str:
    """A number of `digits` digits that no other number below 10**digits gives.

    Multiplication by an odd number that is no multiple of 5 is a bijection modulo 10**digits.
    """
    return f"{(number * 7_368_787 + 1_234_577) % 10**digits:0{digits}d}"


def opaque_number(*parts: object) -> str:
    """Fourteen digits that only the parts decide; nobody can tell them from it."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"{int.from_bytes(digest[:8]) % 10**14:014d}"
