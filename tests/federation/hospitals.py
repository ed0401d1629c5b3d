"""Three synthetic hospitals of one study, each with its own keys and its own codes.

Patients have hypertension or diabetes, and some a kidney disease within the year. The first
hospital's came by HL7 v2 down the real road, coded in the French CIM-10; the others' warehouses are
drawn in SQL, with local codes of their own and, in the third, concepts below the asked ones.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from entrepot.config import Site
from entrepot.keys import site_keyring
from entrepot.landing.ingest import ingest
from entrepot.publish.ddl import ddl
from entrepot.publish.release import publish
from entrepot.resources import data_folder
from entrepot.run import run
from entrepot.site_files import create_site
from entrepot.vocabulary.load import load_vocabulary
from faults.hand_made import admission, diagnosis

HYPERTENSION, DIABETES, KIDNEY, ASTHMA = 320128, 201826, 443597, 317009
CIM10 = {HYPERTENSION: "I10", DIABETES: "E11.9", KIDNEY: "N18.3", ASTHMA: "J45.9"}
OTHERS = 25  # with asthma: whom no cohort holds, or a cohort would be everybody
START = dt.date(2023, 1, 9)
LAST_SEEN = 300  # days after entry: everybody comes once more


@dataclass(frozen=True)
class Patient:
    """One patient: what they have, and the day after entry of the kidney disease, if any."""

    number: int
    condition: int
    kidney: int | None

    @property
    def enters(self) -> dt.date:
        return START + dt.timedelta(days=self.number % 60)

    def day(self, days: int) -> dt.date:
        return self.enters + dt.timedelta(days=days)


def patients(each: int, hypertension: int, diabetes: int) -> list[Patient]:
    """`each` patients of either kind; so many of each kind get the kidney disease."""
    made = []
    for condition, ill in ((HYPERTENSION, hypertension), (DIABETES, diabetes)):
        for place in range(each):
            kidney = 20 + (place * 37) % 150 if place < ill else None
            made.append(Patient(len(made) + 1, condition, kidney))
    return made + [Patient(len(made) + 1 + n, ASTHMA, None) for n in range(OTHERS)]


def road_hospital(folder: Path, known: list[Patient]) -> Site:
    """The first hospital: its messages landed, registered, let through the door, published."""
    site = create_site(folder, demonstration=True)
    load_vocabulary(data_folder("mappings") / "demo_vocabulary", site.vocabulary)
    feed = folder.parent / f"{folder.name}.hl7"
    feed.write_bytes(b"".join(_messages(one) for one in known))
    ingest(site, site_keyring(site), [feed], "adt")
    result = run(site)
    assert result.exit_code == 0, result
    return site


def drawn_hospital(folder: Path, known: list[Patient], codes: dict[int, tuple[str, int]]) -> Site:
    """A hospital whose warehouse comes from elsewhere.

    Args:
        codes: concept asked for -> the local code, and the standard concept that it is mapped to.
    """
    site = create_site(folder, demonstration=True)
    candidate = site.work / "candidate.duckdb"
    candidate.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(ddl("duckdb"))
        connection.execute("CREATE TABLE seen (n BIGINT, condition INT, start DATE)")
        connection.executemany(
            "INSERT INTO seen VALUES (?, ?, ?)",
            [(p.number, p.condition, p.enters) for p in known]
            + [(p.number, KIDNEY, p.day(p.kidney)) for p in known if p.kidney is not None],
        )
        connection.execute("CREATE TABLE coded (condition INT, code VARCHAR, concept INT)")
        rows = [(asked, *local) for asked, local in codes.items()]
        connection.executemany("INSERT INTO coded VALUES (?, ?, ?)", rows)
        connection.execute(_DRAWN)
    publish(candidate, site.warehouse)
    return site


def _messages(one: Patient) -> bytes:
    ipp, stay, at = f"{one.number:07d}", f"S{one.number:06d}", _at(one.enters)
    birth = f"{1940 + one.number % 50}0412"
    again = _at(one.day(LAST_SEEN))
    parts = [
        admission(f"{ipp}A", ipp, stay, at, birth=birth, name=f"NOM{one.number:04d}"),
        diagnosis(f"{ipp}D", ipp, stay, CIM10[one.condition], at, birth=birth),
    ]
    if one.kidney is not None:
        seen = _at(one.day(one.kidney))
        parts += [
            admission(f"{ipp}K", ipp, f"K{stay}", seen, birth=birth, name=f"NOM{one.number:04d}"),
            diagnosis(f"{ipp}L", ipp, f"K{stay}", CIM10[KIDNEY], seen, birth=birth),
        ]
    parts.append(
        admission(f"{ipp}Z", ipp, f"Z{stay}", again, birth=birth, name=f"NOM{one.number:04d}")
    )
    return b"".join(parts)


def _at(day: dt.date) -> str:
    return f"{day:%Y%m%d}080000"


_DRAWN = f"""
INSERT INTO cdm.concept BY NAME SELECT col0 AS concept_id, col1 AS concept_name,
  col2 AS domain_id, 'None' AS vocabulary_id, 'Any' AS concept_class_id, 'S' AS standard_concept,
  CAST(col0 AS VARCHAR) AS concept_code, DATE '1970-01-01' AS valid_start_date,
  DATE '2099-12-31' AS valid_end_date
FROM (VALUES ({HYPERTENSION}, 'hypertension', 'Condition'), ({DIABETES}, 'diabetes', 'Condition'),
  ({KIDNEY}, 'kidney disease, stage 3', 'Condition'), ({ASTHMA}, 'asthma', 'Condition'),
  (4028741, 'renal hypertension', 'Condition'),
  (443732, 'diabetic complication', 'Condition'), (8507, 'MALE', 'Gender'),
  (8532, 'FEMALE', 'Gender'));
INSERT INTO cdm.concept_ancestor SELECT concept_id, concept_id, 0, 0 FROM cdm.concept;
INSERT INTO cdm.concept_ancestor VALUES ({HYPERTENSION}, 4028741, 1, 1), ({DIABETES}, 443732, 1, 1);
INSERT INTO cdm.person BY NAME SELECT n AS person_id,
  CASE WHEN n % 2 = 0 THEN 8507 ELSE 8532 END AS gender_concept_id, 1940 + n % 50 AS year_of_birth,
  0 AS race_concept_id, 0 AS ethnicity_concept_id FROM (SELECT DISTINCT n FROM seen);
INSERT INTO cdm.observation_period BY NAME SELECT n AS observation_period_id, n AS person_id,
  min(start) AS observation_period_start_date,
  min(start) + {LAST_SEEN} AS observation_period_end_date, 32817 AS period_type_concept_id
FROM seen GROUP BY n;
INSERT INTO cdm.condition_occurrence BY NAME SELECT row_number() OVER (ORDER BY n, start)
  AS condition_occurrence_id, n AS person_id, concept AS condition_concept_id,
  start AS condition_start_date, 32817 AS condition_type_concept_id,
  code AS condition_source_value, 0 AS condition_source_concept_id
FROM seen JOIN coded USING (condition);
INSERT INTO cdm.cdm_source BY NAME SELECT 'EDS' AS cdm_source_name,
  'EDS' AS cdm_source_abbreviation, 'CH' AS cdm_holder, DATE '2026-11-20' AS source_release_date,
  DATE '2026-11-20' AS cdm_release_date, 756265 AS cdm_version_concept_id,
  'v5' AS vocabulary_version;
DROP TABLE seen; DROP TABLE coded;
CREATE SCHEMA etl;
"""


def cohort(concept: int) -> dict[str, Any]:
    """First diagnosis of a concept or one below it, in Circe's JSON."""
    item = {
        "concept": {"CONCEPT_ID": concept}, "isExcluded": False, "includeDescendants": True,
        "includeMapped": False,
    }  # fmt: skip
    return {
        "ConceptSets": [{"id": 0, "name": f"{concept}", "expression": {"items": [item]}}],
        "PrimaryCriteria": {
            "CriteriaList": [{"ConditionOccurrence": {"CodesetId": 0, "First": True}}],
            "ObservationWindow": {"PriorDays": 0, "PostDays": 0},
            "PrimaryCriteriaLimit": {"Type": "First"},
        },
        "QualifiedLimit": {"Type": "First"}, "ExpressionLimit": {"Type": "First"},
        "InclusionRules": [], "CensoringCriteria": [],
        "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0}, "CensorWindow": {},
    }  # fmt: skip
