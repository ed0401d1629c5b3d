"""Documents of which no row may be found: cut, with a DTD, or no CDA at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from entrepot.synthetic.cda.document import Document
from entrepot.synthetic.cda.header import Version, clinical_document
from entrepot.synthetic.cda.tree import node
from entrepot.synthetic.chance import opaque_number
from entrepot.synthetic.chart import Chart

EVERY = 30  # one bad document of each sort in thirty patients
DTD = b'<!DOCTYPE ClinicalDocument [<!ENTITY note "texte">]>\n'


def bad(chart: Chart) -> Iterator[Document]:
    """The patient's bad document, if the rank asks for one."""
    known = BAD.get(chart.person.index % EVERY)
    if known:
        why, damage = known
        stay = chart.stays[0]
        sent = stay.start + dt.timedelta(minutes=55)
        own = opaque_number(chart.seed, "cda bad", chart.person.id)
        version = Version(
            chart, stay, "34133-9", "Synthèse d'épisode de soins", (), own, own, 1, sent,
            stay.attending,
        )  # fmt: skip
        body = node("structuredBody", node("component", node("section", node("text", "-"))))
        root = clinical_document(version, body)
        new = Document("34133-9", own, root, chart.person.id, sent, ())
        new.marks["bad"], new.damage = why, damage
        yield new


def _cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def _with_dtd(content: bytes) -> bytes:
    head, _, rest = content.partition(b"\n")
    return head + b"\n" + DTD + rest


def _of_another_kind(content: bytes) -> bytes:
    """The root element of another standard around the same elements."""
    return content.replace(b"ClinicalDocument", b"DossierPatient")


BAD: dict[int, tuple[str, Callable[[bytes], bytes]]] = {
    4: ("invalid_xml", _cut),
    8: ("dtd_refused", _with_dtd),
    16: ("not_cda", _of_another_kind),
}
