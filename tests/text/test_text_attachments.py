"""Attachments become text or a fault; what could fetch or explode is refused before parsing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.errors import RecordFault
from entrepot.text import text_of

pytestmark = pytest.mark.core

RTF = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Helvetica;}}"
    rb"{\colortbl;\red255\green0\blue0;}{\*\generator Msftedit 5.41;}"
    rb"{\info{\author Docteur Secret}}\viewkind4\uc1\pard\f0 "
    rb"Mme DUPONT n\'e9e le 28 mars\par \u8364?100 \{net\}\tab fin\b gras\b0 .\par}"
)


@pytest.mark.parametrize(
    ("data", "media", "expected"),
    [
        ("né à Brest".encode(), "text/plain", "né à Brest"),
        ("né à Brest".encode("cp1252"), "TX".replace("TX", "TEXT"), "né à Brest"),
        ("né à Brest".encode("latin-1"), "text/plain; charset=ISO-8859-1", "né à Brest"),
        ("né".encode("utf-16"), "text/plain", "né"),
        (b"\xef\xbb\xbfok", "text/plain", "ok"),
        (RTF, "RTF", "Mme DUPONT née le 28 mars\n€100 {net}\tfingras.\n"),
        (rb"{\rtf1 a{\b b{\i c}}d}", "application/rtf", "abcd"),
        (rb"{\rtf1\uc2 \u233\'c3\'a9t\u233 \'c3\'a9}", "rtf", "été"),
        (rb"{\rtf1\ansicpg65001 \'c3\'a9t\'c3\'a9}", "rtf", "été"),
        (rb"{\rtf1\uc1 \u-10179?\u-8704?}", "rtf", "😀"),
        (
            b"<html><head><title>T</title><script>x()</script><style>p{}</style></head>"
            b"<body><p>Mme <b>DUP</b>ONT</p><p>n&eacute;e<br>ici</p><!-- secret --></body></html>",
            "text/html",
            "T\nMme DUPONT\nnée\nici",
        ),
        (b"<p>\xe9t\xe9</p>", "text/html; charset=windows-1252", "été"),
        (b"<!DOCTYPE html><p>ok</p>", "HTML", "ok"),
        (
            b"<?xml version='1.0' encoding='iso-8859-1'?><doc><p>\xe9t\xe9</p><p>b</p></doc>",
            "text/xml",
            "été\nb",
        ),
    ],
)
def test_text_of_what_has_text(data: bytes, media: str, expected: str) -> None:
    assert text_of(data, media) == expected


BOMB = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><d>&b;</d>'
EXTERNAL = b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><d>x</d>'


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"II*\x00", "image/tiff"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"x", "application/octet-stream"),
        (b"x", ""),
        (b"", "text/plain"),
        (b" \n ", "text/plain"),
        (b"<p> </p>", "text/html"),
        (b"ab\x00cd", "text/plain"),
        (b"not rtf", "rtf"),
        (rb"{\rtf1 open", "rtf"),
        (rb"{\rtf1 a}}", "rtf"),
        (rb"{\rtf1\ansicpg99999 a}", "rtf"),
        (rb"{\rtf1{\bin3 }}}", "rtf"),
        (b"{\\rtf1" + b"{" * 1000 + b"x" + b"}" * 1000 + b"}", "rtf"),
        (BOMB, "text/xml"),
        (EXTERNAL, "text/xml"),
        (BOMB, "text/html"),
        (BOMB.decode().encode("utf-16"), "text/xml"),
        (b"<a><b></a>", "text/xml"),
        (b"<a>" * 300 + b"x" + b"</a>" * 300, "text/xml"),
        (b"x" * 20_000_001, "text/plain"),
    ],
)
def test_the_rest_is_a_fault(data: bytes, media: str) -> None:
    with pytest.raises(RecordFault) as fault:
        text_of(data, media)
    assert fault.value.reason == "attachment_unreadable"


@given(st.binary(max_size=300), st.sampled_from(["text/plain", "text/html", "rtf", "text/xml"]))
def test_any_bytes_give_text_or_a_fault(data: bytes, media: str) -> None:
    for content in (data, b"{\\rtf1 " + data, b"<p>" + data):
        assert _reading(content, media).strip()


def _reading(data: bytes, media: str) -> str:
    try:
        return text_of(data, media)
    except RecordFault as fault:
        return fault.reason
