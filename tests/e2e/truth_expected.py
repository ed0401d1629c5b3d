"""What the warehouse of a synthetic hospital must hold, computed from its truth alone.

Independent of the road: reads `truth/*.jsonl` and the concept tables, applies the norm (IHE PAM
France, PMSI, OMOP conventions), and gives rows by business key.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from truth_concepts import Concepts
from truth_events import Events
from truth_reading import Line, Truth, moment
from truth_rows import COLUMNS, Rows, add, empty
from truth_visits import add_visits, visits_of

GAP = dt.timedelta(days=548)
AFTER = dt.timedelta(days=60)
SPANS = {  # table -> first and last day of what a row tells
    "visit_occurrence": ("start_date", "end_date"),
    "condition_occurrence": ("date", "date"),
    "procedure_occurrence": ("at", "at"),
    "observation": ("date", "date"),
    "measurement": ("at", "at"),
    "drug_exposure": ("start", "start"),
    "note": ("at", "at"),
}
Span = tuple[dt.date, dt.date]


def expected_rows(hospital: Path) -> Rows:
    """Every row that the truth of `hospital` asks for."""
    truth, concepts, rows = Truth(hospital), Concepts(), empty()
    visits = visits_of(truth)
    add_visits(rows, visits, concepts)
    Events(rows, concepts, visits).add_all(truth)
    deaths = _deaths(truth)
    observed = _add_periods(rows, deaths, truth.as_of.date(), concepts)
    for line in truth.holds("identity"):
        if line["patient"] in observed:
            _add_person(rows, line, concepts)
    for patient, at in deaths.items():
        if patient in observed:
            kind = concepts.type["death_hospital"]
            add(rows, "death", patient=patient, at=at, date=at.date(), type=kind)
    return rows


def county(postcode: str) -> str:
    """Département of a postcode: two figures, three overseas, 2A and 2B in Corsica."""
    if postcode[:2] in {"97", "98"}:
        return postcode[:3]
    if postcode[:2] == "20":
        return "2A" if postcode[2] in "01" else "2B"
    return postcode[:2]


def _add_person(rows: Rows, line: Line, concepts: Concepts) -> None:
    text = line["birth_date"]
    year, month = int(text[:4]), int(text[4:6]) if line["birth_precision"] != "year" else None
    add(
        rows,
        "person",
        patient=line["patient"],
        gender=concepts.gender[line["sex"]],
        sex=line["sex"],
        year=year,
        month=month,
        birth=dt.datetime(year, month, 1) if month else None,
        county=county(line["postcode"]),
    )


def _deaths(truth: Truth) -> dict[str, dt.datetime]:
    """The death told, else the end of the last stay left with mode 9."""
    found: dict[str, dt.datetime] = {}
    for stay in sorted(truth.holds("stay"), key=lambda line: str(line["end"])):
        if stay["exit_mode"] == "9" and stay["end"]:
            found[stay["patient"]] = moment(stay["end"])
    return found | {line["patient"]: moment(line["at"]) for line in truth.holds("death")}


def _add_periods(
    rows: Rows, deaths: dict[str, dt.datetime], as_of: dt.date, concepts: Concepts
) -> set[str]:
    """Observation periods (Themis, EHR rule); gives the patients who have one."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for table, (first, last) in SPANS.items():
        places = (COLUMNS[table].index(first), COLUMNS[table].index(last))
        for row in rows[table]:
            start, end = (_day(row[place]) for place in places)
            spans[row[0]].append((start, end))
    for patient, found in spans.items():
        limit = min([as_of, *([deaths[patient].date() + AFTER] if patient in deaths else [])])
        for start, end in _joined(found):
            values = {"start": start, "end": max(start, min(end + AFTER, limit))}
            kind = concepts.type["period"]
            add(rows, "observation_period", patient=patient, type=kind, **values)
    return set(spans)


def _joined(spans: list[Span]) -> Iterator[Span]:
    """Spans closer than 548 days are one period."""
    start, end = min(spans)
    for first, last in sorted(spans)[1:]:
        if first - end >= GAP:
            yield start, end
            start, end = first, last
        end = max(end, last)
    yield start, end


def _day(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value
