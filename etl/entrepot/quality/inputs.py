"""What the gate is told besides the candidate: state date, oppositions, the door's counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.quality.rule_tables import RuleTable

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

RECORDS = "records"


@dataclass(frozen=True)
class Feed:
    """What the ledger knows of one source: counts and days, nothing of a record.

    Args:
        records: distinct records; `deliveries` counts each as often as it came.
        staged: rows that the door staged.
        quarantined: records that neither register nor door could take.
        days: days on which something of it was received for the first time.
        longest_pause: days between two of them, at most.
    """

    source: str
    records: int
    deliveries: int
    staged: int
    quarantined: int
    days: int
    last_day: dt.date
    longest_pause: int


@dataclass(frozen=True)
class GateInputs:
    """Read-only inputs of one verdict.

    Args:
        as_of: state of the warehouse, local civil time of the site.
        opposed_person_ids: `person_id` of opposed persons (keyed integers, no identity).
        ledger_counts: rows that the door staged, by staging kind, and under `records` the number
            of records that yielded them.
        baseline: the published release, against which drift is measured; None before the first.
        feeds: what the ledger knows of each source.
        rules: fingerprint of what the verdict depends on besides rows: rules, vocabulary,
            software. Empty: nothing is carried over from the release before.
    """

    as_of: dt.datetime
    opposed_person_ids: Collection[int] = ()
    ledger_counts: Mapping[str, int] = field(default_factory=dict)
    baseline: Path | None = None
    feeds: tuple[Feed, ...] = ()
    rules: str = ""

    @property
    def placeholders(self) -> dict[str, str]:
        """What `{as_of}` stands for in a check."""
        return {"as_of": f"DATE '{self.as_of:%Y-%m-%d}'"}


def stage_inputs(
    connection: DuckDBPyConnection, inputs: GateInputs, rules: Mapping[str, RuleTable]
) -> None:
    """Makes temporary tables for the checks: those of `rules`, and `gate_opposed`, `gate_staged`,
    `gate_records` and `gate_feed`.
    """
    import pyarrow as pa

    for name, rule in rules.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {rule.select()}")

    kinds = {kind: n for kind, n in inputs.ledger_counts.items() if kind != RECORDS}
    tables = {
        "gate_opposed": {"person_id": pa.array(sorted(inputs.opposed_person_ids), pa.int64())},
        "gate_staged": {
            "kind": pa.array(list(kinds), pa.string()),
            "n": pa.array(list(kinds.values()), pa.int64()),
        },
        "gate_records": {"n": pa.array([inputs.ledger_counts.get(RECORDS, 0)], pa.int64())},
    }
    made = {name: pa.table(columns) for name, columns in tables.items()}
    made["gate_feed"] = pa.Table.from_pylist(
        [asdict(one) for one in inputs.feeds], pa.schema(list(_feed_columns().items()))
    )
    for name, table in made.items():
        connection.register("gate_input", table)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM gate_input")
        connection.unregister("gate_input")


def _feed_columns() -> dict[str, pa.DataType]:
    import pyarrow as pa

    kinds = {"source": pa.string(), "last_day": pa.date32()}
    return {name: kinds.get(name, pa.int64()) for name in Feed.__dataclass_fields__}
