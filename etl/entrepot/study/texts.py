"""The only rows that leave SQL: distinct written dates and short texts, never with their person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from entrepot.study.columns import Column
from entrepot.study.written_dates import MASK, shift_written
from entrepot.text.dates import find_dates
from entrepot.text.folding import fold_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def mask_dates(text: str) -> str:
    """`text` with every date masked: a short field has no spans kept beside it."""
    folded = fold_text(text)
    pieces, done = [], 0
    for found in find_dates(folded.lower):
        start, end = folded.span(found.start, found.end)
        pieces += [text[done:start], MASK]
        done = end
    return "".join([*pieces, text[done:]])


def mask_values(connection: DuckDBPyConnection, tables: Mapping[str, Mapping[str, Column]]) -> None:
    """Fills `study_masked(value, shown)` with the granted short texts that hold a date."""
    import pyarrow as pa

    places = [
        column for columns in tables.values() for column in columns.values()
        if column.treatment == "text"
    ]  # fmt: skip
    values: set[str] = set()
    for column in places:
        persons = (
            ""
            if column.table in ("provider", "care_site")
            else (" JOIN study_person m ON m.person_id = t.person_id")
        )
        values.update(
            value for (value,) in connection.execute(
                f"SELECT DISTINCT t.{column.name} FROM core.cdm.{column.table} t{persons}"
                f" WHERE regexp_matches(t.{column.name}, '[0-9]')"
            ).fetchall()
        )  # fmt: skip
    changed = {value: shown for value in sorted(values) if (shown := mask_dates(value)) != value}
    table = pa.table(
        {"value": pa.array(list(changed), pa.string()),
         "shown": pa.array(list(changed.values()), pa.string())}
    )  # fmt: skip
    connection.register("study_input", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE study_masked AS FROM study_input")
    connection.unregister("study_input")


def rewrite_notes(connection: DuckDBPyConnection) -> None:
    """Fills `study_written(written, days, note_date, shown)`; a date beyond the space is masked."""
    import pyarrow as pa

    end_day: dt.date = connection.execute("SELECT end_day FROM study_window").fetchall()[0][0]
    found = connection.execute(
        "SELECT DISTINCT written, days, note_date FROM study_span ORDER BY ALL"
    ).fetchall()
    shown = [shift_written(written, days, day, end_day) for written, days, day in found]
    columns = list(zip(*found, strict=True)) if found else [(), (), ()]
    table = pa.table(
        {"written": pa.array(columns[0], pa.string()), "days": pa.array(columns[1], pa.int32()),
         "note_date": pa.array(columns[2], pa.date32()), "shown": pa.array(shown, pa.string())}
    )  # fmt: skip
    connection.register("study_input", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE study_written AS FROM study_input")
    connection.unregister("study_input")
