"""One load: the candidate is built from staging, judged by the gate. No key in reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path

from entrepot.config import Site
from entrepot.omop.candidate import MapInputs, build, open_candidate, prepare, rederive
from entrepot.publish.ddl import ddl
from entrepot.quality.gate import Verdict, run_gate
from entrepot.quality.inputs import GateInputs
from entrepot.staging.store import generation_folder

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

Progress = Callable[[str, int, int], None]


class Load:
    """A candidate release and the aggregates that it is reconciled with."""

    def __init__(
        self, site: Site, generation: int, as_of: dt.datetime, opposed: list[int],
        staged: dict[str, int],
    ) -> None:  # fmt: skip
        self._site = site
        self._inputs = MapInputs(
            generation_folder(site.staging, generation), site.vocabulary, as_of,
            site.config.data_start, site.config.site, site.config.title, site.overlays,
            {name: source.rank for name, source in site.config.sources.items()},
        )  # fmt: skip
        self._gate = GateInputs(as_of, opposed, staged)

    @property
    def candidate(self) -> Path:
        """The file that the load builds."""
        return self._site.work / "candidate.duckdb"

    def build_and_judge(self, progress: Progress) -> Verdict:
        """Derives every table, then lets the gate quarantine rows and judge the rest."""
        config = self._site.config
        connection = open_candidate(self.candidate, config.memory_limit, self._site.work / "spill")
        try:
            progress("map", 0, 1)
            prepare(connection, self._inputs, ddl("duckdb", "cdm", enforce_required=False))
            build(connection, self._inputs)
            progress("map", 1, 1)
            progress("gate", 0, 1)
            again = partial(rederive, overlays=self._site.overlays)
            verdict = run_gate(
                connection, self._gate, self._site.quality, self._site.overlays, again
            )
            progress("gate", 1, 1)
            return verdict
        finally:
            connection.close()

    def held(self) -> list[tuple[str, str]]:
        """(record key, check) of each record whose rows the gate quarantined, with none mapped."""
        import duckdb

        connection = duckdb.connect(str(self.candidate), read_only=True)
        try:
            return connection.execute(_HELD).fetchall()
        finally:
            connection.close()

    def discard(self) -> None:
        """Removes a blocked candidate: what the gate found must not lie about."""
        for path in (self.candidate, self.candidate.with_name(self.candidate.name + ".wal")):
            path.unlink(missing_ok=True)
