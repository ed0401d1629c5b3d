"""A tiny reader of FHIR exports and Bundles of the tests' own."""

from __future__ import annotations

import datetime as dt
import gzip
import html
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hl7_reading import attachment

if TYPE_CHECKING:
    from synthetic_hospital import Hospital

Line = dict[str, Any]
STEP = re.compile(r"([A-Za-z]+)((?:\[\d+\])*)")
SUBTYPES = {"text/plain; charset=utf-8": "plain", "text/html": "html", "application/rtf": "rtf"}
PARIS = ZoneInfo("Europe/Paris")


def records(path: Path) -> list[dict[str, Any]]:
    """The records of one file in order: NDJSON lines, or the entries of a Bundle.

    An entry that only asks for a deletion is its `{"request": …}`.
    """
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    if ".ndjson" in path.name:
        return [loads(line) if line.endswith("}") else {} for line in text.splitlines()]
    entries = loads(text)["entry"]
    return [entry.get("resource", {"request": entry.get("request")}) for entry in entries]


def loads(text: str) -> dict[str, Any]:
    """JSON with its decimals kept as they are written."""
    found: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return found


def element(record: dict[str, Any], position: str) -> Any:
    """The element at a position (`Patient.name[0].family`, `request.url`)."""
    _, *steps = position.split(".")
    found: Any = record if "resourceType" in record else record["request"]
    for step in steps:
        match = STEP.fullmatch(step)
        assert match, position
        found = found[match[1]]
        for index in re.findall(r"\d+", match[2]):
            found = found[int(index)]
    return found


def text_at(record: dict[str, Any], position: str) -> str:
    """The decoded text at a position: an attachment's content, a narrative's text, a string."""
    found = str(element(record, position))
    if position.endswith(".data"):
        parent = element(record, position.rpartition(".")[0]) if "." in position[7:] else record
        return attachment(found, SUBTYPES[parent["contentType"]])
    return html.unescape(found) if position.endswith(".div") else found


def local(instant: str) -> dt.datetime:
    """A FHIR instant as local civil time of Paris, without zone."""
    return dt.datetime.fromisoformat(instant).astimezone(PARIS).replace(tzinfo=None)


def told(hospital: Hospital, kind: str) -> list[Line]:
    """The statements of one kind that the FHIR feed tells."""
    return [s for s in hospital.statements.values() if s["kind"] == kind and "fhir" in s["told_in"]]


def final(hospital: Hospital, kind: str) -> dict[str, Line]:
    """The last version of each resource of one type by id; deleted ones are gone."""
    last: dict[str, Line] = {}
    for line in hospital.sound_of("fhir"):
        record = hospital.resources[line["message"]]
        if line["event"] != kind:
            continue
        if "resourceType" not in record:
            last.pop(line["control_id"], None)
        else:
            last[line["control_id"] or line["message"]] = record
    return last


def valued(resource: Line, kind: str) -> str:
    """The value of the identifier of one type."""
    found = [
        i["value"]
        for i in resource["identifier"]
        if i.get("type", {}).get("coding", [{}])[0].get("code") == kind
    ]
    assert len(found) == 1
    return str(found[0])


def codes(concept: Line) -> set[str]:
    """Codes of a concept."""
    return {coding["code"] for coding in concept["coding"]}


def at(text: str) -> str:
    """A FHIR instant as the truth writes it."""
    return local(text).isoformat()
