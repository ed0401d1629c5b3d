"""Errors that a user sees, and the exit codes of the command contract (docs/reference/cli.md)."""

from __future__ import annotations

from typing import ClassVar

EXIT_CLEAN = 0
EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_BLOCKED = 3
EXIT_QUARANTINED = 4


class EntrepotError(Exception):
    """Something the user can mend: what is wrong, where, and what to do next.

    Args:
        what: the fault, without any value taken from a record.
        where: file, line, key or stage; empty when `what` says it.
        remedy: the next command or edit.
    """

    exit_code: ClassVar[int] = EXIT_USAGE

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        place = f" [{where}]" if where else ""
        advice = f"\n  → {remedy}" if remedy else ""
        super().__init__(f"{what}{place}{advice}")


class ConfigurationError(EntrepotError):
    """site.yaml, a mapping, a check, a key or a vocabulary is missing or wrong."""


class SiteBusyError(EntrepotError):
    """Another run holds the site's lock."""


class GateBlockedError(EntrepotError):
    """The gate refused the load; the published release is untouched."""

    exit_code = EXIT_BLOCKED


class RecordFault(Exception):  # noqa: N818 - a disposition that travels as an exception, not an error
    """One record cannot go on: it is quarantined and the rest goes on.

    Args:
        reason: a code of `mappings/dispositions.csv`.
        position: where in the record (`PID-3`, `OBX[4]-5`, `byte 212`), never a value.
    """

    def __init__(self, reason: str, position: str = "") -> None:
        self.reason, self.position = reason, position
        super().__init__(reason, position)

    def __str__(self) -> str:
        return f"{self.reason} at {self.position or 'record'}"
