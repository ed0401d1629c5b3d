"""What a researcher may see: sums as intervals, few sites hidden, poison apart (T9, T10, T14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from entrepot.federation.coordinator.opening import open_bundle
from entrepot.federation.coordinator.outcome import Outcome, bundle, outcome
from entrepot.federation.coordinator.questions import Question, questions, submit
from entrepot.federation.coordinator.registry import revoke_node
from entrepot.federation.coordinator.standing import standings
from entrepot.federation.envelopes import Query
from entrepot.federation.keys import read_sealing_key
from entrepot.federation.pages.figures import figures
from federation.hub import NODES, Hub, make_hub, payload

pytestmark = pytest.mark.core
SURVIVAL: dict[str, Any] = {
    "kind": "survival", "target": "cases", "comparator": "others", "outcome": "deaths",
    "interval_days": 91, "intervals": 2,
}  # fmt: skip
Poison = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return make_hub(tmp_path, dt.datetime.now(dt.UTC))


def _now(days: float = 0) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=days)


def _ask(hub: Hub, **changed: Any) -> tuple[Query, str]:
    query = hub.query(**changed)
    return query, submit(hub.coordinator, hub.signed(query).text(), _now())


def _question(hub: Hub, id_: str) -> Question:
    return next(one for one in questions(hub.coordinator) if one.id == id_)


def _seen(hub: Hub, id_: str, days: float = 0) -> tuple[Outcome, dict[str, str]]:
    asked = _question(hub, id_)
    states = standings(hub.coordinator, asked, _now(days))
    return outcome(hub.coordinator, asked, _now(days)), {one.node: one.state for one in states}


def test_three_answers_add_up_as_an_interval_that_holds_every_true_sum(hub: Hub) -> None:
    query, id_ = _ask(hub)
    for node, count in zip(NODES, (40, 55, None), strict=True):
        body = hub.answer(node, query, id_, payload=payload(query.analysis, count))
        assert hub.send_answer(node, body).status_code == 202
    found, states = _seen(hub, id_)
    assert set(states.values()) == {"answered"}
    assert found.pooled is not None
    (row,) = found.pooled.counts
    # Rounding to 5 moves a count by up to 4, a repeated one by up to 10 more; `<11` is 0 to 10.
    assert row.low <= 36 + 51 + 0
    assert row.high >= 44 + 59 + 10
    assert row.low >= 40 - 14 + 55 - 14
    assert row.high <= 40 + 14 + 55 + 14 + 10
    assert found.by_site
    assert [name for name, _ in found.each] == list(NODES)


def test_under_three_answers_no_site_can_be_told(hub: Hub) -> None:
    query, id_ = _ask(hub)
    hub.send_answer("chu-nord", hub.answer("chu-nord", query, id_))
    hub.notice("ch-ouest", id_, "approved")
    found, states = _seen(hub, id_)
    assert found.pooled is None, "a sum over one site is that site"
    assert states["chu-nord"] == states["ch-ouest"] == "underway"
    hub.send_answer("ch-ouest", hub.answer("ch-ouest", query, id_))
    found, states = _seen(hub, id_)
    assert found.pooled is not None
    assert not found.by_site
    assert found.each == ()
    assert states == {"chu-nord": "underway", "ch-ouest": "underway", "hopital-sud": "queued"}
    shown = " ".join(f"{block.title} {block.figure} {block.rows}" for block in figures(found, "en"))
    assert not any(node in shown for node in NODES)
    assert all(site.name == "" for site in found.pooled.sites)
    assert bundle(hub.coordinator, _question(hub, id_), _now())["answers"] == []


def test_a_forest_plot_under_three_answers_has_no_line_of_a_site(hub: Hub) -> None:
    definition = {"cases": hub.query().cohorts["cases"]}
    cohorts = dict.fromkeys(("cases", "others", "deaths"), definition["cases"])
    query, id_ = _ask(hub, analysis=SURVIVAL, cohorts=cohorts)
    for node in NODES[:2]:
        hub.send_answer(node, hub.answer(node, query, id_))
    found, _ = _seen(hub, id_)
    two = [block for block in figures(found, "en") if 'class="pooled"' in block.figure]
    assert two
    assert not any('class="site"' in block.figure for block in two)
    hub.send_answer(NODES[2], hub.answer(NODES[2], query, id_))
    found, _ = _seen(hub, id_)
    three = [block for block in figures(found, "en") if 'class="pooled"' in block.figure]
    assert [block.figure.count('class="site"') for block in three] == [3]


def test_missing_refusing_silent_and_revoked_nodes_are_shown_as_such(hub: Hub) -> None:
    _, id_ = _ask(hub)
    hub.notice("chu-nord", id_, "refused", "not_feasible")
    revoke_node(hub.coordinator, "hopital-sud", _now())
    found, states = _seen(hub, id_, days=2)
    assert states == {"ch-ouest": "silent", "chu-nord": "refused", "hopital-sud": "revoked"}
    assert found.pooled is None
    _, states = _seen(hub, id_, days=8)
    assert states == {"ch-ouest": "missing", "chu-nord": "refused", "hopital-sud": "revoked"}


def test_a_dead_node_stops_nobody_and_is_no_zero(hub: Hub) -> None:
    """T14: a node that dies is missing; its log head stays here, the others' sum stands."""
    query, id_ = _ask(hub)
    hub.head("hopital-sud", 7, "e" * 64)
    for node in NODES[:2]:
        body = hub.answer(node, query, id_, payload=payload(query.analysis, 100))
        hub.send_answer(node, body)
    revoke_node(hub.coordinator, "hopital-sud", _now())
    found, states = _seen(hub, id_, days=8)
    assert states["hopital-sud"] == "revoked"
    assert states["chu-nord"] == "answered"
    assert found.missing == ("hopital-sud",)
    assert found.pooled is not None
    assert found.pooled.counts[0].low > 100, "two sites' sum, not lowered by a zero"
    heads = [one for one in hub.log() if one["act"] == "head"]
    assert [(one["node"], one["sequence"]) for one in heads] == [("hopital-sud", 7)]


def _cell(change: Any) -> Poison:
    def poisoned(answer: dict[str, Any]) -> dict[str, Any]:
        answer["tables"][0]["cells"][0] |= change
        return answer

    return poisoned


@pytest.mark.parametrize(
    ("poison", "fault"),
    [
        (_cell({"count": 10**9}), "inconsistent"),
        (_cell({"count": -5}), "inconsistent"),
        (_cell({"count": 5}), "inconsistent"),  # below the threshold
        (_cell({"count": 42}), "inconsistent"),  # no multiple of the base
        (_cell({"key": ["x"]}), "inconsistent"),
        (lambda answer: {**answer, "threshold": 5}, "inconsistent"),
        (lambda answer: {**answer, "rows": [[1, "2020-01-01"]]}, "inconsistent"),
        (lambda answer: {**answer, "tables": []}, "inconsistent"),
        (lambda answer: {**answer, "kind": "survival"}, "inconsistent"),
    ],
)
def test_a_poisoned_answer_is_kept_apart_and_logged(hub: Hub, poison: Poison, fault: str) -> None:
    """T10: ranges, form, thresholds."""
    query, id_ = _ask(hub)
    good = payload(query.analysis, 40)
    for node in NODES[:2]:
        hub.send_answer(node, hub.answer(node, query, id_, payload=good))
    bad = hub.answer(NODES[2], query, id_, payload=poison(payload(query.analysis, 40)))
    assert hub.send_answer(NODES[2], bad).status_code == 202, "the node is told nothing of it"
    found, states = _seen(hub, id_)
    assert states[NODES[2]] == "poisoned"
    assert hub.refusals() == [fault]
    assert found.answered == 2
    assert found.missing == (NODES[2],)


def test_margins_that_contradict_their_cells_are_poison(hub: Hub) -> None:
    analysis = {"kind": "stratified", "cohort": "cases", "by": ["sex"]}
    query, id_ = _ask(hub, analysis=analysis)
    bad = payload(analysis, 40)
    total = next(cell for cell in bad["tables"][0]["cells"] if cell["key"] == ["*"])
    assert total["count"] == 120
    total["count"] = 1000
    hub.send_answer("chu-nord", hub.answer("chu-nord", query, id_, payload=bad))
    assert _seen(hub, id_)[1]["chu-nord"] == "poisoned"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"compiler": "older"}, "compiler_differs"),
        ({"study": "other"}, "other_study"),
        ({"round": 1}, "round"),
        ({"payload": None, "sealed": "ab"}, "delivery"),
    ],
)
def test_an_answer_made_otherwise_than_asked_is_set_aside(
    hub: Hub, changed: dict[str, Any], fault: str
) -> None:
    query, id_ = _ask(hub)
    hub.send_answer("chu-nord", hub.answer("chu-nord", query, id_, **changed))
    assert hub.refusals() == [fault]


def test_sealed_answers_are_the_researchers_alone(hub: Hub) -> None:
    query, id_ = _ask(hub, delivery="sealed")
    for node, count in zip(NODES, (40, 55, 70), strict=True):
        assert hub.send_answer(node, hub.sealed(node, query, id_, count)).status_code == 202
    found, states = _seen(hub, id_)
    assert found.pooled is None, "the coordinator reads nothing"
    assert set(states.values()) == {"answered"}
    carried = bundle(hub.coordinator, _question(hub, id_), _now())
    assert '"count"' not in str(carried["answers"])
    opened = open_bundle(carried, read_sealing_key(hub.keys / "answers.pem"))
    assert opened.faults == {}
    assert opened.outcome.pooled is not None
    assert opened.outcome.pooled.counts[0].low <= 165 <= opened.outcome.pooled.counts[0].high
    assert [name for name, _ in opened.outcome.each] == list(NODES)


def test_a_curious_coordinator_can_neither_open_nor_change_sealed_answers(hub: Hub) -> None:
    """T1: another key opens nothing; a swapped, changed or foreign answer is no answer."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    query, id_ = _ask(hub, delivery="sealed")
    for node in NODES:
        hub.send_answer(node, hub.sealed(node, query, id_, 40))
    carried = bundle(hub.coordinator, _question(hub, id_), _now())
    own = open_bundle(carried, X25519PrivateKey.generate())
    assert own.outcome.pooled is None
    assert set(own.faults.values()) == {"sealed"}
    changed = {**carried, "answers": [
        text.replace('"excluded":"<11"', '"excluded":"0"') for text in carried["answers"]
    ]}  # fmt: skip
    opened = open_bundle(changed, read_sealing_key(hub.keys / "answers.pem"))
    assert set(opened.faults.values()) == {"signature_wrong"}
    assert opened.outcome.answered == 0
