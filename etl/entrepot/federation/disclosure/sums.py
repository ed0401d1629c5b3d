"""Sums of values over persons (person-time): the guard of what is no count.

Each value is cut at a cap that the question states, at least k persons have to contribute, none of
them most of it, and the sum is rounded as a count is: at random, without bias, keyed on the set of
persons, to multiples of base times cap. A set that is near an earlier one repeats that one's sum.
Source: reference on federation, section 4.3 (concentration: one person at most 85 % of a sum).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from entrepot.errors import EntrepotError
from entrepot.federation.disclosure.asker import Asker
from entrepot.federation.disclosure.ledger import Ledger
from entrepot.federation.disclosure.policy import Policy
from entrepot.federation.disclosure.rounding import rounded_sum
from entrepot.federation.disclosure.tables import PersonSet


def protected_sum(
    label: str,
    persons: PersonSet,
    values: npt.NDArray[np.float64],
    cap: float,
    policy: Policy,
    secret: bytes,
) -> float | None:
    """A sum as it may be told, or None.

    Args:
        label: what is summed, in the question's own words: `time:event`.
        values: one per person, in the order of `persons`, not negative, in the unit of `cap`.
        cap: largest value that one person can add; known to everybody.

    Raises:
        EntrepotError: values that are not one a person, negative or no numbers; no positive cap.
    """
    if values.shape != persons.shape or not np.isfinite(values).all() or (values < 0).any():
        raise EntrepotError("a sum needs one non-negative number per person", where=label)
    if not cap > 0:
        raise EntrepotError("a sum needs the largest value of one person", where=label)
    cut = np.minimum(values, cap)
    total = float(cut.sum())
    few = np.count_nonzero(cut) < policy.told_from
    if few or cut.max() > policy.largest_share * total:
        return None
    return rounded_sum(total, policy.rounding_base * cap, persons, secret, f"{label}\x1f{cap!r}")


def repeated(
    ledger: Ledger, asker: Asker, policy: Policy, persons: PersonSet, name: str,
    make: Callable[[], float | None],
) -> float | None:  # fmt: skip
    """What was told under a name of a figure less than k persons away, or what `make` gives.

    The count of these persons has to have been told: nothing is summed over others.
    """
    with ledger.exclusive():
        known = ledger.known(asker)
        near = known.nearest(persons, ledger.sketch(persons), policy.threshold, ledger.load)
        if near is None or near.figure.count is None:
            return None
        held = ledger.held(near.figure.root, name)
        return ledger.hold(near.figure.root, name, make()) if held is None else held[0]
