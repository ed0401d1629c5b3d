"""An element of a record in each format: its text, the columns and the lines that take it."""

from __future__ import annotations

import base64
import json

import pytest

from entrepot.report.scan.elements import Element, Lines, element

pytestmark = pytest.mark.core

LETTER = (
    b"MSH|^~\\&|A|B|C|D|20240101||MDM^T02^MDM_T02|1|P|2.5\r"
    b"OBX|1|TX|11488-4||CENTRE HOSPITALIER\r"
    b"OBX|2|TX|11488-4||\r"
    b"OBX|3|TX|11488-4||une ligne\\.br\\puis une autre\r"
    b"OBX|4|TX|11488-4||Mme Rose Blanc~vue ce jour~rien\r"
)
RESOURCE = {
    "resourceType": "DocumentReference",
    "description": "Lettre de Mme Blanc",
    "subject": {"display": "Rose Blanc"},
    "content": [
        {"attachment": {"contentType": "text/plain", "data": base64.b64encode(b"Rose").decode()}},
        {"attachment": {"contentType": "image/png", "data": "AAAA"}},
    ],
}
CDA = (
    b'<ClinicalDocument xmlns="urn:hl7-org:v3"><code code="11488-4" displayName="Rose"/>'
    b"<recordTarget><patientRole><patient><name><family>Blanc</family></name></patient>"
    b"</patientRole></recordTarget><component><structuredBody><component><section>"
    b"<title>Motif</title><text><paragraph>Mme Rose<br/>Blanc</paragraph>"
    b"<paragraph>va bien</paragraph></text></section></component></structuredBody></component>"
    b"</ClinicalDocument>"
)
TEXT = "ClinicalDocument/component/structuredBody/component/section/text/paragraph"


@pytest.mark.parametrize(
    ("position", "text", "lines"),
    [
        ("OBX-5", "CENTRE HOSPITALIER", Lines(1, 1)),
        # OBX without text is no line of the note; a line break within one is
        ("OBX[3]-5", "une ligne\npuis une autre", Lines(2, 3)),
        ("OBX[4]-5", "Mme Rose Blanc\nvue ce jour\nrien", Lines(4, 6)),
        ("OBX[4]-5[2]", "vue ce jour", Lines(5, 5)),
    ],
)
def test_a_line_of_a_letter(position: str, text: str, lines: Lines) -> None:
    assert element("hl7v2", LETTER, position) == Element(text, (), lines)


@pytest.mark.parametrize(
    ("format_", "content", "position"),
    [
        ("hl7v2", LETTER, "PID-5.1"),
        ("hl7v2", LETTER, "OBX-3.2"),
        ("fhir", json.dumps(RESOURCE).encode(), "DocumentReference.subject.display"),
        ("cda", CDA, "ClinicalDocument/recordTarget/patientRole/patient/name/family"),
    ],
)
def test_what_is_no_free_text(format_: str, content: bytes, position: str) -> None:
    assert element(format_, content, position) is None


@pytest.mark.parametrize("enveloped", [False, True])
@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("content[0].attachment.data", Element("Rose", ("text",))),
        ("content[1].attachment.data", Element(None, ("text",))),
        ("content[2].attachment.data", Element(None, ("text",))),
        ("description", Element("Lettre de Mme Blanc", ("title",))),
    ],
)
def test_a_text_of_a_resource(position: str, expected: Element, enveloped: bool) -> None:
    whole = {"entry": {}, "resource": RESOURCE} if enveloped else RESOURCE
    content = json.dumps(whole).encode()
    assert element("fhir", content, f"DocumentReference.{position}") == expected


@pytest.mark.parametrize(
    ("paragraph", "text", "lines"),
    [("[1]", "Mme Rose\nBlanc", Lines(2, 3)), ("[2]", "va bien", Lines(4, 4))],
)
def test_a_paragraph_of_a_document(paragraph: str, text: str, lines: Lines) -> None:
    assert element("cda", CDA, TEXT + paragraph) == Element(text, ("text",), lines)


def test_a_document_in_a_message_is_all_that_it_states() -> None:
    """Header and body, as the truth gives no place in it; not what codes are called."""
    data = base64.b64encode(CDA).decode()
    message = LETTER + f"OBX|5|ED|11488-4||^TEXT^XML^Base64^{data}\r".encode()
    found = element("hl7v2", message, "OBX[5]-5.5")
    assert found is not None
    assert found.text is not None
    assert found.lines is None
    words = found.text.split()
    assert (words.count("Rose"), words.count("Blanc")) == (1, 2)


@pytest.mark.parametrize(
    ("format_", "position"),
    [("hl7v2", "OBX[1]-5"), ("fhir", "Observation.note[0].text"), ("cda", TEXT)],
)
def test_a_broken_record_has_no_text(format_: str, position: str) -> None:
    found = element(format_, b"<{MSH", position)
    assert found is not None
    assert found.text is None
