"""CDA documents inside HL7 v2 messages, in Base64 (CI-SIS, transmission d'un document CDA)."""

from __future__ import annotations

import base64
import datetime as dt
from typing import NamedTuple

from entrepot.synthetic import segments as seg
from entrepot.synthetic import visit_segments as visit
from entrepot.synthetic.cda.document import Document
from entrepot.synthetic.cda.tree import places
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Stay
from entrepot.synthetic.hospital import Professional
from entrepot.synthetic.message import Attachment, Field, Ident, Message, Segment, Text
from entrepot.synthetic.orders import Order
from entrepot.synthetic.times import minute, stamp


class Envelope(NamedTuple):
    """One document to transmit, or to take back when it is `gone`.

    Attributes:
        parent: number of the letter that it replaces. order: of a laboratory report.
        rank: version, from 1.
    """

    stay: Stay
    document: Document
    author: Professional
    title: str
    parent: str = ""
    order: Order | None = None
    rank: int = 1
    gone: bool = False


def enveloped(chart: Chart, envelope: Envelope) -> Message:
    """ORU^R01 for a laboratory report, MDM for the rest."""
    document, order = envelope.document, envelope.order
    parts = _report(chart, envelope, order) if order else _letter(chart, envelope)
    parts += [_attached(envelope), *_visibility()]
    source = "lab" if order else "letters"
    new = Message(
        source, _event(envelope), chart.person.id, document.sent, parts, document.facts,
        document.arrival, carries="cda", marks=document.marks,
    )  # fmt: skip
    return new


def _event(envelope: Envelope) -> str:
    if envelope.order:
        return "ORU^R01^ORU_R01"
    if envelope.gone:
        return "MDM^T04^MDM_T02"
    return "MDM^T10^MDM_T02" if envelope.parent or envelope.rank > 1 else "MDM^T02^MDM_T02"


def _flag(envelope: Envelope) -> str:
    """OBX-11 of the document: first told, told again, taken back."""
    if envelope.gone:
        return "D"
    return "C" if envelope.rank > 1 or envelope.parent else "F"


def _report(chart: Chart, envelope: Envelope, order: Order) -> list[Segment]:
    sent, stay = envelope.document.sent, envelope.stay
    action = {"F": "NW", "C": "RO", "D": "CA"}[_flag(envelope)]
    placer: Field = [Ident(order.placer, "AUTRE_ID"), "DPI"]
    filler: Field = [Ident(order.filler, "AUTRE_ID"), "SIL"]
    return [
        seg.pid(chart.person, sent, stay.ipp, stay.nda),
        visit.brief_pv1(stay, sent, keyed=False),
        Segment("ORC", {1: action, 2: placer, 3: filler, 9: stamp(sent)}),
        Segment(
            "OBR",
            {
                1: "1",
                2: placer,
                3: filler,
                4: [envelope.document.code, envelope.title, "LN"],
                7: stamp(order.observed),
                22: stamp(sent),
                25: _flag(envelope).replace("D", "X"),
                32: [envelope.author.cnn()],
            },
        ),
    ]


def _letter(chart: Chart, envelope: Envelope) -> list[Segment]:
    document, stay = envelope.document, envelope.stay
    sent: dt.datetime = document.sent
    header = Segment(
        "TXA",
        {
            1: "1",
            2: document.code,
            3: "TEXT",
            4: minute(sent),
            9: envelope.author.xcn(),
            12: [Ident(document.number, "AUTRE_ID"), "DPI"],
            13: [Ident(envelope.parent, "AUTRE_ID"), "DPI"] if envelope.parent else "",
            17: "LA",
        },
    )
    return [
        seg.evn(sent, sent),
        seg.pid(chart.person, sent, stay.ipp, stay.nda),
        visit.pv1(stay, sent),
        header,
    ]


def _attached(envelope: Envelope) -> Segment:
    document = envelope.document
    data = base64.b64encode(document.content()).decode("ascii")
    named = Text([place.ident for place in places(document.root)])
    content: Field = ["", "TEXT", "XML", "Base64", Attachment(data, named, plain=False)]
    return Segment(
        "OBX",
        {
            1: "1",
            2: "ED",
            3: [document.code, envelope.title, "LN"],
            5: content,
            11: _flag(envelope),
            14: minute(document.sent),
        },
    )


def _visibility() -> list[Segment]:
    """Who may not see the document in the shared record: nobody is excluded."""
    codes = (
        ("MASQUE_PS", "Masqué aux professionnels de Santé"),
        ("INVISIBLE_PATIENT", "Document Non Visible par le patient"),
    )
    return [
        Segment(
            "OBX",
            {1: str(rank), 2: "CE", 3: [name, label, "MetaDMPMSS"], 5: ["N"], 11: "F"},
        )
        for rank, (name, label) in enumerate(codes, 2)
    ]
