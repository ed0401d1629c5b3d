"""What the DPO reads of federated questions, and the steward's decision taken in Airflow."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from node_hospital import STEWARD, accepted, diabetes, new_hospital, query_for, sent

from entrepot.audit import read_entries
from entrepot.errors import ConfigurationError
from entrepot.federation.node import orchestrated
from entrepot.federation.node.answering import answer_due
from entrepot.federation.node.approving import CODES, find
from entrepot.federation.node.intake import receive
from entrepot.federation.node.papers import end
from entrepot.federation.node.releasing import release_due
from entrepot.federation.node.states import State
from entrepot.report.dpo.queries import told
from entrepot.report.dpo.report import write_dpo_report

pytestmark = pytest.mark.core


def test_each_question_is_told_with_who_why_and_what_was_withheld(tmp_path: Path) -> None:
    made = new_hospital(tmp_path)
    card = accepted(made)
    texts = [sent(made, query_for(made, card, number)).text() for number in (1, 2)]
    answered = receive(made.node, texts[0]).query
    strata = {"kind": "stratified", "cohort": "diabetes", "by": ["sex"]}
    other = sent(made, query_for(made, card, 3, analysis=strata)).text()
    waiting = receive(made.node, other).query
    receive(made.node, texts[0])
    receive(made.node, texts[1].replace("lea.nguyen", "eve.martin"))
    answer_due(made.node)
    made.moment[0] += dt.timedelta(minutes=11)
    release_due(made.node)
    end(made.node, card.sha256, STEWARD)
    found = told(read_entries(made.site, made.node.keyring))
    (study,) = found.studies
    assert (study.study, study.basis, study.by) == ("DIAB-2026", "MR-004 2226001", STEWARD)
    assert study.ended_on
    queries = {one.query: one for one in found.queries}
    assert set(queries) == {answered[:16], waiting[:16]}
    first = queries[answered[:16]]
    assert (first.state, first.researcher, first.analysis) == ("released", "lea.nguyen", "counts")
    assert first.cells == 2
    assert 0 <= first.withheld <= 2
    assert len(first.register) == 16
    assert queries[waiting[:16]].state == "received"
    assert found.unread == {"replayed": 1, "signature_wrong": 1}


def test_figures_that_repeat_another_are_counted_by_question(tmp_path: Path) -> None:
    """The same cohort without four persons of its first days repeats the count of the whole one."""
    made = new_hospital(tmp_path)
    card = accepted(made)
    later = diabetes()
    (criterion,) = later["PrimaryCriteria"]["CriteriaList"]
    criterion["ConditionOccurrence"]["OccurrenceStartDate"] = {"Value": "2020-01-05", "Op": "gte"}
    found = []
    for number, cohort in enumerate((diabetes(), later), start=1):
        asked = query_for(
            made, card, number, cohorts={"diabetes": cohort},
            analysis={"kind": "counts", "cohorts": ["diabetes"]},
        )  # fmt: skip
        name = receive(made.node, sent(made, asked).text()).query
        answer_due(made.node)
        said = told(read_entries(made.site, made.node.keyring)).queries
        found += [one for one in said if one.query == name[:16]]
    assert [one.repeated for one in found] == [0, 1]
    assert [one.withheld for one in found] == [0, 0]


def test_the_dpos_report_prints_them_in_both_languages(tmp_path: Path) -> None:
    made = new_hospital(tmp_path)
    card = accepted(made)
    query = receive(made.node, sent(made, query_for(made, card)).text()).query
    answer_due(made.node)
    made.site.warehouse.unlink()  # before the first release the report needs no table of the road
    write_dpo_report(made.site)
    for language, title in (("fr", "études fédérées"), ("en", "federated studies")):
        page = (made.site.reports / f"dpo.{language}.html").read_text()
        for words in (title, query[:16], card.sha256[:16], "MR-004 2226001", "lea.nguyen"):
            assert words in page


def test_a_decision_in_airflow_is_of_the_question_that_was_shown(tmp_path: Path) -> None:
    made = new_hospital(tmp_path)
    assert orchestrated.show(made.site) is None
    with pytest.raises(ConfigurationError, match="no question was shown"):
        orchestrated.answer(made.site, True, "dpo")
    card = accepted(made, "once")
    first = receive(made.node, sent(made, query_for(made, card, 1)).text()).query
    body = orchestrated.show(made.site)
    assert body is not None
    assert "DIAB-2026" in body
    orchestrated.answer(made.site, True, "")
    assert find(made.node, first).state is State.AWAITING_STEWARD
    receive(made.node, sent(made, query_for(made, card, 2)).text())
    assert orchestrated.answer(made.site, True, "dpo") == first
    assert find(made.node, first).state is State.APPROVED
    assert find(made.node, first).decided_by == "airflow:dpo"
    # No signature of a steward: it lets no later question pass.
    third = receive(made.node, sent(made, query_for(made, card, 3)).text())
    assert third.state is State.AWAITING_STEWARD
    orchestrated.show(made.site)
    refused = orchestrated.answer(made.site, False, "dpo")
    assert find(made.node, refused).code == CODES[0]
