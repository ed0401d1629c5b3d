"""One spelling of a value, signatures over it, sealed answers; expectations are the norms' own."""

from __future__ import annotations

import datetime as dt
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.federation.canonical import (
    MAX_DEPTH,
    NotCanonicalError,
    canonical,
    read_canonical,
)
from entrepot.federation.envelopes import (
    Envelope,
    Query,
    Revocation,
    countersigned,
    open_signed,
    read_envelope,
    signed,
)
from entrepot.federation.keys import create_sealing_key, read_sealing_key, seal, unseal
from entrepot.federation.refusals import Code, Refused
from entrepot.federation.wire import ProofError, check_proof, prove
from entrepot.people import create_key

pytestmark = pytest.mark.core

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
# RFC 8785, appendix B: bits of a double and how ECMAScript writes it.
NUMBERS = {
    "0000000000000000": "0", "8000000000000000": "0", "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324", "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308", "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992", "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22", "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23", "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000", "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7", "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332", "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333", "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343", "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}  # fmt: skip


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_in_the_norm(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value).decode() == text


def test_the_example_of_the_norm() -> None:
    given_ = (
        r'{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
        r'"string":"\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/",'
        r'"literals":[null,true,false]}'
    )
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(json.loads(given_)).decode() == expected


def test_keys_are_sorted_by_utf_16_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    found = json.loads(canonical(dict.fromkeys(keys, 1)), object_pairs_hook=list)
    assert [key for key, _ in found] == [
        "\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33",
    ]  # fmt: skip


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e15, 1e15) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), inner
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_a_value_comes_back_from_its_spelling(value: Any) -> None:
    assert read_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}', '{"a":1,"a":1}', '{"b":1,"a":1}', "[1.0]", "[1e2]", "[NaN]", "[Infinity]",
        '["\\u0041"]', "[9007199254740993]", "[" + "9" * 5000 + "]", "", "[", '["\\ud800"]',
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "[" * 100_000,
        '{"a":' * 100_000, '["' + "a" * 8_000_000 + '"]', "[-0]",
    ],
)  # fmt: skip
def test_t6_nothing_but_the_one_spelling_is_read(text: str) -> None:
    with pytest.raises(NotCanonicalError):
        read_canonical(text.encode())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Files of keys and their public halves."""
    folder = tmp_path_factory.mktemp("keys")
    names = ("researcher", "coordinator", "node")
    return {name: (folder / name, create_key(folder / name)) for name in names}


def _query() -> Query:
    return Query(
        study="S", card="0" * 64, researcher="lea", cohorts={"c": {"Age": {"Value": None}}},
        compiler="1", analysis={"kind": "counts", "cohorts": ["c"]}, audience=("chu-nord",),
        nonce="1" * 32, not_before=NOW, not_after=NOW, answers_to="2" * 64,
    )  # fmt: skip


def test_a_null_of_a_definition_is_signed_and_kept(keys: dict[str, tuple[Path, str]]) -> None:
    envelope = signed(_query(), "researcher", keys["researcher"][0])
    assert envelope.body["cohorts"] == {"c": {"Age": {"Value": None}}}
    assert Query.model_validate(read_envelope(envelope.text()).body) == _query()


def test_a_signature_stands_for_no_other_role_kind_or_body(
    keys: dict[str, tuple[Path, str]],
) -> None:
    file, public = keys["researcher"]
    envelope = signed(_query(), "researcher", file)
    assert open_signed(envelope, "researcher", public)
    assert not open_signed(envelope, "node", public)
    assert not open_signed(envelope, "researcher", keys["node"][1])
    first = envelope.signatures[0]
    as_node = Envelope(body=envelope.body, signatures=(first.model_copy(update={"role": "node"}),))
    assert not open_signed(as_node, "node", public)
    changed = Envelope(
        body={**envelope.body, "act": "entrepot/federation/answer"}, signatures=(first,)
    )
    assert not open_signed(changed, "researcher", public)


def test_only_a_researchers_query_is_counter_signed(keys: dict[str, tuple[Path, str]]) -> None:
    coordinator = keys["coordinator"][0]
    stated = Revocation(key="3" * 64, at=NOW)
    with pytest.raises(ValueError, match="researcher"):
        countersigned(signed(stated, "coordinator", coordinator), coordinator)
    twice = countersigned(signed(_query(), "researcher", keys["researcher"][0]), coordinator)
    with pytest.raises(ValueError, match="researcher"):
        countersigned(twice, coordinator)


@pytest.mark.parametrize("text", ["", "{}", '{"body":{},"signatures":[]}', "\ud800"])
def test_t6_an_unreadable_envelope_is_a_code(text: str) -> None:
    with pytest.raises(Refused) as found:
        read_envelope(text)
    assert found.value.code is Code.UNREADABLE


def test_a_sealed_answer_is_for_its_reader_and_context_alone(tmp_path: Path) -> None:
    public = create_sealing_key(tmp_path / "reader")
    create_sealing_key(tmp_path / "other")
    reader, other = read_sealing_key(tmp_path / "reader"), read_sealing_key(tmp_path / "other")
    sealed = seal(b'{"n":120}\0', public, b"query 1")
    assert unseal(sealed, reader, b"query 1") == b'{"n":120}\0'
    for key, context, text in (
        (other, b"query 1", sealed),
        (reader, b"query 2", sealed),
        (reader, b"query 1", sealed[:-2] + ("00" if sealed[-2:] != "00" else "01")),
    ):
        with pytest.raises(ValueError, match="sealed for another"):
            unseal(text, key, context)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=4_095), st.binary(max_size=4_095))
def test_t7_the_length_of_a_sealed_answer_tells_nothing(one: bytes, other: bytes) -> None:
    reader = "0900000000000000000000000000000000000000000000000000000000000000"  # RFC 7748: u = 9
    assert len(seal(one, reader, b"")) == len(seal(other, reader, b""))


def test_a_request_is_proved_for_one_call_and_a_few_minutes(
    keys: dict[str, tuple[Path, str]],
) -> None:
    file, public = keys["node"]
    known = {"chu-nord": public, "chu-sud": keys["researcher"][1]}
    proof = prove(file, "chu-nord", "POST", "/v1/results", b"body", NOW)
    assert check_proof(proof, known, "POST", "/v1/results", b"body", NOW).node == "chu-nord"
    later = NOW + dt.timedelta(minutes=6)
    for header, method, path, body, now in (
        (proof, "GET", "/v1/results", b"body", NOW),
        (proof, "POST", "/v1/notices", b"body", NOW),
        (proof, "POST", "/v1/results", b"other", NOW),
        (proof, "POST", "/v1/results", b"body", later),
        (prove(file, "chu-sud", "POST", "/v1/results", b"body", NOW), "POST", "/v1/results",
         b"body", NOW),
        ("é", "POST", "/v1/results", b"body", NOW),
        ("e30=", "POST", "/v1/results", b"body", NOW),
    ):  # fmt: skip
        with pytest.raises(ProofError):
            check_proof(header, known, method, path, body, now)
