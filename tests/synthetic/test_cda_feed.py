"""The CDA feed holds what CI-SIS asks of a header and, read back, ends in the stated truth."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from cda_reading import TYPE, Cda, moment
from hl7_reading import pick
from lxml import etree  # type: ignore[import-untyped]
from synthetic_hospital import Hospital

pytestmark = pytest.mark.core

Line = dict[str, Any]
HEADER = (  # in the order of the schema
    "realmCode", "typeId", "templateId", "id", "code", "title", "effectiveTime",
    "confidentialityCode", "languageCode", "setId", "versionNumber", "recordTarget", "author",
    "custodian", "legalAuthenticator", "participant", "inFulfillmentOf", "documentationOf",
    "relatedDocument", "componentOf", "component",
)  # fmt: skip
OPTIONAL = {"inFulfillmentOf", "relatedDocument"}
CODES = {"G/L": "10*9/L", "T/L": "10*12/L", "UI": "[IU]", "UI/L": "[IU]/L", "mUI/L": "m[IU]/L",
         "mL/min/1,73m²": "mL/min/{1.73_m2}", "µg": "ug", "µg/L": "ug/L",
         "µmol/L": "umol/L"}  # fmt: skip
ROUTES = {"20053000": "PO", "20045000": "IV", "20066000": "SC", "20035000": "IM", "20020000": "IH"}
STAY = "componentOf/encompassingEncounter"
SHOT = ".//c:substanceAdministration"


def told(hospital: Hospital, kind: str) -> list[Line]:
    """The statements of one kind that the CDA feed tells."""
    return [s for s in hospital.statements.values() if s["kind"] == kind and "cda" in s["told_in"]]


def final(hospital: Hospital, *types: str) -> dict[str, Cda]:
    """The last version of each document of some types, by number; taken back ones are gone."""
    last: dict[str, Cda] = {}
    lines = [m for m in hospital.messages if m["message"] in hospital.documents]
    for line in sorted(lines, key=lambda m: (m["sent"], m["message"])):
        if line["duplicate_of"] or line["bad"]:
            continue
        document = hospital.documents[line["message"]]
        if document.one("code/@code") not in types:
            continue
        last.pop(document.one("relatedDocument/parentDocument/id/@extension"), None)
        last[document.one("id/@extension")] = document
        if line["carries"] and pick(hospital.read[line["message"]].named("OBX")[0], 11) == "D":
            del last[document.one("id/@extension")]
    return last


def at(text: str) -> str | None:
    """A CDA time as the truth writes it."""
    return moment(text).isoformat() if text else None


def test_headers(mixed: Hospital) -> None:
    found: Counter[str] = Counter()
    for document in mixed.documents.values():
        names = [etree.QName(e).localname for e in document.root]
        unique = list(dict.fromkeys(names))
        assert unique == [name for name in HEADER if name in unique]
        assert set(HEADER) - set(unique) <= OPTIONAL
        assert document.one("realmCode/@code") == "FR"
        assert document.one("typeId/@extension") == "POCD_HD000040"
        assert {"2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1"} <= set(
            document.all("templateId/@root")
        )
        found[document.one("code/@code")] += 1
    assert set(found) >= {"11502-2", "57833-6", "11490-0", "87273-9", "18748-4"}
    assert found["11502-2"] > 150


def test_whose_and_in_which_stay(mixed: Hospital) -> None:
    births = {s["patient"]: s for s in mixed.statements.values() if s["kind"] == "identity"}
    stays = {s["nda"]: s for s in mixed.statements.values() if s["kind"] == "stay"}
    seen_ins = 0
    for name, document in mixed.documents.items():
        person = mixed.persons[name[:7]]
        ids = {i.get("root"): i.get("extension") for i in document.all("recordTarget/*/id")}
        assert ids.pop("1.2.250.1.999.1") in person["ipps"]
        assert set(ids.values()) <= {person["ins"]}
        seen_ins += bool(ids)
        stay = stays[document.one(f"{STAY}/id/@extension")]
        assert stay["patient"] == person["patient"]
        assert at(document.one(f"{STAY}/effectiveTime/low/@value")) == stay["start"]
        gender = document.one("recordTarget/patientRole/patient/administrativeGenderCode/@code")
        assert gender == births[person["patient"]]["sex"].replace("I", "UN")
    assert seen_ins > 100


def test_versions_of_a_set(mixed: Hospital) -> None:
    sets: dict[str, list[tuple[int, str, str]]] = {}
    for document in mixed.documents.values():
        version = (
            int(document.one("versionNumber/@value")),
            document.one("id/@extension"),
            document.one("relatedDocument/parentDocument/id/@extension"),
        )
        held = sets.setdefault(document.one("setId/@extension"), [])
        if version not in held:
            held.append(version)
    assert sum(len(versions) > 1 for versions in sets.values()) > 5
    for versions in sets.values():
        versions.sort()
        assert [rank for rank, _, _ in versions] == list(range(1, len(versions) + 1))
        assert [parent for _, _, parent in versions] == ["", *(own for _, own, _ in versions)][:-1]


def test_results(mixed: Hospital) -> None:
    found: dict[tuple[str, str, str], Any] = {}
    for document in final(mixed, "11502-2").values():
        order = document.one("inFulfillmentOf/order/id/@extension")
        isolates = document.all(".//c:organizer[@classCode='CLUSTER']")
        for one in document.all(".//c:observation"):
            place = [i for i, e in enumerate(isolates, 1) if e in list(one.iterancestors())]
            local = one.xpath("c:code/c:translation/@code", namespaces={"c": "urn:hl7-org:v3"})[0]
            key = (order, local, str(place[0]) if place else "")
            assert key not in found
            found[key] = one
    checked = 0
    for truth in told(mixed, "result"):
        key = (truth["order"], truth["local_code"], truth["sub_id"] or "")
        one = found.pop(key, None)
        assert (one is None) == truth["cancelled"], truth["id"]
        if one is not None:
            check_result(truth, one)
            checked += 1
    assert not found
    assert checked > 700


def check_result(truth: Line, one: Any) -> None:
    """Status, time, code, value, unit and range of one observation."""
    document = Cda(one)
    code = document.one("code/@code") or document.one("code/translation/@code")
    assert code == truth["code"]
    assert document.one("statusCode/@code") == (
        "aborted" if truth["status"] == "X" else "completed"
    )
    assert at(document.one("effectiveTime/@value")) == truth["at"]
    assert written(document) == (
        truth["coded"]["code"] if truth["coded"] else
        (truth["operator"] or "") + (truth["number"] or "") or truth["value"]
    )  # fmt: skip
    units = {*document.all("value/@unit"), *document.all("value/*/@unit")}
    quantified = truth["number"] and truth["unit"]
    assert units == ({CODES.get(truth["unit"], truth["unit"])} if quantified else set())
    for side in ("low", "high"):
        path = f"referenceRange/observationRange/value/{side}/@value"
        assert document.one(path) == (truth[side] or "")


def written(document: Cda) -> str:
    """The value of an observation, by its type."""
    values = document.all("value")
    kind = values[0].get(TYPE) if values else ""
    if kind == "IVL_PQ":
        (bound,) = list(values[0])
        assert bound.get("inclusive") == "false"
        return {"high": "<", "low": ">"}[etree.QName(bound).localname] + str(bound.get("value"))
    if kind == "PQ":
        return document.one("value/@value")
    return document.one("value/@code") if kind == "CD" else document.one("value")


def test_letters(mixed: Hospital) -> None:
    types = {s["type_code"] for s in mixed.statements.values() if s["kind"] == "letter"}
    found = final(mixed, *types)
    forms: Counter[str] = Counter()
    for truth in told(mixed, "letter"):
        document = found.pop(truth["document"], None)
        assert (document is None) == truth["cancelled"], truth["id"]
        if document is None:
            continue
        assert document.one("code/@code") == truth["type_code"]
        assert at(document.one("effectiveTime/@value")) == truth["at"]
        assert document.one("author/assignedAuthor/id/@extension") == truth["author"]
        assert document.one(f"{STAY}/id/@extension") == truth["stay"]
        assert [phrase for phrase in truth["keep"] if phrase not in document.everything] == []
        body = document.all("component/nonXMLBody/text/@mediaType")
        forms[str(body[0]) if body else "sections"] += 1
    assert not found
    assert set(forms) == {"sections", "text/plain", "text/rtf"}


def test_prescriptions_and_vaccinations(mixed: Hospital) -> None:
    found: dict[str, Cda] = {}
    for document in final(mixed, "57833-6", "87273-9").values():
        (one,) = document.all(SHOT)
        found[Cda(one).one("id/@extension")] = Cda(one)
    for truth in told(mixed, "prescription") + told(mixed, "administration"):
        one = found.pop(truth["order"], None)
        assert (one is None) == truth["cancelled"], truth["id"]
        if one is not None:
            check_drug(truth, one)
    assert not found


def check_drug(truth: Line, one: Cda) -> None:
    """Product, times, dose and route of one substanceAdministration."""
    material = "consumable/manufacturedProduct/manufacturedMaterial/code"
    assert one.one(f"{material}/@code") == truth["code"]
    assert one.one(f"{material}/translation/@code") == (truth["alt_code"] or "")
    if truth["kind"] == "prescription":
        assert at(one.one("effectiveTime/low/@value")) == truth["start"]
        assert at(one.one("effectiveTime/high/@value")) == truth["end"]
        assert one.one("text").startswith(truth["sig"])
    else:
        assert at(one.one("effectiveTime/@value")) == truth["start"]
    assert one.one("doseQuantity/@value") == truth["dose"]
    unit = CODES.get(truth["dose_unit"], truth["dose_unit"])
    assert one.one("doseQuantity/@unit") == unit
    assert ROUTES[one.one("routeCode/@code")] == truth["route"]
    assert one.one("routeCode/translation/@code") == truth["route"]


def test_some_documents_travel_in_messages(mixed: Hospital) -> None:
    """As CI-SIS sends them: ORC-1 and OBX-11 say whether one is new, replaces, or is withdrawn."""
    flags: Counter[tuple[str, str]] = Counter()
    for line in mixed.messages:
        if line["carries"] == "cda":
            read = mixed.read[line["message"]]
            attached = read.named("OBX")[0]
            assert (pick(attached, 2), pick(attached, 5, component=3)) == ("ED", "XML")
            flags[line["event"].split("^")[0], pick(attached, 11)] += 1
    kinds = {(kind, flag) for kind in ("ORU", "MDM") for flag in "FC"}
    assert set(flags) >= kinds | {("MDM", "D")}


def test_damaged_documents(mixed: Hospital) -> None:
    bad = {m["message"]: m for m in mixed.messages if m["format"] == "cda" and m["bad"]}
    assert Counter(m["bad"] for m in bad.values()) == {
        "invalid_xml": 2, "dtd_refused": 2, "not_cda": 2,
    }  # fmt: skip
    for line in bad.values():
        content = (mixed.out / line["file"]).read_bytes()
        assert (b"<!DOCTYPE" in content) == (line["bad"] == "dtd_refused")
        if line["bad"] == "invalid_xml":
            with pytest.raises(etree.XMLSyntaxError):
                Cda.of(content)
        elif line["bad"] == "not_cda":
            assert "ClinicalDocument" not in Cda.of(content).root.tag


def test_encodings(mixed: Hospital) -> None:
    found: Counter[str] = Counter()
    for line in mixed.messages:
        if line["format"] == "cda":
            head = (mixed.out / line["file"]).read_bytes().partition(b"\n")[0]
            assert head == f'<?xml version="1.0" encoding="{line["charset"]}"?>'.encode()
            found[line["charset"]] += 1
    assert set(found) == {"UTF-8", "ISO-8859-1", "ISO-8859-15"}
