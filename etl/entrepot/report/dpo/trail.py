"""Section 9: what the audit log holds, whether its chain is whole, and who may do what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from entrepot.audit import Action, Head, verify
from entrepot.keys import Keyring
from entrepot.people import people
from entrepot.publication import waivers
from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence
from entrepot.report.dpo.signing import HEAD

# Acts of the road and of administration. Any other is about one person, or few: as many patients.
ROAD = frozenset((
    Action.OPPOSITIONS_IMPORTED, Action.OPPOSITIONS_CONFIRMED, Action.RUN_STARTED, Action.RUN_ENDED,
    Action.PUBLISHED, Action.WAIVED, Action.REPORT_SIGNED, Action.APPROVED, Action.REFUSED,
    Action.RETENTION_PURGED, Action.STUDY_CREATED, Action.STUDY_REFRESHED, Action.STUDY_CLOSED,
    Action.KEYS_ROTATED, Action.ESCROW_SPLIT, Action.ESCROW_RESTORED, Action.REVIEW_SAMPLED,
    Action.REVIEW_ENDED,
    # Of federated studies: each is about a question or a paper, none about a person.
    Action.CARD_ACCEPTED, Action.CARD_ENDED, Action.QUERY_RECEIVED, Action.QUERY_REFUSED,
    Action.QUERY_APPROVED, Action.QUERY_ANSWERED, Action.ANSWER_RELEASED, Action.KEY_REVOKED,
    Action.POLICY_PROPOSED, Action.POLICY_APPROVED, Action.LOG_HEAD_SENT,
))  # fmt: skip
Told = TypeVar("Told")
PROFILES = ("dpo", "steward", "engineer", "researcher", "reader")


@dataclass(frozen=True)
class Waived:
    """A check that a named person let pass; the reason they gave stays in the identifying zone."""

    check: str
    rows: Cell
    by: str
    until: str


@dataclass(frozen=True)
class Trail:
    """The log. Its length is not told, nor rounded: known acts, one more a report, would sound it.

    Args:
        head: MAC of the log's last entry: this report keeps it elsewhere.
        sealed_head: the same with its number, which the site's key alone opens.
        faults: kind -> number of entries.
        acts: of the road and its staff, by account, as they are.
        personal: acts about one person each.
    """

    head: str
    sealed_head: str
    intact: bool
    faults: dict[str, int]
    torn: int
    first_at: str
    last_at: str
    acts: dict[str, dict[str, int]]
    personal: dict[str, dict[str, Cell]]
    profiles: dict[str, tuple[str, ...]]
    waivers: tuple[Waived, ...]


def trail(evidence: Evidence) -> Trail:
    """The chain verified now, and its acts by account."""
    found = verify(evidence.site, evidence.keyring)
    counted = Counter((entry.action, entry.account) for entry in evidence.entries)
    personal = {
        key: evidence.disclosure.count(count)
        for key, count in sorted(counted.items())
        if key[0] not in ROAD
    }
    acts = {key: count for key, count in sorted(counted.items()) if key[0] in ROAD}
    moments = [entry.at[:19] for entry in evidence.entries]
    return Trail(
        found.head.mac,
        _seal(evidence.keyring, found.head),
        found.intact,
        dict(sorted(Counter(str(fault.kind) for fault in found.faults).items())),
        len(found.torn),
        min(moments, default=""),
        max(moments, default=""),
        _by_action(acts),
        _by_action(personal),
        _profiles(evidence),
        tuple(
            Waived(one.check_id, evidence.disclosure.count(one.rows), one.by, one.until.isoformat())
            for one in waivers(evidence.zone)
        ),
    )


def _by_action(counted: dict[tuple[str, str], Told]) -> dict[str, dict[str, Told]]:
    """In the order in which the log's acts are listed."""
    return {
        str(action): {account: told for (name, account), told in counted.items() if name == action}
        for action in Action
        if any(name == action for name, _ in counted)
    }


def _seal(keyring: Keyring, head: Head) -> str:
    return keyring.seal(HEAD, str(head).encode(), b"").hex()


def _profiles(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Who has which profile (SEC-HAB: to be reviewed)."""
    everybody = people(evidence.site)
    return {
        profile: tuple(one.name for one in everybody if profile in one.profiles)
        for profile in PROFILES
    }
