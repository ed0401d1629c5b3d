"""Records that property tests tell: of the synthetic hospital, in three formats, packed."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from entrepot.synthetic.fhir.bundles import assembled
from entrepot.synthetic.fhir.resource import Resource, written
from entrepot.synthetic.hl7v2_writer import encode, msh, slot
from entrepot.synthetic.records import patient_records
from entrepot.synthetic.telling import FORMATS

TWICE = 0.3  # share of the facts that a second format tells again
SUFFIXES = {"hl7v2": "hl7", "fhir": "ndjson", "cda": "xml"}
PACKINGS = ("lines", "gz", "alone", "array", "bundle", "searchset")


@dataclass(frozen=True)
class Told:
    """One message, resource, Bundle or document of the synthetic hospital.

    Args:
        event: `ADT^A40^ADT_A39`, resource type, `CDA^11502-2`; patients: ids of all whom it
            speaks of; bundle: key of the Bundle that the resource stood in.
    """

    source: str
    event: str
    patients: frozenset[str]
    sent: dt.datetime
    content: bytes
    format: str = "hl7v2"
    bundle: str = ""

    @property
    def links(self) -> bool:
        """Whether a FHIR Patient names another one as the same person."""
        return self.event == "Patient" and b'"link":' in self.content


def hospital(
    seed: int,
    patients: Iterable[int],
    formats: tuple[str, ...] = FORMATS,
    *,
    twice: float = TWICE,
) -> list[Told]:
    """The records of chosen patients, each once, in the order of arrival by patient and format.

    A resource that stood in a Bundle is told in a Bundle of its own, with those that it needs.
    """
    found = []
    for index in patients:
        records = patient_records(seed, index, formats, twice)
        for message in records.messages:
            charset = slot(message.source, message.arrival).charset
            content = encode([msh(message, charset), *message.segments], charset)
            about = frozenset({message.patient, message.other} - {"", None})
            found.append(Told(message.source, message.event, about, message.sent, content))
        found += _resources(seed, records.resources)
        for one in records.documents:
            about = frozenset({one.patient})
            found.append(Told("cda", one.event, about, one.sent, one.content(), "cda"))
    return found


def _resources(seed: int, resources: list[Resource]) -> list[Told]:
    found, groups = [], dict[str, list[Resource]]()
    for one in resources:
        if one.bundle:
            groups.setdefault(one.bundle, []).append(one)
        elif not one.cut:
            found.append(_told(one, written(one.whole()).encode()))
    for key, members in groups.items():
        whole: dict[str, Any] = json.loads(written(assembled(seed, key, members)[0]))
        for one, entry in zip(members, whole["entry"], strict=True):
            needed = [entry, *_referred(entry, whole["entry"])]
            found.append(_told(one, json.dumps(whole | {"entry": needed}).encode(), key))
    return found


def _told(one: Resource, content: bytes, bundle: str = "") -> Told:
    about = frozenset({one.patient, one.other} - {""})
    return Told("fhir", one.event, about, one.sent, content, "fhir", bundle)


def _referred(entry: dict[str, Any], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The other entries that a resource of a Bundle points to."""
    text = json.dumps(entry.get("resource", {}))
    return [
        other
        for other in entries
        if other is not entry and (url := other.get("fullUrl", "")) and f'"{url}"' in text
    ]


def ipps(seed: int, patient: int) -> list[str]:
    """Every IPP that the patient ever had."""
    return list(patient_records(seed, patient, (), 0).chart.person.ipps)


def files(stretch: list[Told], packing: str) -> list[tuple[str, bytes]]:
    """Suffix and content of the files that hold records of one source."""
    suffix, contents = SUFFIXES[stretch[0].format], [told.content for told in stretch]
    if suffix == "xml" or (suffix == "ndjson" and packing == "alone"):
        return [(suffix, content) for content in contents]
    if suffix == "hl7":
        return [(suffix, b"".join(contents))]
    if packing == "array":
        return [("json", b"[" + b",".join(contents) + b"]")]
    if packing in ("bundle", "searchset"):
        return [("json", _bundle(contents, "collection" if packing == "bundle" else packing))]
    lines = b"\n".join(contents) + b"\n"
    return [("ndjson.gz", gzip.compress(lines))] if packing == "gz" else [(suffix, lines)]


def _bundle(contents: list[bytes], kind: str) -> bytes:
    entries = b",".join(b'{"resource":' + content + b"}" for content in contents)
    return b'{"resourceType":"Bundle","type":"%s","entry":[%s]}' % (kind.encode(), entries)
