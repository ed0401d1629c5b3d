"""What a node refuses before anybody looks at it: forged, replayed, strayed, too large."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from node_hospital import (
    NOW,
    STEWARD,
    Hospital,
    accepted,
    card_for,
    concept_set,
    diabetes,
    new_hospital,
    query_for,
    sent,
)  # fmt: skip

from entrepot.audit import Action, read_entries
from entrepot.errors import ConfigurationError
from entrepot.federation.canonical import canonical
from entrepot.federation.cards import CardResearcher, StudyCard
from entrepot.federation.envelopes import Envelope, Revocation, countersigned, signed
from entrepot.federation.node.intake import receive
from entrepot.federation.node.papers import accept, end, pins, revoke, take_revocation
from entrepot.federation.node.states import State
from entrepot.federation.node.tables import outbox, request, transaction
from entrepot.federation.refusals import Code
from entrepot.people import create_key, public_half

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """One node for the file; each test asks with a nonce of its own."""
    return new_hospital(tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="module")
def card(made: Hospital) -> StudyCard:
    """A study in which the steward decides of each question."""
    return accepted(made, "manual")


def _refused(made: Hospital, text: str | bytes) -> Code | None:
    """The code of a refusal; the log holds it, and nothing was kept to be run."""
    taken = receive(made.node, text)
    if taken.code is not None:
        wanted = {"query": taken.query, "code": str(taken.code)}.items()
        log = read_entries(made.site, made.node.keyring)
        assert any(
            one.action == Action.QUERY_REFUSED and wanted <= one.facts.items() for one in log
        )
    return taken.code


def test_a_question_in_order_awaits_the_steward(made: Hospital, card: StudyCard) -> None:
    taken = receive(made.node, sent(made, query_for(made, card, 1)).text())
    assert (taken.state, taken.code) == (State.AWAITING_STEWARD, None)


CHANGES: dict[str, Any] = {
    "cohorts": {"diabetes": diabetes(InclusionRules=[]), "metformin": diabetes()},
    "analysis": {"kind": "counts", "cohorts": ["diabetes"]},
    "nonce": "f" * 32, "answers_to": "9" * 64, "delivery": "pooled", "minimum_cell": 12,
    "audience": ["chu-nord"], "not_after": "2026-12-01T00:00:00Z", "compiler": "0",
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGES)
def test_t1_a_coordinator_alters_no_query(made: Hospital, card: StudyCard, field: str) -> None:
    """Neither by changing it under the researcher's signature, nor by signing anew itself."""
    envelope = signed(query_for(made, card, 2), "researcher", made.keys / "researcher.pem")
    changed = Envelope(
        body={**envelope.body, field: CHANGES[field]}, signatures=envelope.signatures
    )
    coordinator = made.keys / "coordinator.pem"
    assert _refused(made, countersigned(changed, coordinator).text()) is Code.SIGNATURE_WRONG
    alone = signed(query_for(made, card, 2), "researcher", coordinator)
    assert _refused(made, countersigned(alone, coordinator).text()) is Code.SIGNATURE_WRONG


def test_t1_a_coordinator_makes_no_card(made: Hospital, card: StudyCard) -> None:
    """A card of its own, with a researcher's key of its own, is not the one that was accepted."""
    key = made.keys / "coordinator.pem"
    own = card.model_copy(
        update={"researchers": (CardResearcher(name="lea.nguyen", key=public_half(key)),)}
    )
    query = query_for(made, own, 3)
    envelope = countersigned(signed(query, "researcher", key), key)
    assert _refused(made, envelope.text()) is Code.CARD_UNKNOWN


def test_t1_a_counter_signature_is_of_one_query(made: Hospital, card: StudyCard) -> None:
    first, second = (sent(made, query_for(made, card, number)) for number in (4, 5))
    mixed = Envelope(body=second.body, signatures=(second.signatures[0], first.signatures[1]))
    assert _refused(made, mixed.text()) is Code.SIGNATURE_WRONG


@pytest.mark.parametrize("kept", [0, 1])
def test_an_unsigned_question_is_refused(made: Hospital, card: StudyCard, kept: int) -> None:
    envelope = sent(made, query_for(made, card, 6))
    alone = Envelope(body=envelope.body, signatures=(envelope.signatures[kept],))
    assert _refused(made, alone.text()) is Code.UNSIGNED


def test_a_forged_copy_does_not_keep_the_true_one_out(made: Hospital, card: StudyCard) -> None:
    envelope = sent(made, query_for(made, card, 7))
    forged = envelope.signatures[0].model_copy(update={"signature": "0" * 128})
    copy = Envelope(body=envelope.body, signatures=(forged, envelope.signatures[1]))
    assert _refused(made, copy.text()) is Code.SIGNATURE_WRONG
    assert receive(made.node, envelope.text()).state is State.AWAITING_STEWARD


def test_t2_a_replay_is_refused_and_logged(made: Hospital, card: StudyCard) -> None:
    envelope = sent(made, query_for(made, card, 8))
    assert receive(made.node, envelope.text()).code is None
    assert _refused(made, envelope.text()) is Code.REPLAYED
    other = sent(made, query_for(made, card, 8, minimum_cell=20))
    assert _refused(made, other.text()) is Code.REPLAYED
    with transaction(made.node.engine) as connection:
        kept = connection.scalars(
            sa.select(request.c.state).where(request.c.query == envelope.body_hash)
        ).all()
    assert kept == [State.AWAITING_STEWARD]


def test_one_message_again_and_again_fills_no_log(made: Hospital, card: StudyCard) -> None:
    """Told once a day, refused each time."""
    text = sent(made, query_for(made, card, 10, audience=("chu-sud",))).text()
    for _ in range(3):
        assert receive(made.node, text).code is Code.NOT_FOR_THIS_NODE
    log = read_entries(made.site, made.node.keyring)
    name = Envelope.model_validate_json(text).body_hash
    assert sum(one.facts.get("query") == name for one in log) == 1


STRAYED: dict[str, tuple[dict[str, Any], Code]] = {
    "to another node": ({"audience": ("chu-sud",)}, Code.NOT_FOR_THIS_NODE),
    "too early": ({"not_before": NOW + dt.timedelta(minutes=1)}, Code.NOT_YET_VALID),
    "too late": ({"not_after": NOW - dt.timedelta(minutes=1)}, Code.EXPIRED),
    "for a year": ({"not_after": NOW + dt.timedelta(days=365)}, Code.VALIDITY_TOO_LONG),
    "other analysis": ({"analysis": {"kind": "cox"}}, Code.ANALYSIS_NOT_ALLOWED),
    "other compiler": ({"compiler": "0.0.0"}, Code.COMPILER_DIFFERS),
}


@pytest.mark.parametrize("name", STRAYED)
def test_t3_a_question_strays_nowhere(made: Hospital, card: StudyCard, name: str) -> None:
    """T3 for the audience, T2 for the dates, T11 for the compiler."""
    changes, code = STRAYED[name]
    query = query_for(made, card, 100 + list(STRAYED).index(name), **changes)
    assert _refused(made, sent(made, query).text()) is code


def test_t3_a_revoked_key_is_believed_no_more(tmp_path: Path) -> None:
    """Of a coordinator, whose word takes it back for itself; of a researcher, by the steward."""
    made = new_hospital(tmp_path)
    card = accepted(made)
    researcher, coordinator = made.keys / "researcher.pem", made.keys / "coordinator.pem"
    assert revoke(made.node, public_half(researcher), STEWARD)
    assert _refused(made, sent(made, query_for(made, card, 1)).text()) is Code.KEY_REVOKED
    stranger = tmp_path / "stranger"
    create_key(stranger)
    stated = Revocation(key=public_half(coordinator), at=NOW)
    assert not take_revocation(made.node, signed(stated, "coordinator", stranger).text())
    assert take_revocation(made.node, signed(stated, "coordinator", coordinator).text())
    assert not take_revocation(made.node, signed(stated, "coordinator", coordinator).text())
    assert pins(made.node).coordinators == frozenset()
    assert _refused(made, sent(made, query_for(made, card, 2)).text()) is Code.KEY_REVOKED
    with pytest.raises(ConfigurationError, match="nobody of this name"):
        revoke(made.node, "0" * 64, "lea.nguyen")


def _sets(number: int, items: int) -> list[dict[str, Any]]:
    item = concept_set(0, 1)["expression"]["items"] * items
    return [{"id": n, "name": "s", "expression": {"items": item}} for n in range(number)]


BOMBS: dict[str, tuple[Callable[[], dict[str, Any]], Code]] = {
    "SQL in a number": (
        lambda: diabetes(ConceptSets=[concept_set(0, "1); DROP TABLE cdm.person; --")]),  # type: ignore[arg-type]
        Code.DEFINITION_REFUSED,
    ),
    "a number as a text": (
        lambda: diabetes(ConceptSets=[concept_set(0, "201826")]),  # type: ignore[arg-type]
        Code.DEFINITION_REFUSED,
    ),
    "an unknown attribute": (lambda: diabetes(Sql="SELECT 1"), Code.DEFINITION_REFUSED),
    "many concepts": (
        lambda: diabetes(ConceptSets=_sets(2, 5_001)), Code.CONCEPT_SETS_TOO_LARGE
    ),
    "many concept sets": (
        lambda: diabetes(ConceptSets=_sets(101, 1)), Code.CONCEPT_SETS_TOO_LARGE
    ),
    "a large text": (lambda: diabetes(Title="a" * 2_000_001), Code.DEFINITION_REFUSED),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_t6_definitions_that_would_harm(made: Hospital, card: StudyCard, name: str) -> None:
    content, code = BOMBS[name]
    query = query_for(
        made, card, 200 + list(BOMBS).index(name),
        cohorts={"diabetes": content(), "metformin": diabetes()},
    )  # fmt: skip
    assert _refused(made, sent(made, query).text()) is code


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_t6_whatever_comes_is_answered_by_a_code(
    made: Hospital, card: StudyCard, data: st.DataObject
) -> None:
    """Bytes changed, cut or put in anywhere: a refusal each time, nothing kept, no exception."""
    text = sent(made, query_for(made, card, 300)).text().encode()
    place = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 40))
    more = data.draw(st.binary(max_size=40))
    changed = text[:place] + more + text[place + length :]
    if changed == text:
        return
    assert receive(made.node, changed).state is State.REFUSED


def test_a_table_that_the_card_does_not_list(made: Hospital, card: StudyCard) -> None:
    visits = diabetes()
    visits["PrimaryCriteria"] = {
        **visits["PrimaryCriteria"], "CriteriaList": [{"VisitOccurrence": {"CodesetId": 0}}],
    }  # fmt: skip
    query = query_for(made, card, 9, cohorts={"diabetes": visits, "metformin": diabetes()})
    assert _refused(made, sent(made, query).text()) is Code.TABLE_NOT_ALLOWED


def test_a_card_holds_from_its_first_day_to_its_last(tmp_path: Path) -> None:
    made = new_hospital(tmp_path)
    card = accepted(made, starts_on=dt.date(2026, 11, 23), ends_on=dt.date(2026, 11, 24))
    query = query_for(made, card, 1, not_after=NOW + dt.timedelta(days=20))
    text = sent(made, query).text()
    assert _refused(made, text) is Code.STUDY_NOT_OPEN
    made.moment[0] = NOW + dt.timedelta(days=3)
    assert _refused(made, text) is Code.STUDY_NOT_OPEN
    made.moment[0] = NOW + dt.timedelta(days=2)
    assert receive(made.node, text).code is None
    end(made.node, card.sha256, STEWARD)
    again = sent(made, query_for(made, card, 2, not_after=NOW + dt.timedelta(days=20))).text()
    assert _refused(made, again) is Code.CARD_UNKNOWN


def test_a_card_is_accepted_by_who_may_and_names_this_node(made: Hospital) -> None:
    card = card_for(made, study="OTHER")
    key = made.keys / f"{STEWARD}.pem"
    with pytest.raises(ConfigurationError, match="nobody of this name"):
        accept(made.node, card, "manual", "lea.nguyen", key)
    with pytest.raises(ConfigurationError, match="not signed by"):
        accept(made.node, card, "manual", "claire.vigne", key)
    other = card_for(made, study="OTHER", sites=card.sites[1:])
    with pytest.raises(ConfigurationError, match="does not name this node"):
        accept(made.node, other, "manual", STEWARD, key)


def test_t7_a_refusal_tells_a_code_of_the_list_and_no_more(made: Hospital) -> None:
    """Every notice that waits to leave: no field beyond the five, no text but the code."""
    with transaction(made.node.engine) as connection:
        texts = connection.scalars(sa.select(outbox.c.envelope)).all()
    assert len(texts) > 20
    for text in texts:
        body = Envelope.model_validate_json(text).body
        assert set(body) <= {"act", "node", "query", "state", "code", "at"}
        assert body.get("code") in {None, *Code}
        assert len(canonical(body)) < 300
