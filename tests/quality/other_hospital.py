"""A second synthetic warehouse with other conventions than the first, for the checks only.

Each person's life is drawn from a seed of their own, and cut at `until`: a later load holds the
same rows and more. Concept ids are those of OHDSI's public vocabularies.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from other_vocabulary import SEXED

from entrepot.resources import data_file

DAY = dt.timedelta(days=1)
INPATIENT, OUTPATIENT, EMERGENCY = 9201, 9202, 9203
EHR = 32817
NO_VOCABULARY = (
    "concept", "vocabulary", "domain", "concept_class", "concept_relationship", "relationship",
    "concept_synonym", "concept_ancestor", "source_to_concept_map", "drug_strength",
)  # fmt: skip
Row = dict[str, Any]
Tables = dict[str, list[Row]]


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a warehouse is written.

    Args:
        ids: row (small numbers), sparse (53 bits) or negative (of both signs).
        vocabulary: none (no table), empty, or tiny (the concepts in use).
        times: real, midnight or none.
        wide: with units, providers, eras, devices, specimens and visit details.
        skip: leaves out every so many persons.
    """

    seed: str = "b"
    persons: int = 300
    first: int = 0
    since: dt.date = dt.date(2022, 1, 1)
    until: dt.date = dt.date(2025, 10, 31)
    ids: str = "row"
    vocabulary: str = "tiny"
    times: str = "real"
    notes: bool = True
    wide: bool = True
    strike: bool = False
    new_unit: bool = False
    late_pmsi: bool = False
    skip: int = 0

    def key(self, kind: str, *parts: int) -> int:
        """An id, stable over loads; parts are the person's index, the visit's, the row's."""
        name = f"{self.seed}/{kind}/{'/'.join(map(str, parts))}"
        digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 11
        if self.ids == "row":
            first, second, third = [*parts, 0, 0][:3]
            few = kind in {"person", "care_site", "provider", "location"}
            return 1 + (first if few else first * 300 + second * 20 + third)
        return -digest if self.ids == "negative" and digest % 2 else digest

    def time(self, day: dt.date, minutes: int) -> dt.datetime | None:
        """The time of an event as this warehouse writes it."""
        if self.times == "none":
            return None
        midnight = dt.datetime.combine(day, dt.time())
        return midnight + dt.timedelta(minutes=minutes if self.times == "real" else 0)


def write_other(path: Path, style: Style) -> None:
    """A DuckDB file with schema `cdm` and all tables of the CDM, many of them empty."""
    from other_rows import add_events, add_site

    tables: Tables = defaultdict(list)
    for index in range(style.first, style.first + style.persons):
        if not (style.skip and index % style.skip == 0):
            _person(style, tables, index, add_events)
    add_site(style, tables)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA cdm")
        for table, columns in _columns(style).items():
            if style.vocabulary == "none" and table in NO_VOCABULARY:
                continue
            typed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"CREATE TABLE cdm.{table} ({typed})")
            if tables.get(table):
                _fill(connection, table, tables[table])


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    arrow = pa.table({name: [row.get(name) for row in rows] for name in names})
    connection.register("given", arrow)
    connection.execute(f"INSERT INTO cdm.{table} BY NAME SELECT * FROM given")
    connection.unregister("given")


def _columns(style: Style) -> dict[str, dict[str, str]]:
    kinds = {"integer": "INTEGER" if style.ids == "row" else "BIGINT", "bigint": "BIGINT",
             "datetime": "TIMESTAMP", "float": "DOUBLE", "date": "DATE"}  # fmt: skip
    found: dict[str, dict[str, str]] = defaultdict(dict)
    with data_file("omop_ddl/cdm54_fields.csv").open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            found[line["table"]][line["field"]] = kinds.get(line["type"].lower(), "VARCHAR")
    return found


def _person(style: Style, tables: Tables, index: int, add_events: Any) -> None:
    dice, me = random.Random(f"{style.seed}/{index}"), style.key("person", index)
    born = dt.date(2021, 12, 1) - dt.timedelta(days=int(dice.triangular(200, 34000, 24000)))
    sex, dies = dice.choice(tuple(SEXED)), dice.random() < 0.15
    visits = _visits(style, index, dice)
    seen = [one for one in visits if one["visit_start_date"] <= style.until]
    if not seen:
        return
    exact = style.seed == "d"
    tables["person"].append({
        "person_id": me, "gender_concept_id": 8507 if sex == "M" else 8532,
        "year_of_birth": born.year, "month_of_birth": born.month,
        "day_of_birth": born.day if exact else None,
        "birth_datetime": dt.datetime.combine(born, dt.time()) if exact else None,
        "race_concept_id": 0, "ethnicity_concept_id": 0,
        "location_id": style.key("location", index % 20) if style.wide else None,
        "person_source_value": hashlib.sha256(f"{style.seed}{index}".encode()).hexdigest()[:32],
        "gender_source_value": sex, "gender_source_concept_id": 0,
    })  # fmt: skip
    tables["observation_period"].append({
        "observation_period_id": style.key("observation_period", index, 1), "person_id": me,
        "observation_period_start_date": seen[0]["visit_start_date"],
        "observation_period_end_date": min(seen[-1]["visit_end_date"], style.until),
        "period_type_concept_id": EHR,
    })  # fmt: skip
    for number, visit in enumerate(seen):
        add_events(style, tables, (index, number), visit, sex)
    death = visits[-1]["visit_end_date"]
    if dies and death <= style.until and len(seen) == len(visits):
        tables["death"].append({
            "person_id": me, "death_date": death, "death_datetime": style.time(death, 1380),
            "death_type_concept_id": EHR,
        })  # fmt: skip


def _visits(style: Style, index: int, dice: random.Random) -> list[Row]:
    """Stays in time order; half of those of August do not take place."""
    found: list[Row] = []
    day = style.since + dt.timedelta(days=int(dice.random() * 500))
    for number in range(dice.randint(2, 9)):
        day += dt.timedelta(days=int(dice.expovariate(1 / 150)) + 3)
        august = day.month == 8 and dice.random() < 0.5
        struck = style.strike and dt.date(2025, 10, 6) <= day <= dt.date(2025, 10, 12)
        kind = dice.choice((INPATIENT,) * 2 + (OUTPATIENT,) * 3 + (EMERGENCY,))
        length = int(dice.expovariate(1 / 5)) + 1 if kind == INPATIENT else 0
        if day > dt.date(2026, 6, 30):
            break
        if not august and not (struck and kind == OUTPATIENT):
            found.append(_visit(style, (index, number), kind, (day, day + length * DAY), dice))
        day += length * DAY
    return found


def _visit(
    style: Style, place: tuple[int, int], kind: int, span: tuple[dt.date, dt.date],
    dice: random.Random,
) -> Row:  # fmt: skip
    start, end = span
    unit = dice.randrange(8)
    if style.new_unit and start >= dt.date(2025, 9, 15) and unit == 3:
        unit = 8
    return {
        "visit_occurrence_id": style.key("visit", *place),
        "person_id": style.key("person", place[0]), "visit_concept_id": kind,
        "visit_start_date": start, "visit_start_datetime": style.time(start, 480 + unit),
        "visit_end_date": end, "visit_end_datetime": style.time(end, 1400),
        "visit_type_concept_id": EHR, "visit_source_concept_id": 0,
        "care_site_id": style.key("care_site", unit) if style.wide else None,
        "provider_id": style.key("provider", dice.randrange(15)) if style.wide else None,
        "visit_source_value": {INPATIENT: "HC", OUTPATIENT: "CS", EMERGENCY: "URG"}[kind],
    }  # fmt: skip
