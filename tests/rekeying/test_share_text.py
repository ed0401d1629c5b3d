"""A share on paper: copied by hand, miscopied, and mixed with others'."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.rekeying import bech32m
from entrepot.rekeying.share import Share, cut, joined, share_of, text_of

pytestmark = pytest.mark.core
LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # BIP 173


@pytest.fixture(scope="module")
def shares() -> list[Share]:
    return cut(Keyring(bytes(range(32))), "CHU_Nantes", "0badcafe", 3, 2)


def test_vectors_of_bip_350() -> None:
    assert bech32m.decode("a", "A1LQFN3A") == bech32m.decode("a", "a1lqfn3a") == b""
    data = bytes.fromhex("ffbbcdeb38bdab49ca307b9ac5a928398a418820")
    text = "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx"
    assert bech32m.decode("abcdef", text) == data
    assert bech32m.encode("abcdef", data) == text
    for wrong in ("y1b0jsk6g", "x1lt1igq5lx0ns", "M1VUXWEZ"):
        with pytest.raises(ValueError, match=r"kind|checksum"):
            bech32m.decode(wrong.lower().rpartition("1")[0], wrong)


def test_a_printed_share_is_read_back(shares: list[Share]) -> None:
    for share in shares:
        printed = text_of(share)
        assert share_of(printed, "x") == share
        typed = "".join(line for line in printed.splitlines() if line[0] != "#")
        assert share_of(typed.upper().replace(" ", "\n"), "x") == share
        assert "CHU_Nantes" in printed
        assert share.data.hex() not in printed + repr(share) + str(share)


def test_an_error_in_any_character_is_found(shares: list[Share]) -> None:
    text = _letters(shares[0])
    for place in range(len("entrepot1"), len(text)):
        for letter in set(LETTERS) - {text[place]}:
            with pytest.raises(ConfigurationError, match="character"):
                share_of(text[:place] + letter + text[place + 1 :], "share 1")


def test_two_characters_changed_places(shares: list[Share]) -> None:
    text = _letters(shares[1])
    for place, (left, right) in enumerate(pairwise(text)):
        if left != right:
            with pytest.raises(ConfigurationError):
                share_of(text[:place] + right + left + text[place + 2 :], "share 2")


def test_a_line_that_is_missing(shares: list[Share]) -> None:
    lines = text_of(shares[0]).splitlines()
    for place in range(2, len(lines)):
        with pytest.raises(ConfigurationError):
            share_of("\n".join(lines[:place] + lines[place + 1 :]), "share 1")


def test_any_two_restore(shares: list[Share]) -> None:
    for left, right in ((0, 1), (1, 2), (2, 0)):
        assert joined([shares[left], shares[right]]).root() == bytes(range(32))
    assert joined(shares).root() == bytes(range(32))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"site": "CHU_Lille"}, "is of site CHU_Nantes, share 2 of CHU_Lille"),
        ({"split": "00c0ffee"}, "is of split 0badcafe, share 2 of 00c0ffee"),
        ({"fingerprint": "0" * 16}, "is of root key"),
        ({"number": 1}, "1 different shares"),
        ({"data": bytes(32)}, "one was altered"),
    ],
)
def test_shares_that_do_not_belong_together(
    shares: list[Share], change: dict[str, object], told: str
) -> None:
    other = replace(shares[1], **change)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=told) as refused:
        joined([shares[0], other])
    assert shares[0].data.hex() not in str(refused.value)


def test_one_share_is_not_enough(shares: list[Share]) -> None:
    with pytest.raises(ConfigurationError, match="2 are needed"):
        joined([shares[2]])


def _letters(share: Share) -> str:
    return "".join(line for line in text_of(share).splitlines() if line[0] != "#").replace(" ", "")
