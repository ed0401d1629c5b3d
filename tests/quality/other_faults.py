"""Faults of `other_faults.csv`, written without a look at the rules, put into a copy.

Columns: `rows` = which rows may be chosen; `change` = SET clause, or statements over `{rows}`;
`shows` = what quarantine.csv has to name: the changed row, its copy by a new key, the person, the
death, or none; `needs_baseline` = only the release before can tell.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

FILE = Path(__file__).with_name("other_faults.csv")
Named = set[tuple[str, str]]


@dataclass(frozen=True)
class OtherFault:
    """One line of the file."""

    family: str
    name: str
    table: str
    shows: str
    needs_baseline: bool
    one_row: bool
    a_fifth: bool
    rows: str
    change: str

    @property
    def key(self) -> str:
        """The column that names a row of the table."""
        return "person_id" if self.table == "death" else f"{self.table}_id"

    @property
    def held_back(self) -> bool:
        """A third of the kinds, by their name alone: no rule was written for what they show."""
        digest = hashlib.md5(self.name.encode(), usedforsecurity=False).hexdigest()
        return int(digest, 16) % 3 == 0

    def sql(self, chosen: str) -> str:
        """The change of the rows that the condition chooses."""
        whole = self.change.split()[0] in {"INSERT", "DELETE", "UPDATE", "ALTER", "DROP"}
        text = self.change if whole else f"UPDATE cdm.{{table}} SET {self.change} WHERE {{rows}}"
        return text.format(table=self.table, key=self.key, rows=chosen)


def read_faults() -> list[OtherFault]:
    """All of them, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return [
            OtherFault(
                line["family"], line["name"], line["table"], line["shows"],
                line["needs_baseline"] == "1", line["one_row"] == "1", line["a_fifth"] == "1",
                line["rows"], line["change"],
            )
            for line in csv.DictReader(lines)
        ]  # fmt: skip


def put_single(clean: Path, copy: Path, faults: Iterable[OtherFault]) -> dict[str, Named]:
    """Damages one row for each fault, of one person each; gives what each should show."""
    shutil.copy(clean, copy)
    wanted: dict[str, Named] = {}
    taken: set[object] = set()
    with duckdb.connect(str(copy)) as connection:
        for fault in faults:
            found = _candidates(connection, fault)
            free = [(key, owner) for key, owner in found if owner not in taken]
            if not free:
                continue
            key, owner = free[0]
            taken.add(owner)
            known = _keys(connection, fault)
            connection.execute(fault.sql(f"{fault.key} = {key}"))
            new = _keys(connection, fault) - known if fault.shows == "copy" else set()
            shown = {(fault.table, str(one)) for one in {key} | new}
            if fault.shows in {"person", "death"}:
                shown = {(fault.shows, str(owner))}
            wanted[fault.name] = shown
    return wanted


def put_fifth(clean: Path, copy: Path, fault: OtherFault) -> None:
    """Damages a fifth of the rows that the fault may have."""
    shutil.copy(clean, copy)
    with duckdb.connect(str(copy)) as connection:
        found = [key for key, _ in _candidates(connection, fault)]
        chosen = ", ".join(map(str, found[: max(1, -(-len(found) // 5))]))
        connection.execute(fault.sql(f"{fault.key} IN ({chosen})"))


def _keys(connection: duckdb.DuckDBPyConnection, fault: OtherFault) -> set[object]:
    rows = connection.execute(f"SELECT {fault.key} FROM cdm.{fault.table}").fetchall()
    return {key for (key,) in rows}


def _candidates(
    connection: duckdb.DuckDBPyConnection, fault: OtherFault
) -> list[tuple[object, object]]:
    """Key and owner of the rows that may be chosen, alike in every run."""
    columns = [one[0] for one in connection.execute(f"FROM cdm.{fault.table} LIMIT 0").description]
    if fault.family == "whole":
        return [(0, None)]
    owner = "person_id" if "person_id" in columns else f"'{fault.table}' || {fault.key}"
    where = fault.rows.format(table=fault.table, key=fault.key)
    return connection.execute(
        f"SELECT {fault.key}, {owner} FROM cdm.{fault.table} WHERE {where}"
        f" ORDER BY hash(CAST({fault.key} AS VARCHAR))"
    ).fetchall()
