"""Puts faults into copies of a clean warehouse and asks what the checks say of them."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb
from faults_of_data import Fault

from entrepot.quality.anywhere.counting import Counted
from entrepot.quality.anywhere.judging import Judgement, Judging, stated_as_of
from entrepot.quality.database import open_database
from entrepot.quality.inputs import GateInputs

AS_OF = dt.date(2025, 12, 31)
AT_ONCE = 3


class Bench:
    """Judges copies against one release before, whose checks are counted once."""

    def __init__(self, before: Path) -> None:
        self._before = before
        self._counts: Mapping[str, Counted] | None = None

    def judged(self, candidate: Path, *, alone: bool = False) -> Judgement:
        """The strict judgement of a file; `alone`: without the release before."""
        database = open_database(str(candidate))
        before = None if alone else open_database(str(self._before))
        counts = None if alone else self._counts
        try:
            as_of = stated_as_of(database) or AS_OF
            inputs = GateInputs(dt.datetime.combine(as_of, dt.time()))
            judging = Judging(database, inputs, before, baseline_counts=counts)
            judgement = judging.judge()
            if not alone:
                self._counts = judging.baseline_counts
            return judgement
        finally:
            database.close()
            if before is not None:
                before.close()

    def told(self, candidate: Path, *, alone: bool = False) -> set[tuple[str, str]]:
        """(table, key) of every row in quarantine."""
        lines = self.judged(candidate, alone=alone).quarantine
        return {(line.table, str(line.key)) for line in lines}


def put(
    clean: Path, copy: Path, faults: Iterable[Fault], *, bulk: bool
) -> dict[str, list[tuple[str, str]]]:
    """Copies `clean` and damages the copy; gives the (table, key) that each fault should show."""
    shutil.copy(clean, copy)
    wanted: dict[str, list[tuple[str, str]]] = {}
    taken: dict[str, set[int]] = {}
    with duckdb.connect(str(copy)) as connection:
        for fault in faults:
            keys = _choose(connection, fault, taken.setdefault(fault.table, set()), bulk=bulk)
            rows = f"{fault.key} IN ({', '.join(map(str, keys))})"
            connection.execute(fault.change.format(table=fault.table, chosen=rows))
            shown = [fault.shows] if fault.shows else [key + fault.new_key for key in keys]
            wanted[fault.name] = [(fault.table, str(key)) for key in shown]
    return wanted


def _choose(
    connection: duckdb.DuckDBPyConnection, fault: Fault, taken: set[int], *, bulk: bool
) -> list[int]:
    """One row, or a fifth of the table, that no other fault has; alike in every run."""
    found = connection.execute(
        f"SELECT {fault.key} FROM cdm.{fault.table} WHERE {fault.rows} ORDER BY hash({fault.key})"
    ).fetchall()
    free = [int(key) for (key,) in found if int(key) not in taken]
    size = connection.execute(f"SELECT count(*) FROM cdm.{fault.table}").fetchall()[0][0]
    chosen = free[: max(size // 5, 1) if bulk else 1]
    taken.update(chosen)
    return chosen


def answered(judgement: Judgement, fault: Fault) -> list[str]:
    """Blocking checks that are meant for the fault."""
    blocking = [one.check_id for one in judgement.findings if one.blocks]
    return [check for check in blocking if any(part in check for part in fault.found_by)]


def apart(faults: Sequence[Fault]) -> list[list[Fault]]:
    """Groups in which no more than three faults damage one table, each rows of its own."""
    groups: list[list[Fault]] = []
    for fault in faults:
        for group in groups:
            if sum(fault.table == one.table for one in group) < AT_ONCE:
                group.append(fault)
                break
        else:
            groups.append([fault])
    return groups
