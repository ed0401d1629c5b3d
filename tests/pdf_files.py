"""PDFs that a hospital or an attacker may send, made with the library or by hand."""

from __future__ import annotations

import io
import zlib
from typing import Any

from pdf_page import pdf

LETTER = "Compte rendu de consultation du service"


def changed(**options: Any) -> bytes:
    """The letter with a password, metadata, an attached file, a filled-in field or a remark."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(LETTER))))
    page = writer.pages[0]
    if "author" in options:
        writer.add_metadata({"/Author": options["author"], "/Title": options["author"]})
    if "attached" in options:
        writer.add_attachment(options["attached"], options["attached"].encode())
    entries: list[dict[str, str]] = options.get("annotations", [])
    made = [
        writer._add_object(DictionaryObject({
            NameObject(key): NameObject(value) if value.startswith("/") else TextStringObject(value)
            for key, value in ({"/Type": "/Annot"} | entry).items()
        }))
        for entry in entries
    ]  # fmt: skip
    if made:
        page[NameObject("/Annots")] = ArrayObject(made)
        form = DictionaryObject({NameObject("/Fields"): ArrayObject(made)})
        writer._root_object[NameObject("/AcroForm")] = form
    if "password" in options:
        writer.encrypt(options["password"])
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def compressed(content: bytes, *, forms: int = 0, size: int = 0) -> bytes:
    """A page whose content inflates to `content`, drawing `forms` forms of `size` bytes each."""
    data = zlib.compress(content, 9)
    names = b" ".join(b"/F%d %d 0 R" % (k, 5 + k) for k in range(forms))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /XObject << %s >> >> >>" % names,
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(data), data),
    ]
    drawn = zlib.compress(b"BT (a) Tj ET" + b" " * size, 9)
    form = (
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Filter /FlateDecode /Length %d"
        b" /Resources << /Font << >> >> >>"
    )
    objects += [form % len(drawn) + b"\nstream\n" + drawn + b"\nendstream"] * forms
    body, offsets = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % count + table
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF"
    return body + head + end % (count, len(body))
