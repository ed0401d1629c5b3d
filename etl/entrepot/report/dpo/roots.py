"""Section 11: the root key, its rotations and its escrow."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence


@dataclass(frozen=True)
class Rotation:
    """A root key that another replaced."""

    version: int
    ended_on: str
    by: str
    state: str
    persons: Cell
    records: Cell


@dataclass(frozen=True)
class Split:
    """A root key that was split into shares; `in_force`: the key in place."""

    on: str
    version: int
    shares: int
    threshold: int
    by: str
    in_force: bool


@dataclass(frozen=True)
class Roots:
    """The root key; `age_days` -1: nothing was received under it yet."""

    version: int
    fingerprint: str
    since: str
    age_days: int
    interrupted: bool
    escrowed: bool
    rotations: tuple[Rotation, ...]
    splits: tuple[Split, ...]


def roots(evidence: Evidence) -> Roots:
    """What may be told of the keys: versions and dates."""
    from entrepot.rekeying.ages import facts

    found = facts(evidence.zone)
    since = str(found["since"] or "")[:10]
    age = (evidence.now.date() - dt.date.fromisoformat(since)).days if since else -1
    return Roots(
        found["version"], str(found["fingerprint"] or ""), since, age,
        found["interrupted"], found["escrowed"],
        tuple(_rotation(evidence, one) for one in found["rotations"]),
        tuple(_split(one) for one in found["escrow"]),
    )  # fmt: skip


def _rotation(evidence: Evidence, stated: dict[str, Any]) -> Rotation:
    count = evidence.disclosure.count
    return Rotation(
        stated["version"], str(stated["ended_at"] or "")[:10], stated["by"], str(stated["state"]),
        count(stated["persons"]), count(stated["records"]),
    )  # fmt: skip


def _split(stated: dict[str, Any]) -> Split:
    return Split(
        str(stated["split_at"])[:10], stated["version"], stated["shares"], stated["threshold"],
        stated["by"], stated["in_force"],
    )  # fmt: skip
