"""What the bytes of an attachment are, whatever their sender calls them."""

from __future__ import annotations

import re

from entrepot.errors import RecordFault

_REASON = "attachment_unreadable"
_HEAD = 1024
# Files without text of their own, or whose text lies under compression.
_SIGNATURES: dict[str, tuple[bytes, ...]] = {
    "image": (
        b"\xff\xd8\xff", b"\x89PNG", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*", b"II+\x00",
        b"MM\x00+", b"\x00\x00\x00\x0cjP", b"\xffO\xffQ", b"\xd7\xcd\xc6\x9a", b"8BPS",
    ),
    "archive": (
        b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"\x1f\x8b", b"Rar!\x1a", b"7z\xbc\xaf",
        b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY",
    ),
    "office document": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%!PS"),
    "program": (b"\x7fELF",),
}  # fmt: skip
_BOXED = ((4, b"ftyp"), (8, b"WEBP"), (8, b"AVI "), (8, b"WAVE"), (128, b"DICM"))
_MARKUP = (
    ("rtf", re.compile(rb"\{\\rtf")),
    ("html", re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)),
    ("xml", re.compile(rb"<\?xml\s|<ClinicalDocument[\s>]")),
)
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_CODED = re.compile(r"[A-Za-z0-9+/_\-]{200}|(?:[A-Za-z0-9+/_\-]{60,100}={0,2}\r?\n){3}")


def kind_of(declared: str, data: bytes) -> str:
    """The reader to use: what the bytes show, else what was declared.

    Args:
        declared: plain, html, rtf, xml or pdf.
        data: the attachment.

    Raises:
        RecordFault: `attachment_unreadable`: an image, an archive, an office document, or a PDF
            that is called something else (names in PDFs are looked for in another way).
    """
    for what, signatures in _SIGNATURES.items():
        if data.startswith(signatures):
            raise RecordFault(_REASON, what)
    if any(data[at : at + len(mark)] == mark for at, mark in _BOXED):
        raise RecordFault(_REASON, "image")
    is_pdf = b"%PDF-" in data[:_HEAD]
    if declared == "pdf" or data.startswith(b"%PDF-"):
        if not (is_pdf and declared == "pdf"):
            raise RecordFault(_REASON, "media type")
        return declared
    head = data[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    shown = next((kind for kind, mark in _MARKUP if mark.match(head)), declared)
    return declared if (declared, shown) == ("html", "xml") else shown


def refuse_coded(text: str) -> None:
    """Raises RecordFault when `text` holds what only a program reads: Base64, raw bytes.

    A name inside Base64 is found by no layer of the engine.
    """
    if len(_CONTROLS.findall(text)) * 100 > len(text):
        raise RecordFault(_REASON, "binary data")
    if any(_is_mixed(run.group()) for run in _CODED.finditer(text)):
        raise RecordFault(_REASON, "encoded data")


def _is_mixed(run: str) -> bool:
    """Whether capitals, small letters and digits are as mixed as Base64 has them.

    Each would be 40, 40 and 15 %; a ruled line, or words that a PDF gives without blanks, are not.
    """
    capitals, small = sum(map(str.isupper, run)), sum(map(str.islower, run))
    return min(capitals, small) * 5 > len(run) and any(map(str.isdigit, run))
