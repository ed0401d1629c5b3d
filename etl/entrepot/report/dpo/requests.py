"""Section 10: re-identifications, counted: each is one person's, so that none is listed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from entrepot.reidentification import facts
from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence
from entrepot.resources import data_file

STATES = ("requested", "approved", "executed", "refused", "expired")
MOTIVES = "mappings/privacy/motives.yaml"


@dataclass(frozen=True)
class Motive:
    """One motive of the closed list and what was asked under it."""

    motive: str
    meaning_fr: str
    meaning_en: str
    allowed: bool
    requests: Cell


@dataclass(frozen=True)
class Requests:
    """Section 10.

    Args:
        by_two: every executed request bears two approvals under different profiles.
    """

    total: Cell
    states: dict[str, Cell]
    motives: tuple[Motive, ...]
    by_two: bool


def requests(evidence: Evidence) -> Requests:
    """The requests of the zone, by state and by motive."""
    found = facts(evidence.zone)
    disclosure = evidence.disclosure
    by_state = Counter(one["state"] for one in found)
    states = {name: disclosure.count(by_state[name]) for name in STATES}
    motives = tuple(_motives(evidence, Counter(one["motive"] for one in found)))
    total = disclosure.sum(list(states.values()), "requests")
    if motives:
        disclosure.sum([one.requests for one in motives], "requests")
    executed = [one for one in found if one["executed_on"]]
    return Requests(total, states, motives, all(map(_by_two, executed)))


def _by_two(request: dict[str, Any]) -> bool:
    """Two approvals that two different profiles can account for."""
    held = [set(profiles) for profiles in request["approvers"]]
    return any(
        len(one | other) > 1 and bool(one) and bool(other)
        for number, one in enumerate(held)
        for other in held[number + 1 :]
    )


def _motives(evidence: Evidence, counted: Counter[str]) -> list[Motive]:
    """Every motive of the list; one that the list no longer has keeps its name."""
    path: Path = data_file(MOTIVES, evidence.site.overlays)
    listed: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["motives"]
    count = evidence.disclosure.count
    found = [
        Motive(name, one["fr"], one["en"], bool(one["allowed"]), count(counted[name]))
        for name, one in listed.items()
    ]
    return found + [
        Motive(name, name, name, False, count(number))
        for name, number in sorted(counted.items())
        if name not in listed
    ]
