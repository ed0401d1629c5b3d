"""Escape sequences: HL7 v2.5 2.7, and v2.7 2.5.5.2 for the truncation character."""

from __future__ import annotations

import pytest

from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.syntax import Syntax

pytestmark = pytest.mark.core


def unescape(text: str, encoding: str = "^~\\&", charset: str = "utf-8") -> tuple[str, list[str]]:
    return Syntax("|", encoding, charset).unescape(text)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a", "a"),
        ("\\F\\", "|"),
        ("\\S\\", "^"),
        ("\\T\\", "&"),
        ("\\R\\", "~"),
        ("\\E\\", "\\"),
        ("\\E\\F\\E\\", "\\F\\"),
        ("Taux \\T\\ valeur \\F\\ 5", "Taux & valeur | 5"),
        ("fin\\.br\\ligne 2", "fin\nligne 2"),
        ("fin\\.BR\\ligne 2", "fin\nligne 2"),
        ("a\\.sp\\b", "a\nb"),
        ("a\\.sp3\\b", "a\nb"),
        ("a\\.ce\\b", "a\nb"),
        ("a\\.in+4\\b", "a b"),
        ("a\\.ti-2\\b", "a b"),
        ("a\\.sk3\\b", "a b"),
        ("a\\.fi\\b\\.nf\\c", "a b c"),
        ("\\H\\gras\\N\\ normal", "gras normal"),
        ("\\X41\\", "A"),
        ("\\X4142\\", "AB"),
        ("\\XC3A9\\", "é"),
        ("\\Xc3a9\\", "é"),
        ("\\XC3\\\\XA9\\", "é"),
        ("a\\X0D\\b", "a\nb"),
        ("a\\X0D0A\\b", "a\nb"),
        ("a\\X0D\\\\X0A\\b", "a\nb"),
        ("a\\X09\\b", "a\tb"),
    ],
)
def test_sequence(sent: str, meant: str) -> None:
    assert unescape(sent) == (meant, [])


@pytest.mark.parametrize(
    ("sent", "notice"),
    [
        ("\\Z01\\", "escape_unknown"),
        ("\\C2842\\", "escape_unknown"),
        ("\\M2442FF\\", "escape_unknown"),
        ("\\f\\", "escape_unknown"),
        ("\\.zz\\", "escape_unknown"),
        ("C:\\temp\\", "escape_unknown"),
        ("\\P\\", "escape_unknown"),
        ("\\XE9\\", "escape_undecodable"),
        ("\\XABC\\", "escape_undecodable"),
        ("abc \\T def", "escape_unterminated"),
        ("abc\\", "escape_unterminated"),
        ("<5 \\ 10>", "escape_unterminated"),
    ],
)
def test_what_cannot_be_resolved_is_kept_with_a_notice(sent: str, notice: str) -> None:
    assert unescape(sent) == (sent, [notice])


def test_lone_escape_character_does_not_hide_a_sequence_behind_it() -> None:
    assert unescape("a \\T b \\S\\ c") == ("a \\T b ^ c", ["escape_unterminated"])


def test_hexadecimal_is_read_in_the_charset_of_the_message() -> None:
    assert unescape("\\XE9\\", charset="iso8859-1") == ("é", [])
    assert unescape("\\XBD\\", charset="iso8859-15") == ("œ", [])


def test_what_decodes_beside_an_undecodable_byte_is_decoded() -> None:
    assert unescape("\\XE9\\\\X0D\\") == ("\\XE9\\\n", ["escape_undecodable"])


def test_controls_never_come_back_through_hexadecimal() -> None:
    assert unescape("a\\X00\\b\\X0B\\c") == ("ab c", ["control_bytes_removed"] * 2)


def test_separators_of_the_message_itself() -> None:
    syntax = Syntax("*", "%!?@", "utf-8")
    assert syntax.unescape("?F??S??R??E??T?") == ("*%!?@", [])


def test_truncation_character_has_its_sequence_when_declared() -> None:
    assert unescape("\\P\\", "^~\\&#") == ("#", [])


def test_message_without_escape_character_has_no_sequences() -> None:
    assert unescape("\\F\\", "^~") == ("\\F\\", [])


def test_header_escaped_once_too_often_is_read_and_noticed() -> None:
    syntax = Syntax("|", "^~\\\\&", "utf-8")
    assert (syntax.escape, syntax.subcomponent) == ("\\", "&")
    assert syntax.notices == ("separators_repeated",)


@pytest.mark.parametrize("encoding", ["^^\\&", "^~\\|", "^~\\A", "^~ &", '^~"&', "^~\\&#%"])
def test_separators_in_doubt_are_refused(encoding: str) -> None:
    with pytest.raises(RecordFault) as fault:
        Syntax("|", encoding, "utf-8")
    assert (fault.value.reason, fault.value.position) == ("separators", "MSH-2")
