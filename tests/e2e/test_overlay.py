"""A new source element is one YAML file in the site's own folder, in whichever format it comes."""

from __future__ import annotations

from pathlib import Path

import pytest
from outcomes import counted, dispositions

from roads import feed, new_site, query, travel

pytestmark = [pytest.mark.integration]

PATIENT = (
    b'{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1979-03-28",'
    b' "name": [{"family": "RIVIERE", "given": ["Zoe"]}]}\n'
)
FAMILY = (
    b'{"resourceType": "FamilyMemberHistory", "id": "f1", "status": "completed",'
    b' "patient": {"reference": "Patient/p1"}, "date": "2024-02-01",'
    b' "relationship": {"text": "mere"}, "condition": [{"code": {"coding":'
    b' [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11.9"}]}}]}\n'
)
FAMILY_MAPPING = """
mapping: family_history
kind: event
events: [FamilyMemberHistory]
foreach: condition
key: [%resource.id, code.coding.code]
columns:
  category: {constant: observation, treatment: keep}
  context_code: {constant: ehr, treatment: keep}
  status_code: {constant: final, treatment: keep}
  start_at: {path: "%resource.date", treatment: keep}
  code: {path: code.coding.code, treatment: keep}
  system: {constant: FAMILY, treatment: keep}
"""
ADMISSION = "\r".join(
    [
        "MSH|^~\\&|DPI|CHT|EDS|CHT|20240301080000||ADT^A01^ADT_A01|1|P|2.5|||||FRA|UNICODE UTF-8",
        "PID|1||4711^^^CHT&1.2.250.1.999.1&ISO^PI||RIVIERE^Zoe||19790328|F"
        + "|" * 10
        + "S1^^^CHT&1.2.250.1.999.1&ISO^AN",
        "PV1|1|I" + "|" * 42 + "20240301080000",
        "OBX|1|NM|29463-7^Poids^LN||71.5|kg|||||F|||20240301081000",
        "",
    ]
).encode()
WEIGHT_MAPPING = """
mapping: weight_at_admission
kind: event
events: [ADT^A01]
foreach: OBX
key: [[PID-18.1, PV1-19.1], OBX-3.1]
readers:
  - {reader: obx_value, path: OBX-5, columns: {value_number: keep}}
columns:
  category: {constant: result, treatment: keep}
  context_code: {constant: ehr, treatment: keep}
  status_code: {constant: final, treatment: keep}
  start_at: {path: OBX-14, treatment: keep}
  code: {path: OBX-3.1, treatment: keep}
  system: {path: OBX-3.3, treatment: keep}
  unit_code: {path: OBX-6.1, treatment: keep}
  stay: {path: [PID-18.1, PV1-19.1], treatment: key}
"""


def _overlay(root: Path, format_: str, text: str) -> None:
    folder = root / "mappings" / format_
    folder.mkdir(parents=True)
    (folder / "ours.yaml").write_text(text.replace("%resource.id,", '"%resource.id",'))


def test_a_resource_type_that_waited_is_read_from_the_next_run_on(tmp_path: Path) -> None:
    site = new_site(tmp_path / "site")
    feed(site, "export.ndjson", PATIENT + FAMILY, "fhir")
    travel(site)
    assert dispositions(site) == ({"published": 1, "quarantined": 1}, ["event_not_mapped"])

    _overlay(site.root, "fhir", FAMILY_MAPPING)
    travel(site)
    assert dispositions(site) == ({"published": 2}, [])
    found = query(site, "SELECT observation_date, observation_source_value FROM cdm.observation")
    assert [(str(day), code) for day, code in found] == [("2024-02-01", "E11.9")]
    assert counted(site).balanced


def test_a_segment_that_nothing_read_is_read(tmp_path: Path) -> None:
    site = new_site(tmp_path / "site")
    feed(site, "admission.hl7", ADMISSION)
    travel(site)
    assert query(site, "SELECT count(*) FROM cdm.measurement") == [(0,)]

    _overlay(site.root, "hl7v2", WEIGHT_MAPPING)
    travel(site)
    found = query(
        site,
        "SELECT m.value_as_number, m.unit_source_value, v.visit_start_date FROM cdm.measurement m"
        " JOIN cdm.visit_occurrence v USING (visit_occurrence_id)",
    )
    assert [(float(value), unit, str(day)) for value, unit, day in found] == [
        (71.5, "kg", "2024-03-01")
    ]
