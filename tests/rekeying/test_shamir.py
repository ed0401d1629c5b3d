"""Sharing a secret: published vectors, an arithmetic of our own, and what one share tells."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.rekeying import shamir

pytestmark = pytest.mark.core
SPLITS = 20_000


def schoolbook(a: int, b: int) -> int:
    """FIPS 197, 4.2: the product of two polynomials, then the remainder, bit by bit."""
    product = 0
    for bit in (n for n in range(8) if b >> n & 1):
        product ^= a << bit
    while product.bit_length() > 8:
        product ^= 0b1_0001_1011 << (product.bit_length() - 9)
    return product


def test_products_of_the_aes_standard() -> None:
    assert shamir.multiply(0x57, 0x83) == 0xC1  # FIPS 197, 4.2
    assert shamir.multiply(0x57, 0x13) == 0xFE  # 4.2.1
    for a in range(256):
        assert [shamir.multiply(a, b) for b in range(256)] == [schoolbook(a, b) for b in range(256)]


def test_case_of_the_draft() -> None:
    """draft-mcgrew-tss-03, section 9: two shares of "test\\0"."""
    shares = {1: bytes.fromhex("B9FA07E185"), 2: bytes.fromhex("F5409B4511")}
    assert shamir.combine(shares) == b"test\0"


@given(st.binary(min_size=1, max_size=40), st.data())
@settings(max_examples=60, deadline=None)
def test_any_threshold_of_the_shares_restores(secret: bytes, data: st.DataObject) -> None:
    threshold = data.draw(st.integers(1, 4))
    made = shamir.split(secret, data.draw(st.integers(threshold, 6)), threshold)
    for numbers in combinations(made, threshold):
        assert shamir.combine({number: made[number] for number in numbers}) == secret
    assert shamir.combine(made) == secret


def test_two_of_three() -> None:
    secret = bytes(range(32))
    made = shamir.split(secret, 3, 2)
    assert sorted(made) == [1, 2, 3]
    for pair in combinations(made, 2):
        assert shamir.combine({number: made[number] for number in pair}) == secret


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_share_leaves_every_secret_possible(number: int) -> None:
    """Whatever the byte of a share, each secret byte is explained by exactly one polynomial."""
    for secret in range(256):
        values = {secret ^ schoolbook(slope, number) for slope in range(256)}
        assert values == set(range(256))


@pytest.mark.parametrize("secret", [0, 255])
def test_shares_are_spread_evenly_whatever_the_secret(secret: int) -> None:
    """Chi-square over 256 values; 380 is passed by chance once in a million times (df 255)."""
    made = shamir.split(bytes([secret]) * SPLITS, 3, 2)
    for share in made.values():
        counts = Counter(share)
        expected = SPLITS / 256
        assert sum((counts[n] - expected) ** 2 / expected for n in range(256)) < 380


def test_too_few_shares_give_something_else() -> None:
    made = shamir.split(bytes(32), 3, 2)
    assert shamir.combine({1: made[1]}) != bytes(32)


@pytest.mark.parametrize(("shares", "threshold"), [(1, 2), (3, 0), (256, 2)])
def test_what_no_split_can_be(shares: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        shamir.split(b"x", shares, threshold)


def test_shares_of_different_lengths() -> None:
    with pytest.raises(ValueError, match="one secret"):
        shamir.combine({1: b"ab", 2: b"a"})
    with pytest.raises(ValueError, match="one secret"):
        shamir.combine({0: b"ab", 2: b"ab"})
