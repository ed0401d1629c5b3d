"""Properties: no input escapes as anything but a message or a fault; what is built is read back."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.message import Message, parse
from entrepot.feeds.hl7v2.path import compile_path

pytestmark = pytest.mark.core

VALID = (
    "MSH|^~\\&|DPI|CH^750000001^FINESS|EDS|EDS|20240101||ORU^R01^ORU_R01|M1|P|2.5|||||FRA|UTF-8\r"
    "PID|1||12^^^CH&1.2.250&ISO^PI~27903^^^INS&1.2.3&ISO^INS||PATÉ^Zoé^\\T\\||19790328|F\r"
    "PV1|1|I|3000^101\r"
    "OBR|1|||NFS^x^LN\r"
    'OBX|1|TX|718-7^Hb^LN||a\\.br\\b \\XC3A9\\ ""||""||||F\r'
    "OBX|2|SN|1^Hb^LN||>^10||||||F\r"
).encode()
PATHS = [
    compile_path(text)
    for text in ("PID-3[5=PI|].1", "PID-3[*].4.2", "PID-5", "OBX-5", "OBR-4.1", "MSH-2", "NTE-3")
]

# Characters that a message's own syntax gives a meaning to, and others
text_of_a_part = st.text(
    st.one_of(
        st.sampled_from("|^~\\&*%!?@#.XFSTREHNé€œ'\"-"),
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffd"),
    ),
    max_size=12,
).filter(lambda text: text != '""')
parts = st.lists(text_of_a_part, min_size=1, max_size=4)
fields = st.lists(
    st.lists(st.lists(parts, min_size=1, max_size=3), min_size=1, max_size=3), max_size=5
)
separators = st.sampled_from(["|^~\\&", "|^˜\\&", "*%!?@", "|~^&\\", "$^~\\&#", "#'(-_", "|^~\\&€"])


def touch(message: Message) -> None:
    for segment in message.segments:
        for n in range(1, segment.count() + 1):
            assert len(segment.tree(n)) == len(segment.repetitions(n))
            segment.text(n)
            segment.component(n, 1, 2, 2)
        for path in PATHS:
            assert isinstance(path.read(message, segment), str)
            assert all(isinstance(value, str) for value in path.read_all(message, segment))
    assert message.segments[0].name == "MSH"
    assert all(isinstance(code, str) and isinstance(at, str) for code, at in message.notices)


def read_or_refuse(content: bytes, default: str = "utf-8") -> None:
    with suppress(RecordFault):
        touch(parse(content, default))


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["utf-8", "cp1252", "8859/1", "8859/15"]))
@example(b"MSH", "utf-8")
@example(b"MSH|^~\\&|\x80" + b"|" * 20, "cp1252")
@example(b"\xff\xfeM\x00S\x00H", "utf-8")
def test_random_bytes(content: bytes, default: str) -> None:
    read_or_refuse(content, default)
    read_or_refuse(b"MSH|^~\\&|||||||ADT^A01||||||||||" + content, default)


@settings(deadline=None)
@given(st.data())
def test_mutated_message(data: st.DataObject) -> None:
    content = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 8)))
        content[start:end] = data.draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from([b"\r", b"\n", b"|", b"^", b"~", b"\\", b"&", b'""', b"MSH|"]),
                st.sampled_from(
                    [b"\x00", b"\x0b", b"\x1c\r", b"\xe9", b"\xc3\xa9", b"\\X", b"ADD|"]
                ),
            )
        )
    read_or_refuse(bytes(content))


@settings(deadline=None)
@given(st.integers(0, len(VALID)))
def test_cut_message(length: int) -> None:
    read_or_refuse(VALID[:length])


def escaped(text: str, marks: str) -> str:
    """The text as the norm has a sender escape it (2.7.1)."""
    field, component, repetition, escape, subcomponent, *truncation = list(marks)
    codes = {field: "F", component: "S", repetition: "R", escape: "E", subcomponent: "T"}
    codes.update(zip(truncation, "P", strict=False))
    return "".join(
        f"{escape}{codes[character]}{escape}" if character in codes else character
        for character in text
    )


@settings(deadline=None)
@given(fields, separators, st.sampled_from(["\r", "\n", "\r\n"]))
def test_what_is_built_is_read_back(
    tree: list[list[list[list[str]]]], marks: str, end: str
) -> None:
    field, component, repetition, _, subcomponent = list(marks[:5])
    built = field.join(
        repetition.join(
            component.join(subcomponent.join(escaped(text, marks) for text in sub) for sub in comps)
            for comps in reps
        )
        for reps in tree
    )
    header = ["MSH", marks[1:], "A", "B", "C", "D", "2024", "", "ACK", "1", "P", "2.5"]
    header += [""] * 5 + ["UNICODE UTF-8"]
    content = end.join([field.join(header), f"ZZZ{field}{built}", ""])
    message = parse(content.encode())
    segment = message.named("ZZZ")[0]
    for n, reps in enumerate(tree, 1):
        absent = reps == [[[""]]]
        assert segment.tree(n) == ([] if absent else reps)
        for r, comps in enumerate(reps, 1):
            for c, subs in enumerate(comps, 1):
                for s, text in enumerate(subs, 1):
                    assert segment.component(n, r, c, s) == text
                    assert message.get(f"ZZZ-{n}[{r}].{c}.{s}") == text
    assert {code for code, _ in message.notices} <= {"charset_mojibake_suspected"}
