"""How many clinical facts of a synthetic hospital's free texts are still in its warehouse.

The truth marks drugs, doses, diagnoses, findings, values and dates in each letter
(docs/reference/truth.md, texts.jsonl); the note of that letter must still say them, as often as
the letter does. Instructions of prescriptions, results in words and titles of notes are scrubbed
texts too. A day on which the patient was born is an identity wherever it stands, and not counted.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from entrepot.config import Site
from entrepot.keys import PERSON, Keyring

AUTHORITY = "1.2.250.1.999.1"  # assigning authority of the synthetic hospital's IPPs
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
WORDS = {  # kind of fact -> the statements that tell it, and where it is published
    "sig": ("prescription", "SELECT person_id, sig FROM cdm.drug_exposure"),
    "result": (
        "result",
        "SELECT person_id, value_source_value FROM cdm.measurement UNION"
        " SELECT person_id, coalesce(value_source_value, value_as_string) FROM cdm.observation",
    ),
}
FILE_NAME = ".pdf"  # some programs send the file's name for a title, made of the patient's name


@dataclass
class Note:
    """The notes of one person and moment: their texts joined, their titles."""

    text: str = ""
    titles: set[str] = field(default_factory=set)


class Lost(NamedTuple):
    """A fact that is no longer said: the statement whose text said it, its kind and its words."""

    statement: str
    kind: str
    words: str


@dataclass
class Survival:
    """Facts said and facts kept, by kind."""

    said: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    lost: list[Lost] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of all facts, from 0 to 1; 0 when none was said, since nothing is then proved."""
        said = sum(self.said.values())
        return sum(self.kept.values()) / said if said else 0.0

    def lines(self) -> list[str]:
        """One line a kind, then all of them."""
        return [
            f"{kind}: {self.kept[kind]} of {said} survive ({self.kept[kind] / said:.2%})"
            for kind, said in sorted(self.said.items())
        ] + [f"clinical facts in texts: {self.share:.2%} survive"]

    def add(self, statement: str, kind: str, words: str, found: bool) -> None:
        """Counts one fact."""
        self.said[kind] += 1
        self.kept[kind] += found
        if not found:
            self.lost.append(Lost(statement, kind, words))


def survival(site: Site, keyring: Keyring, truth: Path) -> Survival:
    """Looks for every fact of the truth that the published release must hold.

    Raises:
        OSError: the truth lacks a file.
    """
    import duckdb

    persons = {line["patient"]: line for line in _lines(truth / "persons.jsonl")}
    numbers = {_number(keyring, line["ipps"]): name for name, line in persons.items()}
    held = {
        line["id"]: line
        for line in _lines(truth / "statements.jsonl")
        if line["told"] and not line["cancelled"] and not persons[line["patient"]]["opposed"]
    }
    born = {line["patient"]: line["birth_date"] for line in held.values() if "birth_date" in line}
    found = Survival()
    with duckdb.connect(str(site.warehouse), read_only=True) as connection:
        notes = _notes(connection, numbers)
        for text in _lines(truth / "texts.jsonl"):
            if text["kind"] == "letter" and text["statement"] in held:
                line = held[text["statement"]]
                note = notes[text["patient"], dt.datetime.fromisoformat(line["at"])]
                _count(text, born[text["patient"]], note.text, found)
                if not any(title.endswith(FILE_NAME) for title in note.titles):
                    found.add(line["id"], "title", line["title"], line["title"] in note.titles)
        for kind, (told, query) in WORDS.items():
            texts: dict[str, set[str]] = defaultdict(set)
            for person, words in connection.execute(query).fetchall():
                texts[numbers.get(person, "")].add(_spaced(words or ""))
            for line in held.values():
                if line["kind"] == told and (words := _words(kind, line)):
                    found.add(line["id"], kind, words, words in texts[line["patient"]])
    return found


def _count(text: dict[str, Any], born: str, note: str, found: Survival) -> None:
    """Each fact of one text; a fact said twice must be there twice."""
    seen: Counter[str] = Counter()
    for fact in text["facts"]:
        words = text["text"][fact["start"] : fact["end"]]
        if fact["kind"] != "date" or _day(words) != born:
            seen[words] += 1
            there = note.count(_spaced(words)) >= seen[words]
            found.add(text["statement"], fact["kind"], words, there)


def _notes(connection: Any, numbers: dict[int, str]) -> dict[tuple[str, dt.datetime], Note]:
    """Published notes by whose and of when."""
    notes: dict[tuple[str, dt.datetime], Note] = defaultdict(Note)
    query = "SELECT person_id, note_datetime, note_text, note_title FROM cdm.note ORDER BY note_id"
    for person, at, text, title in connection.execute(query).fetchall():
        note = notes[numbers.get(person, ""), at]
        note.text += "\n" + _spaced(text)
        note.titles.add(title or "")
    return notes


def _words(kind: str, line: dict[str, Any]) -> str:
    """The words of a statement that a scrubbed column must repeat; empty when it has none."""
    if kind == "result":
        given = line["status"] in ("F", "C") and line["number"] is None
        return _spaced((line["coded"] or {}).get("label") or line["value"]) if given else ""
    return _spaced(line[kind])


def _day(words: str) -> str:
    """`6 mai 2024` or `06/05/2024` as 20240506."""
    day, month, year = words.replace("/", " ").split()
    number = MONTHS.index(month) + 1 if month in MONTHS else int(month)
    return f"{year}{number:02d}{int(day.removesuffix('er')):02d}"


def _spaced(text: str) -> str:
    """Line ends and tabs are layout, which formats change."""
    return " ".join(text.split())


def _number(keyring: Keyring, ipps: list[str]) -> int:
    """The warehouse's number of a person: the least pseudonym of the person's numbers."""
    key = min(keyring.keyed(PERSON, AUTHORITY, ipp) for ipp in ipps)
    return keyring.number(PERSON, 53, "id", key)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
