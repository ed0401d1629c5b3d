"""Keys and secrets of tests: the same ones in every run, other ones in each test and fixture.

A key decides person ids, shifts and roundings; with new ones in each run a fault that one key in
fifty shows turns a commit red that has nothing to do with it. `make explore` draws anew.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ANEW = bool(os.environ.get("ENTREPOT_DRAW_ANEW"))
_system: Callable[[int], bytes] = os.urandom
_streams: list[Iterator[bytes]] = []


def _stream(name: str) -> Iterator[bytes]:
    """Endless blocks of 32 bytes; threads may share it, which a generator does not allow."""

    def block(number: int) -> bytes:
        return hashlib.sha256(f"{name}#{number}".encode()).digest()

    return map(block, itertools.count())


def _drawn(size: int) -> bytes:
    if not _streams:
        return _system(size)
    stream = _streams[-1]
    return b"".join(itertools.islice(stream, -(-size // 32)))[:size]


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """`os.urandom` of this process follows from the name until the end of the block.

    Processes that a test starts, and keys that OpenSSL makes by itself, are not reached.
    """
    if ANEW:
        yield
        return
    _streams.append(_stream(name))
    os.urandom = _drawn
    try:
        yield
    finally:
        _streams.pop()
        if not _streams:
            os.urandom = _system
