"""What a reader may conclude from a protected count, and when an answer may leave."""

from __future__ import annotations

import math

from entrepot.federation.disclosure.policy import Policy
from entrepot.federation.disclosure.rounding import told_range


def interval(count: int | None, policy: Policy, most: float = math.inf) -> tuple[float, float]:
    """Fewest and most persons behind a protected count.

    A number was rounded, and may be that of a set which differs by fewer than `threshold` persons.
    None says nothing but that the figure is not told: it may be large, withheld with a small one.

    Args:
        most: what the figure cannot exceed (the upper end of its margin).
    """
    if count is None:
        return 0, most
    low, high = told_range(count, policy)
    apart = policy.threshold - 1
    return max(policy.threshold, low - apart), min(high + apart, most)


def wait_seconds(started: float, now: float, policy: Policy) -> float:
    """Seconds until the next slot in which an answer may leave, both times of a monotonic clock.

    At least one whole slot after the question came, so that what was quick looks like what was not.
    """
    slot = policy.slot_seconds
    if slot == 0:
        return 0.0
    slots = max(1, math.ceil((now - started) / slot))
    return max(0.0, started + slots * slot - now)
