"""One load: the candidate is built from staging and judged by the gate. No key in reach.

Each step may run in a process of its own: the candidate names the inputs that it was made from,
and the gate's answer stands in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.omop.candidate import (
    MapInputs,
    open_candidate,
    prepare,
    rederive,
    reopen_candidate,
)
from entrepot.order import LoadOrder, fingerprint, gate_rules
from entrepot.publish.ddl import ddl
from entrepot.quality.by_source import lines_by_source
from entrepot.quality.gate import Verdict, run_gate
from entrepot.quality.history import JudgedLoad, carry_history, load_kept
from entrepot.quality.inputs import GateInputs
from entrepot.quality.results import read_gate_results
from entrepot.staging.kinds import KINDS
from entrepot.staging.store import generation_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The check told is one of the person's, else of another row; a consequence comes last:
# `observed` (the person lost every event), then `parent:` (the row hung on one that went).
_HELD = """
SELECT record_key, substr(min(
  CASE WHEN reason LIKE 'parent:%' THEN '3' WHEN reason = 'observed' THEN '2'
       WHEN kind = 'patient' THEN '0' ELSE '1' END || reason)
  FILTER (WHERE disposition = 'quarantined'), 2)
FROM etl.row_disposition
GROUP BY record_key
HAVING count(*) FILTER (WHERE disposition = 'mapped') = 0
   AND count(*) FILTER (WHERE disposition = 'quarantined') > 0
"""
_STATE = "CREATE OR REPLACE TABLE work.load_state AS SELECT ? AS inputs, ? AS state"
MAPPED, JUDGING, PASSED = "mapped", "judging", "passed"
LOAD_ID = 16
"""Characters of the inputs' SHA-256 that name a load in its history."""

Build = Callable[["DuckDBPyConnection", MapInputs], None]
Progress = Callable[[str, int, int], None]


class Load:
    """A candidate release and what it is made from.

    Raises:
        ConfigurationError: the order has no date: nothing was ever staged.
    """

    def __init__(self, site: Site, order: LoadOrder) -> None:
        if order.as_of is None:
            raise ConfigurationError(
                "nothing was staged yet", where=str(site.root), remedy="entrepot ingest, then run"
            )
        self._site, self._order, self._as_of = site, order, order.as_of
        self.inputs = fingerprint(site, order)

    @property
    def candidate(self) -> Path:
        """The file that the load builds."""
        return self._site.work / "candidate.duckdb"

    def map_(self, build: Build, progress: Progress) -> None:
        """Derives every table into a new candidate; a failure leaves none."""
        config = self._site.config
        progress("map", 0, 1)
        try:
            connection = open_candidate(
                self.candidate, config.memory_limit, self._site.work / "spill"
            )
            try:
                prepare(
                    connection, self._map_inputs(), ddl("duckdb", "cdm", enforce_required=False)
                )
                build(connection, self._map_inputs())
                connection.execute(_STATE, [self.inputs, MAPPED])
            finally:
                connection.close()
        except BaseException:
            self.discard()  # rows that nobody judged must not lie about
            raise
        progress("map", 1, 1)

    def gate(self, progress: Progress) -> Verdict:
        """Quarantines rows and judges the rest; a blocked candidate is removed.

        Raises:
            ConfigurationError: there is no candidate of these inputs that was not judged yet.
        """
        progress("gate", 0, 1)
        connection = self._reopen(MAPPED)
        try:
            try:
                # Half the rows of a gate that was killed are gone: it cannot go on.
                connection.execute(_STATE, [self.inputs, JUDGING])
                again = partial(rederive, overlays=self._site.overlays)
                inputs = GateInputs(
                    self._as_of, self._order.opposed, self._order.staged, self._baseline,
                    self._order.feeds, gate_rules(self._site),
                )  # fmt: skip
                verdict = run_gate(
                    connection, inputs, self._site.quality, self._site.overlays, again,
                    self._order.waived,
                )  # fmt: skip
                if verdict.passed:
                    self._remember(connection)
                    connection.execute(_STATE, [self.inputs, PASSED])
            finally:
                connection.close()
        except BaseException:
            self.discard()
            raise
        if not verdict.passed:
            self.discard()
        progress("gate", 1, 1)
        return verdict

    def _remember(self, connection: DuckDBPyConnection) -> None:
        """Carries the history of the release in place into the candidate, with this verdict."""
        lines = read_gate_results(self._site.quality / "results.csv")
        lines += lines_by_source(connection, KINDS)
        load = JudgedLoad(self.inputs[:LOAD_ID], self._as_of, tuple(lines))
        carry_history(connection, self._site.warehouse, load, load_kept(self._site.overlays))

    @property
    def _baseline(self) -> Path | None:
        """The release in place, unless it is of a former root key and names no one alike."""
        published = self._site.warehouse
        return published if self._order.published and published.is_file() else None

    def held(self) -> list[tuple[str, str]]:
        """(record key, check) of each record whose rows the gate quarantined, with none mapped.

        Raises:
            ConfigurationError: the gate has not passed a candidate of these inputs.
        """
        connection = self._reopen(PASSED)
        try:
            return connection.execute(_HELD).fetchall()
        finally:
            connection.close()

    def discard(self) -> None:
        """Removes the candidate: what the gate found must not lie about."""
        for path in (self.candidate, self.candidate.with_name(self.candidate.name + ".wal")):
            path.unlink(missing_ok=True)

    @property
    def state(self) -> str:
        """How far the candidate of these inputs is: mapped, judging, passed, or empty for none."""
        connection = self._open()
        if connection is None:
            return ""
        try:
            return self._state(connection)
        finally:
            connection.close()

    def _reopen(self, state: str) -> DuckDBPyConnection:
        connection = self._open()
        if connection is not None and self._state(connection) == state:
            return connection
        if connection is not None:
            connection.close()
        raise ConfigurationError(
            f"there is no {state} candidate of the inputs as they are now",
            where=str(self.candidate),
            remedy="entrepot run: it maps, judges and publishes",
        )

    def _open(self) -> DuckDBPyConnection | None:
        import duckdb

        if not self.candidate.is_file():
            return None
        limit = self._site.config.memory_limit
        try:
            return reopen_candidate(self.candidate, limit, self._site.work / "spill")
        except duckdb.Error:  # cut short by a crash
            return None

    def _state(self, connection: DuckDBPyConnection) -> str:
        import duckdb

        try:
            found = connection.execute("SELECT inputs, state FROM work.load_state").fetchone()
        except duckdb.Error:
            return ""
        return str(found[1]) if found and found[0] == self.inputs else ""

    def _map_inputs(self) -> MapInputs:
        config = self._site.config
        return MapInputs(
            generation_folder(self._site.staging, self._order.generation), self._site.vocabulary,
            self._as_of, config.data_start, config.site, config.title, self._site.overlays,
            {name: source.rank for name, source in config.sources.items()},
        )  # fmt: skip
