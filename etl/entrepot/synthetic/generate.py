"""The synthetic hospital: from a seed and a number of patients to feeds and their truth."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from entrepot.errors import ConfigurationError
from entrepot.synthetic import cda, telling
from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.fhir import Exports, Resource, places_in, site_resources
from entrepot.synthetic.hl7v2_writer import Feeds, Slot, encode, msh, slot
from entrepot.synthetic.hospital import AUTHORITY
from entrepot.synthetic.message import Message, places
from entrepot.synthetic.records import patient_messages, patient_records
from entrepot.synthetic.roles import BLOCK
from entrepot.synthetic.truth import Put, Record, Truth

__all__ = ["Summary", "generate", "patient_messages"]

OPPOSITION_COLUMNS = ("authority", "ipp", "opposed_on", "withdrawn_on")


@dataclass(frozen=True)
class Summary:
    """What was written; `messages` counts the records of every format."""

    patients: int
    messages: int
    duplicates: int
    bad: int
    files: int
    statements: int
    identifiers: int
    opposed: int


def generate(
    patients: int,
    seed: int,
    out: Path,
    progress: Callable[[int], None] | None = None,
    formats: Sequence[str] = telling.FORMATS,
    twice: float = telling.TWICE,
) -> Summary:
    """Writes the feeds, the oppositions and the truth of a hospital.

    Patient k is the same whatever `patients` is; the same arguments give the same bytes; memory
    does not grow with `patients`.

    Args:
        patients: how many, from 1 to 999 999.
        seed: any integer.
        out: a folder that is empty or absent.
        progress: called after each patient with the number done.
        formats: some of hl7v2, fhir, cda. What a format cannot carry stays HL7v2 when that is
            among them, else nobody tells it.
        twice: share of the clinical facts that a second format tells again, from 0 to 1.

    Raises:
        ConfigurationError: `patients`, `formats` or `twice` is out of range, or `out` holds
            something.
    """
    _check(patients, out)
    telling.check(formats, twice)
    hospital = _Hospital(seed, out, formats, twice)
    with (out / "oppositions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(OPPOSITION_COLUMNS)
        hospital.write_site()
        for index in range(patients):
            hospital.write_patient(index, file)
            if progress:
                progress(index + 1)
    return hospital.close(patients)


def _check(patients: int, out: Path) -> None:
    if not 1 <= patients < 1_000_000:
        raise ConfigurationError("the number of patients must lie between 1 and 999 999")
    if out.exists() and any(out.iterdir()):
        raise ConfigurationError(
            "the output folder is not empty", where=str(out), remedy="name another"
        )


class _Hospital:
    """The files being written."""

    def __init__(self, seed: int, out: Path, formats: Sequence[str], twice: float) -> None:
        self._seed, self._formats, self._twice = seed, formats, twice
        self._feeds, self._exports = Feeds(out), Exports(out, seed)
        self._deliveries = cda.Deliveries(out, seed)
        self._truth = Truth(out / "truth")
        self._counts = dict.fromkeys(("messages", "duplicates", "bad", "opposed"), 0)

    def write_site(self) -> None:
        """The resources that belong to no patient."""
        put: list[Put] = []
        for new in site_resources(self._seed) if telling.FHIR in self._formats else ():
            self._export(new, put)
        self._truth.identifiers(None, put)

    def write_patient(self, index: int, oppositions: IO[str]) -> None:
        """One patient: what is true, and every record that says it."""
        told = patient_records(self._seed, index, self._formats, self._twice)
        chart = told.chart
        opposed_on, withdrawn_on = _opposition(chart)
        self._truth.person(chart, opposed_on, withdrawn_on)
        self._truth.statements(chart.facts)
        self._truth.texts(chart)
        if opposed_on:
            self._counts["opposed"] += 1
            writer = csv.writer(oppositions, lineterminator="\n")
            for number in chart.person.ipps:
                writer.writerow((AUTHORITY[0], number, opposed_on, withdrawn_on))
        put: list[Put] = []
        for message, where in _with_duplicates(self._seed, chart, told.messages):
            self._send(message, where, put)
        self._export_all(chart, told.resources, put)
        self._deliver_all(chart, told.documents, put)
        self._truth.identifiers(chart.person, put)

    def close(self, patients: int) -> Summary:
        """Ends every file."""
        self._feeds.close()
        self._exports.close()
        self._truth.close()
        return Summary(
            patients,
            files=self._feeds.files + self._exports.files + self._deliveries.files,
            statements=self._truth.counts["statements"],
            identifiers=self._truth.counts["identifiers"],
            **self._counts,
        )

    def _send(self, message: Message, where: Slot, put: list[Put]) -> None:
        segments = [msh(message, where.charset), *message.segments]
        put += [(message, place) for place in places(segments)]
        ordinal = self._feeds.add(where, encode(segments, where.charset))
        self._note(message, self._feeds.path(where), ordinal, where.charset)

    def _export_all(self, chart: Chart, found: list[Resource], put: list[Put]) -> None:
        """NDJSON lines, some of them twice; a Bundle is written with the first of its entries."""
        rng = stream(self._seed, chart.person.index, "fhir duplicates")
        bundled: dict[str, list[Resource]] = {}
        for new in found:
            if new.bundle:
                bundled.setdefault(new.bundle, []).append(new)
                continue
            self._export(new, put)
            if rng.random() < 0.015:
                again = new.arrival + dt.timedelta(minutes=rng.randint(1, 12_000))
                marks = new.marks | {"duplicate_of": new.id}
                self._export(replace(new, id=new.id + "-again", arrival=again, marks=marks), put)
        for key, members in bundled.items():
            path, wholes = self._exports.bundle(members, key)
            for ordinal, (new, whole) in enumerate(zip(members, wholes, strict=True), 1):
                put += [(new, place) for place in places_in(whole)]
                self._note(new, path, ordinal, "UTF-8")

    def _export(self, new: Resource, put: list[Put]) -> None:
        whole = new.whole()
        put += [(new, place) for place in places_in(whole)]
        path, ordinal = self._exports.add(new, whole)
        self._note(new, path, ordinal, "UTF-8")

    def _deliver_all(self, chart: Chart, found: list[cda.Document], put: list[Put]) -> None:
        """One file a document; some come twice."""
        rng = stream(self._seed, chart.person.index, "cda duplicates")
        for new in found:
            self._deliver(new, put)
            if rng.random() < 0.015:
                again = new.arrival + dt.timedelta(minutes=rng.randint(1, 12_000))
                marks = new.marks | {"duplicate_of": new.id}
                self._deliver(replace(new, id=new.id + "-again", arrival=again, marks=marks), put)

    def _deliver(self, new: cda.Document, put: list[Put]) -> None:
        put += [(new, place) for place in cda.places_in(new.root)]
        self._note(new, self._deliveries.add(new), 1, new.charset)

    def _note(self, record: Record, path: str, ordinal: int, charset: str) -> None:
        self._truth.message(record, path, ordinal, charset)
        self._counts["messages"] += 1
        self._counts["duplicates"] += "duplicate_of" in record.marks
        self._counts["bad"] += "bad" in record.marks


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
