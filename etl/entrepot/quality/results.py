"""What one check said of one load, in the shape that history and scorecard share."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from entrepot.errors import ConfigurationError


class Status(StrEnum):
    """`failed` refuses the load; `warned` and `waived` are above their threshold and do not."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    WAIVED = "waived"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class ResultLine:
    """One check's result.

    Args:
        violated, denominator: rows; None where nothing could be counted.
        source: feed that told the rows, for a line that counts one feed's rows alone.
        threshold: as people read it: percent, or percent and rows.
    """

    check_id: str
    table: str
    field: str
    category: str
    severity: str
    action: str
    violated: int | None
    denominator: int | None
    status: Status
    source: str = ""
    threshold: str = ""
    meaning_fr: str = ""
    meaning_en: str = ""

    @property
    def share(self) -> float:
        """Violated rows of those that the check applies to, 0 to 1."""
        return (self.violated or 0) / self.denominator if self.denominator else 0.0


def read_gate_results(path: Path) -> list[ResultLine]:
    """The lines of the gate's `results.csv`; none when there is no such file.

    Raises:
        ConfigurationError: the file is not what a gate writes.
    """
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return [_gate_line(row) for row in csv.DictReader(stream)]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "these are not the results of a gate", where=str(path), remedy="entrepot run"
        ) from None


def applicable(lines: Iterable[ResultLine]) -> list[ResultLine]:
    """Checks that had something to check, each once: lines of one feed alone are no checks."""
    return [one for one in lines if one.status is not Status.NOT_APPLICABLE and not one.source]


def _gate_line(row: Mapping[str, str]) -> ResultLine:
    threshold = f"{float(row['threshold_percent']):g} % / {row['threshold_rows']}"
    return ResultLine(
        row["check_id"], row["table"], row["field"], row["category"], row["severity"],
        row["action"], _number(row["violated"]), _number(row["denominator"]),
        Status(row["status"]), "", threshold,
        row["meaning_fr"], row["meaning_en"],
    )  # fmt: skip


def _number(text: str) -> int | None:
    return int(text) if text else None
