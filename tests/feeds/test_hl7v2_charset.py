"""Charsets: HL7 v2.5 2.14.9.18 and table 0211, and what real feeds declare wrongly."""

from __future__ import annotations

import pytest

from entrepot.errors import ConfigurationError, RecordFault
from entrepot.feeds.hl7v2.charset import decode, without_controls

pytestmark = pytest.mark.core

NAME = "PATÉ-ŒUVRE Zoé"


def message(msh18: str, name: str = "Zoé") -> str:
    return f"MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5|||||FRA|{msh18}\rPID|1||1||{name}\r"


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("unicode utf-8", "utf-8"),
        ("UTF-8", "utf-8"),
        ("UTF8", "utf-8"),
        ("UNICODE", "utf-8"),
        ("8859/1", "iso8859-1"),
        ("ISO-8859-1", "iso8859-1"),
        ("ISO IR100", "iso8859-1"),
        ("8859/15", "iso8859-15"),
        ("ISO 8859-15", "iso8859-15"),
        ("8859/2", "iso8859-2"),
        ("WINDOWS-1252", "cp1252"),
        ("~8859/1", "iso8859-1"),
        ("8859/1~UNICODE UTF-8", "iso8859-1"),
    ],
)
def test_declared_charset_is_used(declared: str, encoding: str) -> None:
    text = message(declared)
    decoded = decode(text.encode(encoding), "ascii")
    assert decoded.text == text
    assert decoded.charset == encoding
    assert decoded.notices == []


def test_latin9_holds_the_ligature_and_the_euro() -> None:
    text = message("8859/15", NAME + " 12 €")
    assert decode(text.encode("iso8859-15"), "utf-8").text == text


@pytest.mark.parametrize("declared", ["KLINGON", "8859/12", "BIG-5"])
def test_unknown_charset_is_refused(declared: str) -> None:
    with pytest.raises(RecordFault) as fault:
        decode(message(declared).encode(), "utf-8")
    assert (fault.value.reason, fault.value.position) == ("charset_unknown", "MSH-18")


@pytest.mark.parametrize("default", ["utf-8", "UNICODE UTF-8", "cp1252", "8859/15"])
@pytest.mark.parametrize("empty", ["", '""', " "])
def test_empty_charset_takes_the_default_and_says_so(default: str, empty: str) -> None:
    text = message(empty)
    encoding = {"8859/15": "iso8859-15", "UNICODE UTF-8": "utf-8"}.get(default, default)
    decoded = decode(text.encode(encoding), default)
    assert decoded.text == text
    assert decoded.notices == ["charset_defaulted"]


def test_default_is_applied_strictly() -> None:
    content = message("").encode("cp1252")
    with pytest.raises(RecordFault) as fault:
        decode(content, "utf-8")
    assert fault.value.reason == "charset_mismatch"
    assert fault.value.position == f"byte {content.index(0xE9) + 1}"


def test_default_that_is_no_charset_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="klingon"):
        decode(message("").encode(), "klingon")


def test_declared_utf8_with_latin_bytes_is_refused() -> None:
    with pytest.raises(RecordFault) as fault:
        decode(message("UNICODE UTF-8").encode("iso8859-1"), "utf-8")
    assert fault.value.reason == "charset_mismatch"


@pytest.mark.parametrize("declared", ["8859/1", "8859/15", "WINDOWS-1252"])
def test_utf8_bytes_under_a_one_byte_charset_are_repaired(declared: str) -> None:
    text = message(declared)
    decoded = decode(text.encode(), "utf-8")
    assert decoded.text == text
    assert (decoded.charset, decoded.notices) == ("utf-8", ["charset_mojibake_repaired"])


def test_utf8_bytes_under_a_one_byte_default_are_repaired() -> None:
    decoded = decode(message("").encode(), "8859/1")
    assert "Zoé" in decoded.text
    assert decoded.notices == ["charset_defaulted", "charset_mojibake_repaired"]


def test_windows_bytes_under_latin1_are_windows() -> None:
    text = message("8859/1", "LEBŒUF")
    decoded = decode(text.encode("cp1252"), "utf-8")
    assert decoded.text == text
    assert (decoded.charset, decoded.notices) == ("cp1252", ["charset_cp1252_repaired"])


def test_windows_bytes_under_latin9_stay_in_doubt_and_are_refused() -> None:
    with pytest.raises(RecordFault) as fault:
        decode(message("8859/15", "LEBŒUF").encode("cp1252"), "utf-8")
    assert fault.value.reason == "charset_mismatch"


@pytest.mark.parametrize("declared", ["ASCII", "UTF-16"])
def test_high_bytes_under_ascii_are_utf8_or_refused(declared: str) -> None:
    text = message(declared)
    assert decode(text.encode(), "utf-8").text == text
    assert decode(text.encode(), "utf-8").notices == ["charset_mismatch_repaired"]
    with pytest.raises(RecordFault) as fault:
        decode(text.encode("iso8859-1"), "utf-8")
    assert fault.value.reason == "charset_mismatch"


def test_utf8_byte_order_mark_is_stripped_and_counts_in_positions() -> None:
    text = message("UNICODE UTF-8")
    assert decode(b"\xef\xbb\xbf" + text.encode(), "ascii").text == text
    content = b"\xef\xbb\xbf" + text.encode("iso8859-1")
    with pytest.raises(RecordFault) as fault:
        decode(content, "utf-8")
    assert fault.value.position == f"byte {content.index(0xE9) + 1}"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("framed", [True, False])
def test_utf16_is_read_by_its_bytes(encoding: str, mark: str, framed: bool) -> None:
    text = message("UNICODE", NAME)
    body = (mark + text).encode(encoding)
    content = b"\x0b" + body + b"\x1c\r" if framed else body
    decoded = decode(content, "utf-8")
    notices = ["charset_by_bom"] if mark else []
    assert (decoded.text, decoded.charset, decoded.notices) == (text, encoding, notices)


def test_utf16_that_declares_otherwise_is_repaired() -> None:
    decoded = decode(("\ufeff" + message("8859/1")).encode("utf-16-le"), "utf-8")
    assert decoded.notices == ["charset_mismatch_repaired", "charset_by_bom"]


def test_half_a_utf16_character_is_refused() -> None:
    with pytest.raises(RecordFault) as fault:
        decode(("\ufeff" + message("UNICODE")).encode("utf-16-le") + b"A", "utf-8")
    assert fault.value.reason == "charset_mismatch"


def test_mllp_frame_is_stripped_and_its_end_ends_the_segment() -> None:
    text = message("UTF-8")
    assert decode(b"\x0b" + text.encode() + b"\x1c\r", "utf-8").text == text
    assert decode(b"\x0b" + text.rstrip("\r").encode() + b"\x1c\r", "utf-8").text == text
    assert decode(b"\x0b" + text.encode() + b"\x1c\r", "utf-8").notices == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Orl\x00\x07ans", "Orlans"),
        ("DU\x00PONT", "DUPONT"),
        ("DUPONT\x0bJEAN", "DUPONT JEAN"),
        ("DUPONT\x0cJEAN", "DUPONT JEAN"),
        ("DUPONT\x1eJEAN", "DUPONT JEAN"),
        ("DUPONT\u0085JEAN", "DUPONT JEAN"),
        ("DUPONT\x7f\u0090", "DUPONT"),
    ],
)
def test_controls_are_removed_and_parting_ones_become_a_space(sent: str, kept: str) -> None:
    decoded = decode(message("UTF-8", sent).encode(), "utf-8")
    assert decoded.text == message("UTF-8", kept)
    assert decoded.notices == ["control_bytes_removed"]


def test_tab_and_line_ends_are_no_controls() -> None:
    assert without_controls("a\tb\r\nc") == ("a\tb\r\nc", False)


def test_what_the_sender_spoiled_is_noticed() -> None:
    assert decode(message("UTF-8", "ZoÃ©").encode(), "utf-8").notices == [
        "charset_mojibake_suspected"
    ]
    assert decode(message("UTF-8", "Zo\ufffd").encode(), "utf-8").notices == [
        "replacement_character"
    ]


def test_undecodable_bytes_without_a_header_are_no_message() -> None:
    with pytest.raises(RecordFault) as fault:
        decode(b"PID|1||\xe9", "utf-8")
    assert fault.value.reason == "no_msh"


def test_fault_and_notices_hold_no_value() -> None:
    with pytest.raises(RecordFault) as fault:
        decode(message("UTF-8", "SECRETÉ").encode("iso8859-1"), "utf-8")
    assert "SECRET" not in str(fault.value)
