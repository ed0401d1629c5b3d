"""One patient's FHIR and CDA records with an identifier wherever the formats can hold one.

Where the road reads text, the patient's own name, number, telephone and mail are put; where it
must read nothing, a name that stands nowhere else (`bird`).
"""

from __future__ import annotations

import base64
import json
from itertools import count
from typing import Any

from pdf_page import pdf

FAMILY, GIVEN, IPP, PHONE = "Quillévéré-Trobriant", "Maëlwenn", "70913355", "0298765410"
MAIL, NDA, STREET = "mq.trobriant@example.org", "8809912344", "17 venelle du Koz Castel"
DOCTOR, RPPS = "Le Guennégan-Rivoal", "10999887766"
MENTION = f"Mme {GIVEN} {FAMILY.upper()} (IPP {IPP}, tél. 02 98 76 54 10, {MAIL})"
KEPT = "angine virale traitée depuis cinq jours"
LETTER = f"{MENTION} : {KEPT}. Séjour {NDA}."
SYSTEM, WHEN = "urn:oid:1.2.250.1.999.1", "2024-05-06T10:15:00+02:00"
BIRDS: list[str] = []
_NUMBER = count()
Resource = dict[str, Any]


def bird() -> str:
    """A name that stands in one place of one record, and that nothing may read."""
    letters = "bcdfgklmnprtvz"
    number = next(_NUMBER)
    spelt = "".join(letters[number // 14**place % 14] + "au"[place % 2] for place in range(5))
    BIRDS.append(f"Ozq{spelt}xoumeur")
    return BIRDS[-1]


ESCAPED = LETTER.replace("(", "\\(").replace(")", "\\)")
_RTF = "".join(c if ord(c) < 128 else f"\\'{ord(c):02x}" for c in LETTER)
FORMS = {
    "text/plain": LETTER.encode(),
    "text/html": f"<html><body title='{bird()}'><!-- {bird()} --><p>{LETTER}</p>"
    f"<script>'{bird()}'</script></body></html>".encode(),
    "application/rtf": f"{{\\rtf1\\ansi{{\\info{{\\author {bird()}}}}}{_RTF}\\par}}".encode(
        "cp1252"
    ),
    "application/xml": f"<?xml version='1.0'?><note who='{bird()}'><!-- {bird()} --><p>{LETTER}</p>"
    f"<?x {bird()}?></note>".encode(),
    "application/pdf": pdf("Compte rendu de consultation", *ESCAPED.split(" : ")),
}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


LETTER_DATA = _base64(LETTER.encode())


def _display() -> Resource:
    return {"display": f"Dr {bird()}"}


def _resource(kind: str, own: str, **elements: Any) -> Resource:
    """A resource with canaries in what every resource has: narrative, extension, contained, ids."""
    return {
        "resourceType": kind,
        "id": own,
        "meta": {"lastUpdated": WHEN, "tag": [{"display": bird()}]},
        "text": {"status": "generated", "div": f"<div>{bird()} {MENTION}</div>"},
        "contained": [{"resourceType": "Practitioner", "id": "c", "name": [{"text": bird()}]}],
        "extension": [{"url": f"http://example.org/{bird()}", "valueString": f"{bird()} {IPP}"}],
        **elements,
    }


SUBJECT = {"reference": f"Patient/{IPP}", "display": f"{GIVEN} {FAMILY}"}
STAY = {"reference": f"Encounter/{NDA}", "display": MENTION}


def _about(kind: str, own: str, **elements: Any) -> Resource:
    return _resource(kind, own, subject=SUBJECT, encounter=STAY, **elements)


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": MENTION}], "text": MENTION}


def _notes() -> list[Resource]:
    return [{"text": f"{bird()} {MENTION}", "authorReference": _display()}]


def _document(own: str, media: str, content: bytes) -> Resource:
    context = {"encounter": [STAY], "sourcePatientInfo": {"display": bird()}}
    attachment = {"contentType": media, "data": _base64(content), "title": f"Lettre de {MENTION}"}
    found = _resource("DocumentReference", own, status="current", subject=SUBJECT, date=WHEN)
    return found | {
        "description": f"À {MENTION}",
        "identifier": [{"system": "urn:x", "value": f"LET-{IPP}"}],
        "type": _coded("http://loinc.org", "11488-4"),
        "author": [_display()],
        "content": [{"attachment": attachment}],
        "context": context,
    }


def resources() -> list[Resource]:
    """A patient, a stay, and a resource for each way to write a text."""
    name = {"family": FAMILY, "given": [GIVEN], "text": f"{GIVEN} {FAMILY}"}
    telecom = [{"system": "phone", "value": PHONE}, {"system": "email", "value": MAIL}]
    number = {"type": {"coding": [{"code": "PI"}]}, "system": SYSTEM, "value": IPP}
    stay = {"type": {"coding": [{"code": "VN"}]}, "system": SYSTEM, "value": NDA}
    patient = _resource(
        "Patient", IPP, identifier=[number, {"value": bird(), "assigner": _display()}],
        name=[name, {"use": "nickname", "text": bird()}], telecom=telecom, gender="female",
        birthDate="1961-08-23", address=[{"line": [STREET], "city": "Plouzané", "text": bird()}],
        contact=[{"name": {"family": bird()}, "telecom": [{"value": bird()}]}],
        photo=[{"title": bird(), "contentType": "image/png", "data": _base64(bird().encode())}],
        generalPractitioner=[_display()], managingOrganization=_display(),
    )  # fmt: skip
    encounter = _resource(
        "Encounter", NDA, status="finished", identifier=[stay], subject=SUBJECT,
        **{"class": {"code": "AMB", "display": bird()}},
        period={"start": WHEN, "end": "2024-05-06T12:00:00+02:00"},
        participant=[{"individual": _display()}], reasonCode=[{"text": f"{bird()} {MENTION}"}],
        location=[{"location": _display()}], hospitalization={"origin": _display()},
    )  # fmt: skip
    observation = _about(
        "Observation", f"o-{IPP}", status="final", code=_coded("http://loinc.org", "718-7"),
        effectiveDateTime=WHEN, valueString=LETTER, note=_notes(), performer=[_display()],
        identifier=[{"value": bird()}], interpretation=[{"text": bird()}],
        method={"text": bird()}, device=_display(),
    )  # fmt: skip
    icd, atc = "http://hl7.org/fhir/sid/icd-10", "http://www.whocc.no/atc"
    condition = _about(
        "Condition", "k1", code=_coded(icd, "E11.9"), recordedDate=WHEN, note=_notes(),
        recorder=_display(), bodySite=[{"text": bird()}], stage=[{"summary": {"text": bird()}}],
        clinicalStatus={"coding": [{"code": "active", "display": bird()}], "text": bird()},
    )  # fmt: skip
    procedure = _about(
        "Procedure", "p1", status="completed", code=_coded("urn:ccam", "HHFA001"), note=_notes(),
        performedDateTime=WHEN, performer=[{"actor": _display()}], outcome={"text": bird()},
    )  # fmt: skip
    dosage = [{"text": f"1 comprimé pour {MENTION}", "patientInstruction": bird()}]
    request = _about(
        "MedicationRequest", "m1", status="active", intent="order", authoredOn=WHEN, note=_notes(),
        medicationCodeableConcept=_coded(atc, "N02BE01"), requester=_display(),
        dosageInstruction=dosage, groupIdentifier={"value": bird()},
    )  # fmt: skip
    report = _about(
        "DiagnosticReport", "r1", status="final", code=_coded("http://loinc.org", "11502-2"),
        effectiveDateTime=WHEN, conclusion=LETTER, performer=[_display()],
        presentedForm=[{"contentType": "text/plain", "data": LETTER_DATA}],
    )  # fmt: skip
    doctor = {"family": DOCTOR, "given": ["Yvonig"]}
    practitioner = _resource(
        "Practitioner", RPPS, identifier=[{"system": "urn:rpps", "value": RPPS}], name=[doctor],
        telecom=[{"system": "phone", "value": "0298000017"}],
        qualification=[{"code": {"text": bird()}}],
    )  # fmt: skip
    documents = [_document(f"d{n}", *form) for n, form in enumerate(FORMS.items())]
    clinical = [observation, condition, procedure, request, report, *documents]
    return [patient, practitioner, encounter, *clinical]


SCAN = _document("scan", "application/pdf", pdf())
BAD_LINES = {
    "not_r4": json.dumps({"resourceType": "Observation", bird(): bird()}),
    "resource_type_unknown": json.dumps({"resourceType": bird(), "id": IPP}),
    "invalid_fhir": json.dumps({"resourceType": "Patient", "deceasedBoolean": bird()}),
    "invalid_json": f'{{"resourceType": "Patient", "name": [{{"family": "{bird()}"',
    "modifier_extension_unknown": json.dumps(
        {"resourceType": "Patient", "modifierExtension": [{"url": bird(), "valueString": bird()}]}
    ),
    "subject_unknown": json.dumps(
        _resource("Condition", bird(), subject={"reference": f"Patient/{bird()}"})
    ),
}
PERSON = f"<assignedPerson><name>{{}}<prefix>{bird()}</prefix></name></assignedPerson>"


def document(number: str, body: str, code: str = "11488-4") -> bytes:
    """A CDA document with canaries in its header, comments, instructions and own elements."""
    stranger = f"<name><family>{bird()}</family></name>"
    text = f"""<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet href="{bird()}"?>
<!-- {bird()} {MENTION} -->
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:x="urn:{bird()}" x:who="{bird()}"><realmCode code="FR"/>
<id root="1.2.250.1.999.1.8" extension="{IPP}-{number}"/>
<code code="{code}" codeSystem="2.16.840.1.113883.6.1" displayName="{MENTION}"/>
<title>Lettre pour {MENTION}</title><effectiveTime value="20240507101500+0200"/>
<setId root="1.2.250.1.999.1.9" extension="{IPP}-{number}"/><versionNumber value="1"/>
<recordTarget><patientRole><id root="1.2.250.1.999.1" extension="{IPP}"/>
<addr><streetAddressLine>{STREET}</streetAddressLine><city>{bird()}</city></addr>
<telecom value="tel:{PHONE}"/><telecom value="mailto:{MAIL}"/><patient><name>
<family qualifier="BR">{FAMILY}</family><given>{GIVEN}</given></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1" displayName="{bird()}"/>
<birthTime value="19610823"/><guardian><guardianPerson>{stranger}</guardianPerson></guardian>
</patient></patientRole></recordTarget>
<author><time value="20240507101500+0200"/><assignedAuthor><id root="1.2.250.1.71.4.2.1"
 extension="{RPPS}"/><assignedPerson><name><given>Yvonig</given><family>{DOCTOR}</family></name>
</assignedPerson></assignedAuthor></author>
<dataEnterer><assignedEntity><assignedPerson>{stranger}</assignedPerson></assignedEntity>
</dataEnterer><informant><relatedEntity><relatedPerson>{stranger}</relatedPerson></relatedEntity>
</informant><?todo {bird()}?><x:unmapped who="{bird()}">{bird()} {MENTION}</x:unmapped>
<componentOf><encompassingEncounter><id root="1.2.250.1.999.1" extension="{NDA}"/>
<code code="AMB" codeSystem="2.16.840.1.113883.5.4"/><effectiveTime>
<low value="20240506101500+0200"/><high value="20240506120000+0200"/></effectiveTime>
</encompassingEncounter></componentOf><component>{body}</component></ClinicalDocument>"""
    return text.encode()


def _attached(media: str, content: bytes) -> str:
    data = _base64(content)
    return f'<nonXMLBody><text mediaType="{media}" representation="B64">{data}</text></nonXMLBody>'


STRUCTURED = f"""<structuredBody><!-- {bird()} --><component><section>
<id extension="{IPP}" root="1.2.3"/><code code="18719-5" codeSystem="2.16.840.1.113883.6.1"/>
<title>Pour {MENTION}</title><text><paragraph ID="p">{LETTER}</paragraph><?x {bird()}?></text>
<author><assignedAuthor>{PERSON.format(bird())}</assignedAuthor></author>
<entry><observation classCode="OBS" moodCode="EVN"><id root="1.2.4" extension="{IPP}-1"/>
<code code="718-7" codeSystem="2.16.840.1.113883.6.1" displayName="{MENTION}">
<originalText>{MENTION}<reference value="#p"/></originalText></code>
<text>{bird()} {MENTION}</text><statusCode code="completed"/>
<effectiveTime value="20240506101500+0200"/><value xsi:type="ST">{LETTER}</value>
<performer><assignedEntity>{PERSON.format(bird())}</assignedEntity></performer>
<entryRelationship typeCode="SUBJ"><act classCode="ACT" moodCode="EVN"><code code="48767-8"
 codeSystem="2.16.840.1.113883.6.1"/><text>{bird()} {MENTION}</text></act></entryRelationship>
</observation></entry><entry><observationMedia classCode="OBS" moodCode="EVN"><value
 mediaType="image/png" representation="B64">{_base64(bird().encode())}</value></observationMedia>
</entry></section></component></structuredBody>"""
DOCUMENTS = {
    "structured.xml": document("0", STRUCTURED),
    **{
        f"attached{n}.xml": document(str(n + 1), _attached(*form))
        for n, form in enumerate(FORMS.items())
    },
}
BAD_DOCUMENTS = {
    "attachment_unreadable": document("9", _attached("application/pdf", pdf())),
    "residual_identifier": document("8", STRUCTURED, code=IPP),
    "invalid_xml": document("7", STRUCTURED)[:-400] + bird().encode(),
    "dtd_refused": f'<!DOCTYPE a [<!ENTITY b "{bird()}">]><a>&b;</a>'.encode(),
    "not_cda": f"<{bird()} {bird()}='{bird()}'>{MENTION}</{BIRDS[-3]}>".encode(),
}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "identifier": {"value": bird()},
    "entry": [
        {"fullUrl": f"urn:uuid:{IPP}", "resource": _about("Condition", "k2", code={"text": LETTER})}
    ],
}
