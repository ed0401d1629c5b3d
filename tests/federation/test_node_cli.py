"""The verbs of a node, as a steward and an operator call them; files carry the envelopes."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from node_hospital import (
    STEWARD,
    agree,
    card_for,
    new_hospital,
    query_for,
    sent,
)  # fmt: skip

from calling import Call
from entrepot.errors import EXIT_CLEAN, EXIT_USAGE
from entrepot.federation.envelopes import AnswerEnvelope, read_envelope
from entrepot.federation.keys import read_sealing_key, unseal

pytestmark = pytest.mark.core


def test_a_question_from_file_to_file(call: Call, tmp_path: Path) -> None:
    made = new_hospital(tmp_path / "h")
    agree(made, slot_seconds=0)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    year = dt.timedelta(days=365)
    card = card_for(made, starts_on=(now - year).date(), ends_on=(now + year).date())
    (tmp_path / "card.json").write_text(card.model_dump_json())
    times = {"not_before": now - dt.timedelta(hours=1), "not_after": now + dt.timedelta(hours=5)}
    (tmp_path / "question.json").write_text(sent(made, query_for(made, card, **times)).text())
    where = ("--site", str(made.site.root))
    steward = ("--as", STEWARD, "--key", str(made.keys / f"{STEWARD}.pem"))

    assert json.loads(call("node", "init", *where, "--json").out)["node"] == "chu-nord"
    assert "CERTIFICATE REQUEST" in (made.node.place.folder / "tls.csr").read_text()
    shown = json.loads(call("node", "show", *where, "--json").out)
    assert (shown["key"], shown["masking_key"]) == made.node.place.public_keys()
    assert call("node", "accept", str(tmp_path / "card.json"), *steward, *where).code == EXIT_CLEAN
    wrong = call("node", "accept", str(tmp_path / "question.json"), *steward, *where)
    assert wrong.code == EXIT_USAGE
    taken = call("node", "import", str(tmp_path / "question.json"), *where, "--json")
    query = json.loads(taken.out)["query"]
    listed = call("node", "requests", "--state", "awaiting_steward", *where, "--json")
    assert json.loads(listed.out)["query"] == query
    refused = call("node", "refuse", query[:8], "--code", "because", *steward, *where)
    assert refused.code == EXIT_USAGE
    assert call("node", "approve", query[:8], *steward, *where).code == EXIT_CLEAN
    assert json.loads(call("node", "run", "--once", *where, "--json").out) == {"answers": 1}
    told = json.loads(call("node", "question", query[:8], *where, "--json").out)
    out = tmp_path / "out"
    files = json.loads(call("node", "export", str(out), *where, "--json").out)["files"]
    (name,) = [one for one in files if one.startswith("answer-")]
    answer = AnswerEnvelope.model_validate(read_envelope((out / name).read_text()).body)
    key = read_sealing_key(made.keys / "reader.pem")
    found = json.loads(unseal(answer.sealed or "", key, answer.context()))
    assert told["answers"] == [found]
    assert told["state"] == "released"


def test_a_site_that_is_no_node_says_so(call: Call, tmp_path: Path) -> None:
    made = new_hospital(tmp_path / "h")
    path = made.site.root / "site.yaml"
    path.write_text(path.read_text().replace("node: chu-nord", "node: ''"))
    said = call("node", "show", "--site", str(made.site.root))
    assert said.code == EXIT_USAGE
    assert "this site is no node" in said.err
