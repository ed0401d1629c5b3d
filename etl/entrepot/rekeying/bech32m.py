"""Bytes as text that a person can copy by hand: Bech32m (BIP 350), without its limit of length.

No letter looks like another (no 1, b, i, o among the data), case does not matter, and its checksum
finds every error in one character.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CONSTANT = 0x2BC830A3
_CHECKSUM = 6


def encode(prefix: str, data: bytes) -> str:
    """`prefix`, the digit 1, the data, the checksum; lower case."""
    digits = _regroup(data, 8, 5)
    stated = _polymod([*_expanded(prefix), *digits, *([0] * _CHECKSUM)]) ^ _CONSTANT
    checksum = [stated >> 5 * (_CHECKSUM - 1 - i) & 31 for i in range(_CHECKSUM)]
    return prefix + "1" + "".join(_LETTERS[digit] for digit in [*digits, *checksum])


def decode(prefix: str, text: str) -> bytes:
    """The data of a text without blanks.

    Raises:
        ValueError: another prefix, a letter that it does not use, or a wrong checksum.
    """
    if text not in {text.lower(), text.upper()}:
        raise ValueError("upper and lower case are mixed")
    found, _, letters = text.lower().rpartition("1")
    if found != prefix or len(letters) < _CHECKSUM or not set(letters) <= set(_LETTERS):
        raise ValueError("not a text of this kind")
    digits = [_LETTERS.index(letter) for letter in letters]
    if _polymod([*_expanded(prefix), *digits]) != _CONSTANT:
        raise ValueError("wrong checksum")
    return bytes(_regroup(digits[:-_CHECKSUM], 5, 8, pad=False))


def _polymod(values: Iterable[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            state ^= generator if top >> bit & 1 else 0
    return state


def _expanded(prefix: str) -> list[int]:
    return [*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix)]


def _regroup(values: Sequence[int], of: int, to: int, *, pad: bool = True) -> list[int]:
    """Bits in groups of `of`, as groups of `to`."""
    number, bits, found = 0, 0, []
    for value in values:
        number, bits = number << of | value, bits + of
        while bits >= to:
            bits -= to
            found.append(number >> bits & (1 << to) - 1)
    if pad and bits:
        found.append(number << (to - bits) & (1 << to) - 1)
    elif not pad and (bits >= of or number & (1 << bits) - 1):
        raise ValueError("bits are left over")
    return found
