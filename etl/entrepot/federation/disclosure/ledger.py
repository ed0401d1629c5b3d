"""What a node has told, over all requesters and studies: sets of persons, sealed, and budgets.

SQLite in the node's private folder. Sets are compressed bitmaps over the population of their
release; without the key the file tells how many figures were answered, when and for which study.
"""

from __future__ import annotations

import math
import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from entrepot.errors import ConfigurationError
from entrepot.federation.disclosure.asker import Asker
from entrepot.federation.disclosure.nearness import Known, Remembered, Sketch
from entrepot.federation.disclosure.policy import Policy
from entrepot.federation.disclosure.sealing import BUCKETS, Seal, packed, unpacked
from entrepot.federation.disclosure.tables import PersonSet

_TABLES = """
CREATE TABLE IF NOT EXISTS population (id INTEGER PRIMARY KEY, mark BLOB UNIQUE, persons BLOB);
CREATE TABLE IF NOT EXISTS answered (
  id INTEGER PRIMARY KEY AUTOINCREMENT, root INTEGER NOT NULL, population INTEGER NOT NULL,
  mark BLOB NOT NULL, release TEXT NOT NULL, study TEXT NOT NULL, day TEXT NOT NULL,
  head BLOB NOT NULL, persons BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS answered_mark ON answered (mark);
CREATE TABLE IF NOT EXISTS summed (root INTEGER NOT NULL, name BLOB NOT NULL,
  value BLOB NOT NULL, PRIMARY KEY (root, name));
CREATE TABLE IF NOT EXISTS asked (study TEXT, requester TEXT, day TEXT, questions INTEGER,
  PRIMARY KEY (study, requester, day));
"""
_ORPHANS = (
    "DELETE FROM population WHERE id NOT IN (SELECT population FROM answered)",
    "DELETE FROM summed WHERE root NOT IN (SELECT root FROM answered)",
)
_PRAGMAS = ("busy_timeout = 60000", "journal_mode = WAL", "secure_delete = ON",
            "synchronous = FULL", "temp_store = MEMORY")  # fmt: skip
_VALUE = struct.Struct("<d")  # not a number: withheld
_HEAD = struct.Struct(f"<2q{BUCKETS}q")  # count and mirror (-1: none), persons per bucket


@dataclass(frozen=True)
class Told:
    """A figure to remember: its persons, what was told of them (None: withheld) and of the rest."""

    persons: PersonSet
    count: int | None
    mirror: int | None
    root: int | None = None


class Ledger:
    """A node's memory of its answers; a context manager.

    Args:
        path: of the file, made for its owner alone.
        key: 32 bytes, of this purpose only.

    Raises:
        ConfigurationError: a file that another key wrote, or that is none of ours.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._seal = Seal(key)
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            for pragma in _PRAGMAS:
                self._base.execute(f"PRAGMA {pragma}")
            self._base.executescript(_TABLES)
        except sqlite3.DatabaseError:
            raise ConfigurationError(
                "the disclosure ledger is not readable", where=str(path),
                remedy="restore it; without it earlier answers are forgotten",
            ) from None  # fmt: skip
        self._populations: dict[int, PersonSet] = {}
        self._known = Known()
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._base.close()

    def spend(self, asker: Asker, policy: Policy, questions: int = 1) -> bool:
        """Counts questions of a study; False once the day's or the whole budget is gone.

        To be called before anything else is done with a question: a failing one counts too.
        """
        day, budget = asker.day.isoformat(), policy.budget
        with self.exclusive():
            self._base.execute(
                "INSERT INTO asked VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " questions = questions + excluded.questions",
                (asker.study, asker.requester, day, questions),
            )  # fmt: skip
            today, total = self._base.execute(
                "SELECT coalesce(sum(questions) FILTER (WHERE day = ?), 0), sum(questions)"
                " FROM asked WHERE study = ?", (day, asker.study),
            ).fetchone()  # fmt: skip
        return bool(today <= budget.day and total <= budget.total)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One answer at a time: nobody else's is told between looking and remembering."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            self._read()
            yield
            self._base.execute("COMMIT")
        except BaseException:
            self._base.execute("ROLLBACK")
            raise

    def known(self, asker: Asker) -> Known:
        """What was told before, as far as it counts for a question on this release."""
        return self._known.seen_from(asker.release)

    def sketch(self, persons: PersonSet) -> Sketch:
        """The keyed sketch of a set, to compare it with what is known."""
        return self._seal.sketch(persons)

    def homes(self) -> dict[int, Sketch]:
        """Sketches of the populations that figures were counted in, by their numbers."""
        numbers = self._base.execute("SELECT id FROM population").fetchall()
        return {number: self._seal.sketch(self._home(number)) for (number,) in numbers}

    def load(self, figure: Remembered, mirrored: bool) -> PersonSet:
        """The persons of an answered figure, or everybody else of its population."""
        home = self._home(figure.home)
        (sealed,) = self._base.execute(
            "SELECT persons FROM answered WHERE id = ?", (figure.number,)
        ).fetchone()
        persons = unpacked(self._seal.open(sealed, f"set {figure.number}"), home)
        return np.setdiff1d(home, persons, assume_unique=True) if mirrored else persons

    def remember(self, told: Told, population: PersonSet, asker: Asker) -> int:
        """Adds a figure that was answered, the same persons on a release only once; its root."""
        mark = self._seal.mark(told.persons, asker.release)
        known = self._base.execute("SELECT root FROM answered WHERE mark = ?", (mark,)).fetchone()
        if known:
            return int(known[0])
        home = self._population(population)
        number = self._next()
        pair = (-1 if count is None else count for count in (told.count, told.mirror))
        head = _HEAD.pack(*pair, *self._seal.sketch(told.persons).tolist())
        root = told.root or number
        self._base.execute(
            "INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (number, root, home, mark, asker.release, asker.study, asker.day.isoformat(),
             self._seal.close(head, f"head {number}"),
             self._seal.close(packed(told.persons, population), f"set {number}")),
        )  # fmt: skip
        return root

    def held(self, root: int, name: str) -> tuple[float | None] | None:
        """A sum that was told of a figure, or None when there is none under this name."""
        row = self._base.execute(
            "SELECT value FROM summed WHERE root = ? AND name = ?", (root, self._seal.named(name))
        ).fetchone()
        if row is None:
            return None
        (value,) = _VALUE.unpack(self._seal.open(row[0], f"sum {root}"))
        return (None if math.isnan(value) else value,)

    def hold(self, root: int, name: str, value: float | None) -> float | None:
        """Remembers a sum, or that it was withheld; gives it back."""
        plain = _VALUE.pack(math.nan if value is None else value)
        sealed = self._seal.close(plain, f"sum {root}")
        self._base.execute(
            "INSERT INTO summed VALUES (?, ?, ?)", (root, self._seal.named(name), sealed)
        )
        return value

    def forget(self, releases: frozenset[str]) -> int:
        """Erases what was told on releases that no study can ask any more; how many figures."""
        gone = 0
        with self.exclusive():
            for release in releases:
                gone += self._base.execute(
                    "DELETE FROM answered WHERE release = ?", (release,)
                ).rowcount
            for orphans in _ORPHANS:
                self._base.execute(orphans)
            self._read()
        return gone

    def repeats(self) -> dict[str, int]:
        """Per study, figures that repeated another one's count: for the steward, never the asker.

        Some are usual, where definitions differ by little; many in a row sound the node out.
        """
        rows = self._base.execute(
            "SELECT study, count(*) FILTER (WHERE root <> id) FROM answered GROUP BY study"
        )
        return {study: int(number) for study, number in rows.fetchall()}

    def _next(self) -> int:
        row = self._base.execute("SELECT seq FROM sqlite_sequence WHERE name = 'answered'")
        return int((row.fetchone() or (0,))[0]) + 1

    def _home(self, number: int) -> PersonSet:
        if number not in self._populations:
            (sealed,) = self._base.execute(
                "SELECT persons FROM population WHERE id = ?", (number,)
            ).fetchone()
            steps = np.frombuffer(self._seal.open(sealed, "population"), dtype="<i8")
            self._populations[number] = np.cumsum(steps).astype(np.int64)
        return self._populations[number]

    def _population(self, population: PersonSet) -> int:
        mark = self._seal.mark(population)
        row = self._base.execute("SELECT id FROM population WHERE mark = ?", (mark,)).fetchone()
        if row:
            return int(row[0])
        plain = np.diff(population, prepend=0).astype("<i8").tobytes()
        cursor = self._base.execute(
            "INSERT INTO population (mark, persons) VALUES (?, ?)",
            (mark, self._seal.close(plain, "population")),
        )
        return int(cursor.lastrowid or 0)

    def _read(self) -> None:
        """Takes in what other processes of the node have told, or forgotten, since."""
        (held,) = self._base.execute(
            "SELECT count(*) FROM answered WHERE id <= ?", (self._known.last,)
        ).fetchone()
        if held != len(self._known):
            self._known, self._populations = Known(), {}
        rows = self._base.execute(
            "SELECT id, root, population, release, head FROM answered WHERE id > ? ORDER BY id",
            (self._known.last,),
        ).fetchall()
        for number, root, home, release, sealed in rows:
            *pair, sketch = np.split(
                np.array(_HEAD.unpack(self._seal.open(sealed, f"head {number}"))), (1, 2)
            )
            count, mirror = (None if one[0] < 0 else int(one[0]) for one in pair)
            self._known.add(Remembered(number, root, home, release, count, mirror), sketch)
