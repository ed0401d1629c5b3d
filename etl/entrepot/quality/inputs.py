"""What the gate is told besides the candidate: state date, oppositions, the door's counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RECORDS = "records"


@dataclass(frozen=True)
class GateInputs:
    """Read-only inputs of one verdict.

    Args:
        as_of: state of the warehouse, local civil time of the site.
        opposed_person_ids: `person_id` of opposed persons (keyed integers, no identity).
        ledger_counts: rows that the door staged, by staging kind, and under `records` the number
            of records that yielded them.
    """

    as_of: dt.datetime
    opposed_person_ids: Collection[int] = ()
    ledger_counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def placeholders(self) -> dict[str, str]:
        """What `{as_of}` stands for in a check."""
        return {"as_of": f"DATE '{self.as_of:%Y-%m-%d}'"}


def stage_inputs(connection: DuckDBPyConnection, inputs: GateInputs) -> None:
    """Makes temporary tables `gate_opposed`, `gate_staged` and `gate_records` for the checks."""
    import pyarrow as pa

    kinds = {kind: n for kind, n in inputs.ledger_counts.items() if kind != RECORDS}
    tables = {
        "gate_opposed": {"person_id": pa.array(sorted(inputs.opposed_person_ids), pa.int64())},
        "gate_staged": {
            "kind": pa.array(list(kinds), pa.string()),
            "n": pa.array(list(kinds.values()), pa.int64()),
        },
        "gate_records": {"n": pa.array([inputs.ledger_counts.get(RECORDS, 0)], pa.int64())},
    }
    for name, columns in tables.items():
        connection.register("gate_input", pa.table(columns))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM gate_input")
        connection.unregister("gate_input")
