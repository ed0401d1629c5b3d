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


_DECISION = frozenset({"what", "by", "reason", "release", "generation"})
FACTS: Mapping[Action, frozenset[str]] = {
    Action.CONTENT_READ: frozenset({"record", "why"}),
    Action.OPPOSITION_ADDED: frozenset({"person", "channel", "new"}),
    Action.OPPOSITION_WITHDRAWN: frozenset({"person", "channel"}),
    Action.OPPOSITIONS_IMPORTED: frozenset({"lines"}),
    Action.OPPOSITIONS_CONFIRMED: frozenset(),
    Action.RUN_STARTED: frozenset({"engine", "software"}),
    Action.RUN_ENDED: frozenset(
        {"verdict", "release", "generation", "as_of", "failures", "quarantined", "engine"}
    ),
    Action.PUBLISHED: frozenset({"release", "generation", "as_of", "target", "rows"}),
    Action.WAIVED: frozenset({"by", "reason", "until", "checks"}),
    Action.REPORT_SIGNED: frozenset({"report", "sha256", "release", "language"}),
    Action.APPROVED: _DECISION,
    Action.REFUSED: _DECISION,
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
