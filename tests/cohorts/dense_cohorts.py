"""Dense CDMs and definitions drawn at random over every attribute, to compare two compilers."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import duckdb

from entrepot.cohorts.compiling.specs import Attribute, Table, attributes, tables
from entrepot.omop.cdm import load_cdm

FIRST_DAY = dt.date(2012, 1, 1)
PERSONS = range(1, 51)
# The CDM lacks a column, or the reference's own SQL fails.
LEFT_OUT = {
    "EffectiveDrugDose", "DoseUnit", "DoseUnitCS", "PlaceOfServiceLocation", "Abnormal",
}  # fmt: skip
KINDS = {"integer": "BIGINT", "float": "DECIMAL(18, 3)", "date": "DATE", "datetime": "TIMESTAMP"}
VOCABULARY = """
INSERT INTO cdm.concept (concept_id, invalid_reason)
  SELECT i, CASE WHEN i = 7 THEN 'D' END FROM range(1, 12) t(i);
INSERT INTO cdm.concept_ancestor (ancestor_concept_id, descendant_concept_id)
  VALUES (1, 1), (1, 2), (1, 7), (3, 3), (3, 4), (3, 5), (4, 4), (4, 5), (10, 11);
INSERT INTO cdm.concept_relationship (concept_id_1, concept_id_2, relationship_id, invalid_reason)
  VALUES (6, 1, 'Maps to', NULL), (7, 1, 'Maps to', 'D'), (8, 2, 'Maps to', NULL),
    (9, 3, 'Mapped from', NULL), (6, 4, 'Maps to', NULL);
INSERT INTO cdm.provider (provider_id, specialty_concept_id) SELECT i, i FROM range(1, 5) t(i);
INSERT INTO cdm.care_site (care_site_id, place_of_service_concept_id)
  SELECT i, i FROM range(1, 5) t(i);
"""


def dense_cdm(rng: random.Random, rows: int) -> duckdb.DuckDBPyConnection:
    """A CDM in memory in which events of few concepts and days meet often."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("CREATE SCHEMA cdm")
    for table in load_cdm().tables:
        fields = ", ".join(f'"{f.name}" {KINDS.get(f.kind, "VARCHAR")}' for f in table.fields)
        connection.execute(f"CREATE TABLE cdm.{table.name} ({fields})")
    connection.execute(VOCABULARY)
    for person in PERSONS:
        gender, year = rng.choice([1, 2, 3]), rng.choice([1950, 1990, 1994, 2000])
        connection.execute(
            "INSERT INTO cdm.person (person_id, gender_concept_id, year_of_birth, race_concept_id,"
            " ethnicity_concept_id) VALUES (?, ?, ?, ?, ?)",
            [person, gender, year, rng.choice([1, 2]), rng.choice([0, 1])],
        )
    numbers = iter(range(1000, 10**6))
    _observe(connection, rng, numbers)
    for spec in tables().values():
        if spec.table not in ("location_history", "observation_period"):
            _fill(connection, rng, spec, [next(numbers) for _ in range(rows)])
    return connection


def _observe(connection: duckdb.DuckDBPyConnection, rng: random.Random, numbers: Any) -> None:
    for person in PERSONS:
        start = FIRST_DAY + dt.timedelta(rng.randint(0, 60))
        for _ in range(rng.choice([1, 1, 2, 3])):
            end = start + dt.timedelta(rng.choice([40, 120, 300]))
            connection.execute(
                "INSERT INTO cdm.observation_period VALUES (?, ?, ?, ?, ?)",
                [next(numbers), person, start, end, rng.choice([1, 2, 3])],
            )
            start = end + dt.timedelta(rng.choice([0, 1, 5, 60]))


def _fill(
    connection: duckdb.DuckDBPyConnection, rng: random.Random, spec: Table, ids: list[int]
) -> None:
    fields = load_cdm().table(spec.table).fields
    persons = rng.sample(PERSONS, 40) if spec.table == "death" else rng.choices(PERSONS, k=len(ids))
    lines = []
    for key, person in zip(ids, persons, strict=False):
        start = FIRST_DAY + dt.timedelta(rng.choice([rng.randint(0, 400), 30, 60, 61, 90]))
        # As in data that nobody checked, some events end before they start.
        later = start + dt.timedelta(rng.choice([-5, 1, 7, 30, 90]))
        end = rng.choice([None, start, later, later])
        known = {spec.start: start, spec.end: end, spec.id: key, "person_id": person}
        if spec.end_rule == "column":
            known[spec.end] = end
        if spec.table == "visit_occurrence":
            known[spec.id] = 500 + len(lines)
        lines.append([known.get(f.name, _cell(rng, f.name, f.kind)) for f in fields])
    marks = ", ".join("?" for _ in fields)
    connection.executemany(f"INSERT INTO cdm.{spec.table} VALUES ({marks})", lines)


def _cell(rng: random.Random, name: str, kind: str) -> object:
    if name.endswith("concept_id"):
        return rng.choice([0, 1, 2, 3, 4, 5, 6, 8, None])
    if name == "visit_occurrence_id":
        return rng.choice([None, *range(500, 560)])
    if name in ("provider_id", "care_site_id"):
        return rng.choice([None, 1, 2, 3, 4])
    values: dict[str, list[object]] = {
        "integer": [None, 0, 1, 2, 5, 30],
        "float": [None, 0.0, 1.0, 2.5, 5.0, 10.0],
        "text": [None, "ab", "xab", "abx", "c", "AB"],
    }
    return rng.choice(values.get(kind, [None]))


def _set(number: int, *items: dict[str, Any]) -> dict[str, Any]:
    return {"id": number, "name": str(number), "expression": {"items": list(items)}}


def _concept(number: int) -> dict[str, Any]:
    return {"concept": {"CONCEPT_ID": number}}


SETS = [
    _set(0, _concept(1) | {"includeDescendants": True}),
    _set(1, _concept(3) | {"includeDescendants": True}, _concept(5) | {"isExcluded": True}),
    _set(2, _concept(1) | {"includeMapped": True, "includeDescendants": True}, _concept(99)),
    _set(3, *(_concept(n) for n in (1, 2, 3, 4))),
    _set(4),
    _set(5, *(_concept(n) for n in (0, 1, 2, 3, 4, 5, 6, 8))),
]


class Draw:
    """One definition, drawn."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def definition(self) -> dict[str, Any]:
        """A whole definition in Circe's JSON."""
        pick = self.rng.choice
        told = {
            "ConceptSets": SETS,
            "PrimaryCriteria": {
                "CriteriaList": [self.criterion() for _ in range(pick([1, 1, 2, 3]))],
                "ObservationWindow": {"PriorDays": pick([0, 0, 10]), "PostDays": pick([0, 0, 10])},
                "PrimaryCriteriaLimit": self.limit(),
            },
            "QualifiedLimit": self.limit(),
            "ExpressionLimit": self.limit(),
            "InclusionRules": [
                {"name": str(n), "expression": self.group()} for n in range(pick([0, 1, 2, 3]))
            ],
            "CensoringCriteria": [self.criterion() for _ in range(pick([0, 0, 0, 1, 2]))],
            "CollapseSettings": {"CollapseType": "ERA", "EraPad": pick([0, 0, 1, 30])},
            "CensorWindow": pick([{}, {}, {}, {"StartDate": "2012-02-15"}]),
        }
        if pick([True, False, False]):
            told["AdditionalCriteria"] = self.group()
        return told | pick([{}, {"EndStrategy": self.end()}])

    def limit(self) -> dict[str, Any]:
        return {"Type": self.rng.choice(["All", "All", "First", "Last"])}

    def end(self) -> dict[str, Any]:
        pick = self.rng.choice
        if pick([True, True, False]):
            field = pick(["StartDate", "EndDate"])
            return {"DateOffset": {"DateField": field, "Offset": pick([0, 1, 7, 30, -3])}}
        era = {"DrugCodesetId": 5, "GapDays": pick([0, 7, 30]), "Offset": pick([0, 3])}
        return {"CustomEra": era | pick([{}, {"DaysSupplyOverride": 5}])}

    def criterion(self, depth: int = 0) -> dict[str, Any]:
        pick = self.rng.choice
        spec = tables()[pick([name for name in tables() if name != "LocationRegion"])]
        told: dict[str, Any] = {}
        if spec.concept and pick([True, True, False]):
            told["CodesetId"] = pick([0, 1, 2, 3, 5])
        if spec.criterion != "Death" and self.rng.random() < 0.15:
            told["First"] = True
        known = [one for one in spec.attributes if one.name not in LEFT_OUT]
        for one in self.rng.sample(known, pick([0, 0, 1, 1, 2])):
            told[one.name] = self.value(one)
        if self.rng.random() < 0.08:
            edges = ("START_DATE", "END_DATE")
            told["DateAdjustment"] = {
                "StartWith": pick(edges), "StartOffset": pick([0, -5, 3]),
                "EndWith": pick(edges), "EndOffset": pick([0, 7]),
            }  # fmt: skip
        if depth < 2 and self.rng.random() < 0.2:
            told["CorrelatedCriteria"] = self.group(depth + 1)
        return {spec.criterion: told}

    def group(self, depth: int = 0) -> dict[str, Any]:
        pick = self.rng.choice
        told: dict[str, Any] = {
            "Type": pick(["ALL", "ALL", "ANY", "AT_LEAST", "AT_MOST"]),
            "Count": pick([0, 1, 1, 2]),
            "CriteriaList": [self.correlated(depth) for _ in range(pick([0, 1, 1, 2]))],
            "DemographicCriteriaList": [],
            "Groups": [self.group(depth + 1)] if depth < 2 and self.rng.random() < 0.25 else [],
        }
        if pick([True, False, False]):
            asked = self.rng.sample(attributes("DemographicCriteria"), 1)
            told["DemographicCriteriaList"] = [{one.name: self.value(one) for one in asked}]
        return told

    def correlated(self, depth: int) -> dict[str, Any]:
        pick = self.rng.choice
        told = self.criterion(depth)
        [(name, inner)] = told.items()
        occurrence = {"Type": pick([0, 1, 2, 2, 2]), "Count": pick([0, 1, 1, 1, 2, 3])}
        columns = [one for one in tables()[name].counted if not one.startswith("VISIT_")]
        if "CorrelatedCriteria" not in inner and pick([True, False, False]):
            occurrence |= {"IsDistinct": True, "CountColumn": pick(columns)}
        window = {} if pick([True, True, False]) else {"EndWindow": self.window()}
        return {
            "Criteria": told, "StartWindow": self.window(), "Occurrence": occurrence,
            "IgnoreObservationPeriod": pick([True, False, False, False]),
            "RestrictVisit": self.rng.random() < 0.1, **window,
        }  # fmt: skip

    def window(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for side, signs in (("Start", [-1, -1, 1]), ("End", [-1, 1])):
            told[side] = {"Coeff": self.rng.choice(signs)}
            if self.rng.random() < 0.8:
                told[side]["Days"] = self.rng.choice([0, 0, 1, 7, 30, 90, 365])
        for flag in ("UseIndexEnd", "UseEventEnd"):
            if self.rng.random() < 0.3:
                told[flag] = self.rng.random() < 0.5
        return told

    def value(self, one: Attribute) -> object:
        pick = self.rng.choice
        op = pick(["lt", "lte", "eq", "!eq", "gt", "gte", "bt", "!bt"])
        ranges: dict[str, tuple[object, object]] = {
            "age": (pick([12, 18, 22]), pick([20, 25, 70])),
            "whole": (pick([0, 1, 2, 5]), pick([2, 5, 30])),
            "length": (pick([0, 1, 7, 30]), pick([5, 30, 90])),
            "decimal": (pick([0, 0.5, 1, 2.5]), pick([1, 4, 10])),
            "ratio": (pick([0, 0.5, 1, 2.5]), pick([1, 4, 10])),
            "date": (pick(["2012-02-01", "2012-03-01"]), pick(["2012-04-01", "2012-10-01"])),
        }
        if one.kind in ranges:
            low, high = ranges[one.kind]
            return {"Value": low, "Op": op} | ({"Extent": high} if op.endswith("bt") else {})
        if one.kind == "text":
            return {"Text": pick(["ab", "a", "A%"]), "Op": pick(["contains", "!endsWith", "eq"])}
        if one.kind == "concepts":
            return [{"CONCEPT_ID": n} for n in self.rng.sample([1, 2, 3, 4], pick([1, 2]))]
        if one.kind == "selection":
            return {"CodesetId": pick([0, 1, 3, 4]), "IsExclusion": pick([True, False])}
        return 3
