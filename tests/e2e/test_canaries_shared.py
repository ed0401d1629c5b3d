"""The public FHIR and CDA sets with one patient's identifiers in every text that they hold.

Whatever their authors thought of writing (nested narratives, contained resources, extensions,
notes, translations), each text becomes a letter that names the patient, each name of another person
a name that stands nowhere else. All of it goes down the road; nobody may be found at its end.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import canary_records as canary
import pytest
from lxml import etree  # type: ignore[import-untyped]
from test_canaries_formats import SETTINGS, named_leaks

import roads
from entrepot.config import Site
from entrepot.landing import fhir_split

pytestmark = pytest.mark.integration

FHIR_SETS = (
    "frcore_examples_2.2.0", "synthea_smart_r4", "msfhir_R4", "phdi_bundles", "pathling",
    "cumulus_etl", "fr_transcribed", "v2tofhir_ig",
)  # fmt: skip
CDA_SETS = ("ans_cda_3_0", "ms_fhirconverter", "hl7_ccda_examples", "ccda_omop_python")
OF_A_TYPE, OF_A_SET = 12, 12
MOST_BYTES = 4_000_000
TEXTS = {
    "text", "display", "description", "title", "comment", "conclusion", "valueString", "label",
    "name", "alias", "lotNumber", "serialNumber", "distinctIdentifier", "deviceIdentifier",
    "patientInstruction", "instruction", "caption", "summary", "valueMarkdown", "contentString",
    "manufacturer", "modelNumber",
}  # fmt: skip
ATTACHED = {"data": canary.LETTER_DATA, "contentType": "text/plain"}
REFERENCES = {
    "subject": canary.SUBJECT, "patient": canary.SUBJECT, "encounter": canary.STAY,
}  # fmt: skip
PERSONAL = {"family", "given", "line", "city"}
PEOPLE = {
    "author", "actor", "performer", "recorder", "asserter", "requester", "individual", "provider",
    "who", "agent", "practitioner", "sender", "source", "enterer",
}  # fmt: skip
UNITS = {"Organization", "Location"}  # their numbers are public, and stay
CDA_PERSONAL = {"family", "given", "streetAddressLine", "city", "streetName", "desc"}
LETTERS = {"paragraph", "td", "text", "value", "item", "content", "th"}
_HL7 = "{urn:hl7-org:v3}"
_NUMBER = count()


def _named(value: Any, where: str, key: str = "") -> Any:
    """JSON of a resource with canaries for its texts; `key` is the element that holds it."""
    if isinstance(value, list):
        return [_named(item, where, key) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _element(value, name, item, where, key) for name, item in value.items()}


def _element(parent: dict[str, Any], name: str, item: Any, where: str, key: str) -> Any:
    if name in PERSONAL:
        return [canary.bird() for _ in item] if isinstance(item, list) else canary.bird()
    if isinstance(item, str):
        personal = name == "display" and ("reference" in parent or key in PEOPLE)
        return f"Dr {canary.bird()}" if personal else _string(name, item, where, key.lower())
    if isinstance(item, dict) and name in REFERENCES and "reference" in item:
        return REFERENCES[name]
    return _named(item, where, name)


def _string(name: str, item: str, where: str, key: str) -> str:
    if name == "value" and key.endswith("identifier") and where not in UNITS:
        return f"{canary.IPP}-{next(_NUMBER)}"
    if name == "value" and key == "telecom":
        return canary.PHONE
    if name == "div":
        return f"<div>{canary.bird()} {canary.MENTION}</div>"
    return ATTACHED.get(name, canary.LETTER if name in TEXTS else item)


def _resources(shared: Path) -> Iterator[dict[str, Any]]:
    """Some resources of each type and set, all about the one patient."""
    seen: Counter[str] = Counter()
    for folder in FHIR_SETS:
        for path in sorted((shared / "data" / "fhir" / folder).rglob("*.*json")):
            if path.stat().st_size > MOST_BYTES:
                continue
            for arrival in fhir_split.split(path.read_bytes()):
                kind, resource = _resource(arrival.content)
                if kind in {"", "Patient"} or seen[kind] >= OF_A_TYPE:
                    continue
                seen[kind] += 1
                found: dict[str, Any] = _named(resource, kind)
                meta = {"lastUpdated": canary.WHEN}  # a label might keep the record out
                yield found | {"id": f"{canary.IPP}-{next(_NUMBER)}", "meta": meta}


def _resource(content: bytes) -> tuple[str, Any]:
    try:
        whole = json.loads(content)
    except ValueError:
        return "", None
    resource = whole.get("resource", whole) if isinstance(whole, dict) else whole
    kind = resource.get("resourceType", "") if isinstance(resource, dict) else ""
    return str(kind), resource


def _documents(shared: Path) -> Iterator[bytes]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    for folder in CDA_SETS:
        paths = sorted((shared / "data" / "cda" / folder).rglob("*.*"))
        found = [path for path in paths if path.suffix in {".xml", ".ccda"}]
        for path in found[:: max(1, len(found) // OF_A_SET)]:
            if path.stat().st_size > MOST_BYTES:
                continue
            root = _parsed(path.read_bytes(), parser)
            if root is not None and root.tag == f"{_HL7}ClinicalDocument":
                yield _about_the_patient(root)


def _parsed(content: bytes, parser: Any) -> Any:
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError:  # some of the sets are broken
        return None


def _about_the_patient(root: Any) -> bytes:
    own = etree.fromstring(canary.document("0", "")).find(f"{_HL7}recordTarget")
    for target in root.findall(f"{_HL7}recordTarget"):
        root.remove(target)
    for element in root.iter(etree.Element):
        _rename(element, {etree.QName(one).localname for one in element.iterancestors()})
    root.insert(0, etree.Comment(f"{canary.bird()} {canary.MENTION}"))
    root.insert(0, own)
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return content


def _rename(element: Any, around: set[str]) -> None:
    name = etree.QName(element).localname
    if element.get("displayName"):
        element.set("displayName", canary.MENTION)
    if name == "confidentialityCode":
        element.set("code", "N")
    if name == "telecom" and element.get("value"):
        element.set("value", f"tel:{canary.PHONE}")
    if name in {"id", "setId"} and element.get("extension"):
        stay = "encompassingEncounter" in around and "assignedEntity" not in around
        number = canary.NDA if stay else canary.IPP
        element.set("extension", f"{number}-{next(_NUMBER)}")
    if element.tail and element.tail.strip():
        element.tail = f" {canary.MENTION}"
    if not (element.text and element.text.strip()):
        return
    if element.get("representation"):
        element.text = canary.LETTER_DATA
        element.set("mediaType", "text/plain")
    elif name in CDA_PERSONAL or (name == "name" and "assignedPerson" in around):
        element.text = canary.bird()
    else:
        element.text = canary.LETTER if name in LETTERS else canary.MENTION


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return roads.new_site(tmp_path / "site", SETTINGS)


def test_nobody_is_found_in_what_becomes_of_public_resources(
    site: Site, shared: Path, tmp_path: Path
) -> None:
    known = canary.resources()[:3]  # who the patient, the professional, the stay are
    told = [*known, *_resources(shared)]
    roads.feed(site, "fhir", "\n".join(map(json.dumps, told)).encode(), "fhir")
    assert roads.travel(site).passed
    assert named_leaks(site, tmp_path) == []
    _assert_published(site, 60)


def test_nobody_is_found_in_what_becomes_of_public_documents(
    site: Site, shared: Path, tmp_path: Path
) -> None:
    for number, content in enumerate(_documents(shared)):
        roads.feed(site, f"{number}.xml", content, "cda")
    assert roads.travel(site).passed
    assert named_leaks(site, tmp_path) == []
    _assert_published(site, 100)


def _assert_published(site: Site, least: int) -> None:
    """The comparison is not of nothing: there are rows, and texts with what was masked."""
    tables = ("condition_occurrence", "measurement", "observation", "drug_exposure", "note")
    rows = sum(roads.query(site, f"SELECT count(*) FROM cdm.{table}")[0][0] for table in tables)
    assert rows > least
    masked = "SELECT count(*) FROM cdm.note WHERE note_text LIKE '%[NOM_1]%'"
    assert roads.query(site, masked)[0][0] > 3
