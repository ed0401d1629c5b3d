"""The truth of a synthetic hospital as the comparison reads it: what was told and holds."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def moment(text: str) -> dt.datetime:
    """A local time of the truth."""
    return dt.datetime.fromisoformat(text)


def moment_or_none(text: str | None) -> dt.datetime | None:
    """A local time of the truth, where there may be none."""
    return None if text is None else moment(text)


class Truth:
    """The statements that a warehouse must hold, by kind; opposed persons are left out.

    Attributes:
        persons: lines of persons.jsonl by patient.
        records: lines of messages.jsonl, of every format.
        statements: lines of statements.jsonl by id, opposed persons' too.
        as_of: when the last record that reaches the warehouse was sent.
    """

    def __init__(self, hospital: Path) -> None:
        folder = hospital / "truth"
        self.persons = {line["patient"]: line for line in _lines(folder / "persons.jsonl")}
        self._kinds: dict[str, list[Line]] = defaultdict(list)
        self.statements = {line["id"]: line for line in _lines(folder / "statements.jsonl")}
        for line in self.statements.values():
            if not self.persons[line["patient"]]["opposed"]:
                self._kinds[line["kind"]].append(line)
        self.records = _lines(folder / "messages.jsonl")
        self.as_of = max(
            moment(record["sent"])
            for record in self.records
            if not record["bad"] and not record["superseded"] and not self.opposed(record)
        )

    def opposed(self, record: Line) -> bool:
        """Whether a record is about somebody who opposed; a unit or professional is nobody."""
        return bool(record["patient"]) and bool(self.persons[record["patient"]]["opposed"])

    def clinical(self, record: Line) -> list[Line]:
        """What a record states besides who and where."""
        told = (self.statements[name] for name in record["statements"])
        return [line for line in told if line["kind"] not in {"identity", "stay", "movement"}]

    def documents(self) -> list[Line]:
        """The CDA documents that speak: the last of each set, not taken back, each once."""
        return [
            record
            for record in self.records
            if "cda" in (record["format"], record["carries"])
            and not (record["bad"] or record["superseded"] or record["duplicate_of"])
            and not self.opposed(record)
            and not all(line["cancelled"] for line in self.clinical(record))
        ]

    def holds(self, kind: str) -> list[Line]:
        """Facts of a kind that a sound message states and that nobody took back."""
        return [line for line in self._kinds[kind] if line["told"] and not line["cancelled"]]


def _lines(path: Path) -> list[Line]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
