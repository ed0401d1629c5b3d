"""Warehouse rows by business key: what two sides are compared on, and how they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Row = tuple[Any, ...]
Rows = dict[str, Counter[Row]]

COLUMNS: dict[str, tuple[str, ...]] = {
    "person": ("patient", "gender", "sex", "year", "month", "birth", "county"),
    "death": ("patient", "at", "date", "type"),
    "observation_period": ("patient", "start", "end", "type"),
    "visit_occurrence": (
        "patient", "concept", "class", "start", "end", "start_date", "end_date", "type",
        "entry_mode", "entry", "exit_mode", "exit", "uf", "previous",
    ),
    "visit_detail": ("patient", "visit", "concept", "class", "uf", "start", "end", "type"),
    "condition_occurrence": (
        "patient", "visit", "code", "concept", "source", "rank", "status", "date", "type",
    ),
    "procedure_occurrence": (
        "patient", "visit", "uf", "code", "concept", "source", "activity", "at", "type",
    ),
    "observation": ("patient", "visit", "code", "concept", "source", "value", "date", "type"),
    "measurement": (
        "patient", "visit", "uf", "code", "concept", "source", "operator", "number", "unit",
        "unit_code", "low", "high", "value", "text", "at", "type",
    ),
    "drug_exposure": (
        "patient", "visit", "uf", "code", "concept", "source", "start", "end_date", "stated_end",
        "quantity", "unit", "route", "route_code", "sig", "type",
    ),
    "note": ("patient", "visit", "code", "at", "type"),
}  # fmt: skip


def canonical(value: object) -> object:
    """Numbers without their spelling: 4.20 and 4.2 are one value."""
    if isinstance(value, Decimal):
        return value.normalize() + 0
    return value


def add(rows: Rows, table: str, **values: object) -> None:
    """Adds one row; every column of the table must be given."""
    columns = COLUMNS[table]
    if set(values) != set(columns):
        raise ValueError(f"{table}: {set(values) ^ set(columns)}")
    rows[table][tuple(canonical(values[name]) for name in columns)] += 1


def empty() -> Rows:
    """No row in any table."""
    return {table: Counter() for table in COLUMNS}


def differences(expected: Rows, observed: Rows, tables: Iterable[str] = COLUMNS) -> list[str]:
    """One line per row that is missing from or extra in the observed side."""
    found = []
    for table in tables:
        for sign, rows in (
            ("missing", expected[table] - observed[table]),
            ("extra", observed[table] - expected[table]),
        ):
            for row, times in sorted(rows.items(), key=lambda item: repr(item[0])):
                found.append(f"{sign} ×{times} {table}: {_told(COLUMNS[table], row)}")
    return found


def total(rows: Mapping[str, Counter[Row]]) -> dict[str, int]:
    """Rows of each table."""
    return {table: sum(counter.values()) for table, counter in rows.items()}


def _told(columns: tuple[str, ...], row: Row) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(columns, row, strict=True))
