"""The letters' feed: MDM^T02 sends, T10 replaces, T11 withdraws; text, lines, or attachments."""

from __future__ import annotations

import base64
import datetime as dt
import html
from collections.abc import Iterator
from html.entities import codepoint2name

from entrepot.synthetic import segments as seg
from entrepot.synthetic import visit_segments as visit
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.message import (
    Attachment,
    Field,
    Ident,
    Message,
    Repeat,
    Segment,
    Text,
    lines,
)
from entrepot.synthetic.orders import Letter
from entrepot.synthetic.spelling import bare
from entrepot.synthetic.times import minute


def messages(chart: Chart) -> Iterator[Message]:
    """Every MDM message of one patient, in no order."""
    replaced = {letter.document: letter for letter in chart.letters}
    for letter in chart.letters:
        older = replaced.get(letter.parent)
        yield _sent(chart, letter, older)
        if letter.withdrawn:
            yield _withdrawn(chart, letter, letter.withdrawn)


def _sent(chart: Chart, letter: Letter, older: Letter | None) -> Message:
    event = "T10" if older else "T02"
    sent = letter.written + dt.timedelta(seconds=45)
    parts = [*_head(chart, letter, sent), _txa(chart, letter), *_contents(letter)]
    facts = (letter.id, older.id) if older else (letter.id,)
    new = Message("letters", f"MDM^{event}^MDM_T02", chart.person.id, sent, parts, facts)
    if older:
        new.marks["correction"] = True
    return new


def _withdrawn(chart: Chart, letter: Letter, sent: dt.datetime) -> Message:
    parts = [*_head(chart, letter, sent), _txa(chart, letter)]
    new = Message("letters", "MDM^T11^MDM_T01", chart.person.id, sent, parts, (letter.id,))
    new.marks["cancel"] = True
    return new


def _head(chart: Chart, letter: Letter, sent: dt.datetime) -> list[Segment]:
    stay = letter.stay
    return [
        seg.evn(sent, letter.written),
        seg.pid(chart.person, sent, stay.ipp, stay.nda),
        visit.pv1(stay, sent),
    ]


def file_name(chart: Chart, letter: Letter) -> Text:
    """The name of the file that was printed, as some programs give it for a title."""
    civil = chart.person.at(letter.written)
    return Text(
        [
            "CR_",
            Ident(bare(civil.daily).upper(), "NOM"),
            "_",
            Ident(bare(civil.given), "PRENOM"),
            ".pdf",
        ]
    )


def _txa(chart: Chart, letter: Letter) -> Segment:
    return Segment(
        "TXA",
        {
            1: "1",
            2: letter.type_code,
            3: "TEXT",
            4: minute(letter.written),
            9: letter.author.xcn(),
            12: [Ident(letter.document, "AUTRE_ID"), "DPI"],
            13: [Ident(letter.parent, "AUTRE_ID"), "DPI"] if letter.parent else "",
            16: file_name(chart, letter) if int(letter.document[-1]) < 3 else "",
            17: "LA",
        },
    )


def _contents(letter: Letter) -> Iterator[Segment]:
    if letter.form == "lines":
        for number, line in enumerate(lines(letter.text), 1):
            yield _obx(letter, number, "TX", line)
    elif letter.form == "repeats":
        yield _obx(letter, 1, "TX", Repeat(lines(letter.text)))
    elif letter.form == "breaks":
        yield _obx(letter, 1, "FT" if int(letter.document[-1]) % 2 else "TX", letter.text)
    else:
        subtype = "plain" if letter.form == "plain" else letter.form
        data = base64.b64encode(_encoded(letter)).decode("ascii")
        attached = Attachment(data, letter.text, plain=letter.form == "plain")
        kind = "APPLICATION" if letter.form == "rtf" else "TEXT"
        yield _obx(letter, 1, "ED", ["", kind, subtype, "Base64", attached])


def _obx(letter: Letter, number: int, kind: str, content: Field) -> Segment:
    return Segment(
        "OBX",
        {
            1: str(number),
            2: kind,
            3: [letter.type_code, letter.title, "LN"],
            5: content,
            11: "F",
            14: minute(letter.written),
        },
    )


def _encoded(letter: Letter) -> bytes:
    if letter.form == "html":
        return as_html(letter.text, entities=int(letter.document[-1]) % 2 == 0).encode()
    return as_rtf(letter.text).encode("ascii") if letter.form == "rtf" else letter.text.encode()


def as_html(text: str, *, entities: bool) -> str:
    """An HTML page of `text`; accents as named entities, or as they are in UTF-8."""
    body = html.escape(text)
    if entities:
        body = "".join(
            f"&{codepoint2name[ord(c)]};" if ord(c) > 127 and ord(c) in codepoint2name else c
            for c in body
        )
    body = body.replace("\n", "<br/>\n")
    return f'<html><head><meta charset="utf-8"/></head><body><p>{body}</p></body></html>'


def as_rtf(text: str) -> str:
    """An RTF document of `text` in code page 1252."""
    escaped = text.replace("\\", "\\\\").replace("{", "\\{").replace("}", "\\}")
    body = "".join(
        c if ord(c) < 128 else "".join(f"\\'{byte:02x}" for byte in c.encode("cp1252"))
        for c in escaped
    )
    return "{\\rtf1\\ansi\\ansicpg1252\\deff0 " + body.replace("\n", "\\par\n") + "}"
