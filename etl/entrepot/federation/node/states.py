"""Where a question is between its arrival and its answer."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """`received` and `checked` are passed within one step; what is kept begins after them."""

    RECEIVED = "received"
    AWAITING_STEWARD = "awaiting_steward"
    APPROVED = "approved"
    REFUSED = "refused"
    RUN = "run"  # the answer is made and waits for its time
    AWAITING_RELEASE = "awaiting_release"  # the steward looks at the answer first
    RELEASED = "released"

    @classmethod
    def allowed(cls) -> tuple[State, ...]:
        """States of a question that was approved."""
        return (cls.APPROVED, cls.RUN, cls.AWAITING_RELEASE, cls.RELEASED)


# What the coordinator is told; how far the work inside is, it is not.
TOLD = {
    State.RECEIVED: "received",
    State.AWAITING_STEWARD: "awaiting_steward",
    State.APPROVED: "approved",
    State.RUN: "approved",
    State.AWAITING_RELEASE: "approved",
    State.REFUSED: "refused",
    State.RELEASED: "released",
}
