"""Clusters depend on the set of statements alone; the last one about a pair holds."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.register.clusters import LinkStatement, clusters, members

pytestmark = pytest.mark.core

NUMBERS = [bytes([n]) for n in range(6)]


def statement(left: int, right: int, relation: str, version: str) -> LinkStatement:
    low, high = sorted((NUMBERS[left], NUMBERS[right]))
    return LinkStatement(low, high, relation, version)


def test_merge_then_unmerge_leaves_two_persons() -> None:
    said = [statement(0, 1, "link", "1"), statement(0, 1, "unlink", "2")]
    assert clusters(said) == {}


def test_a_chain_of_merges_is_one_person_even_when_it_closes() -> None:
    said = [
        statement(0, 1, "link", "1"),
        statement(1, 2, "link", "2"),
        statement(2, 0, "link", "3"),
    ]
    assert set(clusters(said).values()) == {NUMBERS[0]}


def test_at_equal_times_two_persons_stay_two() -> None:
    said = [statement(0, 1, "link", "1"), statement(0, 1, "unlink", "1")]
    assert {tuple(sorted(clusters(order).items())) for order in permutations(said)} == {()}


STATEMENTS = st.lists(
    st.builds(
        statement,
        st.integers(0, 5),
        st.integers(0, 5),
        st.sampled_from(["link", "unlink"]),
        st.sampled_from(["1", "2", "3"]),
    ).filter(lambda s: s.left != s.right),
    max_size=12,
)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(said: list[LinkStatement], random: object) -> None:
    shuffled = [*said, *said]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert clusters(shuffled) == clusters(said)


@given(STATEMENTS)
def test_clusters_are_the_connected_components(said: list[LinkStatement]) -> None:
    """Against the definition: reach every number along the links that hold."""
    last: dict[tuple[bytes, bytes], tuple[str, str]] = {}
    for s in said:
        pair = (s.left, s.right)
        last[pair] = max(last.get(pair, ("", "")), (s.version, s.relation))
    edges = {pair for pair, (_, relation) in last.items() if relation == "link"}
    wanted = {}
    for number in {n for pair in edges for n in pair}:
        reached, frontier = {number}, [number]
        while frontier:
            here = frontier.pop()
            for left, right in edges:
                other = right if left == here else left if right == here else None
                if other is not None and other not in reached:
                    reached.add(other)
                    frontier.append(other)
        wanted[number] = min(reached)
    assert clusters(said) == wanted
    assert sum(len(found) for found in members(wanted).values()) == len(wanted)
