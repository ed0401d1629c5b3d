"""DocumentReference: a letter in its attachment, or in a Binary beside it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from random import Random

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.documents import as_html, as_rtf, file_name
from entrepot.synthetic.fhir.elements import (
    DOCUMENTS,
    LOINC,
    Element,
    coding,
    concept,
    opaque,
    period,
    present,
    professional,
    reference,
)
from entrepot.synthetic.fhir.encounters import encounter_reference
from entrepot.synthetic.fhir.patients import patient_id
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.message import Attachment, Ident, Text
from entrepot.synthetic.orders import Letter
from entrepot.synthetic.times import instant

FORMS = ("plain", "plain", "plain", "html", "html", "rtf", "rtf", "binary")
TYPES = {"plain": "text/plain; charset=utf-8", "html": "text/html", "rtf": "application/rtf"}


def messages(chart: Chart) -> Iterator[Resource]:
    """Every version of every DocumentReference of one patient, in no order."""
    known = {letter.document: letter for letter in chart.letters}
    for letter in chart.letters:
        sent = letter.written + dt.timedelta(seconds=45)
        yield from _sent(chart, letter, sent, "current", known.get(letter.parent))
        newer = known.get(letter.replaced_by)
        if newer:
            replaced = newer.written + dt.timedelta(seconds=45)
            yield from _sent(chart, letter, replaced, "superseded", None)
        if letter.withdrawn:
            yield from _sent(chart, letter, letter.withdrawn, "entered-in-error", None)


def _sent(
    chart: Chart, letter: Letter, sent: dt.datetime, status: str, older: Letter | None
) -> Iterator[Resource]:
    rng = stream(chart.seed, chart.person.index, f"fhir letter {letter.document}")
    form = rng.choice(FORMS)
    attachment = _attachment(chart, letter, "plain" if form == "binary" else form)
    key = opaque(chart.seed, "DocumentReference", letter.document)
    binary = opaque(chart.seed, "Binary", letter.document)
    if form == "binary":
        held = {"contentType": "text/plain; charset=utf-8", "data": attachment.pop("data")}
        attachment["url"] = Text(["Binary/", Ident(binary, "AUTRE_ID")])
        held["securityContext"] = reference("Patient", patient_id(chart.seed, letter.ipp), rng)
    content = _content(chart, letter, status, attachment, rng)
    if older:
        target = opaque(chart.seed, "DocumentReference", older.document)
        content["relatesTo"] = [
            {"code": "replaces", "target": reference("DocumentReference", target, rng)}
        ]
    facts = (letter.id, older.id) if older else (letter.id,)
    new = Resource("DocumentReference", key, content, chart.person.id, sent, facts)
    draw = rng.random()
    if draw < 0.2 or form == "binary":
        new.bundle = f"transaction {letter.document} {status}"
    elif draw < 0.3:
        new.bundle = f"document {letter.document} {status}"
    if status == "entered-in-error":
        new.marks["cancel"] = True
    elif older or status == "superseded":
        new.marks["correction"] = True
    yield new
    if form == "binary":
        page = Resource("Binary", binary, held, chart.person.id, sent, (letter.id,))
        page.bundle, page.deleted = new.bundle, status != "current"
        if page.deleted:
            page.marks["cancel"] = True
        yield page


def _content(
    chart: Chart, letter: Letter, status: str, attachment: Element, rng: Random
) -> Element:
    number = Ident(letter.document, "AUTRE_ID")
    stay = letter.stay
    context = {
        "encounter": [encounter_reference(chart, stay, rng)],
        "period": period(stay.start, stay.exit_at(letter.written)[0]),
    }
    return present(
        masterIdentifier={"system": DOCUMENTS, "value": number},
        status="current" if status == "current" else status,
        docStatus="entered-in-error" if status == "entered-in-error" else "final",
        type=concept(coding(LOINC, letter.type_code, letter.title)),
        subject=reference("Patient", patient_id(chart.seed, letter.ipp), rng),
        date=instant(letter.written),
        author=[professional(chart.seed, letter.author, rng)],
        custodian={"reference": "Organization/ch-synthetique"},
        description=file_name(chart, letter) if int(letter.document[-1]) < 3 else "",
        content=[{"attachment": attachment}],
        context=context,
    )


def _attachment(chart: Chart, letter: Letter, form: str) -> Element:
    if form == "html":
        raw = as_html(letter.text, entities=int(letter.document[-1]) % 2 == 0).encode()
    else:
        raw = as_rtf(letter.text).encode("ascii") if form == "rtf" else letter.text.encode()
    data = base64.b64encode(raw).decode("ascii")
    return {
        "contentType": TYPES[form],
        "language": "fr-FR",
        "data": Attachment(data, letter.text, plain=form == "plain"),
        "title": letter.title,
        "creation": instant(letter.written),
    }
