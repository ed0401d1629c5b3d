"""Attachments that are not what they are called, hide text, or ask for more than they weigh."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import resource
import zipfile

import pytest

from entrepot.errors import RecordFault
from entrepot.text import text_of
from entrepot.text.pdf import PdfProcess
from pdf_files import LETTER, changed, compressed
from pdf_page import pdf

pytestmark = pytest.mark.core

MEDIA = ["text/plain", "text/html", "application/rtf", "text/xml", "application/pdf"]
HIDDEN = "QUILLEVERE"


def office() -> bytes:
    """A .docx and an .odt are zips."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("word/document.xml", f"<w:t>{HIDDEN}</w:t>")
    return out.getvalue()


FILES = {
    "jpeg": b"\xff\xd8\xff\xe0 JFIF",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a words that look like text",
    "tiff": b"II*\x00words",
    "tiff of a Mac": b"MM\x00*words",
    "dicom": b" " * 128 + b"DICM and words",
    "heic": b"\x00\x00\x00\x18ftypheic",
    "docx": office(),
    "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 words",
    "gzip": gzip.compress(b"words"),
    "postscript": b"%!PS-Adobe (words) show",
}


def refused(data: bytes, media: str) -> str:
    """Where the fault says it lies."""
    with pytest.raises(RecordFault) as fault:
        text_of(data, media)
    assert fault.value.reason == "attachment_unreadable"
    return fault.value.position


@pytest.mark.parametrize(
    "media", [*MEDIA, "image/tiff", "application/vnd.ms-word", "application/zip"]
)
@pytest.mark.parametrize("name", FILES)
def test_a_file_without_readable_text_is_refused_whatever_it_is_called(
    name: str, media: str
) -> None:
    refused(FILES[name], media)


@pytest.mark.parametrize(
    ("data", "media", "expected"),
    [
        (rb"{\rtf1 Mme DUP{\b ONT}}", "text/plain", "Mme DUPONT"),
        (b"\xef\xbb\xbf{\\rtf1 Mme DUP{\\b ONT}}", "TEXT", "Mme DUPONT"),
        (b"<!DOCTYPE html><p>Mme DUP<b>ONT</b>", "text/plain", "Mme DUPONT"),
        (b"<html><p>Mme DUP<b>ONT</b></p></html>", "RTF", "Mme DUPONT"),
        (b"<?xml version='1.0'?><a><p>Mme DUP<b>ONT</b></p></a>", "TXT", "Mme DUPONT"),
        (b"<?xml version='1.0'?><html><p>a</p></html>", "text/html", "a"),
    ],
)
def test_markup_is_read_as_markup_whatever_it_is_called(
    data: bytes, media: str, expected: str
) -> None:
    """Read as plain text, a tag inside a name would hide it from the engine."""
    assert text_of(data, media) == expected


def test_a_pdf_under_another_name_is_refused() -> None:
    """Names in a PDF may be in pieces, and are looked for so only where a PDF is announced."""
    assert [refused(pdf(LETTER), media) for media in MEDIA[:-1]] == ["media type"] * 4


def test_what_lies_in_the_text_of_a_pdf_besides_its_pages_is_read() -> None:
    data = changed(
        annotations=[
            {"/Subtype": "/Widget", "/FT": "/Tx", "/T": "Motif", "/V": "toux depuis un mois"},
            {"/Subtype": "/FreeText", "/Contents": "à revoir en mai"},
        ]
    )
    found = text_of(data, "application/pdf")
    assert LETTER in found
    assert "Motif : toux depuis un mois" in found
    assert "à revoir en mai" in found


def test_metadata_and_attached_files_of_a_pdf_are_left() -> None:
    found = text_of(changed(author=HIDDEN, attached=f"{HIDDEN}.txt"), "PDF")
    assert LETTER in found
    assert HIDDEN not in found


@pytest.mark.parametrize("password", ["secret", ""])
def test_an_encrypted_pdf_is_refused(password: str) -> None:
    assert refused(changed(password=password), "PDF") == "pdf: encrypted"


BOMBS = {
    "one stream inflates": (compressed(b" " * 30_000_000), 300, 9),
    "many forms inflate": (
        compressed(b" ".join(b"/F%d Do" % k for k in range(60)), forms=60, size=18_000_000),
        130, 60,
    ),
    "many operators": (compressed(b"BT (a) Tj ET " * 400_000), 600, 1),
    "one form drawn too often": (compressed(b"/F0 Do " * 6_000, forms=1, size=100), 300, 9),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_quarantine(name: str) -> None:
    """Without its limit each takes 0.5 to 55 s and up to 1.1 GB. The next document is read."""
    bomb, megabytes, seconds = BOMBS[name]
    process = PdfProcess(memory=megabytes * 1_000_000, seconds=seconds)
    assert len(bomb) < 1_100_000
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with pytest.raises(RecordFault) as fault:
        process.text(bomb)
    assert fault.value.position.startswith("pdf: ")
    assert LETTER in process.text(pdf(LETTER))
    process.close()
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start < 20


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (rb"{\v " + HIDDEN.encode() + rb"}", True),  # hidden by its style: the engine reads it
        (rb"{\header " + HIDDEN.encode() + rb"}", True),
        (rb"{\*\private " + HIDDEN.encode() + rb"}", False),
        (rb"{\*\datastore 51554c4c{\pict " + HIDDEN.encode() + rb"}}", False),
        (rb"{\object{\*\objdata " + HIDDEN.encode() + rb"}}", False),
        (rb"{\info{\title " + HIDDEN.encode() + rb"}{\doccomm " + HIDDEN.encode() + rb"}}", False),
    ],
)
def test_groups_of_an_rtf(written: bytes, kept: bool) -> None:
    text = text_of(rb"{\rtf1 avant " + written + rb" fin}", "rtf")
    assert text.startswith("avant ")
    assert text.endswith(" fin")
    assert (HIDDEN in text) is kept


@pytest.mark.parametrize(
    "written",
    [
        f"<!-- {HIDDEN} -->",
        f"<p title='{HIDDEN}' data-x='{HIDDEN}' onclick='{HIDDEN}'></p>",
        f"<script>{HIDDEN}</script>",
        f"<style>.{HIDDEN}{{}}</style>",
        f"<img alt='{HIDDEN}' src='data:image/png;base64,{HIDDEN}'>",
        f"<a href='file:///{HIDDEN}.doc'></a>",
        f"<meta name='author' content='{HIDDEN}'>",
        f"<object>{HIDDEN}</object>",
        f"<?x {HIDDEN}?>",
    ],
)
def test_what_a_page_does_not_show_is_left(written: str) -> None:
    assert text_of(f"<html><body>avant {written} fin</body></html>".encode(), "html").split() == [
        "avant", "fin",
    ]  # fmt: skip


CODED = base64.b64encode(bytes(range(256)) * 2)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (b"Signature : " + CODED, "encoded data"),
        (b"\n".join(CODED[k : k + 76] for k in range(0, len(CODED), 76)) + b"\n", "encoded data"),
        (b"<a><p>ok</p><data>" + CODED + b"</data></a>", "encoded data"),
        (bytes(range(1, 32)) * 9, "binary data"),
    ],
)
def test_what_only_a_program_reads_is_refused(text: bytes, position: str) -> None:
    media = "text/xml" if text.startswith(b"<a>") else "text/plain"
    assert refused(text, media) == position


@pytest.mark.parametrize(
    "line", ["-" * 300, "_" * 300, "Page1" + "=" * 300, "a" * 300, "1234567890" * 30, "é" * 300]
)
def test_a_ruled_line_is_text(line: str) -> None:
    assert text_of(line.encode(), "text/plain") == line


@pytest.mark.parametrize("charset", ["idna", "punycode", "utf-7", "unicode_escape", "rot13", "no"])
def test_a_charset_that_is_none_for_texts_is_not_used(charset: str) -> None:
    assert text_of(rb"\u0041 +AEE-", f"text/plain; charset={charset}") == r"\u0041 +AEE-"


@pytest.mark.parametrize(
    ("piece", "media"),
    [
        (b"<!DOCTYPE ", "text/html"), (b"<!", "text/html"), (b"<b>", "text/html"),
        (b"<a ", "text/html"), (b"<a><b></b>", "text/xml"), (b"\\'e9", "rtf"), (b"{\\b a}", "rtf"),
        (b"\\u65", "rtf"), (b"Ab1/", "text/plain"), (b"a \n", "text/html"), (b"&lt;", "text/html"),
        (b"<!-", "text/xml"), (b"{", "rtf"), (b"<p>a</p>", "text/html"),
    ],
)  # fmt: skip
def test_a_megabyte_of_anything_end_soon(piece: bytes, media: str) -> None:
    """The square of a million steps would take hours: the end of this test is the proof."""
    head, end = (b"{\\rtf1 ", b"}") if media == "rtf" else (b"", b"")
    data = head + piece * (1_000_000 // len(piece)) + end
    with contextlib.suppress(RecordFault):
        assert text_of(data, media)
