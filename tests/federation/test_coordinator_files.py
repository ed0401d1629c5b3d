"""Questions and answers carried by hand, the command line, and PostgreSQL as the database."""

from __future__ import annotations

import datetime as dt
import json
import stat
from pathlib import Path

import pytest

from calling import Call
from entrepot.errors import EXIT_BLOCKED, EXIT_CLEAN, EXIT_USAGE
from entrepot.federation.canonical import canonical
from entrepot.federation.coordinator.authority import create_request
from entrepot.federation.coordinator.questions import submit
from entrepot.federation.envelopes import read_envelope, signed
from entrepot.federation.wire import Task
from entrepot.people import create_key
from federation.hub import COUNTS, DEFINITION, NODES, Hub, make_hub
from postgres_server import any_server

pytestmark = pytest.mark.core


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return make_hub(tmp_path, dt.datetime.now(dt.UTC))


def test_questions_and_answers_are_carried_as_files(call: Call, hub: Hub, tmp_path: Path) -> None:
    folder = ("--folder", hub.coordinator.folder, "--json")
    query = hub.query()
    id_ = submit(hub.coordinator, hub.signed(query).text(), dt.datetime.now(dt.UTC))
    said = call("coordinator", "export", "chu-nord", tmp_path / "out", *folder)
    assert said.code == EXIT_CLEAN, said.err
    (file,) = json.loads(said.out)["files"]
    carried = Task.model_validate_json((tmp_path / "out" / file).read_bytes())
    assert carried.task == read_envelope(carried.envelope).body_hash == id_
    body = hub.answer("chu-nord", query, id_)
    back = tmp_path / "back"
    back.mkdir()
    text = signed(body, "node", hub.keys / "chu-nord.pem").text()
    (back / "answer.json").write_text(text)
    (back / "forged.json").write_text(text.replace('"count":40', '"count":60'))
    said = call("coordinator", "import", back, *folder)
    assert said.code == EXIT_BLOCKED
    told = {row["file"]: row["code"] for row in map(json.loads, said.out.splitlines())}
    assert told == {"answer.json": "", "forged.json": "proof"}
    assert hub.refusals() == ["proof"]


def test_the_verbs_of_an_operator(call: Call, tmp_path: Path) -> None:
    """From an empty folder to a node that is revoked."""
    hub = tmp_path / "hub"
    made = call("coordinator", "init", hub, "--name", "ouest", "--json")
    assert made.code == EXIT_CLEAN, made.err
    assert len(json.loads(made.out)["public_key"]) == 64
    for key in (hub / "keys").iterdir():
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key.name
    assert call("coordinator", "init", hub, "--name", "ouest").code == EXIT_USAGE
    public = create_key(tmp_path / "node.pem")
    (tmp_path / "node.csr").write_bytes(create_request("chu-nord", tmp_path / "tls.pem"))
    words = ("coordinator", "enrol", "chu-nord", "--key", public, "--request",
             tmp_path / "node.csr", "--out", tmp_path / "node.crt", "--folder", hub)  # fmt: skip
    assert call(*words).code == EXIT_CLEAN
    assert call(*words).code == EXIT_USAGE, "a name is given once"
    assert call("coordinator", "revoke", "chu-nord", "--folder", hub).code == EXIT_CLEAN
    said = call("coordinator", "nodes", "--folder", hub, "--json")
    assert json.loads(said.out)["revoked"]
    log = call("coordinator", "log", "--folder", hub, "--json")
    assert [json.loads(line)["act"] for line in log.out.splitlines()] == [
        "node_enrolled", "node_revoked", "key_revoked",
    ]  # fmt: skip
    assert call("coordinator", "nodes", "--folder", tmp_path).code == EXIT_USAGE


def test_a_card_that_lowers_the_threshold_is_refused(call: Call, hub: Hub, tmp_path: Path) -> None:
    lowered = {**hub.card.model_dump(mode="json"), "minimum_cell": 5}
    (tmp_path / "card.json").write_text(json.dumps(lowered))
    said = call("coordinator", "card", "add", tmp_path / "card.json", "--folder",
                hub.coordinator.folder)  # fmt: skip
    assert said.code == EXIT_USAGE
    assert "minimum_cell" in said.err


def test_sign_says_what_it_signs_and_signs_nothing_else(
    call: Call, hub: Hub, tmp_path: Path
) -> None:
    key = ("--key", hub.keys / "researcher.pem", "--json")
    query = hub.query()
    spelt = canonical(query.model_dump(mode="json", exclude_none=True))
    (tmp_path / "query.json").write_bytes(spelt)
    said = call("coordinator", "sign", tmp_path / "query.json", *key)
    assert said.code == EXIT_CLEAN, said.err
    assert query.study in json.loads(said.out)["signed"]
    text = (tmp_path / "signed_query.json").read_text()
    assert submit(hub.coordinator, text, dt.datetime.now(dt.UTC)) == read_envelope(text).body_hash
    (tmp_path / "other.json").write_text('{"act":"entrepot/federation/revocation"}')
    assert call("coordinator", "sign", tmp_path / "other.json", *key).code == EXIT_USAGE
    assert not (tmp_path / "signed_other.json").exists()


def test_the_researchers_verbs_without_a_coordinator(call: Call, hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "question.yaml").write_text(
        json.dumps({"study": "hta_2026", "cohorts": {"cases": DEFINITION}, "analysis": COUNTS})
    )
    said = call(
        "coordinator", "submit", tmp_path / "question.yaml", "--url", "https://127.0.0.1:1",
        "--authority", hub.coordinator.folder / "ca.pem", "--key", hub.keys / "researcher.pem",
        "--answers-key", tmp_path / "answers.pem",
    )  # fmt: skip
    assert said.code == EXIT_USAGE
    assert "cannot be reached" in said.err


@pytest.mark.integration
def test_postgresql_holds_the_same(tmp_path: Path) -> None:
    with any_server() as server:
        url = server.url().replace("postgresql://", "postgresql+psycopg://")
        server.psql("DROP SCHEMA IF EXISTS hub CASCADE; CREATE SCHEMA hub;")
        joined = "&" if "?" in url else "?"
        hub = make_hub(
            tmp_path, dt.datetime.now(dt.UTC),
            database=f"{url}{joined}options=-csearch_path%3Dhub",
        )  # fmt: skip
        query = hub.query()
        id_ = submit(hub.coordinator, hub.signed(query).text(), dt.datetime.now(dt.UTC))
        for node in NODES:
            assert hub.tasks(node)[0]["task"] == id_
            assert hub.send_answer(node, hub.answer(node, query, id_)).status_code == 202
        assert hub.tasks("chu-nord") == []
        hub.coordinator.engine.dispose()
