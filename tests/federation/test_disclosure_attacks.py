"""Ten attacks on the guard: they recover nobody, and somebody as soon as the guard is weakened."""

from __future__ import annotations

import pytest
from attacks import scripts
from attacks.cases import Attack, play
from attacks.nodes import (
    CarefulNode,
    Forgetful,
    FreshRounding,
    MakeNode,
    RealNode,
    Refusing,
    per_release,
    per_study,
)  # fmt: skip

pytestmark = pytest.mark.integration
TARGETS = 4

ATTACKS: list[tuple[Attack, MakeNode]] = [
    (scripts.averaging, FreshRounding),
    (scripts.padding, Forgetful),
    (scripts.differencing, Forgetful),
    (scripts.differencing, Refusing),
    (scripts.differencing_backwards, Forgetful),
    (scripts.chain, Forgetful),
    (scripts.negation, Forgetful),
    (scripts.tracker, Forgetful),
    (scripts.windows, Forgetful),
    (scripts.cumulated, Forgetful),
    (scripts.rare_concepts, Forgetful),
    (scripts.collusion, per_study),
    (scripts.releases, per_release),
]
NAMES = [f"{attack.__name__}-{getattr(weak, '__name__', weak)}" for attack, weak in ATTACKS]


@pytest.mark.parametrize(("attack", "weak"), ATTACKS, ids=NAMES)
def test_recovers_nobody_from_the_guard(attack: Attack, weak: MakeNode) -> None:
    """Threats 4 and 5 of the reference: targets recovered exactly, 0."""
    assert play(attack, RealNode, TARGETS).recovered == 0


@pytest.mark.parametrize(("attack", "weak"), ATTACKS, ids=NAMES)
def test_recovers_somebody_from_a_weakened_guard(attack: Attack, weak: MakeNode) -> None:
    """The attack is real: without the one protection it works."""
    assert play(attack, weak, TARGETS).recovered > 0


def test_filling_a_small_cohort_up_with_known_persons() -> None:
    """The limit of the plain rule, and what `known_persons: 9` is for (docs, disclosure.md)."""
    assert play(scripts.filling_up, CarefulNode, TARGETS).recovered == 0
    assert play(scripts.filling_up, RealNode, TARGETS).recovered == TARGETS
