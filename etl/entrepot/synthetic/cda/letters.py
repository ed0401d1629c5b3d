"""Letters: LDL-SES with sections, other reports as a file inside (CDA level 1)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import NamedTuple

from entrepot.synthetic.cda.elements import LOINC, code, template
from entrepot.synthetic.cda.header import Version, clinical_document
from entrepot.synthetic.cda.narrative import paragraphs
from entrepot.synthetic.cda.tree import Node, node
from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.documents import as_rtf
from entrepot.synthetic.message import Attachment
from entrepot.synthetic.orders import Letter

DISCHARGE = "11490-0"
FORMS = ("sections", "sections", "text/plain", "text/plain", "text/rtf")
TEMPLATES = {
    DISCHARGE: ("1.2.250.1.213.1.1.1.29",),
    "18748-4": ("1.3.6.1.4.1.19376.1.2.20", "1.2.250.1.213.1.1.1.45"),
}
SECTIONS = (  # templates, LOINC code and title of the sections of a discharge letter
    (
        ("1.3.6.1.4.1.19376.1.5.3.1.3.1", "1.2.250.1.213.1.1.2.127"),
        "42349-1",
        "Motif de l'hospitalisation",
    ),
    (
        ("1.3.6.1.4.1.19376.1.5.3.1.1.21.2.9", "1.2.250.1.213.1.1.2.163"),
        "42545-4",
        "Synthèse médicale du séjour",
    ),
)


class Telling(NamedTuple):
    """One letter as a document, or its withdrawal."""

    letter: Letter
    older: Letter | None
    root: Node


def telling(chart: Chart, letter: Letter, older: Letter | None) -> Telling:
    """The document of one letter."""
    version = Version(
        chart,
        letter.stay,
        letter.type_code,
        letter.title,
        TEMPLATES.get(letter.type_code, ()),
        letter.parent or letter.document,
        letter.document,
        2 if older else 1,
        letter.written,
        letter.author,
        replaced=letter.parent,
    )
    return Telling(letter, older, clinical_document(version, _body(chart, letter)))


def _body(chart: Chart, letter: Letter) -> Node:
    rng = stream(chart.seed, chart.person.index, f"cda letter {letter.document}")
    form = "sections" if letter.type_code == DISCHARGE else rng.choice(FORMS)
    if form == "sections":
        return node("structuredBody", *_sections(letter))
    rich = form == "text/rtf"
    raw = as_rtf(letter.text).encode("ascii") if rich else letter.text.encode()
    data = Attachment(base64.b64encode(raw).decode(), letter.text, plain=not rich)
    text = node("text", data, mediaType=form, representation="B64")
    return node("nonXMLBody", text)


def _sections(letter: Letter) -> Iterator[Node]:
    """The letter in two sections: its head, then the rest."""
    blocks = paragraphs(letter.text)
    parts = (blocks[:2], blocks[2:])
    for (roots, value, title), held in zip(SECTIONS, parts, strict=True):
        section = node(
            "section",
            *[template(root) for root in roots],
            code(value, LOINC, title),
            node("title", title),
            node("text", *held),
        )
        yield node("component", section)
