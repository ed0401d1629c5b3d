"""Numbers of several nodes that can only be read as their sum.

Each pair of nodes shares a secret; one adds the mask made of it, the other takes it away, modulo
2^128 (Bonawitz et al., CCS 2017, without its recovery of nodes that drop out: a sum over fewer
nodes than were asked would be another question).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MODULUS = 2**128
SCALE = 2**40  # the steps in which numbers are added: 10^-12
LEAST_NODES = 3
_WIDTH = 16  # bytes of a number


def masked(
    numbers: NDArray[np.float64], node: str, pair_secrets: Mapping[str, bytes], label: str
) -> tuple[str, ...]:
    """One node's part.

    Args:
        pair_secrets: 32 bytes by the name of each other node, the same on both sides, of this
            question alone.
        label: what is added; two sums under one label would share their masks.
    """
    totals = [round(float(number) * SCALE) for number in numbers]
    for peer, secret in pair_secrets.items():
        sign = 1 if node < peer else -1
        for place, mask in enumerate(_stream(secret, label, len(totals))):
            totals[place] += sign * mask
    return tuple(f"{total % MODULUS:032x}" for total in totals)


def unmasked(shares: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """The sum of the numbers of every node that was asked."""
    totals = [sum(int(one, 16) for one in column) % MODULUS for column in zip(*shares, strict=True)]
    signed = [total - MODULUS if total >= MODULUS // 2 else total for total in totals]
    return np.array([total / SCALE for total in signed])


def _stream(secret: bytes, label: str, count: int) -> tuple[int, ...]:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    key = HKDF(SHA256(), 32, None, f"entrepot masks {label}".encode()).derive(secret)
    # The key serves one stream, so its counter may begin at 0.
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(_WIDTH))).encryptor()
    words = struct.unpack(f">{2 * count}Q", stream.update(bytes(_WIDTH * count)))
    return tuple(high << 64 | low for high, low in zip(words[::2], words[1::2], strict=True))
