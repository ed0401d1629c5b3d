"""Section 9, as far as it has data: what the audit log holds, and whether its chain is whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from entrepot.audit import Action, verify
from entrepot.publication import waivers
from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence


@dataclass(frozen=True)
class Waived:
    """A check that a named person let pass; the reason they gave stays in the identifying zone."""

    check: str
    rows: Cell
    by: str
    until: str


@dataclass(frozen=True)
class Trail:
    """Acts of the staff, not of patients: their counts are not withheld.

    Args:
        head: `N:MAC` of the log's last entry: this report keeps it elsewhere.
        faults: kind -> number of entries.
        actions: act -> how often, and who did it.
    """

    entries: int
    head: str
    intact: bool
    faults: dict[str, int]
    torn: int
    first_at: str
    last_at: str
    actions: dict[str, dict[str, int]]
    waivers: tuple[Waived, ...]


def trail(evidence: Evidence) -> Trail:
    """The chain verified now, and its acts by account."""
    found = verify(evidence.site, evidence.keyring)
    actions: dict[str, Counter[str]] = {}
    for entry in evidence.entries:
        actions.setdefault(entry.action, Counter())[entry.account] += 1
    moments = [entry.at[:19] for entry in evidence.entries]
    return Trail(
        found.entries,
        str(found.head),
        found.intact,
        dict(sorted(Counter(str(fault.kind) for fault in found.faults).items())),
        len(found.torn),
        min(moments, default=""),
        max(moments, default=""),
        {
            str(action): dict(sorted(actions[action].items()))
            for action in Action
            if action in actions
        },
        tuple(
            Waived(one.check_id, evidence.disclosure.count(one.rows), one.by, one.until.isoformat())
            for one in waivers(evidence.zone)
        ),
    )
