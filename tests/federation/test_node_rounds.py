"""Analyses in rounds: what other nodes are believed to have said passes by the coordinator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from node_hospital import STEWARD, Hospital, accepted, agree, new_hospital, query_for, sent

from entrepot.federation.cards import CardSite, StudyCard
from entrepot.federation.envelopes import AnswerEnvelope, signed
from entrepot.federation.keys import create_sealing_key
from entrepot.federation.node.answering import answer_due
from entrepot.federation.node.approving import decide, decision
from entrepot.federation.node.intake import receive
from entrepot.federation.node.papers import revoke
from entrepot.federation.node.place import NodePlace
from entrepot.federation.node.rounds import turn
from entrepot.federation.node.states import State
from entrepot.federation.node.tables import answer, request, transaction
from entrepot.federation.refusals import Code, Refused
from entrepot.people import create_key, sign

pytestmark = pytest.mark.core
OTHERS = ("chu-sud", "ch-ouest")


@pytest.fixture
def made(tmp_path: Path) -> Hospital:
    return new_hospital(tmp_path)


@pytest.fixture
def card(made: Hospital) -> StudyCard:
    """A study of three nodes whose keys lie in the test's folder."""
    sites = [CardSite(node=made.node.name, **_named(*made.node.place.public_keys()))]
    for name in OTHERS:
        folder = made.keys / name
        folder.mkdir()
        keys = create_key(folder / "sign.pem"), create_sealing_key(folder / "masking.pem")
        sites.append(CardSite(node=name, **_named(*keys)))
    return accepted(made, sites=tuple(sites), analyses=("logistic", "counts"))


def _named(key: str, masking: str) -> dict[str, str]:
    return {"key": key, "masking_key": masking}


def _given(made: Hospital, query: str, payload: dict[str, Any]) -> None:
    """This node has answered round 0 and its answer has left."""
    with transaction(made.node.engine) as connection:
        connection.execute(
            sa.insert(answer).values(
                query=query, round=0, payload=json.dumps(payload), stated="{}", slot_at="",
                envelope="{}",
            )
        )  # fmt: skip
        connection.execute(sa.update(request).values(state=State.RELEASED))


def _answer(made: Hospital, signer: str, query: str, share: int, **changes: Any) -> str:
    mark = "0" * 64
    stated = {
        "node": signer, "study": "DIAB-2026", "query": query, "round": 0, "release": "a1b2c3d4",
        "vocabulary": mark, "register": mark, "excluded": "<11", "policy": mark, "compiler": "1",
        "payload": {"share": share}, "previous": mark, "log_head": mark,
        "at": "2026-11-22T09:00:00Z", **changes,
    }  # fmt: skip
    key = (
        made.node.place.signing_key if signer == made.node.name else made.keys / signer / "sign.pem"
    )
    return signed(AnswerEnvelope.model_validate(stated), "node", key).text()


def test_pairs_share_a_secret_that_no_third_has(made: Hospital, card: StudyCard) -> None:
    query = query_for(made, card)
    here = turn(made.node, "1" * 64, query, card, "").pair_secrets
    assert set(here) == set(OTHERS)
    assert len(set(here.values())) == 2
    assert here != turn(made.node, "2" * 64, query, card, "").pair_secrets
    there = Hospital(made.site, made.node, made.keys).node
    other = type(there)(
        there.site, there.keyring, NodePlace(made.keys / "chu-sud", "chu-sud"), there.engine
    )
    secrets = turn(other, "1" * 64, query, card, "").pair_secrets
    assert secrets[made.node.name] == here["chu-sud"]
    assert secrets["ch-ouest"] not in here.values()


def test_t10_only_what_each_node_signed_for_this_round_is_believed(
    made: Hospital, card: StudyCard
) -> None:
    query = query_for(made, card, delivery="pooled", analysis={
        "kind": "logistic", "target": "diabetes", "outcome": "metformin"})  # fmt: skip
    sha256 = receive(made.node, sent(made, query).text()).query
    _given(made, sha256, {"share": 1})
    names = (made.node.name, *OTHERS)
    texts = [_answer(made, name, sha256, number) for number, name in enumerate(names, 1)]
    found = turn(made.node, sha256, query, card, json.dumps([texts]))
    assert found.transcript == ({name: {"share": n} for n, name in enumerate(names, 1)},)
    envelope = json.loads(texts[1])
    envelope["body"]["payload"]["share"] = 9
    forged = {
        "a share changed": [texts[0], json.dumps(envelope, separators=(",", ":")), texts[2]],
        "of another round": [texts[0], _answer(made, "chu-sud", sha256, 2, round=1), texts[2]],
        "of another query": [texts[0], _answer(made, "chu-sud", "9" * 64, 2), texts[2]],
        "twice by one": [*texts, _answer(made, "chu-sud", sha256, 5)],
        "without ours": texts[1:],
        "ours, but another": [_answer(made, names[0], sha256, 7), *texts[1:]],
        "of no site": [texts[0], _answer(made, "chu-sud", sha256, 2, node="chu-est"), texts[2]],
    }
    for name, one in forged.items():
        with pytest.raises(Refused) as refused:
            turn(made.node, sha256, query, card, json.dumps([one]))
        assert refused.value.code in (Code.SIGNATURE_WRONG, Code.UNREADABLE), name


def test_t14_a_revoked_node_is_believed_no_more(made: Hospital, card: StudyCard) -> None:
    query = query_for(made, card, delivery="pooled", analysis={
        "kind": "logistic", "target": "diabetes", "outcome": "metformin"})  # fmt: skip
    sha256 = receive(made.node, sent(made, query).text()).query
    _given(made, sha256, {"share": 1})
    names = (made.node.name, *OTHERS)
    texts = json.dumps([[_answer(made, name, sha256, n) for n, name in enumerate(names, 1)]])
    assert len(turn(made.node, sha256, query, card, texts).transcript) == 1
    revoke(made.node, card.sites[1].key, STEWARD)
    with pytest.raises(Refused):
        turn(made.node, sha256, query, card, texts)


def test_the_next_round_runs_without_asking_again_and_only_once(
    made: Hospital, card: StudyCard
) -> None:
    query = query_for(made, card, delivery="pooled", analysis={
        "kind": "logistic", "target": "diabetes", "outcome": "metformin"})  # fmt: skip
    envelope = sent(made, query).text()
    sha256 = receive(made.node, envelope).query
    early = receive(made.node, envelope, [["x"]])
    assert early.code is Code.REPLAYED
    _given(made, sha256, {"share": 1})
    assert receive(made.node, envelope, [["x"]]).state is State.APPROVED
    assert receive(made.node, envelope, [["x"]]).code is Code.REPLAYED


def test_a_regression_costs_five_questions_of_the_budget(made: Hospital, card: StudyCard) -> None:
    """Sums are disturbed and not counted: a day of twenty questions is four regressions. Here six
    are allowed: after a regression one question is answered, and the next as one about nobody."""
    agree(made, budget={"day": 6, "total": 200})
    asked = [
        {"kind": "logistic", "target": "diabetes", "outcome": "metformin", "age": False},
        {"kind": "counts", "cohorts": ["diabetes", "metformin"]},
        {"kind": "counts", "cohorts": ["diabetes", "metformin"]},
    ]
    given = []
    for number, analysis in enumerate(asked):
        query = query_for(made, card, number, delivery="pooled", analysis=analysis)
        sha256 = receive(made.node, sent(made, query).text()).query
        if analysis["kind"] == "logistic":
            stated = decision(sha256, True, "", State.AWAITING_STEWARD)
            signature = sign(made.keys / f"{STEWARD}.pem", stated)
            assert decide(made.node, sha256, STEWARD, True, "", signature) is State.APPROVED
        answer_due(made.node)
        with transaction(made.node.engine) as connection:
            found = connection.scalar(sa.select(answer.c.payload).where(answer.c.query == sha256))
        given.append(json.loads(found or "{}"))
    assert given[0]["share"] is not None
    told, refused = ([one["cells"][0]["count"] for one in g["tables"]] for g in given[1:])
    assert set(told) != {None}
    assert set(refused) == {None}
