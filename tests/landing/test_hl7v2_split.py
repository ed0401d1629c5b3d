"""Splitting: the messages come out as they went in, however they were packed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_strategies import batch, framed, messages, packed, shape, told

from entrepot.landing import arrival as arrivals
from entrepot.landing import hl7v2_split
from entrepot.landing.arrival import Mark
from entrepot.landing.hl7v2_split import split, split_stream

pytestmark = pytest.mark.core

A = b"MSH|^~\\&|DPI|CH|EDS|EDS|20240101||ADT^A01|A|P|2.5\rPID|1||1^^^CH^PI"
B = b"MSH|^~\\&|DPI|CH|EDS|EDS|20240102||ADT^A02|B|P|2.5\rPID|1||1^^^CH^PI"
MISMATCH = "batch_count_mismatch"


def contents(file: bytes) -> list[bytes]:
    return [arrival.content for arrival in split(file)]


@settings(deadline=None)
@given(packed())
def test_every_packing_gives_the_messages_back(case: tuple[list[bytes], bytes]) -> None:
    expected, file = case
    found = list(split(file))
    assert [arrival.content for arrival in found] == expected
    assert all(arrival.fault is None and not arrival.marks for arrival in found)


@settings(deadline=None)
@given(packed(), st.lists(st.integers(0, 400), max_size=8))
def test_chunks_do_not_matter(case: tuple[list[bytes], bytes], cuts: list[int]) -> None:
    file = case[1]
    edges = [0, *sorted(min(cut, len(file)) for cut in cuts), len(file)]
    chunks = [file[a:b] for a, b in pairwise(edges)]
    found = [shape(arrival) for arrival in split_stream(chunks)]
    assert found == [shape(arrival) for arrival in split(file)]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_at_least_one_record(file: bytes) -> None:
    found = list(split(file))
    assert found
    kept = b"".join(arrival.content for arrival in found)
    assert len(kept) <= len(file)


@settings(deadline=None)
@given(st.lists(messages(), min_size=1, max_size=4), st.integers(0, 9))
def test_a_wrong_batch_count_marks_the_last_message(content: list[bytes], count: int) -> None:
    found = list(split(batch(content, count)))
    wrong = count != len(content)
    assert [arrival.marks for arrival in found[:-1]] == [()] * (len(content) - 1)
    assert found[-1].marks == ((Mark(MISMATCH, "BTS-1"),) if wrong else ())


def test_a_wrong_number_of_batches_is_told() -> None:
    file = batch([A]).replace(b"FTS|1", b"FTS|2")
    assert [arrival.marks for arrival in split(file)] == [(Mark(MISMATCH, "FTS-1"),)]


def test_each_batch_is_counted_for_itself() -> None:
    file = b"\r".join(
        [b"FHS|^~\\&", b"BHS|^~\\&", A, b"BTS|1", b"BHS|^~\\&", B, b"BTS|2", b"FTS|2"]
    )
    assert [arrival.marks for arrival in split(file)] == [(), (Mark(MISMATCH, "BTS-1"),)]


@pytest.mark.parametrize("trailer", [b"BTS", b"BTS|", b"BTS||comment", b"BTS|01"])
def test_a_count_is_optional_and_may_have_leading_zeros(trailer: bytes) -> None:
    file = b"\r".join([b"BHS|^~\\&", A, trailer, b""])
    assert [(a.content, a.marks) for a in split(file)] == [(A, ())]


def test_a_batch_whose_messages_were_all_lost_is_a_record() -> None:
    (lost,) = split(batch([], 2))
    assert told(lost.fault) == ("empty_file", "BTS-1")
    assert lost.marks == (Mark(MISMATCH, "BTS-1"),)


@pytest.mark.parametrize(
    "file", [b"", b" \r\n\r\n", b"\x0b\x1c\r", batch([], 0), b"\xef\xbb\xbf", b"\0\0"]
)
def test_a_file_without_message_is_one_empty_record(file: bytes) -> None:
    (empty,) = split(file)
    assert (told(empty.fault), empty.content) == (("empty_file", ""), file)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (b"EVN||2024\rPID|1", [b"EVN||2024\rPID|1"]),
        (b"/* sent by X */\r" + A, [b"/* sent by X */", A]),
        (b"FHS|^~\\&\rleftover\r" + A + b"\r", [b"leftover", A]),
        (framed(A) + b"noise\r" + framed(B), [A, b"noise", B]),
        (A + b"\rBTS|1\rafter", [A, b"after"]),
    ],
)
def test_text_outside_messages_is_a_record_of_its_own(file: bytes, expected: list[bytes]) -> None:
    assert contents(file) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"OBX|1|TX|||see\rMSH as told",
        b"PID|1||7^^^MSH|12345678|",
        b"OBX|1|TX|||a\rMSHX|^~\\&|",
        b"OBX|1|TX|||a\rBTSX|1",
        b"NTE|1||MSH|^~\\&|quoted",
    ],
)
def test_msh_elsewhere_starts_nothing(text: bytes) -> None:
    message = A + b"\r" + text
    assert contents(message) == [message]


def test_a_header_after_an_unescaped_line_end_is_cut() -> None:
    """HL7 v2 section 2.7: a line end in a text is escaped, so this one ends a segment."""
    assert contents(A + b"\rOBX|1|TX|||quoted:\n" + B) == [A + b"\rOBX|1|TX|||quoted:", B]


def test_a_header_cut_short_is_still_a_message() -> None:
    assert contents(A + b"\rMSH|^~\\&") == [A, b"MSH|^~\\&"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_left_to_the_parser(encoding: str) -> None:
    file = ("\ufeff" + A.decode()).encode(encoding)
    assert contents(file) == [file]


def test_a_message_above_the_limit_is_one_fault_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrivals, "MAX_RECORD_BYTES", 500)
    monkeypatch.setattr(hl7v2_split, "MAX_RECORD_BYTES", 500)
    huge = A + b"\rOBX|1|ED|||" + b"QUJD" * 1000
    file = b"\r".join([A, huge, B])
    whole = [shape(arrival) for arrival in split(file)]
    chunks = (file[i : i + 64] for i in range(0, len(file), 64))
    chunked = [shape(arrival) for arrival in split_stream(chunks)]
    assert [content for content, *_ in whole] == [A, b"", B]
    assert [fault for _, fault, *_ in whole] == [None, ("record_too_large", ""), None]
    assert [len(digest) for *_, digest in whole] == [0, 32, 0]
    assert chunked == whole


# Counted by hand in the files; every other file holds one message, or none and one record.
HAND_COUNTS = {
    "messages.txt": 19,  # 18 messages after a comment
    "example_oml_o21.hl7": 13,
    "11_two_messages_mllp.hl7": 2,
    "12_batch_FHS_BHS.hl7": 2,
    "13_batch_count_mismatch.hl7": 1,
    "16_empty.hl7": 1,
    "17_only_whitespace.hl7": 1,
    "32_dup_msh10_same_payload.hl7": 2,
    "33_dup_msh10_other_payload.hl7": 2,
    "45_A01_A11_out_of_order.hl7": 2,
    "50_obx_corrected_deleted.hl7": 3,
}


def test_sample_files_give_the_messages_counted_by_hand(hl7v2_samples: Path) -> None:
    files = [f for ext in ("hl7", "er7", "txt") for f in hl7v2_samples.rglob(f"*.{ext}")]
    assert len(files) > 200
    found = {file: len(list(split(file.read_bytes()))) for file in files}
    assert found == {file: HAND_COUNTS.get(file.name, 1) for file in files}
