"""Bundles: transactions, messages and documents, with what each kind must hold beside the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.fhir.elements import (
    BASE,
    DOCUMENTS,
    LOINC,
    Element,
    coding,
    concept,
    opaque,
    reference,
)
from entrepot.synthetic.fhir.patients import patient
from entrepot.synthetic.fhir.resource import Resource
from entrepot.synthetic.message import Ident, Text
from entrepot.synthetic.times import instant


def companions(chart: Chart, found: Sequence[Resource]) -> Iterator[Resource]:
    """The header of each message, the Composition of each document, some Patients."""
    groups: dict[str, list[Resource]] = {}
    for new in found:
        if new.bundle:
            groups.setdefault(new.bundle, []).append(new)
    for key, members in groups.items():
        rng = stream(chart.seed, chart.person.index, f"fhir bundle {key}")
        if key.startswith("message"):
            yield _header(chart, members)
        elif key.startswith("document"):
            yield _composition(chart, members[0])
            yield _subject(chart, members[0])
        elif rng.random() < 0.35:
            yield _subject(chart, members[0])


def _header(chart: Chart, members: list[Resource]) -> Resource:
    first = members[0]
    rng = stream(chart.seed, chart.person.index, f"fhir header {first.bundle}")
    content: Element = {
        "eventCoding": coding("http://terminology.hl7.org/CodeSystem/v2-0003", "R01"),
        "source": {"name": "SIL", "endpoint": f"{BASE}/$process-message"},
        "focus": [reference(new.kind, new.key, rng) for new in members],
    }
    key = opaque(chart.seed, "MessageHeader", chart.person.id, first.bundle)
    header = Resource("MessageHeader", key, content, chart.person.id, first.sent)
    header.bundle, header.marks["bad"] = first.bundle, "acknowledgement"
    return header


def _composition(chart: Chart, letter: Resource) -> Resource:
    """A Composition whose one section points to the letter."""
    rng = stream(chart.seed, chart.person.index, f"fhir composition {letter.bundle}")
    content: Element = {
        "status": "final" if letter.content["status"] == "current" else "amended",
        "type": concept(coding(LOINC, "34133-9", "Synthèse d'épisode de soins")),
        "subject": letter.content["subject"],
        "date": instant(letter.sent),
        "author": [_named(letter.content["author"])],
        "title": "Transmission d'un courrier",
        "section": [
            {"title": "Courrier", "entry": [reference(letter.kind, letter.key, rng)]},
        ],
    }
    key = opaque(chart.seed, "Composition", chart.person.id, letter.bundle)
    new = Resource("Composition", key, content, chart.person.id, letter.sent)
    new.bundle, new.marks["bad"] = letter.bundle, "index"
    return new


def _named(authors: Any) -> Element:
    """The author without an address: a document would have to hold what it points to."""
    known = {name: value for name, value in authors[0].items() if name != "reference"}
    return known or {"display": "Médecin de l'établissement"}


def _subject(chart: Chart, member: Resource) -> Resource:
    """The Patient as known when the Bundle was sent."""
    ipp = next(fact.ipp for fact in chart.facts if fact.id == member.facts[0])
    new = patient(chart, ipp, member.sent)
    new.bundle = member.bundle
    return new


def assembled(seed: int, key: str, members: Sequence[Resource]) -> tuple[Element, list[Element]]:
    """The Bundle of `members` in their order, and each member as it stands in it.

    The entries of a transaction refer to each other by urn:uuid.
    """
    kind = key.split(" ", maxsplit=1)[0]
    names = {
        f"{new.kind}/{new.key}": opaque(seed, "entry", key, new.id) for new in members if new.key
    }
    wholes = [new.whole() for new in members]
    if kind == "transaction":
        wholes = [renamed(whole, names) for whole in wholes]
    entries: list[Any] = [
        _entry(kind, new, whole, names) for new, whole in zip(members, wholes, strict=True)
    ]
    bundle: Element = {
        "resourceType": "Bundle",
        "id": opaque(seed, "Bundle", members[0].patient, key),
        "type": kind,
        "timestamp": instant(members[0].sent, members[0].style),
        "entry": entries,
    }
    if kind == "document":
        value = opaque(seed, "identifier", members[0].patient, key)
        bundle["identifier"] = {"system": DOCUMENTS, "value": value}
    return bundle, wholes


def _entry(kind: str, new: Resource, whole: Element, names: dict[str, str]) -> Element:
    if new.deleted:
        return whole
    name = names.get(f"{new.kind}/{new.key}", opaque("posted", new.id))
    if kind != "transaction":
        return {"fullUrl": f"{BASE}/{new.kind}/{new.key}", "resource": whole}
    request = {"method": "PUT", "url": f"{new.kind}/{new.key}"}
    if not new.key:
        request = {"method": "POST", "url": new.kind}
    return {"fullUrl": f"urn:uuid:{name}", "resource": whole, "request": request}


def renamed(value: Any, names: dict[str, str]) -> Any:
    """`value` with references to the Bundle's own entries by their urn:uuid."""
    if isinstance(value, dict):
        if value.get("method") == "DELETE":
            return value
        return {name: _pointed(name, member, names) for name, member in value.items()}
    if isinstance(value, list):
        return [renamed(item, names) for item in value]
    return value


def _pointed(name: str, value: Any, names: dict[str, str]) -> Any:
    if name in ("reference", "url") and isinstance(value, Text):
        target = "/".join(value.removeprefix(BASE + "/").split("/")[:2])
        if target in names:
            return Text(["urn:uuid:", Ident(names[target], "AUTRE_ID")])
    return renamed(value, names)
