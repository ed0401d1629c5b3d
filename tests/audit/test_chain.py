"""The chain: any single change, drop, swap or cut is found, and nothing else is."""

from __future__ import annotations

import hashlib
import hmac
import json
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.conftest import write
from entrepot.audit import Head, Verification, verify
from entrepot.config import Site
from entrepot.keys import Keyring

pytestmark = pytest.mark.core
_HERE = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
COUNT = 6


def _after(site: Site, keyring: Keyring, content: bytes, *kept: Head) -> Verification:
    write(site, content)
    return verify(site, keyring, *kept)


def _faults(found: Verification) -> list[tuple[int, str]]:
    return [(fault.sequence, str(fault.kind)) for fault in found.faults]


def test_what_was_written_is_whole(site: Site, keyring: Keyring, whole: bytes) -> None:
    found = _after(site, keyring, whole)
    assert found.intact
    assert (found.entries, found.head.sequence, found.torn) == (COUNT, COUNT, ())
    assert found.noted == found.head


def test_each_line_is_the_hmac_chain_that_the_manual_describes(
    keyring: Keyring, whole: bytes
) -> None:
    """Computed here from the root key by another road: RFC 5869 and RFC 2104 by hand."""
    root = keyring._root
    secret = hmac.digest(bytes(32), root, hashlib.sha256)  # HKDF-Extract without salt
    key = hmac.digest(secret, b"audit/v1\x01", hashlib.sha256)  # HKDF-Expand, one block
    previous = "0" * 64
    for number, line in enumerate(whole.splitlines(), 1):
        stated = json.loads(line)
        assert (stated["sequence"], stated["previous"]) == (number, previous)
        body = line[: line.rindex(b',"mac"')] + b"}"
        assert stated["mac"] == hmac.digest(key, body, hashlib.sha256).hex()
        previous = stated["mac"]


@_HERE
@given(data=st.data())
def test_any_changed_byte_is_found(
    site: Site, keyring: Keyring, whole: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != whole[place]))
    number = whole[:place].count(b"\n") + 1
    found = _after(site, keyring, whole[:place] + bytes([byte]) + whole[place + 1 :])
    assert not found.intact
    assert number in {fault.sequence for fault in found.faults}


@_HERE
@given(data=st.data())
def test_any_byte_put_in_or_taken_out_of_a_line_is_found(
    site: Site, keyring: Keyring, whole: bytes, data: st.DataObject
) -> None:
    inside = [place for place in range(1, len(whole)) if whole[place - 1 : place] != b"\n"]
    place = data.draw(st.sampled_from(inside[:-1]))
    put = data.draw(st.binary(max_size=3))
    rest = whole[place:] if put else whole[place + 1 :]
    found = _after(site, keyring, whole[:place] + put + rest)
    if put.strip(b"\n") or not put:  # a line end before another is an empty line, told as torn
        assert not found.intact
    else:
        assert not found.intact or found.torn


@pytest.mark.parametrize("number", range(1, COUNT + 1))
def test_a_dropped_entry_is_named(site: Site, keyring: Keyring, whole: bytes, number: int) -> None:
    lines = whole.splitlines(keepends=True)
    found = _after(site, keyring, b"".join(lines[: number - 1] + lines[number:]))
    assert _faults(found) == [(number, "cut" if number == COUNT else "dropped")]


@pytest.mark.parametrize(("first", "second"), list(combinations(range(1, COUNT + 1), 2)))
def test_swapped_entries_are_named(
    site: Site, keyring: Keyring, whole: bytes, first: int, second: int
) -> None:
    lines = whole.splitlines(keepends=True)
    lines[first - 1], lines[second - 1] = lines[second - 1], lines[first - 1]
    found = _after(site, keyring, b"".join(lines))
    assert set(_faults(found)) == {(n, "reordered") for n in range(first, second)}


def test_any_cut_is_found(site: Site, keyring: Keyring, whole: bytes) -> None:
    for length in range(len(whole) - 1):
        if length % 17 and length not in {0, 1}:  # every byte would take a minute
            continue
        kept = whole[:length].count(b"\n")
        torn = {"changed"} if length and whole[length - 1 : length] != b"\n" else {"cut"}
        found = _after(site, keyring, whole[:length])
        assert {n for n, _ in _faults(found)} == set(range(kept + 1, COUNT + 1))
        assert dict(_faults(found))[kept + 1] in torn | {"cut"}


def test_a_line_written_twice_or_by_another_key_is_found(
    site: Site, keyring: Keyring, whole: bytes
) -> None:
    lines = whole.splitlines(keepends=True)
    assert _faults(_after(site, keyring, whole + lines[2])) == [(3, "repeated")]
    forged = lines[5].replace(b'"sequence":6', b'"sequence":7')
    assert _faults(_after(site, keyring, whole + forged)) == [(7, "changed")]
    other = Keyring(bytes(32))
    write(site, whole)
    assert [kind for _, kind in _faults(verify(site, other))] == ["changed"] * COUNT


def test_a_log_written_anew_from_its_start_is_found_by_a_head_kept_elsewhere(
    site: Site, keyring: Keyring, whole: bytes
) -> None:
    """Whoever holds key and database can make another whole chain; not the noted MAC."""
    kept = _after(site, keyring, whole).head
    assert _after(site, keyring, whole, kept).intact
    other = Head(kept.sequence, "ab" * 32)
    assert _faults(_after(site, keyring, whole, other)) == [(COUNT, "replaced")]
    beyond = Head(COUNT + 2, "ab" * 32)
    assert _faults(_after(site, keyring, whole, beyond)) == [(7, "cut"), (8, "cut")]
    former = Head(2, json.loads(whole.splitlines()[1])["mac"])
    assert _after(site, keyring, whole, former).intact


def test_a_lost_log_is_a_cut_one(site: Site, keyring: Keyring, whole: bytes) -> None:
    write(site, whole).unlink()
    assert _faults(verify(site, keyring)) == [(n, "cut") for n in range(1, COUNT + 1)]
