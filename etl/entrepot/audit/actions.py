"""What is logged, and the closed set of facts that each act may state: no identifier among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

MAX_TEXT = 500  # characters of a reason
MAX_ITEMS = 50

Scalar = str | int | bool | None
Facts = Mapping[str, Scalar | Sequence[str]]


class Action(StrEnum):
    """An act that the log holds."""

    CONTENT_READ = "content_read"
    OPPOSITION_ADDED = "opposition_added"
    OPPOSITION_WITHDRAWN = "opposition_withdrawn"
    OPPOSITIONS_IMPORTED = "oppositions_imported"
    OPPOSITIONS_CONFIRMED = "oppositions_confirmed"
    RUN_STARTED = "run_started"
    RUN_ENDED = "run_ended"
    PUBLISHED = "published"
    WAIVED = "waived"
    REPORT_SIGNED = "report_signed"
    APPROVED = "approved"
    REFUSED = "refused"
    ERASED = "erased"
    RETENTION_PURGED = "retention_purged"
    ACCESS_REPORTED = "access_reported"
    INFORMED = "informed"
    NUMBER_READ = "number_read"
    STUDY_CREATED = "study_created"
    STUDY_REFRESHED = "study_refreshed"
    STUDY_CLOSED = "study_closed"
    STUDY_WITHDRAWN = "study_withdrawn"
    REIDENTIFICATION_REQUESTED = "reidentification_requested"
    REIDENTIFICATION_APPROVED = "reidentification_approved"
    REIDENTIFICATION_REFUSED = "reidentification_refused"
    REIDENTIFIED = "reidentified"
    KEYS_ROTATED = "keys_rotated"
    ESCROW_SPLIT = "escrow_split"
    ESCROW_RESTORED = "escrow_restored"
    REVIEW_SAMPLED = "review_sampled"
    REVIEW_ENDED = "review_ended"
    CARD_ACCEPTED = "card_accepted"
    CARD_ENDED = "card_ended"
    QUERY_RECEIVED = "query_received"
    QUERY_REFUSED = "query_refused"
    QUERY_APPROVED = "query_approved"
    QUERY_ANSWERED = "query_answered"
    ANSWER_RELEASED = "answer_released"
    KEY_REVOKED = "key_revoked"
    POLICY_PROPOSED = "policy_proposed"
    POLICY_APPROVED = "policy_approved"
    LOG_HEAD_SENT = "log_head_sent"


_STUDY = frozenset({"study", "by", "reason", "persons", "rows", "release", "target", "expires"})
_REIDENTIFICATION = frozenset(
    {"request", "by", "motive", "reason", "person", "study", "until", "persons"}
)
_CARD = frozenset({"study", "card", "basis", "mode", "by", "release"})
_QUERY = frozenset({"query", "question", "study", "card", "basis", "researcher", "analysis"})
_DECISION = frozenset({"what", "by", "reason", "release", "generation"})
FACTS: Mapping[Action, frozenset[str]] = {
    Action.CONTENT_READ: frozenset({"record", "why"}),
    Action.OPPOSITION_ADDED: frozenset({"person", "channel", "new", "register", "scope"}),
    Action.OPPOSITION_WITHDRAWN: frozenset({"person", "channel", "register", "scope"}),
    Action.OPPOSITIONS_IMPORTED: frozenset({"lines", "register"}),
    Action.OPPOSITIONS_CONFIRMED: frozenset({"register"}),
    Action.RUN_STARTED: frozenset({"engine", "software"}),
    Action.RUN_ENDED: frozenset(
        {"verdict", "release", "generation", "as_of", "failures", "quarantined", "engine"}
    ),
    Action.PUBLISHED: frozenset({"release", "generation", "as_of", "target", "rows"}),
    Action.WAIVED: frozenset({"by", "reason", "until", "checks"}),
    Action.REPORT_SIGNED: frozenset({"report", "sha256", "release", "language"}),
    Action.APPROVED: _DECISION,
    Action.REFUSED: _DECISION,
    Action.ERASED: frozenset({"person", "by", "reason", "step", "records", "rows", "proof"}),
    Action.RETENTION_PURGED: frozenset({"by", "before", "records", "persons", "backups", "proof"}),
    Action.ACCESS_REPORTED: frozenset({"person", "by", "reason", "records", "rows"}),
    Action.INFORMED: frozenset({"person", "what", "channel", "lines"}),
    Action.NUMBER_READ: frozenset({"person", "by", "reason"}),
    Action.STUDY_CREATED: _STUDY,
    Action.STUDY_REFRESHED: _STUDY,
    Action.STUDY_CLOSED: _STUDY,
    Action.STUDY_WITHDRAWN: _STUDY,
    Action.REIDENTIFICATION_REQUESTED: _REIDENTIFICATION,
    Action.REIDENTIFICATION_APPROVED: _REIDENTIFICATION,
    Action.REIDENTIFICATION_REFUSED: _REIDENTIFICATION,
    Action.REIDENTIFIED: _REIDENTIFICATION,
    Action.KEYS_ROTATED: frozenset(
        {"step", "by", "reason", "version", "old", "new", "persons", "records"}
    ),
    Action.ESCROW_SPLIT: frozenset({"by", "split", "shares", "threshold", "fingerprint"}),
    Action.ESCROW_RESTORED: frozenset({"by", "split", "shares", "fingerprint"}),
    Action.REVIEW_SAMPLED: frozenset({"review", "by", "documents", "strata", "release"}),
    Action.REVIEW_ENDED: frozenset({"review", "by", "documents", "misses", "over_masked"}),
    Action.CARD_ACCEPTED: _CARD,
    Action.CARD_ENDED: _CARD,
    Action.QUERY_RECEIVED: _QUERY,
    Action.QUERY_REFUSED: frozenset({"query", "study", "code", "by"}),
    Action.QUERY_APPROVED: frozenset({"query", "question", "study", "by", "mode"}),
    Action.QUERY_ANSWERED: frozenset(
        {
            "query",
            "study",
            "round",
            "release",
            "register",
            "policy",
            "cells",
            "withheld",
            "repeated",
        }
    ),
    Action.ANSWER_RELEASED: frozenset({"query", "study", "round", "delivery", "answer"}),
    Action.KEY_REVOKED: frozenset({"key", "by"}),
    Action.POLICY_PROPOSED: frozenset({"policy", "by"}),
    Action.POLICY_APPROVED: frozenset({"policy", "by"}),
    Action.LOG_HEAD_SENT: frozenset({"sequence"}),
}


def check_facts(action: Action, facts: Facts) -> None:
    """Refuses a fact that the act does not state, or one that is no short plain value.

    Raises:
        ValueError: names the fact, never its value.
    """
    unknown = sorted(set(facts) - FACTS[action])
    if unknown:
        raise ValueError(f"{action} states no fact {unknown[0]}")
    for name, value in facts.items():
        texts = list(value) if isinstance(value, list | tuple) else [value]
        plain = all(isinstance(one, str | int | None) for one in texts)
        short = all(len(one) <= MAX_TEXT for one in texts if isinstance(one, str))
        if not (plain and short and len(texts) <= MAX_ITEMS):
            raise ValueError(f"{action}: {name} is no short plain value")
