"""Records written by hand, each about one person: FHIR R4, CDA-R2, HL7 v2.

Times are given as HL7 writes them, to the second, in local civil time (`20240330103000`).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

from faults.hand_made import AUTHORITY, message, pid
from properties.told import Told

OID = "1.2.250.1.999.1"
LOINC, OID_LOINC = "http://loinc.org", "2.16.840.1.113883.6.1"
RESULT_TEMPLATE = "1.3.6.1.4.1.19376.1.3.1.6"  # IHE PaLM laboratory observation
PROBLEM_TEMPLATE = "1.3.6.1.4.1.19376.1.5.3.1.4.5"  # IHE PCC problem entry
PRESCRIPTION_TEMPLATE = "1.3.6.1.4.1.19376.1.9.1.3.2"  # IHE pharmacy prescription item
_ORDERED = '<inFulfillmentOf><order><id root="1.2.5" extension="{}"/></order></inFulfillmentOf>'
_REPLACING = (
    '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3" extension="{}"/>'
    "</parentDocument></relatedDocument>"
)
_ZONE = ZoneInfo("Europe/Paris")
_NAMESPACES = (
    'xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:lab="urn:oid:1.3.6.1.4.1.19376.1.3.2"'
)


def moment(at: str) -> dt.datetime:
    """A time as HL7 writes it."""
    return dt.datetime.strptime(at, "%Y%m%d%H%M%S")


def instant(at: str) -> str:
    """The same time as FHIR writes it, with its offset."""
    return moment(at).replace(tzinfo=_ZONE).isoformat()


def resource(kind: str, key: str, sent: str, **content: Any) -> Told:
    """One version of a resource; without `sent` it states no time of its own."""
    head: dict[str, Any] = {"resourceType": kind} | ({"id": key} if key else {})
    meta = {"meta": {"lastUpdated": instant(sent)}} if sent else {}
    return _fhir(kind, sent, head | meta | content)


def deletion(kind: str, key: str, sent: str) -> Told:
    """A transaction that deletes a resource."""
    return transaction(sent, {"request": {"method": "DELETE", "url": f"{kind}/{key}"}})


def transaction(sent: str, *entries: dict[str, Any]) -> Told:
    """A transaction Bundle."""
    whole = {"resourceType": "Bundle", "type": "transaction", "timestamp": instant(sent)}
    return _fhir("Bundle", sent, whole | {"entry": list(entries)})


def patient(
    key: str, ipp: str, sent: str = "20240101080000", name: str = "MARTIN", **more: Any
) -> Told:
    """A Patient with one IPP."""
    numbered = {
        "type": {"coding": [{"code": "PI"}]},
        "system": f"urn:oid:{OID}",
        "value": ipp,
    }
    return resource(
        "Patient", key, sent, identifier=[numbered], name=[{"family": name, "given": ["ANNE"]}],
        gender="female", birthDate="1970-04-12", **more,
    )  # fmt: skip


def observation(
    key: str, of: str, number: float | str, sent: str = "20240330120000",
    at: str = "20240330103000", code: str = "718-7", **more: Any,
) -> Told:  # fmt: skip
    """A haemoglobin in g/dL; `of` is the logical id of its Patient."""
    content: dict[str, Any] = {
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": instant(at),
        "valueQuantity": quantity(number),
    }
    told = {name: value for name, value in (content | more).items() if value is not None}
    return resource("Observation", key, sent, **told)


def quantity(number: float | str, **more: Any) -> dict[str, Any]:
    """A Quantity in g/dL."""
    value = {"unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"}
    return {"value": number} | value | more


def filler(order: str) -> list[dict[str, Any]]:
    """The laboratory's number of an order, as Observation.identifier."""
    return [{"type": {"coding": [{"code": "FILL"}]}, "value": order}]


def _fhir(kind: str, sent: str, whole: dict[str, Any]) -> Told:
    content = json.dumps(whole, separators=(",", ":")).encode()
    return Told("fhir", kind, frozenset(), moment(sent or "20240101000000"), content, "fhir")


def cda(
    number: str, ipp: str, sent: str, *entries: str, text: str = "Voir page 2", set_: str = "",
    version: int = 0, replaces: str = "", order: str = "", code: str = "11502-2",
) -> Told:  # fmt: skip
    """A document with one section; `replaces` is the id of its parent (RPLC)."""
    versions = f'<setId root="1.2.4" extension="{set_}"/>' if set_ else ""
    versions += f'<versionNumber value="{version}"/>' if version else ""
    acts = _ORDERED.format(order) if order else ""
    acts += _REPLACING.format(replaces) if replaces else ""
    body = "".join(f"<entry>{one}</entry>" for one in entries)
    content = f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument {_NAMESPACES}><realmCode code="FR"/>
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<id root="1.2.3" extension="{number}"/><code code="{code}" codeSystem="{OID_LOINC}"/>
<title>Compte rendu</title><effectiveTime value="{with_offset(sent)}"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>{versions}
<recordTarget><patientRole><id root="{OID}" extension="{ipp}"/><patient>
<name><family qualifier="BR">MARTIN</family><given>ANNE</given></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
<birthTime value="19700412"/></patient></patientRole></recordTarget>{acts}
<component><structuredBody><component><section>
<code code="30954-2" codeSystem="{OID_LOINC}"/><text>{text}</text>{body}
</section></component></structuredBody></component></ClinicalDocument>"""
    return Told("cda", f"CDA^{code}", frozenset(), moment(sent), content.encode(), "cda")


def with_offset(at: str) -> str:
    """A time as HL7 writes it, with its offset."""
    return moment(at).replace(tzinfo=_ZONE).strftime("%Y%m%d%H%M%S%z")


def result(
    value: str, at: str = "20240330103000", code: str = "718-7", attributes: str = "",
    more: str = "", time: str = "",
) -> str:  # fmt: skip
    """A laboratory observation of a CDA with its `value` element."""
    time = time or f'<effectiveTime value="{with_offset(at)}"/>'
    return (
        f'<observation classCode="OBS" moodCode="EVN" {attributes}>'
        f'<templateId root="{RESULT_TEMPLATE}"/><code code="{code}" codeSystem="{OID_LOINC}"/>'
        f'<statusCode code="completed"/>{time}{value}{more}</observation>'
    )


def pq(number: float | str) -> str:
    """A physical quantity in g/dL."""
    return f'<value xsi:type="PQ" value="{number}" unit="g/dL"/>'


def oru(
    control: str, ipp: str, sent: str, order: str, number: float | str, *, status: str = "F",
    at: str = "20240330103000", code: str = "718-7", stay: str = "",
) -> Told:  # fmt: skip
    """ORU^R01 with one haemoglobin."""
    content = message(
        "ORU^R01^ORU_R01", control, sent, pid(ipp), f"PV1|1|N{'|' * 17}{stay}",
        f"ORC|RE|P{order}|{order}",
        f"OBR|1|P{order}|{order}|HB^^L|||{at}",
        f"OBX|1|NM|{code}^Hb^LN||{number}|g/dL|||||{status}|||{at}",
    )  # fmt: skip
    return Told("lab", "ORU^R01^ORU_R01", frozenset(), moment(sent), content)


def carried(
    control: str, ipp: str, sent: str, document: Told, *, status: str = "F", order: str = "NW"
) -> Told:
    """ORU^R01 that transmits a CDA document (CI-SIS)."""
    data = base64.b64encode(document.content).decode()
    content = message(
        "ORU^R01^ORU_R01", control, sent, pid(ipp), "PV1|1|N", f"ORC|{order}|P1|F{control[:4]}",
        f"OBR|1|P1|F{control[:4]}|11502-2^^LN|||{sent}",
        f"OBX|1|ED|11502-2^CR^LN||^TEXT^XML^Base64^{data}||||||{status}|||{sent}",
    )  # fmt: skip
    return Told("lab", "ORU^R01^ORU_R01", frozenset(), moment(sent), content)


def letter(
    event: str, control: str, ipp: str, sent: str, document: Told, number: str, *,
    status: str = "F", parent: str = "",
) -> Told:  # fmt: skip
    """MDM that transmits a CDA document."""
    data = base64.b64encode(document.content).decode()
    content = message(
        f"MDM^{event}^MDM_T02", control, sent, pid(ipp), "PV1|1|N",
        f"TXA|1|11490-0|TX|{sent}||||||||{number}|{parent}||||LA",
        f"OBX|1|ED|11490-0^CR^LN||^TEXT^XML^Base64^{data}||||||{status}|||{sent}",
    )  # fmt: skip
    return Told("letters", f"MDM^{event}^MDM_T02", frozenset(), moment(sent), content)


def joined(event: str, control: str, sent: str, one: str, other: str) -> Told:
    """A40 (the second number is absorbed), A24 or A37."""
    second = (
        f"MRG|{other}^^^{AUTHORITY}^PI"
        if event == "A40"
        else pid(other).replace("PID|1", "PID|2", 1)
    )
    structure = "ADT_A39" if event == "A40" else f"ADT_{event}"
    content = message(f"ADT^{event}^{structure}", control, sent, pid(one), second)
    return Told("adt", f"ADT^{event}^{structure}", frozenset(), moment(sent), content)
