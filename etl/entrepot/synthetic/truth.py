"""Writes the truth: statements, persons, identifiers, messages and texts, one object a line."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol, TypeAlias

from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Fact
from entrepot.synthetic.links import history
from entrepot.synthetic.message import Place, Text
from entrepot.synthetic.persons import Civil, Person

KINDS = ("statements", "identifiers", "persons", "messages", "texts")


class Record(Protocol):
    """One record of a feed: an HL7 message, a FHIR resource or a CDA document."""

    facts: tuple[str, ...]
    marks: dict[str, object]

    @property
    def id(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def carries(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def control_id(self) -> str: ...
    @property
    def patient(self) -> str: ...
    @property
    def other(self) -> str: ...
    @property
    def sent(self) -> dt.datetime: ...


Put: TypeAlias = "tuple[Record, Place]"  # an identifier that a record holds


class Truth:
    """The five files of `truth/`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, IO[str]] = {
            kind: (folder / f"{kind}.jsonl").open("w", encoding="utf-8", newline="\n")
            for kind in KINDS
        }
        self.counts = dict.fromkeys(KINDS, 0)

    def close(self) -> None:
        """Closes the files."""
        for file in self._files.values():
            file.close()

    def statements(self, facts: list[Fact]) -> None:
        """Writes the final facts of one patient."""
        for fact in facts:
            self._write("statements", fact.line())

    def person(self, chart: Chart, opposed_on: str, withdrawn_on: str) -> None:
        """Writes one person: every number, links, opposition, mother."""
        person = chart.person
        self._write(
            "persons",
            {
                "patient": person.id,
                "role": person.role,
                "ipps": person.ipps,
                "ins": person.ins or None,
                "reliability": person.final.reliability,
                "links": history(chart),
                "opposed": bool(opposed_on and not withdrawn_on),
                "opposed_on": opposed_on or None,
                "withdrawn_on": withdrawn_on or None,
                "mother": person.mother.id if person.mother else None,
                "secret_birth": "secret" in person.role,
                "birth_order": person.birth_order or None,
            },
        )

    def message(self, message: Record, file: str, ordinal: int, charset: str) -> None:
        """Writes one message: where it lies, what it carries, what is odd about it."""
        marks = message.marks
        nobody = marks.get("bad") == "acknowledgement" or not message.patient
        self._write(
            "messages",
            {
                "message": message.id,
                "control_id": message.control_id,
                "source": message.source,
                "format": message.format,
                "carries": message.carries or None,
                "file": file,
                "ordinal": ordinal,
                "charset": charset,
                "event": message.event,
                "patient": None if nobody else message.patient,
                "other": message.other or None,
                "sent": message.sent.isoformat(timespec="seconds"),
                "statements": list(message.facts),
                "duplicate_of": marks.get("duplicate_of"),
                "late": bool(marks.get("late")),
                "correction": bool(marks.get("correction")),
                "cancel": bool(marks.get("cancel")),
                "superseded": bool(marks.get("superseded")),
                "same_control_id": bool(marks.get("same_control_id")),
                "bad": marks.get("bad"),
            },
        )

    def identifiers(self, person: Person | None, put: Sequence[Put]) -> None:
        """Writes one patient's identifying strings with their places, then the canonical forms.

        Without a person: those of the records that belong to the hospital.
        """
        own = person.id if person else None
        grouped: dict[tuple[str | None, str, str, str, bool], list[dict[str, object]]] = {}
        for message, (ident, position, start, end) in put:
            who, of = (message.other, "patient") if ident.of == "other" else (own, ident.of)
            place: dict[str, object] = {"message": message.id, "position": position}
            if start is not None:
                place |= {"start": start, "end": end}
            grouped.setdefault((who, ident.label, str(ident), of, ident.typo), []).append(place)
        for civil in dict.fromkeys(change.civil for change in person.history) if person else ():
            for name in full_names(civil):
                grouped.setdefault((own, "NOM_COMPLET", name, "patient", False), [])
        for (who, label, value, of, typo), where in grouped.items():
            self._write(
                "identifiers",
                {
                    "patient": who,
                    "label": label,
                    "value": value,
                    "of": of,
                    "typo": typo,
                    "places": where,
                },
            )

    def texts(self, chart: Chart) -> None:
        """Writes the free texts of one patient: who is named and what is said, with offsets."""
        for letter in chart.letters:
            self._text(letter.id, "letter", letter.patient, letter.text)
        for order in chart.orders:
            for result, comment in order.comments.items():
                self._text(result, "comment", chart.person.id, comment)

    def _text(self, statement: str, kind: str, patient: str, text: Text) -> None:
        self._write(
            "texts",
            {
                "statement": statement,
                "kind": kind,
                "patient": patient,
                "text": str(text),
                "identifiers": [
                    {"start": start, "end": end, "label": ident.label, "of": ident.of}
                    for start, end, ident in text.mentions
                ],
                "facts": [
                    {"start": start, "end": end, "kind": said.kind}
                    for start, end, said in text.sayings
                ],
            },
        )

    def _write(self, kind: str, line: dict[str, object]) -> None:
        self._files[kind].write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.counts[kind] += 1


def full_names(civil: Civil) -> list[str]:
    """The canonical full names: given name and each surname."""
    return [
        f"{civil.given} {name}"
        for name in dict.fromkeys((civil.used or civil.family, civil.family))
    ]
