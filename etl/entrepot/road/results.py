"""What stages and runs say of themselves: counts and names of checks, never content."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from entrepot.errors import EXIT_BLOCKED, EXIT_CLEAN, EXIT_QUARANTINED

Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Counted:
    """What a stage did, in counts alone.

    Args:
        due: whether the next stage has something to do.
    """

    stage: str
    due: bool
    counts: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For a task's result: no content, no identifier."""
        return {"stage": self.stage, "due": self.due, **self.counts}


@dataclass(frozen=True)
class RunResult:
    """What a run did; `exit_code` follows the command contract."""

    passed: bool
    published: bool
    release_id: str
    as_of: dt.datetime | None
    report: Path
    failures: tuple[str, ...]
    quarantined: int

    @property
    def exit_code(self) -> int:
        """0 clean, 3 blocked, 4 published with something quarantined."""
        if not self.passed:
            return EXIT_BLOCKED
        return EXIT_QUARANTINED if self.quarantined else EXIT_CLEAN

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; the report by its name alone."""
        return {
            "passed": self.passed, "release": self.release_id, "failures": list(self.failures),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "quarantined": self.quarantined, "report": self.report.name,
        }  # fmt: skip
