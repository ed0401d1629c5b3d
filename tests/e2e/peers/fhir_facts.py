"""Facts of a FHIR Bundle that another converter made of an HL7v2 message or a C-CDA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from e2e.peers.facts import Fact, local, number

Resource = dict[str, Any]
Read = Callable[["PeerBundle", Resource], Iterator[Fact]]

# The converter's systems in the spelling of HL7 table 0396, which our staging keeps as sent.
SYSTEMS = {
    "http://loinc.org": "LN",
    "http://snomed.info/sct": "SCT",
    "http://hl7.org/fhir/sid/icd-10": "I10",
    "http://hl7.org/fhir/sid/icd-10-cm": "I10C",
    "http://hl7.org/fhir/sid/icd-9": "I9",
    "http://hl7.org/fhir/sid/icd-9-cm": "I9C",
    "http://www.ama-assn.org/go/cpt": "C4",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RXNORM",
    "http://unitsofmeasure.org": "UCUM",
    "http://ncithesaurus-stage.nci.nih.gov": "NCIT",
    # the same as OIDs, as CDA states them
    "2.16.840.1.113883.6.1": "LN",
    "2.16.840.1.113883.6.96": "SCT",
    "2.16.840.1.113883.6.88": "RXNORM",
    "2.16.840.1.113883.6.90": "I10C",
    "2.16.840.1.113883.6.3": "I10",
    "2.16.840.1.113883.6.103": "I9C",
    "2.16.840.1.113883.6.42": "I9",
    "2.16.840.1.113883.6.12": "C4",
    "2.16.840.1.113883.6.69": "NDC",
    "2.16.840.1.113883.12.292": "CVX",
    "2.16.840.1.113883.3.26.1.1": "NCIT",
    "2.16.840.1.113883.6.8": "UCUM",
}
# v3-ActCode of an Encounter as the HL7v2 patient class (table 0004) that it was made from
CLASSES = {"IMP": "I", "AMB": "O", "EMER": "E", "PRENC": "P", "OBSENC": "B"}
INVENTED = {"observation code", "procedure code", "accident indicator"}
OWN = "http://example.com/v2-to-fhir-converter/CodeSystem/"
GENDERS = {"male": "M", "female": "F", "unknown": "U", "other": "O"}


def spelled(system: str | None) -> str:
    """A system's name; the converter's own systems end in the name that the sender gave."""
    text = system or ""
    if text.startswith(OWN):
        return text.removeprefix(OWN).replace("-", " ")
    bare = text.removeprefix("urn:oid:")
    return SYSTEMS.get(bare, bare)


class PeerBundle:
    """One Bundle of the peer."""

    def __init__(self, bundle: Resource) -> None:
        self._resources = [entry["resource"] for entry in bundle.get("entry", [])]
        self._by_reference = {f"{r['resourceType']}/{r.get('id')}": r for r in self._resources}

    def facts(self) -> list[Fact]:
        """Everything that our staging could state too, resource by resource."""
        found: list[Fact] = []
        for resource in self._resources:
            read = _READERS.get(resource["resourceType"])
            if read is not None:
                found += [_invented(fact) for fact in read(self, resource)]
        return found

    def medication(self, resource: Resource) -> Resource | None:
        """The code of what is prescribed, dispensed or given."""
        if "medicationCodeableConcept" in resource:
            return _object(resource["medicationCodeableConcept"])
        reference = resource.get("medicationReference", {}).get("reference", "")
        for contained in resource.get("contained", []):
            if reference == f"#{contained.get('id')}":
                return _object(contained.get("code"))
        return _object(self._by_reference.get(reference, {}).get("code"))


def _invented(fact: Fact) -> Fact:
    """Statements of segments that have no code (PDA, ACC) get one of the converter's own."""
    return replace(fact, kind="invented") if fact.system in INVENTED else fact


def _object(value: Any) -> Resource | None:
    return value if isinstance(value, dict) else None


def coding(concept: Resource | None) -> tuple[str, str]:
    """The first coding that has a code, as (code, system)."""
    for one in (concept or {}).get("coding", []):
        if one.get("code"):
            return str(one["code"]), spelled(one.get("system"))
    return "", ""


def codings(concept: Resource | None) -> tuple[tuple[str, str], ...]:
    """All codings that have a code."""
    found = (concept or {}).get("coding", [])
    return tuple((str(c["code"]), spelled(c.get("system"))) for c in found if c.get("code"))


def _patient(_: PeerBundle, resource: Resource) -> Iterator[Fact]:
    if "gender" in resource:
        yield Fact("patient", "gender", value=GENDERS[resource["gender"]])
    if "birthDate" in resource:
        yield Fact("patient", "birth", start=resource["birthDate"][:7])
    if resource.get("deceasedBoolean") or "deceasedDateTime" in resource:
        yield Fact("patient", "death", start=local(resource.get("deceasedDateTime")))


def _encounter(_: PeerBundle, resource: Resource) -> Iterator[Fact]:
    code = resource.get("class", {}).get("code", "")
    period = resource.get("period", {})
    start, end = local(period.get("start")), local(period.get("end"))
    yield Fact("stay", "", start=start, end=end, value=CLASSES.get(code, code))


def _timed(kind: str, concept: str, *times: str) -> Read:
    """A reader of a coded statement with a time and perhaps a value."""

    def read(_: PeerBundle, resource: Resource) -> Iterator[Fact]:
        code, system = coding(resource.get(concept))
        value, unit = _value(resource)
        others = codings(resource.get(concept))
        yield Fact(kind, code, system, *_time(resource, times), value, unit, others)

    return read


def _time(resource: Resource, times: tuple[str, ...]) -> tuple[str, str]:
    for name in times:
        found = resource.get(name)
        if isinstance(found, dict):
            return local(found.get("start")), local(found.get("end"))
        if found:
            return local(found), ""
    return "", ""


def _value(resource: Resource) -> tuple[str, str]:
    if "valueQuantity" in resource:
        quantity = resource["valueQuantity"]
        unit = quantity.get("code") or quantity.get("unit") or ""
        return number(quantity.get("value")), unit
    if "valueCodeableConcept" in resource:
        return coding(resource["valueCodeableConcept"])[0], ""
    for name in ("valueString", "valueDateTime", "valueInteger"):
        if name in resource:
            return str(resource[name]), ""
    return "", ""


def _observation(bundle: PeerBundle, resource: Resource) -> Iterator[Fact]:
    times = ("effectiveDateTime", "effectivePeriod")
    if _value(resource)[0] or not resource.get("component"):
        yield from _timed("result", "code", *times)(bundle, resource)
    for component in resource.get("component", []):
        start, end = _time(resource, times)
        yield Fact("result", *coding(component.get("code")), start, end, *_value(component))


def _drug(kind: str, *times: str) -> Read:
    def read(bundle: PeerBundle, resource: Resource) -> Iterator[Fact]:
        concept = bundle.medication(resource) or resource.get("vaccineCode")
        code, system = coding(concept)
        dose = resource.get("doseQuantity", {})
        start, end = _time(resource, times)
        unit = dose.get("code") or dose.get("unit") or ""
        amount = number(dose.get("value"))
        yield Fact(kind, code, system, start, end, amount, unit, codings(concept))

    return read


_READERS: dict[str, Read] = {
    "Patient": _patient,
    "Encounter": _encounter,
    "Observation": _observation,
    "Condition": _timed("diagnosis", "code", "onsetDateTime", "onsetPeriod"),
    "Procedure": _timed("act", "code", "performedDateTime", "performedPeriod"),
    "AllergyIntolerance": _timed("allergy", "code", "onsetDateTime", "onsetPeriod"),
    "DocumentReference": _timed("document", "type", "date"),
    "Immunization": _drug("vaccination", "occurrenceDateTime"),
    "MedicationRequest": _drug("drug", "authoredOn"),
    "MedicationDispense": _drug("drug", "whenHandedOver"),
    "MedicationAdministration": _drug("drug", "effectiveDateTime", "effectivePeriod"),
    "MedicationStatement": _drug("drug", "effectiveDateTime", "effectivePeriod"),
}
