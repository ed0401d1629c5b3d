"""A question from its arrival to its answer: who lets it, when it leaves, what it says."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from node_hospital import (
    NOW,
    STEWARD,
    Hospital,
    accepted,
    agree,
    concept_set,
    diabetes,
    new_hospital,
    query_for,
    release,
    sent,
)  # fmt: skip

from entrepot.audit import Action, read_entries
from entrepot.errors import ConfigurationError
from entrepot.federation.envelopes import (
    AnswerEnvelope,
    Envelope,
    Query,
    open_signed,
    read_envelope,
)
from entrepot.federation.keys import read_sealing_key, unseal
from entrepot.federation.node import policies
from entrepot.federation.node.answering import answer_due
from entrepot.federation.node.approving import CODES, decide, decision, find
from entrepot.federation.node.carried import give_files, take_files
from entrepot.federation.node.intake import receive
from entrepot.federation.node.outbox import leaving, next_slot
from entrepot.federation.node.releasing import release_due
from entrepot.federation.node.states import State
from entrepot.federation.node.tables import card as cards
from entrepot.federation.node.tables import transaction
from entrepot.federation.refusals import Code
from entrepot.people import sign
from entrepot.publish.frozen import read_frozen

pytestmark = pytest.mark.core
RESULTS = "/v1/results"


def _ask(made: Hospital, query: Query) -> str:
    return receive(made.node, sent(made, query).text()).query


def _decide(made: Hospital, query: str, approved: bool, code: str = "", by: str = STEWARD) -> State:
    asked = find(made.node, query)
    signature = sign(made.keys / f"{by}.pem", decision(query, approved, code, asked.state))
    return decide(made.node, query, by, approved, code, signature)


def _answers(made: Hospital, minutes: float = 11) -> list[AnswerEnvelope]:
    """Everything approved is worked on; what left, once that many minutes have passed."""
    answer_due(made.node)
    made.moment[0] += dt.timedelta(minutes=minutes)
    release_due(made.node)
    texts = [one.envelope for one in leaving(made.node) if one.path == RESULTS]
    key = made.node.place.public_keys()[0]
    envelopes = [read_envelope(text) for text in texts]
    assert all(open_signed(one, "node", key) for one in envelopes)
    return [AnswerEnvelope.model_validate(one.body) for one in envelopes]


def _read(made: Hospital, answer: AnswerEnvelope) -> dict[str, Any]:
    assert answer.sealed is not None
    assert answer.payload is None
    key = read_sealing_key(made.keys / "reader.pem")
    found = json.loads(unseal(answer.sealed, key, answer.context()))
    assert isinstance(found, dict)
    return found


@pytest.fixture
def made(tmp_path: Path) -> Hospital:
    return new_hospital(tmp_path)


def test_an_approved_question_is_answered_to_its_researcher_alone(made: Hospital) -> None:
    """Of 150 persons 120 have diabetes and 76 are given metformin: told to the next or last five,
    or the one after, as the policy's rounding says."""
    card = accepted(made, "manual")
    query = _ask(made, query_for(made, card))
    assert _answers(made) == []
    assert _decide(made, query, approved=True) is State.APPROVED
    (answer,) = _answers(made)
    found = {table["name"]: table["cells"][0]["count"] for table in _read(made, answer)["tables"]}
    assert found["diabetes"] is None or abs(found["diabetes"] - 120) <= 4
    assert found["metformin"] is None or abs(found["metformin"] - 76) <= 4
    assert set(found.values()) != {None}
    assert find(made.node, query).state is State.RELEASED
    assert answer.query == query
    assert answer.policy == policies.in_force(made.node).sha256
    log = read_entries(made.site, made.node.keyring)
    actions = [one.action for one in log if one.facts.get("query") == query]
    assert actions == [
        Action.QUERY_RECEIVED, Action.QUERY_APPROVED, Action.QUERY_ANSWERED,
        Action.ANSWER_RELEASED,
    ]  # fmt: skip


def test_a_refusal_is_signed_and_sends_a_code_of_the_list(made: Hospital) -> None:
    card = accepted(made, "manual")
    query = _ask(made, query_for(made, card))
    for code in ("", "no, because of Mme Martin"):
        with pytest.raises(ConfigurationError, match="one code"):
            _decide(made, query, approved=False, code=code)
    with pytest.raises(ConfigurationError, match="nobody of this name"):
        decide(made.node, query, "lea.nguyen", True, "", "00")
    with pytest.raises(ConfigurationError, match="not signed by"):
        decide(made.node, query, STEWARD, True, "", "0" * 128)
    assert _decide(made, query, approved=False, code=CODES[0]) is State.REFUSED
    bodies = [Envelope.model_validate_json(one.envelope).body for one in leaving(made.node)]
    assert {"state": "refused", "code": CODES[0]}.items() <= bodies[-1].items()
    with pytest.raises(ConfigurationError, match="nothing is to be decided"):
        _decide(made, query, approved=True)
    assert _answers(made) == []


def test_the_same_question_again_passes_where_the_study_says_so(made: Hospital) -> None:
    """Asked by hand the first time; another question, or a refused one, is asked about again."""
    card = accepted(made, "once")
    first = _ask(made, query_for(made, card, 1))
    assert find(made.node, first).state is State.AWAITING_STEWARD
    again = _ask(made, query_for(made, card, 2))
    assert find(made.node, again).state is State.AWAITING_STEWARD
    _decide(made, first, approved=True)
    assert find(made.node, _ask(made, query_for(made, card, 3))).state is State.APPROVED
    one = {"kind": "counts", "cohorts": ["diabetes"]}
    other = _ask(made, query_for(made, card, 4, analysis=one))
    assert find(made.node, other).state is State.AWAITING_STEWARD
    _decide(made, other, approved=False, code=CODES[0])
    refused = _ask(made, query_for(made, card, 5, analysis=one))
    assert find(made.node, refused).state is State.AWAITING_STEWARD


def test_counts_pass_where_the_study_says_so_and_nothing_else(made: Hospital) -> None:
    card = accepted(made, "counts")
    assert find(made.node, _ask(made, query_for(made, card, 1))).state is State.APPROVED
    strata = {"kind": "stratified", "cohort": "diabetes", "by": ["sex"]}
    query = _ask(made, query_for(made, card, 2, analysis=strata))
    assert find(made.node, query).state is State.AWAITING_STEWARD


def test_an_answer_is_held_for_the_steward_where_the_site_says_so(tmp_path: Path) -> None:
    made = new_hospital(tmp_path, hold_answers="true")
    query = _ask(made, query_for(made, accepted(made)))
    assert _answers(made) == []
    assert find(made.node, query).state is State.AWAITING_RELEASE
    _decide(made, query, approved=True)
    assert len(_answers(made)) == 1


def test_t7_answers_leave_at_a_time_that_depends_on_the_start_alone(made: Hospital) -> None:
    """Refused by disclosure control, failed or answered: the same moment, the same length."""
    due = next_slot(made.node, NOW, 60, 600)
    assert due == NOW + dt.timedelta(minutes=10)
    made.moment[0] = NOW + dt.timedelta(minutes=9)  # it took nine minutes
    assert next_slot(made.node, NOW, 60, 600) == due
    made.moment[0] = NOW
    card = accepted(made)
    _ask(made, query_for(made, card, 1))
    assert _answers(made, minutes=9.9) == []
    assert len(_answers(made, minutes=0.2)) == 1


def test_t7_a_refusal_of_disclosure_control_looks_like_a_suppression(made: Hospital) -> None:
    """The budget of a day is two questions: the third is answered as one about nobody is."""
    agree(made, budget={"day": 2, "total": 200})
    nobody = diabetes(ConceptSets=[concept_set(0, 8507)])  # a code that no diagnosis has
    card = accepted(made)
    for number in range(3):
        cohorts = query_for(made, card).cohorts
        if number == 0:
            cohorts = dict.fromkeys(cohorts, nobody)
        _ask(made, query_for(made, card, number, cohorts=cohorts))
    answers = _answers(made)
    suppressed, told, refused = answers
    assert _read(made, suppressed) == _read(made, refused)
    assert _read(made, told) != _read(made, refused)
    assert len({len(one.sealed or "") for one in answers}) == 1
    shown = {tuple(sorted(one.model_dump(exclude_none=True))) for one in answers}
    assert len(shown) == 1


def test_t11_a_node_whose_compiler_differs_answers_nothing() -> None:
    from entrepot.cohorts import COMPILER_VERSION
    from entrepot.federation.node.selftest import check_compiler, read_golden

    assert check_compiler() == COMPILER_VERSION
    golden = read_golden()
    rows = {**golden.rows, "treated": [(1, "2020-03-01", "2020-05-29"), golden.rows["treated"][1]]}
    with pytest.raises(ConfigurationError, match="other rows than are known"):
        check_compiler(golden.model_copy(update={"rows": rows}))


def test_t13_a_study_stands_on_one_release_and_says_which(made: Hospital) -> None:
    """A load in between changes neither release nor vocabulary of its answers; another concept
    changes the vocabulary's hash of the next study."""
    card = accepted(made)
    first = read_frozen(made.site, find_release(made))
    assert first is not None
    release(made, range(100), lambda c: c.execute(
        "UPDATE cdm.concept SET concept_name = 'Diabetes' WHERE concept_id = 201826"))  # fmt: skip
    _ask(made, query_for(made, card))
    (answer,) = _answers(made)
    assert (answer.release, answer.vocabulary) == (first.release, first.vocabulary)
    other = accepted(made, study="NEXT")
    _ask(made, query_for(made, other, 2))
    following = _answers(made)[-1]
    assert following.release != answer.release
    assert following.vocabulary != answer.vocabulary


def test_a_release_of_a_former_root_key_answers_nothing(made: Hospital) -> None:
    """Its persons have other ids than the register's: whoever opposed would not be found in it."""
    card = accepted(made)
    with transaction(made.node.engine) as connection:
        connection.execute(sa.update(cards).values(root="0" * 16))
    query = _ask(made, query_for(made, card))
    assert _answers(made) == []
    assert find(made.node, query).code == Code.NO_RELEASE
    made.node.log(Action.KEYS_ROTATED, {"step": "done"})
    with pytest.raises(ConfigurationError, match="former root key"):
        accepted(made, study="NEXT")


def find_release(made: Hospital) -> str:
    from entrepot.federation.node.papers import held_cards

    return held_cards(made.node)[0].release


def test_answers_are_chained_and_pooled_ones_are_in_plain_words(made: Hospital) -> None:
    card = accepted(made)
    for number in (1, 2):
        _ask(made, query_for(made, card, number, delivery="pooled"))
    answers = _answers(made)
    assert answers[0].previous == "0" * 64
    bodies = [read_envelope(one.envelope) for one in leaving(made.node) if one.path == RESULTS]
    assert answers[1].previous == bodies[0].body_hash
    assert all(one.payload and one.sealed is None for one in answers)


def test_files_carry_the_same_envelopes(made: Hospital, tmp_path: Path) -> None:
    card = accepted(made)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_text(sent(made, query_for(made, card)).text() + "\n")
    (folder / "b.json").write_text("{}")
    taken = take_files(made.node, [folder])
    assert [one.code for one in taken] == [None, Code.UNREADABLE]
    _answers(made)
    files = give_files(made.node, tmp_path / "out")
    assert sorted(path.name.split("-")[0] for path in files).count("answer") == 1
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert give_files(made.node, tmp_path / "out") == []
