"""What a node tells is its own decision, of two persons: nobody who asks makes it less strict."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml
from node_hospital import DPO, STEWARD, accepted, new_hospital, query_for, sent

from entrepot.audit import Action, read_entries
from entrepot.errors import ConfigurationError
from entrepot.federation.envelopes import AnswerEnvelope, read_envelope
from entrepot.federation.node import policies
from entrepot.federation.node.answering import answer_due
from entrepot.federation.node.intake import receive
from entrepot.federation.node.outbox import leaving
from entrepot.federation.node.releasing import release_due
from entrepot.resources import data_file

pytestmark = pytest.mark.core


def test_a_policy_takes_two_persons(tmp_path: Path) -> None:
    """And a lower threshold on the disk alone stops the node, with a line in the log."""
    made = new_hospital(tmp_path)
    shipped = yaml.safe_load(data_file("quality/federation/policy.yaml").read_text())
    file = made.site.root / policies.FILE
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump({**shipped, "threshold": 20}))
    with pytest.raises(ConfigurationError, match="agreed by two"):
        policies.in_force(made.node)
    last = list(read_entries(made.site, made.node.keyring))[-1]
    assert (last.action, last.facts["what"]) == (Action.REFUSED, "federation policy")
    steward, dpo = made.keys / f"{STEWARD}.pem", made.keys / f"{DPO}.pem"
    sha256 = policies.propose(made.node, file, STEWARD, steward)
    with pytest.raises(ConfigurationError, match="agreed by two"):
        policies.in_force(made.node)
    with pytest.raises(ConfigurationError, match="does not approve it"):
        policies.approve(made.node, sha256, STEWARD, steward)
    with pytest.raises(ConfigurationError, match="not signed by"):
        policies.approve(made.node, sha256, DPO, steward)
    policies.approve(made.node, sha256, DPO, dpo)
    assert policies.in_force(made.node).threshold == 20
    file.write_text(yaml.safe_dump({**shipped, "threshold": 12}))
    with pytest.raises(ConfigurationError, match="agreed by two"):
        policies.in_force(made.node)


def test_nobody_who_asks_lowers_the_threshold(tmp_path: Path) -> None:
    """The larger number of node, card and question holds; it is stated in the answer."""
    made = new_hospital(tmp_path)
    card = accepted(made, minimum_cell=30)
    for number, wanted in enumerate((0, 12, 40)):
        query = query_for(made, card, number, delivery="pooled", minimum_cell=wanted)
        receive(made.node, sent(made, query).text())
    answer_due(made.node)
    made.moment[0] += dt.timedelta(minutes=11)
    release_due(made.node)
    texts = [one.envelope for one in leaving(made.node) if one.path == "/v1/results"]
    answers = [AnswerEnvelope.model_validate(read_envelope(text).body) for text in texts]
    assert [(one.payload or {})["threshold"] for one in answers] == [30, 30, 40]
