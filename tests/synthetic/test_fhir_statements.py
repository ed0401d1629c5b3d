"""The FHIR feed, read back version by version, ends in the stated truth."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from fhir_reading import at, codes, final, local, told, valued
from synthetic_hospital import Hospital

pytestmark = pytest.mark.core

Line = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
CODES = {"G/L": "10*9/L", "T/L": "10*12/L", "UI": "[IU]", "UI/L": "[IU]/L", "mUI/L": "m[IU]/L",
         "mL/min/1,73m²": "mL/min/{1.73_m2}", "µg": "ug", "µg/L": "ug/L",
         "µmol/L": "umol/L"}  # fmt: skip


def test_results(mixed: Hospital) -> None:
    last: dict[tuple[str, str, str], Line] = {}
    for resource in final(mixed, "Observation").values():
        sub = [e["extension"][0]["valueString"] for e in resource.get("extension", [])]
        (local_code,) = (
            c["code"] for c in resource["code"]["coding"] if "loinc" not in c["system"]
        )
        key = (valued(resource, "FILL"), local_code, "".join(sub))
        assert key not in last
        last[key] = resource
    checked = 0
    for truth in told(mixed, "result"):
        found = last.pop((truth["order"], truth["local_code"], truth["sub_id"] or ""), None)
        gone = found is None or found["status"] == "entered-in-error"
        assert gone == truth["cancelled"], truth["id"]
        if found and not gone:
            check_result(truth, found)
            checked += 1
    assert not last
    assert checked > 800


def check_result(truth: Line, found: Line) -> None:
    """Status, time, codes, value, unit and range."""
    statuses = {"F": "final", "C": "corrected", "P": "preliminary", "X": "cancelled"}
    assert found["status"] == statuses[truth["status"]]
    assert at(found["effectiveDateTime"]) == truth["at"]
    assert truth["code"] in codes(found["code"])
    value = found.get("valueQuantity", {})
    assert str(value.get("value", "")) == (truth["number"] or "")
    assert value.get("comparator") == truth["operator"]
    if value and truth["unit"]:
        assert value["system"] == UCUM
        assert value["code"] == CODES.get(truth["unit"], truth["unit"])
        assert value["unit"] == truth["unit"]
    if truth["coded"]:
        assert codes(found["valueCodeableConcept"]) == {truth["coded"]["code"]}
    elif not truth["number"] and truth["status"] != "X":
        assert found["valueString"] == truth["value"]
    bounds = found.get("referenceRange", [{}])[0]
    for side in ("low", "high"):
        assert str(bounds.get(side, {}).get("value", "")) == (truth[side] or "")


def test_diagnoses_and_acts(mixed: Hospital) -> None:
    stays = {k.split("/")[1]: valued(v, "VN") for k, v in final(mixed, "Encounter").items()}
    diagnoses: Counter[tuple[str, ...]] = Counter()
    acts: Counter[tuple[str, ...]] = Counter()
    for claim in final(mixed, "Claim").values():
        target = claim["item"][0]["encounter"][0]["reference"]
        nda = stays[target.split("Encounter/")[1].split("/")[0]]
        for one in claim.get("diagnosis", []):
            (rank,) = codes(one["type"][0])
            (code,) = codes(one["diagnosisCodeableConcept"])
            diagnoses[nda, code, rank, claim["billablePeriod"]["end"]] += 1
        for one in claim.get("procedure", []):
            activity, phase = ("".join(codes(kind)) for kind in one["type"])
            (code,) = codes(one["procedureCodeableConcept"])
            acts[nda, code, activity, phase, at(one["date"])] += 1
    expected = Counter(
        (s["stay"], s["code"], s["rank"], s["date"])
        for s in told(mixed, "diagnosis")
        if not s["cancelled"]
    )
    assert diagnoses == expected
    keys = ("stay", "code", "activity", "phase", "at")
    held = [s for s in told(mixed, "act") if not s["cancelled"]]
    assert acts == Counter(tuple(s[k] for k in keys) for s in held)
    assert len(acts) > 80


def test_drugs(mixed: Hospital) -> None:
    requests = {valued(v, "PLAC"): v for v in final(mixed, "MedicationRequest").values()}
    for truth in told(mixed, "prescription"):
        found = requests.pop(truth["order"])
        assert (found["status"] == "cancelled") == truth["cancelled"]
        dosage = found["dosageInstruction"][0]
        bounds = dosage["timing"]["repeat"]["boundsPeriod"]
        assert truth["code"] in codes(product(found))
        assert at(bounds["start"]) == at(found["authoredOn"]) == truth["start"]
        assert (at(bounds["end"]) if "end" in bounds else None) == truth["end"]
        check_dose(truth, dosage["doseAndRate"][0]["doseQuantity"], dosage["route"])
        assert dosage["text"] == truth["sig"]
    assert not requests
    given: dict[tuple[str, str], Line] = {}
    for found in final(mixed, "MedicationAdministration").values():
        start = found.get("effectiveDateTime") or found["effectivePeriod"]["start"]
        given[valued(found, "PLAC"), at(start)] = found
    drugs = [s for s in told(mixed, "administration") if not s["vaccine"]]
    for truth in drugs:
        dose = given.pop((truth["order"], truth["start"]), None)
        gone = dose is None or dose["status"] == "entered-in-error"
        assert gone == truth["cancelled"], truth["id"]
        if dose and not gone:
            assert (dose["status"] == "completed") == (truth["status"] in {"CP", "PA"})
            check_dose(truth, dose["dosage"]["dose"], dose["dosage"]["route"])
    assert not given
    assert len(drugs) > 100


def test_vaccinations(mixed: Hospital, fhir_only: Hospital) -> None:
    for hospital in (mixed, fhir_only):
        shots = {valued(v, "PLAC"): v for v in final(hospital, "Immunization").values()}
        truths = [s for s in told(hospital, "administration") if s["vaccine"]]
        assert {truth["order"] for truth in truths} == set(shots)
        for truth in truths:
            found = shots[truth["order"]]
            assert codes(found["vaccineCode"]) == {truth["code"], truth["alt_code"]}
            assert at(found["occurrenceDateTime"]) == truth["start"]
            check_dose(truth, found["doseQuantity"], found["route"])
    assert len(truths) > 3


def product(resource: Line) -> Line:
    """The medication, coded or contained."""
    if "contained" in resource:
        held: Line = resource["contained"][0]["code"]
        return held
    coded: Line = resource["medicationCodeableConcept"]
    return coded


def check_dose(truth: Line, dose: Line, route: Line) -> None:
    """Quantity, unit and route."""
    assert str(dose["value"]) == truth["dose"]
    assert dose["code"] == CODES.get(truth["dose_unit"], truth["dose_unit"])
    assert codes(route) == {truth["route"]}


def test_letters(mixed: Hospital) -> None:
    last = {v["masterIdentifier"]["value"]: v for v in final(mixed, "DocumentReference").values()}
    forms: Counter[str] = Counter()
    for truth in told(mixed, "letter"):
        found = last.pop(truth["document"])
        expected = "current"
        if truth["cancelled"]:
            expected = "superseded" if truth["replaced_by"] else "entered-in-error"
        assert found["status"] == expected
        assert codes(found["type"]) == {truth["type_code"]}
        assert at(found["date"]) == truth["at"]
        attachment = found["content"][0]["attachment"]
        forms["binary" if "url" in attachment else attachment["contentType"]] += 1
    assert not last
    assert set(forms) == {"text/plain; charset=utf-8", "text/html", "application/rtf", "binary"}


def test_a_binary_comes_and_goes_with_its_letter(fhir_only: Hospital) -> None:
    states: Counter[bool] = Counter()
    for line in fhir_only.sound_of("fhir"):
        letter = fhir_only.resources[line["message"]]
        if line["event"] != "DocumentReference" or "url" not in letter["content"][0]["attachment"]:
            continue
        beside = [record for record in fhir_only.exports[line["file"]] if is_binary(record)]
        assert len(beside) == 1
        there = "resourceType" in beside[0]
        assert there == (letter["status"] == "current")
        states[there] += 1
    assert states[True] > 10
    assert states[False] > 0


def is_binary(record: Line) -> bool:
    """A Binary, or the request to delete one."""
    if "resourceType" in record:
        return bool(record["resourceType"] == "Binary")
    return str(record["request"]["url"]).startswith("Binary/")


def test_stays(mixed: Hospital) -> None:
    found = {valued(v, "VN"): v for v in final(mixed, "Encounter").values()}
    classes = {"I": "IMP", "O": "AMB", "R": "AMB", "E": "EMER", "P": "PRENC"}
    for truth in told(mixed, "stay"):
        stay = found.pop(truth["nda"])
        if truth["cancelled"]:
            assert stay["status"] in {"cancelled", "entered-in-error"}
            continue
        assert (stay["status"] == "planned") == (not truth["realised"])
        assert stay["class"]["code"] == classes[truth["class"]]
        assert at(stay["period"]["start"]) == truth["start"]
        end = stay["period"].get("end")
        assert (at(end) if end else None) == truth["end"]
        hospitalization = stay["hospitalization"]
        assert codes(hospitalization["admitSource"]) == {truth["entry_mode"]}
        left = hospitalization.get("dischargeDisposition")
        assert (codes(left) if left else {None}) == {truth["exit_mode"]}
        check_units(mixed, truth, stay)
    assert not found


def check_units(hospital: Hospital, truth: Line, stay: Line) -> None:
    """Each movement that holds, but leaves and discharges, is a location with its period."""
    movements = [
        (s["uf"], s["start"])
        for s in told(hospital, "movement")
        if s["stay"] == truth["nda"]
        and not s["cancelled"]
        and s["realised"] == truth["realised"]
        and s["event"] not in {"A03", "A21", "A22"}
    ]
    units = [
        (one["location"]["reference"].removeprefix("Location/uf-"), at(one["period"]["start"]))
        for one in stay["location"]
    ]
    assert sorted(units) == sorted(movements)


def test_identities(mixed: Hospital, fhir_only: Hospital) -> None:
    genders = {"M": "male", "F": "female", "I": "other"}
    for hospital in (mixed, fhir_only):
        patients = {valued(v, "PI"): v for v in final(hospital, "Patient").values()}
        for truth in told(hospital, "identity"):
            person = hospital.persons[truth["patient"]]
            found = max(
                (patients[ipp] for ipp in person["ipps"] if ipp in patients),
                key=lambda v: local(v["meta"]["lastUpdated"]),
            )
            assert found["gender"] == genders[truth["sex"]]
            digits = found["birthDate"].replace("-", "")
            assert digits.ljust(8, "0") == truth["birth_date"]
            assert found["address"][0]["postalCode"] == truth["postcode"]
            died = found.get("deceasedDateTime")
            assert (at(died) if died else None) == truth["death_date"]
