"""Shamir's secret sharing over GF(256): byte by byte, one polynomial for each byte.

The field is that of AES (x⁸ + x⁴ + x³ + x + 1), as in draft-mcgrew-tss-03, whose test cases hold
here. Fewer shares than the threshold say nothing of the secret: for them every value of a byte is
equally likely. No table is looked up by a secret and no branch depends on one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

MOST_SHARES = 255
_MODULUS = 0x11B


def split(secret: bytes, shares: int, threshold: int) -> dict[int, bytes]:
    """Share number (1, 2…) -> share, as long as the secret.

    Raises:
        ValueError: not 1 <= threshold <= shares <= 255.
    """
    if not 1 <= threshold <= shares <= MOST_SHARES:
        raise ValueError("a threshold lies between 1 and the number of shares, at most 255")
    # Uniform, zero included: a leading coefficient that is never zero would exclude values.
    coefficients = [secret, *(os.urandom(len(secret)) for _ in range(threshold - 1))]
    return {number: _value(coefficients, number) for number in range(1, shares + 1)}


def combine(shares: Mapping[int, bytes]) -> bytes:
    """The secret of at least `threshold` shares; of fewer, or of altered ones, other bytes.

    Raises:
        ValueError: no share, a number out of range, or shares of different lengths.
    """
    lengths = {len(share) for share in shares.values()}
    if len(lengths) != 1 or not all(1 <= number <= MOST_SHARES for number in shares):
        raise ValueError("these are no shares of one secret")
    secret = bytes(lengths.pop())
    for number, share in shares.items():
        weight = _weight(number, shares)
        secret = bytes(a ^ multiply(weight, b) for a, b in zip(secret, share, strict=True))
    return secret


def multiply(a: int, b: int) -> int:
    """The product of two bytes in the field; the same steps whatever they are."""
    product = 0
    for bit in range(8):
        product ^= -(b >> bit & 1) & (a << bit)
    for bit in range(14, 7, -1):
        product ^= -(product >> bit & 1) & (_MODULUS << (bit - 8))
    return product


def _value(coefficients: list[bytes], number: int) -> bytes:
    """The polynomials at `number` (Horner)."""
    value = bytes(len(coefficients[0]))
    for coefficient in reversed(coefficients):
        pairs = zip(value, coefficient, strict=True)
        value = bytes(multiply(number, a) ^ b for a, b in pairs)
    return value


def _weight(number: int, shares: Mapping[int, bytes]) -> int:
    """Lagrange's weight of one share at 0."""
    weight = 1
    for other in shares:
        if other != number:
            weight = multiply(weight, multiply(other, _inverse(other ^ number)))
    return weight


def _inverse(a: int) -> int:
    """a²⁵⁴ = 1/a."""
    inverse = 1
    for _ in range(254):
        inverse = multiply(inverse, a)
    return inverse
