"""Thresholds as data: how many violations a load may carry, by whom and why.

`quality/thresholds/*.csv`, one line per check, or per table or field of it; the most specific wins.
A line of a site's overlay takes the place of the shipped one; both name their reason and author.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.resources import data_files

FOLDER = "quality/thresholds"
COLUMNS = ("check", "table", "field", "percent", "rows", "reason", "author_role")
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Threshold:
    """A load passes up to `percent` of the denominator, and always up to `rows` rows."""

    percent: Decimal
    rows: int
    reason: str
    author_role: str

    def allowed(self, denominator: int) -> int:
        """Violations that a load of `denominator` rows may carry; DQD's comparison is strict."""
        return max(self.rows, int(self.percent * denominator / 100))


class Thresholds:
    """All thresholds of a site."""

    def __init__(self, places: Mapping[Place, Threshold]) -> None:
        self._places = dict(places)

    @property
    def places(self) -> frozenset[Place]:
        """(check, table, field) of every line; table and field are empty where it covers all."""
        return frozenset(self._places)

    def find(self, check: str, table: str, field: str) -> Threshold:
        """The threshold of one check; raises ConfigurationError when no line covers it."""
        for place in ((check, table, field), (check, table, ""), (check, "", "")):
            if place in self._places:
                return self._places[place]
        raise ConfigurationError(
            f"check {check} has no threshold", where=FOLDER, remedy=f"add a line for {check}"
        )


def load_thresholds(
    overlays: Iterable[Path] = (), folders: Iterable[str] = (FOLDER,)
) -> Thresholds:
    """Reads every threshold file; an overlay's file replaces the shipped one of its name, and its
    lines those of the same place.

    Raises:
        ConfigurationError: a malformed line, or the same place twice in one root (file and line
            named).
    """
    roots = tuple(overlays)
    found: dict[int, dict[Place, Threshold]] = {}
    for path in (path for folder in folders for path in data_files(folder, "*.csv", roots)):
        rank = max((n for n, root in enumerate(roots, 1) if path.is_relative_to(root)), default=0)
        places = found.setdefault(rank, {})
        for where, row in _rows(path):
            place = (row["check"], row["table"], row["field"])
            if place in places:
                raise ConfigurationError("this check has a threshold already", where=where)
            places[place] = _threshold(row, where)
    return Thresholds({
        place: limit for rank in sorted(found) for place, limit in found[rank].items()
    })  # fmt: skip


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ConfigurationError(f"columns are {', '.join(COLUMNS)}", where=f"{path}:1")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise ConfigurationError(f"a line has {len(COLUMNS)} cells", where=where)
            yield where, row


def _threshold(row: dict[str, str], where: str) -> Threshold:
    if not row["check"] or not row["reason"] or not row["author_role"]:
        raise ConfigurationError("check, reason and author_role are filled", where=where)
    if row["field"] and not row["table"]:
        raise ConfigurationError("a field needs its table", where=where)
    try:
        percent, rows = Decimal(row["percent"]), int(row["rows"])
    except (InvalidOperation, ValueError):
        raise ConfigurationError("percent and rows are numbers", where=where) from None
    if not (0 <= percent <= 100) or rows < 0:
        raise ConfigurationError("percent lies in 0..100 and rows is not negative", where=where)
    return Threshold(percent, rows, row["reason"], row["author_role"])
