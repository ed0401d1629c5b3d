"""Writes the truth: statements, persons, identifiers and messages, one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Fact
from entrepot.synthetic.links import history
from entrepot.synthetic.message import Message, Place
from entrepot.synthetic.persons import Civil, Person

KINDS = ("statements", "identifiers", "persons", "messages")


class Truth:
    """The four files of `truth/`."""

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

    def message(self, message: Message, file: str, ordinal: int, charset: str) -> None:
        """Writes one message: where it lies, what it carries, what is odd about it."""
        marks = message.marks
        self._write(
            "messages",
            {
                "message": message.id,
                "control_id": message.control_id,
                "source": message.source,
                "file": file,
                "ordinal": ordinal,
                "charset": charset,
                "event": message.event,
                "patient": None if marks.get("bad") == "acknowledgement" else message.patient,
                "other": message.other or None,
                "sent": message.sent.isoformat(timespec="seconds"),
                "statements": list(message.facts),
                "duplicate_of": marks.get("duplicate_of"),
                "late": bool(marks.get("late")),
                "correction": bool(marks.get("correction")),
                "cancel": bool(marks.get("cancel")),
                "same_control_id": bool(marks.get("same_control_id")),
                "bad": marks.get("bad"),
            },
        )

    def identifiers(self, person: Person, put: list[tuple[Message, Place]]) -> None:
        """Writes one patient's identifying strings with their places, then the canonical forms."""
        grouped: dict[tuple[str, str, str, str, bool], list[dict[str, object]]] = {}
        for message, (ident, position, start, end) in put:
            who, of = (message.other, "patient") if ident.of == "other" else (person.id, ident.of)
            place: dict[str, object] = {"message": message.id, "position": position}
            if start is not None:
                place |= {"start": start, "end": end}
            grouped.setdefault((who, ident.label, str(ident), of, ident.typo), []).append(place)
        for civil in dict.fromkeys(change.civil for change in person.history):
            for name in full_names(civil):
                grouped.setdefault((person.id, "NOM_COMPLET", name, "patient", False), [])
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

    def _write(self, kind: str, line: dict[str, object]) -> None:
        self._files[kind].write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.counts[kind] += 1


def full_names(civil: Civil) -> list[str]:
    """The canonical full names: given name and each surname."""
    return [
        f"{civil.given} {name}"
        for name in dict.fromkeys((civil.used or civil.family, civil.family))
    ]
