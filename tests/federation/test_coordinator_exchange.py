"""What nodes and researchers bring to a coordinator: taken, refused, logged (T1, T2, T3, T10)."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from entrepot.federation.canonical import canonical, read_canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.coordinator.calls import Call
from entrepot.federation.coordinator.database import log, reading, writing
from entrepot.federation.coordinator.exchange import tasks_for
from entrepot.federation.coordinator.log import verify
from entrepot.federation.coordinator.questions import SubmissionError, submit
from entrepot.federation.coordinator.registry import (
    add_card,
    close_card,
    find_node,
    revoke_key,
    revoke_node,
)
from entrepot.federation.envelopes import open_signed, read_envelope, signed
from entrepot.federation.wire import MAX_SENT, PROOF, RESULTS, TASKS, prove
from entrepot.people import create_key
from federation.hub import NODES, Hub, make_hub, payload

pytestmark = pytest.mark.core
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return make_hub(tmp_path, dt.datetime.now(dt.UTC))


def _asked(hub: Hub, **changed: Any) -> tuple[Any, str]:
    query = hub.query(**changed)
    return query, submit(hub.coordinator, hub.signed(query).text(), dt.datetime.now(dt.UTC))


def test_a_question_reaches_every_node_with_both_signatures(hub: Hub) -> None:
    query, id_ = _asked(hub)
    for node in NODES:
        (task,) = hub.tasks(node)
        envelope = read_envelope(task["envelope"])
        assert task["task"] == id_ == envelope.body_hash
        assert [one.role for one in envelope.signatures] == ["researcher", "coordinator"]
        assert envelope.signatures[1].key == hub.coordinator.public_key
        assert open_signed(envelope, "researcher", hub.card.key_of(query.researcher))
    assert hub.notice("chu-nord", id_, "awaiting_steward").status_code == 202
    assert hub.tasks("chu-nord") == []
    assert len(hub.tasks("ch-ouest")) == 1, "given until something was said about it"


def test_a_silent_node_is_not_handed_the_same_question_at_each_call(hub: Hub) -> None:
    """A question that a node cannot take would be fetched and logged there without end."""
    _asked(hub)
    call = Call(hub.coordinator, find_node(hub.coordinator, "chu-nord"), NOW)
    settings = hub.coordinator.settings.model_copy(update={"again_seconds": 15})
    slow = replace(call, coordinator=replace(hub.coordinator, settings=settings))
    later = dt.datetime.now(dt.UTC)
    given = [
        len(tasks_for(replace(slow, now=later + dt.timedelta(seconds=s))).tasks) for s in (0, 8, 16)
    ]
    assert given == [1, 0, 1]


def test_the_same_question_twice_is_one_question(hub: Hub) -> None:
    envelope = hub.signed(hub.query()).text()
    first = submit(hub.coordinator, envelope, NOW)
    assert submit(hub.coordinator, envelope, NOW) == first
    assert len(hub.tasks("chu-nord")) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"minimum_cell": 5}, "threshold_lowered"),
        ({"minimum_cell": 10}, "threshold_lowered"),
        ({"audience": ("chu-nord", "ailleurs")}, "not_for_this_node"),
        ({"card": "a" * 64}, "card_unknown"),
        ({"study": "other"}, "card_unknown"),
        ({"analysis": {"kind": "logistic"}}, "analysis_not_allowed"),
        ({"not_after": NOW + dt.timedelta(days=60)}, "validity_too_long"),
        ({"not_after": NOW - dt.timedelta(seconds=10)}, "expired"),
        ({"researcher": "somebody"}, "signature_wrong"),
    ],
)
def test_what_no_node_would_answer_is_refused_and_logged(
    hub: Hub, changed: dict[str, Any], code: str
) -> None:
    with pytest.raises(SubmissionError) as refused:
        _asked(hub, **changed)
    assert refused.value.code == code
    assert hub.refusals() == [code]
    assert hub.tasks("chu-nord") == []


def test_a_raised_threshold_is_taken(hub: Hub) -> None:
    _asked(hub, minimum_cell=20)
    assert len(hub.tasks("chu-nord")) == 1


def test_no_card_lowers_the_threshold_below_eleven(hub: Hub) -> None:
    stated = hub.card.model_dump(mode="json")
    with pytest.raises(ValueError, match="minimum_cell"):
        StudyCard.model_validate({**stated, "minimum_cell": 10})


def test_an_unsigned_a_forged_and_an_altered_question_are_refused(hub: Hub) -> None:
    create_key(hub.keys / "thief.pem")
    query = hub.query()
    forged = signed(query, "researcher", hub.keys / "thief.pem").text()
    good = read_canonical(hub.signed(query).text().encode())
    unsigned = canonical({**good, "signatures": []}).decode()
    altered = canonical({**good, "body": {**good["body"], "minimum_cell": 11}}).decode()
    as_node = signed(query, "node", hub.keys / "researcher.pem").text()
    for text in (forged, altered, as_node, unsigned, "{}", "[" * 100_000):
        with pytest.raises(SubmissionError):
            submit(hub.coordinator, text, NOW)
    assert hub.refusals() == ["signature_wrong"] * 3 + ["unreadable"] * 3
    assert hub.tasks("chu-nord") == []


def test_a_nonce_is_good_for_one_question(hub: Hub) -> None:
    first, _ = _asked(hub)
    with pytest.raises(SubmissionError) as refused:
        _asked(hub, nonce=first.nonce, minimum_cell=12)
    assert refused.value.code == "replayed"


def test_a_closed_study_and_a_revoked_researcher_ask_nothing(hub: Hub) -> None:
    revoke_key(hub.coordinator, hub.card.researchers[0].key, NOW)
    with pytest.raises(SubmissionError) as refused:
        _asked(hub)
    assert refused.value.code == "key_revoked"
    other = hub.card.model_copy(update={"title": "Again"})
    add_card(hub.coordinator, other, NOW)
    close_card(hub.coordinator, hub.card.sha256, NOW)
    with pytest.raises(SubmissionError) as closed:
        _asked(hub, card=hub.card.sha256)
    assert closed.value.code in {"key_revoked", "study_not_open"}


def test_a_request_needs_its_own_certificate_and_its_own_fresh_proof(hub: Hub) -> None:
    proof = prove(hub.keys / "chu-nord.pem", "chu-nord", "GET", TASKS)
    assert hub.call("chu-nord", "GET", TASKS, proof=proof).status_code == 200
    replayed = hub.call("chu-nord", "GET", TASKS, proof=proof)
    assert (replayed.status_code, replayed.json()) == (401, {"code": "proof"})
    stolen = prove(hub.keys / "chu-nord.pem", "chu-nord", "GET", TASKS)
    assert hub.call("ch-ouest", "GET", TASKS, proof=stolen).status_code == 401, "other certificate"
    old = prove(
        hub.keys / "chu-nord.pem", "chu-nord", "GET", TASKS, now=NOW - dt.timedelta(minutes=6)
    )
    assert hub.call("chu-nord", "GET", TASKS, proof=old).status_code == 401
    elsewhere = prove(hub.keys / "chu-nord.pem", "chu-nord", "POST", RESULTS, b"{}")
    assert hub.call("chu-nord", "POST", RESULTS, b"[]", proof=elsewhere).status_code == 401
    assert hub.clients["chu-nord"].get(TASKS).status_code == 401, "no proof at all"
    assert [one.get("node") for one in hub.log() if one["act"] == "request_refused"] == [
        "chu-nord", "ch-ouest", "chu-nord", "chu-nord", "chu-nord",
    ]  # fmt: skip


def test_a_connection_without_a_certificate_is_nobody(hub: Hub) -> None:
    from starlette.testclient import TestClient

    from entrepot.federation.coordinator.node_api import node_api

    proof = prove(hub.keys / "chu-nord.pem", "chu-nord", "GET", TASKS)
    bare = TestClient(node_api(hub.coordinator))
    assert bare.get(TASKS, headers={PROOF: proof}).status_code == 401


def test_a_revoked_node_is_turned_away_and_the_others_are_told(hub: Hub) -> None:
    _, id_ = _asked(hub)
    key = hub.card.site("hopital-sud")
    assert key is not None
    revoke_node(hub.coordinator, "hopital-sud", NOW)
    found = hub.call("hopital-sud", "GET", TASKS)
    assert (found.status_code, found.json()) == (403, {"code": "revoked"})
    told = hub.call("chu-nord", "GET", TASKS).json()["revocations"]
    (envelope,) = [read_envelope(text) for text in told]
    assert envelope.body["key"] == key.key
    assert open_signed(envelope, "coordinator", hub.coordinator.public_key)
    with pytest.raises(SubmissionError) as refused:
        _asked(hub)
    assert refused.value.code == "node_unknown"
    assert id_


def test_an_answer_counts_once_and_a_second_other_one_is_refused(hub: Hub) -> None:
    query, id_ = _asked(hub)
    body = hub.answer("chu-nord", query, id_)
    assert hub.send_answer("chu-nord", body).status_code == 202
    assert hub.send_answer("chu-nord", body).status_code == 202, "sent again: the same receipt"
    other = hub.answer("chu-nord", query, id_, payload=payload(query.analysis, 80))
    second = hub.send_answer("chu-nord", other)
    assert (second.status_code, second.json()) == (409, {"code": "other_answer"})
    assert hub.refusals() == ["other_answer"]


def test_an_answer_of_another_node_or_of_no_question_is_refused(hub: Hub) -> None:
    query, id_ = _asked(hub)
    forged = hub.answer("chu-nord", query, id_)
    assert hub.send_answer("chu-nord", forged, signer="ch-ouest").status_code == 401
    assert hub.send_answer("ch-ouest", forged, signer="ch-ouest").status_code == 401
    unknown = hub.answer("chu-nord", query, "b" * 64)
    assert hub.send_answer("chu-nord", unknown).status_code == 404
    assert hub.bring("chu-nord", RESULTS, "{}").status_code == 422
    assert hub.call("chu-nord", "POST", RESULTS, b"x").status_code == 422
    assert hub.call("chu-nord", "POST", RESULTS, b"x" * (MAX_SENT + 1)).status_code == 413


def test_a_tampered_answer_is_refused(hub: Hub) -> None:
    query, id_ = _asked(hub)
    text = signed(hub.answer("chu-nord", query, id_), "node", hub.keys / "chu-nord.pem").text()
    tampered = text.replace('"count":40', '"count":45')
    assert tampered != text
    assert hub.bring("chu-nord", RESULTS, tampered).status_code == 401


def test_the_head_of_a_log_never_goes_back(hub: Hub) -> None:
    assert hub.head("chu-nord", 12, "a" * 64).status_code == 202
    assert hub.head("chu-nord", 15, "b" * 64).status_code == 202
    assert hub.head("chu-nord", 15, "b" * 64).status_code == 202, "the same again"
    assert hub.head("chu-nord", 15, "c" * 64).status_code == 409, "another entry 15: rewritten"
    assert hub.head("chu-nord", 13, "d" * 64).status_code == 409, "shorter: cut off"
    assert [one["act"] for one in hub.log() if one["act"].startswith("head")] == [
        "head", "head", "head", "head_refused", "head_refused",
    ]  # fmt: skip


def test_a_replay_at_the_node_changes_no_state(hub: Hub) -> None:
    from entrepot.federation.coordinator.questions import questions

    _, id_ = _asked(hub)
    hub.notice("chu-nord", id_, "refused", "refused_by_steward")
    hub.notice("chu-nord", id_, "received", "replayed")
    (found,) = questions(hub.coordinator)
    assert found.states["chu-nord"][:2] == ("refused", "refused_by_steward")


def test_the_log_shows_what_was_changed_in_it(hub: Hub) -> None:
    _asked(hub)
    with reading(hub.coordinator.engine) as connection:
        assert verify(connection) is None
    with writing(hub.coordinator.engine) as connection:
        entry = json.dumps({"act": "card_added"})
        connection.execute(log.update().where(log.c.number == 2).values(entry=entry))
    with reading(hub.coordinator.engine) as connection:
        assert verify(connection) == 2
