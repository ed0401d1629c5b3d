"""What the road's gate costs after a batch: one run, the same rows asked whole and in part.

    python bench/gate_batch.py [--rows 5000000]

A warehouse of `--rows` events is judged and published; then the same warehouse with the values of
a tenth, a hundredth and a thousandth of its persons changed is judged beside it. Prints CPU seconds
of this process by part of the gate; Great Expectations is imported before anything is measured.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from entrepot.omop.candidate import EMPTY_TABLES
from entrepot.omop.cdm import load_cdm
from entrepot.quality import carried, gate, profile, rows
from entrepot.quality.inputs import RECORDS, GateInputs
from entrepot.quality.plan import row_key
from entrepot.quality.spread import MAPPED_TABLES
from gate import cpu, write_warehouse

AS_OF = dt.datetime(2024, 6, 30)
ROWS_PER_RECORD = 20
SHARES = (0.1, 0.01, 0.001)
PARTS: tuple[tuple[Any, str, str], ...] = (
    (rows, "rows_to_ask", "  whom to ask, and what the others answered"),
    (gate, "quarantine_rows", "row checks, the above included"),
    (gate, "keep_counts", "counts kept for the next load"),
    (profile, "write_profiles", "profiles"),
    (gate, "write_metrics", "drift, freshness and accounts"),
    (gate, "judge", "Great Expectations, pages, files"),
)
_ETL = """
CREATE TABLE etl.concept_resolution (system VARCHAR, code VARCHAR, ordinal INTEGER,
  target_concept_id BIGINT);
INSERT INTO cdm.concept BY NAME SELECT 0 AS concept_id, 'none' AS concept_name,
  'Metadata' AS domain_id, 'x' AS vocabulary_id, '0' AS concept_code;
INSERT INTO cdm.condition_era BY NAME SELECT person_id AS condition_era_id, person_id,
  any_value(condition_concept_id) AS condition_concept_id, min(condition_start_date) AS
  condition_era_start_date, max(condition_start_date) AS condition_era_end_date,
  1 AS condition_occurrence_count FROM cdm.condition_occurrence GROUP BY person_id;
"""


def write_candidate(path: Path, events: int) -> dict[str, int]:
    """A candidate with lineage and dispositions; what the door counted of it."""
    write_warehouse(path, events)
    with duckdb.connect(str(path)) as connection:
        connection.execute(EMPTY_TABLES + _ETL)
        for name in MAPPED_TABLES:
            key = row_key(load_cdm().table(name))
            record = f"{key} // {ROWS_PER_RECORD}"
            connection.execute(
                f"INSERT INTO etl.lineage SELECT '{name}', {key}, sha256('{name}' || {record}),"
                f" sha256('{name} row' || {key}), 'source' FROM cdm.{name}"
            )
        connection.execute(
            "INSERT INTO etl.row_disposition SELECT 'event', record_key, 0, row_key, 'mapped', ''"
            " FROM etl.lineage"
        )
        staged, records = connection.execute(
            "SELECT count(*), count(DISTINCT record_key) FROM etl.row_disposition"
        ).fetchall()[0]
    return {"event": staged, RECORDS: records}


def judged(path: Path, inputs: GateInputs, out: Path) -> float:
    """CPU seconds of one gate, whose parts print their own."""
    verdict: list[gate.Verdict] = []
    with duckdb.connect(str(path), config={"preserve_insertion_order": "false"}) as connection:
        used, _ = cpu(lambda: verdict.append(gate.run_gate(connection, inputs, out)))
    assert verdict[0].passed, verdict[0].failures  # noqa: S101 - a blocked load measures nothing
    return used


def measure(events: int, folder: Path) -> None:
    """Prints the whole gate, then the gate after batches of three sizes."""
    base, release, changed = (folder / f"{n}.duckdb" for n in ("base", "release", "changed"))
    inputs = GateInputs(AS_OF, (), write_candidate(base, events), rules="one set of rules")
    shutil.copy(base, release)
    print("every row, before the first release")
    whole = judged(release, inputs, folder / "out")
    print(f"{whole:8.2f}  in all")
    for share in SHARES:
        shutil.copy(base, changed)
        with duckdb.connect(str(changed)) as connection:
            persons = connection.execute(
                "SELECT CAST(? * count(*) AS BIGINT) FROM cdm.person", [share]
            ).fetchall()[0][0]
            connection.execute(
                "UPDATE cdm.measurement SET value_as_number = value_as_number + 1"
                " WHERE person_id < ?", [persons],
            )  # fmt: skip
        print(f"a batch of {share:.1%} of the persons")
        used = judged(changed, replace(inputs, baseline=release), folder / "out")
        print(f"{used:8.2f}  in all, {used / whole:.2f} of the gate that asks every row")


def _timed(place: Any, name: str, said: str) -> None:
    work: Callable[..., Any] = getattr(place, name)

    def timed(*args: Any, **kwargs: Any) -> Any:
        given: list[Any] = []
        used, _ = cpu(lambda: given.append(work(*args, **kwargs)))
        print(f"{used:8.2f}  {said}", flush=True)
        return given[0]

    setattr(place, name, timed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    arguments = parser.parse_args()
    import great_expectations  # noqa: F401 - 2 to 3 CPU seconds, once per process

    carried.LEAST_ROWS = 0
    for place, name, said in PARTS:
        _timed(place, name, said)
    with tempfile.TemporaryDirectory() as folder:
        measure(arguments.rows, Path(folder))


if __name__ == "__main__":
    main()
