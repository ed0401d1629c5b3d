"""CDA documents written for the tests: one header, and whatever body a test needs."""

from __future__ import annotations

HEADER = """<realmCode code="FR"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<templateId root="2.16.840.1.113883.2.8.2.1"/><id root="1.2.3" extension="DOC1"/>
<code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Synthèse"/>
<title>Synthèse</title><effectiveTime value="20240331103000+0200"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="fr-FR"/>
<setId root="1.2.4" extension="S1"/><versionNumber value="2"/>"""
PATIENT = """<recordTarget><patientRole><id root="1.2.250.1.999" extension="IPP1"/>
<id root="1.2.250.1.213.1.4.8" extension="279035121518989"/>
<addr use="H"><houseNumber>28</houseNumber><streetName>Avenue de Breteuil</streetName>
<postalCode>75007</postalCode><city>Paris</city></addr>
<telecom use="H" value="tel:0144534551"/><telecom value="mailto:zoe@example.org"/>
<patient><name><family qualifier="BR">PATÉ</family><given>Zoé</given></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
<birthTime value="19790328"/></patient></patientRole></recordTarget>"""
STAY = """<componentOf><encompassingEncounter><id root="1.2.250.1.998" extension="NDA1"/>
<code code="IMP" codeSystem="2.16.840.1.113883.5.4"/><effectiveTime><low value="20240320"/>
<high value="20240331"/></effectiveTime></encompassingEncounter></componentOf>"""
NAMESPACES = (
    'xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:sdtc="urn:hl7-org:sdtc"'
)


def cda(body: str = "", *, header: str = HEADER, patient: str = PATIENT, stay: str = STAY) -> bytes:
    """A document whose structured body holds one component with `body`."""
    inner = f"<component><structuredBody>{body}</structuredBody></component>" if body else ""
    text = f"<ClinicalDocument {NAMESPACES}>{header}{patient}{stay}{inner}</ClinicalDocument>"
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode()


def section(*entries: str, code: str = "30954-2", text: str = "", title: str = "") -> str:
    """A section of a LOINC code with entries and narrative."""
    inner = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return (
        f'<component><section><code code="{code}" codeSystem="2.16.840.1.113883.6.1"/>'
        f"<title>{title}</title><text>{text}</text>{inner}</section></component>"
    )


def observation(inner: str = "", attributes: str = 'classCode="OBS" moodCode="EVN"') -> str:
    """An observation, realised unless `attributes` say otherwise."""
    return f"<observation {attributes}>{inner}</observation>"


def valued(value: str, code: str = "718-7", more: str = "") -> str:
    """A completed observation of a LOINC code with a `value` element."""
    return observation(
        f'<code code="{code}" codeSystem="2.16.840.1.113883.6.1" displayName="Test"/>'
        f'<statusCode code="completed"/><effectiveTime value="20240330"/>{value}{more}'
    )
