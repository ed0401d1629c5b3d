"""Rows that the release before had: those that are gone, and those that changed under their key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from entrepot.omop.cdm import Cdm, Table
from entrepot.quality.anywhere.counting import Columns
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.settings import Drift, Limit
from entrepot.quality.checks import Action
from entrepot.quality.database import Database, QueryError
from entrepot.quality.spread import EVENT_TABLES

_GONE = ("Des lignes de personnes toujours présentes ont disparu.",
         "Rows of persons who are still there have vanished.")  # fmt: skip
_CHANGED = ("Des lignes ont gardé leur clé et changé de contenu.",
            "Rows have kept their key and changed their content.")  # fmt: skip
_CONCEPT = "measurement_concept_id"
SAME_PERSONS = 0.5
"""Two databases whose equal person ids agree less often in sex and year of birth number their
persons alike by chance: rows cannot be compared."""
# Open stays end, but what was prescribed until when was said at the start.
_MAY_CHANGE = ("_end_date", "_end_datetime", "discharged_to", "provider_id")
_MAY_NOT = ("verbatim_end_date",)
_TEXT = "note_text"


class SameRows:
    """Comparisons row by row; both databases must be readable in one query.

    Args:
        columns: of the candidate and of the baseline.
    """

    def __init__(
        self, cdm: Cdm, database: Database, limits: Drift, columns: tuple[Columns, Columns]
    ) -> None:
        self._cdm, self._database, self._limits = cdm, database, limits
        self._columns = columns

    def findings(self) -> Iterator[Finding]:
        """Of two that hold the same persons."""
        for table in self._cdm:
            if table.name == "person" or table.name in EVENT_TABLES:
                fields = [name for name in table.columns if self._has(table.name, name)]
                if len(table.primary_key) == 1 and table.primary_key[0] in fields:
                    yield from self._of(table, table.primary_key[0], fields)

    def _has(self, table: str, field: str) -> bool:
        return all(field in one.get(table, {}) for one in self._columns)

    def same_persons(self) -> bool:
        """Whether equal numbers of persons are the same persons."""
        try:
            same, common = self._database.rows(
                "SELECT count(CASE WHEN b.gender_concept_id = c.gender_concept_id"
                " AND b.year_of_birth = c.year_of_birth THEN 1 END), count(*)"
                " FROM base.person b JOIN cdm.person c ON c.person_id = b.person_id"
            )[0]
        except QueryError:
            return False
        return bool(common) and same >= SAME_PERSONS * common

    def _of(self, table: Table, key: str, fields: list[str]) -> Iterator[Finding]:
        if table.name != "person" and "person_id" in fields:
            gone = self._gone(table.name, key)
            if gone is not None:
                yield self._finding("vanished", self._limits.vanished, table.name, "", gone)
        compared = [
            name for name in fields
            if name != key
            and (name in _MAY_NOT or not any(part in name for part in _MAY_CHANGE))
        ]  # fmt: skip
        for name, counts in self._changed(table.name, key, compared).items():
            limit = self._limits.changed_text if name == _TEXT else self._limits.changed
            yield self._finding("changed", limit, table.name, name, counts)
        if table.name == "measurement" and {"value_as_number", _CONCEPT} <= set(fields):
            yield from self._changed_values(key)

    def _gone(self, table: str, key: str) -> tuple[int, int] | None:
        try:
            gone, known = self._database.rows(
                f"SELECT count(CASE WHEN c.id IS NULL THEN 1 END), count(*) FROM base.{table} b"
                " JOIN (SELECT DISTINCT person_id FROM cdm.person) p ON p.person_id = b.person_id"
                f" LEFT JOIN (SELECT DISTINCT {key} AS id FROM cdm.{table}) c ON c.id = b.{key}"
            )[0]
        except QueryError:
            return None
        return int(gone), int(known)

    def _changed(self, table: str, key: str, fields: list[str]) -> dict[str, tuple[int, int]]:
        sums = ", ".join(
            f'count(CASE WHEN b."{name}" IS DISTINCT FROM c."{name}" THEN 1 END)'
            for name in fields
        )  # fmt: skip
        try:
            row = self._database.rows(
                f"SELECT count(*), {sums} FROM base.{table} b"
                f" JOIN cdm.{table} c ON c.{key} = b.{key}"
            )[0]
        except QueryError:
            return {}
        return {name: (int(row[1 + n]), int(row[0])) for n, name in enumerate(fields)}

    def _changed_values(self, key: str) -> Iterator[Finding]:
        """Measurements whose own values changed, which may be few of all rows."""
        limit = self._limits.changed
        try:
            rows = self._database.rows(
                f"SELECT b.{_CONCEPT}, count(*), count(CASE WHEN b.value_as_number"
                " IS DISTINCT FROM c.value_as_number THEN 1 END) FROM base.measurement b"
                f" JOIN cdm.measurement c ON c.{key} = b.{key} GROUP BY 1"
            )
        except QueryError:
            return
        moved = sum(
            changed > max(limit.rows, limit.percent * known / 100) for _, known, changed in rows
        )
        found = self._finding("changed", limit, "measurement", "value_of_one", (0, 1))
        yield replace(found, violated=moved, denominator=len(rows), failed=moved > 0)

    def _finding(
        self, kind: str, limit: Limit, table: str, field: str, counts: tuple[int, int]
    ) -> Finding:
        french, english = _GONE if kind == "vanished" else _CHANGED
        failed = counts[0] > max(limit.rows, limit.percent * counts[1] / 100)
        name = "_".join(part for part in ("entrepot_drift", kind, table, field) if part)
        return Finding(
            name, table, field, "completeness" if kind == "vanished" else "plausibility",
            "convention", Action(limit.action), *counts, limit.percent, failed,
            meaning_fr=french, meaning_en=english,
        )  # fmt: skip
