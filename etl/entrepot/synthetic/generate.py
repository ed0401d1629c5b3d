"""The synthetic hospital: from a seed and a number of patients to feeds and their truth."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from entrepot.errors import ConfigurationError
from entrepot.synthetic import (
    admissions,
    documents,
    itinerary,
    laboratory,
    links,
    mishaps,
    pharmacy,
    pmsi,
)
from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.hl7v2_writer import Feeds, Slot, encode, msh, slot
from entrepot.synthetic.hospital import AUTHORITY
from entrepot.synthetic.message import Message, Place, places
from entrepot.synthetic.population import person as draw_person
from entrepot.synthetic.roles import BLOCK
from entrepot.synthetic.truth import Truth

FEEDS = (admissions, links, laboratory, pmsi, pharmacy, documents)
OPPOSITION_COLUMNS = ("authority", "ipp", "opposed_on", "withdrawn_on")


@dataclass(frozen=True)
class Summary:
    """What was written."""

    patients: int
    messages: int
    duplicates: int
    bad: int
    files: int
    statements: int
    identifiers: int
    opposed: int


@dataclass
class _Tally:
    messages: int = 0
    duplicates: int = 0
    bad: int = 0
    opposed: int = 0


def generate(
    patients: int, seed: int, out: Path, progress: Callable[[int], None] | None = None
) -> Summary:
    """Writes the feeds, the oppositions and the truth of a hospital.

    Patient k is the same whatever `patients` is; the same arguments give the same bytes; memory
    does not grow with `patients`.

    Args:
        patients: how many, from 1 to 999 999.
        seed: any integer.
        out: a folder that is empty or absent.
        progress: called after each patient with the number done.

    Raises:
        ConfigurationError: `patients` is out of range, or `out` holds something.
    """
    _check(patients, out)
    feeds, truth, tally = Feeds(out), Truth(out / "truth"), _Tally()
    with (out / "oppositions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(OPPOSITION_COLUMNS)
        for index in range(patients):
            _patient(seed, index, feeds, truth, file, tally)
            if progress:
                progress(index + 1)
    feeds.close()
    truth.close()
    return Summary(
        patients,
        tally.messages,
        tally.duplicates,
        tally.bad,
        feeds.files,
        truth.counts["statements"],
        truth.counts["identifiers"],
        tally.opposed,
    )


def _check(patients: int, out: Path) -> None:
    if not 1 <= patients < 1_000_000:
        raise ConfigurationError("the number of patients must lie between 1 and 999 999")
    if out.exists() and any(out.iterdir()):
        raise ConfigurationError(
            "the output folder is not empty", where=str(out), remedy="name another"
        )


def _patient(
    seed: int, index: int, feeds: Feeds, truth: Truth, oppositions: IO[str], tally: _Tally
) -> None:
    chart, messages = patient_messages(seed, index)
    opposed_on, withdrawn_on = _opposition(chart)
    truth.person(chart, opposed_on, withdrawn_on)
    truth.statements(chart.facts)
    if opposed_on:
        tally.opposed += 1
        writer = csv.writer(oppositions, lineterminator="\n")
        for number in chart.person.ipps:
            writer.writerow((AUTHORITY[0], number, opposed_on, withdrawn_on))
    put: list[tuple[Message, Place]] = []
    for message, where in _with_duplicates(seed, chart, messages):
        segments = [msh(message, where.charset), *message.segments]
        put += [(message, place) for place in places(segments)]
        ordinal = feeds.add(where, encode(segments, where.charset))
        truth.message(message, feeds.path(where), ordinal, where.charset)
        tally.messages += 1
        tally.duplicates += "duplicate_of" in message.marks
        tally.bad += "bad" in message.marks
    truth.identifiers(chart.person, put)


def patient_messages(seed: int, index: int) -> tuple[Chart, list[Message]]:
    """One patient's chart, complete, and the messages that tell it, in the order of arrival."""
    chart = Chart.open(seed, draw_person(seed, index))
    itinerary.live(chart)
    messages = [message for feed in FEEDS for message in feed.messages(chart)]
    messages = mishaps.spoil(chart, messages, stream(seed, index, "mishaps"))
    told = {fact for message in messages if "bad" not in message.marks for fact in message.facts}
    for fact in chart.facts:
        fact.told = fact.id in told
    return chart, sorted(messages, key=lambda m: (m.arrival, m.id))


def _with_duplicates(
    seed: int, chart: Chart, messages: list[Message]
) -> list[tuple[Message, Slot]]:
    """Each message with its file; some come twice, the same bytes in a file of the same charset."""
    rng = stream(seed, chart.person.index, "duplicates")
    found = []
    for message in messages:
        where = slot(message.source, message.arrival)
        found.append((message, where))
        if rng.random() < 0.015:
            again = message.arrival + dt.timedelta(minutes=rng.randint(1, 12_000))
            while slot(message.source, again).charset != where.charset:
                again += dt.timedelta(days=7)
            marks = message.marks | {"duplicate_of": message.id}
            copy = replace(message, id=message.id + "-again", arrival=again, marks=marks)
            found.append((copy, slot(message.source, again)))
    return sorted(found, key=lambda pair: (pair[0].arrival, pair[0].id))


def _opposition(chart: Chart) -> tuple[str, str]:
    """When the patient opposed and when that was withdrawn; empty strings when not."""
    person = chart.person
    if not person.role.startswith("opposed"):
        return "", ""
    opposed = (person.first_seen + dt.timedelta(days=40)).date()
    withdrawn = person.role == "opposed_withdrawn" and person.index < BLOCK
    return opposed.isoformat(), (opposed + dt.timedelta(days=100)).isoformat() if withdrawn else ""
