"""Facts of our staging rows, by the source that sent them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from e2e.peers.facts import Fact, civil, number
from e2e.peers.fhir_facts import CLASSES, spelled

Row = dict[str, Any]


def staged_facts(staging: Path) -> dict[str, list[Fact]]:
    """Source -> the facts of its rows; what a sender deleted is no fact."""
    found: dict[str, list[Fact]] = defaultdict(list)
    with duckdb.connect() as connection:
        for kind, read in _READERS.items():
            query = f"SELECT * FROM read_parquet('{staging / kind}/*.parquet')"
            cursor = connection.execute(f"{query} WHERE action <> 'delete'")
            names = [column[0] for column in cursor.description or ()]
            for cells in cursor.fetchall():
                row = dict(zip(names, cells, strict=True))
                found[row["source"]] += read(row)
    return found


def _patient(row: Row) -> Iterator[Fact]:
    if row["gender_code"]:
        yield Fact("patient", "gender", value=row["gender_code"])
    if row["birth_year"]:
        month = f"-{row['birth_month']:02d}" if row["birth_month"] else ""
        yield Fact("patient", "birth", start=f"{row['birth_year']}{month}")
    if row["death_at"] or row["deceased_code"] in ("Y", "true"):
        yield Fact("patient", "death", start=civil(row["death_at"]))


def _stay(row: Row) -> Iterator[Fact]:
    sent = row["class_code"] or ""
    start, end = civil(row["start_at"]), civil(row["end_at"])
    yield Fact("stay", "", start=start, end=end, value=CLASSES.get(sent, sent))


def _event(row: Row) -> Iterator[Fact]:
    kind = "vaccination" if row["context_code"] == "vaccination" else row["category"]
    kind = "result" if kind == "observation" else kind  # FHIR has one resource for both
    precision = row["date_precision"]
    start = civil(row["start_at"], precision) if precision else civil(row["start_at"])
    if row["quantity"] is not None:
        value, unit = number(row["quantity"]), row["dose_unit_code"] or ""
    else:
        value, unit = _value(row), row["unit_code"] or ""
    end = "" if kind in ("vaccination", "result") else _end(row["end_at"], precision)
    yield Fact(kind, row["code"] or "", spelled(row["system"]), start, end, value, unit)


def _end(moment: dt.datetime | None, precision: str | None) -> str:
    return civil(moment, precision or "second")


def _value(row: Row) -> str:
    if row["value_number"] is not None:
        return number(row["value_number"])
    return row["value_code"] or row["value_text"] or ""


def _document(row: Row) -> Iterator[Fact]:
    yield Fact("document", row["code"] or "", spelled(row["system"]), civil(row["written_at"]))


_READERS: dict[str, Callable[[Row], Iterator[Fact]]] = {
    "patient": _patient,
    "stay": _stay,
    "event": _event,
    "document": _document,
}
