"""FHIR of others down the road: one site per set, against what the raw JSON says by itself.

What a resource is worth is worked out here from its JSON and the mapping rules (section 4), never
from the mappings. The material stays where it is; without it these tests skip.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from outcomes import counted
from sqlalchemy import select

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.landing.database import zone_engine
from entrepot.landing.ingest import ingest
from entrepot.landing.tables import record
from entrepot.publication import gate_hold
from entrepot.register.tables import registration
from entrepot.report.accounting import rows
from roads import keyring, new_site, query, travel

pytestmark = [pytest.mark.integration]

FHIR = Path("data") / "fhir"
SETTINGS = """\
site: partage
data_start: 1900-01-01
sources:
  server: {format: fhir, authority: SERVER}
register: {accept_ins_only: true}
oppositions: {required: false}
"""
# Sets that are R4 as a whole, and what is no resource in them (a log, a file that is empty).
COMPLETE = {
    "synthea_smart_r4": set(),
    "bulk_10": {"resource_type_unknown"},
    "pathling": {"empty_file"},
}
SHARE = 0.99

# Types of which no resource can yield a row (R4 resource list), and the rule that must say so.
EXCLUDED = {
    "insurance": {"Account", "Coverage", "ExplanationOfBenefit", "ClaimResponse", "Invoice"},
    "care_plan": {"CarePlan", "CareTeam", "Goal", "EpisodeOfCare"},
    "scheduling": {"Appointment", "AppointmentResponse", "Schedule", "Slot"},
    "order": {"ServiceRequest", "DeviceRequest", "NutritionOrder", "SupplyRequest", "Task"},
    "image": {"ImagingStudy", "Media"},
    "audit": {"AuditEvent", "Provenance", "VerificationResult"},
    "directory": {"HealthcareService", "Endpoint", "OrganizationAffiliation"},
    "acknowledgement": {"MessageHeader", "OperationOutcome"},
}
CLOSED = {
    *EXCLUDED, "definition", "decision_support", "index", "query", "research", "entered_in_error",
    "restricted_by_label", "replaced", "superseded_version", "nothing_mapped",
}  # fmt: skip
Resource = dict[str, Any]


class Outcome(NamedTuple):
    """What became of one record."""

    event: str
    disposition: str
    reason: str


def resources(folder: Path) -> Iterator[Resource]:
    """Every resource of a set's JSON and NDJSON, Bundles opened."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in {".json", ".ndjson"}:
            continue
        text = path.read_text("utf-8-sig")
        lines = text.splitlines() if path.suffix == ".ndjson" else [text]
        for line in filter(str.strip, lines):
            try:
                yield from _opened(json.loads(line))
            except ValueError:
                continue  # some sets hold broken files on purpose


def _opened(resource: Any) -> Iterator[Resource]:
    if not isinstance(resource, dict):
        return
    if resource.get("resourceType") == "Bundle":
        for entry in resource.get("entry", []):
            yield from _opened(entry.get("resource", {}))
    elif "resourceType" in resource:
        yield resource


def distinct(folder: Path) -> dict[str, Resource]:
    """The set's resources by type and id; the same resource may stand in several Bundles."""
    return {f"{r['resourceType']}/{r.get('id', n)}": r for n, r in enumerate(resources(folder))}


def _code(resource: Resource, element: str) -> str:
    codings = resource.get(element, {}).get("coding", [{}])
    return str(codings[0].get("code", ""))


def _values(observation: Resource) -> int:
    """Facts of one Observation: its value and its components' values; an empty one says «made»."""
    parts = [observation, *observation.get("component", [])]
    stated = sum(any(name.startswith("value") for name in part) for part in parts)
    parted = "component" in observation or "hasMember" in observation
    return stated or int(not parted and "dataAbsentReason" not in observation)


def facts(resource: Resource) -> int:
    """How many clinical facts the resource states by the rules of section 4."""
    type_, status = resource["resourceType"], resource.get("status")
    if type_ == "Observation":
        return _values(resource) if status in {"final", "amended", "corrected"} else 0
    if type_ in {"Condition", "AllergyIntolerance"}:
        sure = _code(resource, "verificationStatus") in {"", "confirmed"}
        shown = [m for r in resource.get("reaction", []) for m in r.get("manifestation", [])]
        return int(sure) * (int("code" in resource) + len(shown))
    if type_ == "MedicationRequest":
        ordered = resource.get("intent") in {"order", "original-order", "instance-order"}
        return int(ordered and status not in {"cancelled", "draft", "entered-in-error", "unknown"})
    return int(status in REALISED.get(type_, ()))


REALISED = {
    "Procedure": {"completed"},
    "Immunization": {"completed"},
    "MedicationAdministration": {"completed", "in-progress"},
    "MedicationDispense": {"completed"},
    "MedicationStatement": {"active", "completed"},
}
# What a type says itself; without it a resource only refers to others. No Claim of these sets codes
# a diagnosis or an act.
OWN: dict[str, set[str]] = {
    "Claim": set(),
    "DiagnosticReport": {"conclusion", "conclusionCode", "presentedForm"},
}
VISITS = {"arrived", "triaged", "in-progress", "onleave", "finished"}


def carries(resource: Resource) -> bool:
    """Whether the resource has anything for a person, a visit or an event of the CDM."""
    if resource["resourceType"] == "Encounter":
        return resource.get("status") in VISITS
    return resource["resourceType"] == "Patient" or facts(resource) > 0


class Travelled(NamedTuple):
    """A set and the site that read it."""

    name: str
    folder: Path
    site: Site


@pytest.fixture(scope="module", params=sorted(COMPLETE))
def complete(
    request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Travelled:
    """Each set that is R4 as a whole, travelled once."""
    folder = shared / FHIR / str(request.param)
    return Travelled(request.param, folder, travelled(folder, tmp_path_factory.mktemp("site")))


def travelled(folder: Path, tmp_path: Path) -> Site:
    """A site that read the whole set."""
    site = new_site(tmp_path / "site", SETTINGS)
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in {".json", ".ndjson"}]
    ingest(site, keyring(site), files, "server", "fhir")
    result = travel(site)
    assert result.passed
    return site


def outcomes(site: Site) -> list[Outcome]:
    """What became of every record, with its resource type."""
    query_ = (
        select(
            registration.c.event, derivation.c.disposition, derivation.c.reason,
            gate_hold.c.check_id,
        )
        .select_from(record)
        .join(derivation, derivation.c.record_id == record.c.record_id)
        .outerjoin(registration, registration.c.record_id == record.c.record_id)
        .outerjoin(gate_hold, gate_hold.c.record_id == record.c.record_id)
    )  # fmt: skip
    engine = zone_engine(site)
    found = []
    with engine.connect() as connection:
        for row in connection.execute(query_):
            held = row.check_id is not None
            name = "published" if row.disposition == "staged" else row.disposition
            told = ("quarantined", row.check_id) if held else (name, row.reason)
            found.append(Outcome(row.event or "", *told))
    engine.dispose()
    return found


def balanced(site: Site) -> None:
    """Both equations hold and no record waits."""
    records = counted(site)
    assert records.balanced
    assert sum(counts.pending for counts in records.sources.values()) == 0
    if site.warehouse.is_file():
        assert rows(site.warehouse).balanced


def by_rule(found: list[Outcome]) -> dict[str, Counter[str]]:
    """Rule -> resource types that it excluded."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        if one.disposition == "excluded":
            told[one.reason][one.event] += 1
    return told


def accounted(site: Site, folder: Path) -> list[Outcome]:
    """The quarantined records, after checking equations and exclusions against the raw JSON."""
    balanced(site)
    found = outcomes(site)
    told = by_rule(found)
    assert set(told) <= CLOSED
    raw = Counter(r["resourceType"] for r in distinct(folder).values())
    quarantined = [one for one in found if one.disposition == "quarantined"]
    refused = sum(not one.event for one in quarantined)  # broken before its type was known
    missing = {
        type_: raw[type_] - told[rule][type_] for rule, types in EXCLUDED.items() for type_ in types
    }
    assert min(missing.values()) >= 0
    assert sum(missing.values()) <= refused
    return quarantined


# What a set may be refused for: shapes that are not R4's, subjects that the set lacks, types that
# no mapping reads yet, and what its authors broke on purpose.
SHAPE = {"not_r4", "invalid_fhir", "invalid_json", "resource_type_unknown", "status_unknown"}
NOBODY = {"subject_unknown", "subject_without_ipp"}
SETS: dict[str, set[str]] = {
    "nachc_usecases": {"not_r4", "invalid_fhir"},
    "frcore_examples_2.2.0": {"subject_without_ipp"},
    "phdi_bundles": SHAPE
    | NOBODY
    | {"event_not_mapped", "modifier_extension_unknown", "several_ipp", "impossible_date"}
    | {"key_of_two_persons"}  # stays numbered without a system, by several hospitals
    | {"before_birth"},  # of the gate, with what it was found on
    "cumulus_etl": SHAPE | NOBODY | {"attachment_unreadable"},
    "msfhir_R4": SHAPE
    | NOBODY
    | {"event_not_mapped", "modifier_extension_unknown", "key_of_two_persons", "before_birth"},
    "fr_transcribed": NOBODY,
    # Two numbers without a system are of one authority as far as anybody can tell: several_ipp.
    "v2tofhir_ig": SHAPE | NOBODY | {"fhir_xml_not_supported", "impossible_date", "several_ipp"},
}


@pytest.mark.spread
@pytest.mark.parametrize("name", SETS)
def test_set(name: str, shared: Path, tmp_path: Path) -> None:
    site = travelled(shared / FHIR / name, tmp_path)
    reasons = {one.reason for one in accounted(site, shared / FHIR / name)}
    assert {reason.partition(".")[0] for reason in reasons} <= SETS[name]


def test_a_complete_set_is_accounted_for(complete: Travelled) -> None:
    reasons = {one.reason for one in accounted(complete.site, complete.folder)}
    assert reasons <= COMPLETE[complete.name]
    told = by_rule(outcomes(complete.site))
    raw = distinct(complete.folder).values()
    assert told["nothing_mapped"] == Counter(
        r["resourceType"]
        for r in raw
        if r["resourceType"] in OWN and OWN[r["resourceType"]].isdisjoint(r)
    )
    superseded = Counter(r["resourceType"] for r in raw if r.get("status") == "superseded")
    assert told["replaced"] == superseded


def test_a_complete_set_is_published(complete: Travelled) -> None:
    """At least 99 % of the resources that carry anything for the CDM, and of their facts."""
    raw = distinct(complete.folder).values()
    wanted = Counter(r["resourceType"] for r in raw if carries(r))
    assert sum(wanted.values()) > 1000
    found = Counter(o.event for o in outcomes(complete.site) if o.disposition == "published")
    for type_, count in wanted.items():
        assert found[type_] >= SHARE * count, type_
    traced = query(complete.site, "SELECT count(DISTINCT record_key) FROM etl.lineage")[0][0]
    assert traced >= SHARE * sum(wanted.values())
    mapped = query(
        complete.site,
        "SELECT count(*) FROM etl.row_disposition WHERE kind = 'event' AND disposition = 'mapped'",
    )[0][0]
    assert SHARE * sum(map(facts, raw)) <= mapped <= sum(map(facts, raw))


def test_values_are_the_senders(complete: Travelled) -> None:
    """Every systolic pressure of the JSON is in the warehouse, and no other."""
    parts = [p for r in distinct(complete.folder).values() for p in r.get("component", [])]
    wanted = Counter(
        f"{float(part['valueQuantity']['value']):.6f}"
        for part in parts
        if part["code"]["coding"][0]["code"] == "8480-6"
    )
    found = query(
        complete.site,
        "SELECT value_as_number FROM cdm.measurement WHERE measurement_source_value = '8480-6'",
    )
    assert Counter(f"{float(value):.6f}" for (value,) in found) == wanted


@pytest.mark.spread
@pytest.mark.parametrize(
    "name", ["synthea_smart_stu3_wrongversion", "synthea_smart_dstu2_wrongversion"]
)
def test_another_version_is_refused_not_half_read(name: str, shared: Path, tmp_path: Path) -> None:
    """Whatever uses an element that R4 lacks waits; what R4 would write the same way is read."""
    site = travelled(shared / FHIR / name, tmp_path)
    balanced(site)
    found = outcomes(site)
    refused = Counter(o.event for o in found if o.disposition == "quarantined")
    assert refused.total() > len(found) / 2
    published = {o.event for o in found if o.disposition == "published"}
    assert published & {"Observation", "Condition", "MedicationRequest", "Immunization"} == set()
