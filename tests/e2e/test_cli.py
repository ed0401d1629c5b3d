"""The command contract (DESIGN 12): verbs, help, exit codes, JSON shapes; no secret printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import typer

from calling import Call
from entrepot.cli.main import app
from entrepot.config import Site
from entrepot.errors import (
    EXIT_BLOCKED,
    EXIT_BUG,
    EXIT_CLEAN,
    EXIT_QUARANTINED,
    EXIT_USAGE,
)
from entrepot.lock import site_lock
from entrepot.resources import data_folder
from faults.hand_made import admission, diagnosis, message, pid

HEAVY = (
    "polars", "duckdb", "sqlalchemy", "great_expectations", "presidio_analyzer", "pyarrow",
    "pandas", "sqlglot", "cryptography", "jinja2", "numpy",
)  # fmt: skip
VERBS = {
    ("init",), ("ingest",), ("run",), ("status",), ("verify",), ("sql",), ("vocabulary", "load"),
    ("oppose", "add"), ("oppose", "withdraw"), ("oppose", "list"), ("oppose", "import"),
    ("oppose", "confirm"), ("oppose", "proof"), ("inform", "add"), ("inform", "due"),
    ("inform", "import"), ("inform", "list"), ("inform", "show"), ("erase",),
    ("retention", "purge"), ("access-report",), ("quarantine", "list"), ("quarantine", "show"),
    ("quarantine", "replay"), ("report", "dpo"), ("report", "run"),
    ("report", "scorecard"), ("report", "sign"), ("quality", "waive"),
    ("audit", "head"), ("audit", "verify"), ("deid",), ("people", "key"), ("people", "list"),
    ("reidentify", "approve"), ("reidentify", "execute"), ("reidentify", "list"),
    ("reidentify", "motives"), ("reidentify", "refuse"), ("reidentify", "request"),
    ("review", "report"), ("review", "sample"), ("review", "serve"), ("study", "close"),
    ("study", "create"), ("study", "expire"), ("study", "list"), ("study", "refresh"),
    ("study", "sign"), ("keys", "escrow-check"), ("keys", "restore"), ("keys", "rotate"),
    ("keys", "show"), ("keys", "split"), ("quality", "check"), ("quality", "export-dqd"),
    ("node", "init"), ("node", "show"), ("node", "run"), ("node", "import"), ("node", "export"),
    ("node", "requests"), ("node", "question"), ("node", "approve"), ("node", "refuse"),
    ("node", "page"), ("node", "accept"), ("node", "end"), ("node", "studies"), ("node", "revoke"),
    ("node", "policy", "show"), ("node", "policy", "propose"), ("node", "policy", "approve"),
    ("coordinator", "init"), ("coordinator", "serve"), ("coordinator", "enrol"),
    ("coordinator", "nodes"), ("coordinator", "revoke"), ("coordinator", "log"),
    ("coordinator", "export"), ("coordinator", "import"),
    ("coordinator", "card", "add"), ("coordinator", "card", "list"),
    ("coordinator", "card", "close"), ("coordinator", "submit"), ("coordinator", "status"),
    ("coordinator", "results"), ("coordinator", "sign"),
    ("cohort", "sql"), ("cohort", "run"), ("cohort", "explain"), ("cohort", "validate"),
    ("synthesise",), ("demo",),
}  # fmt: skip
WITHOUT_SITE = {
    ("init",), ("synthesise",), ("demo",), ("people", "key"), ("study", "sign"),
    *(verb for verb in VERBS if verb[0] in ("coordinator", "cohort")),
}  # fmt: skip
COUNTS = {"received", "duplicates", "pending", "published", "quarantined", "excluded"}
VOCABULARY = str(data_folder("mappings") / "demo_vocabulary")


def _leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    found = getattr(group, "commands", None)
    if found is None:
        yield path
        return
    for name, command in found.items():
        yield from _leaves(command, (*path, name))


@pytest.mark.core
def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['entrepot', '--help']\n"
        "from entrepot.cli import main\n"
        "try: main()\n"
        "except SystemExit as leaving: assert not leaving.code\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    assert "ingest" in done.stdout


@pytest.mark.core
def test_the_verbs_are_those_of_the_contract() -> None:
    assert set(_leaves(typer.main.get_command(app))) == VERBS


@pytest.mark.core
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_help_of_each_verb_has_an_example_of_it(call: Call, verb: tuple[str, ...]) -> None:
    said = call(*verb, "--help")
    assert said.code == EXIT_CLEAN
    _, found, example = said.out.partition("Example: ")
    assert found
    assert " ".join(example.split()).startswith(" ".join(("entrepot", *verb)))
    if verb not in WITHOUT_SITE:
        assert "--site" in said.out
    assert "--json" in said.out


@pytest.mark.core
@pytest.mark.parametrize(
    "words", [("runn",), ("run", "--fast"), ("ingest",), ("sql",), ("run", "--engine", "abacus")]
)
def test_a_wrong_call_exits_2(call: Call, words: tuple[str, ...]) -> None:
    said = call(*words)
    assert said.code == EXIT_USAGE
    assert said.err


@pytest.mark.core
@pytest.mark.parametrize("verb", ["run", "status", "verify"])
def test_without_a_site_exits_2_and_says_what_to_do(call: Call, tmp_path: Path, verb: str) -> None:
    said = call(verb, "--site", tmp_path)
    assert said.code == EXIT_USAGE
    assert "entrepot init" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.core
def test_init_writes_a_commented_site_and_never_overwrites(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "chu"
    assert call("init", folder).code == EXIT_CLEAN
    assert (folder / "site.yaml").read_text().count("#") > 5
    assert Site.open(folder).root_key.stat().st_mode & 0o077 == 0
    (folder / "site.yaml").write_text("title: Changed\n")
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    said = call("init", folder)
    assert said.code == EXIT_USAGE
    assert "already" in said.err
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.core
def test_init_keeps_a_key_that_lost_its_settings(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "chu"
    call("init", folder)
    (folder / "site.yaml").unlink()
    path = folder / "identifying" / "keys" / "root.key"
    key = path.read_bytes()
    assert call("init", folder).code == EXIT_USAGE
    assert path.read_bytes() == key
    assert not (folder / "site.yaml").exists()


@pytest.mark.core
def test_init_on_a_file_exits_2(call: Call, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert call("init", tmp_path / "taken").code == EXIT_USAGE


@pytest.mark.core
def test_a_bug_exits_1_without_a_value_of_the_data(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("KERMADEC Solenn")

    monkeypatch.setattr("entrepot.run.run", fail)
    call("init", tmp_path / "chu")
    said = call("run", "--site", tmp_path / "chu")
    assert said.code == EXIT_BUG
    assert "ValueError" in said.err
    assert "KERMADEC" not in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.core
def test_an_interrupted_command_is_no_bug(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("entrepot.run.run", interrupt)
    call("init", tmp_path / "chu")
    said = call("run", "--site", tmp_path / "chu")
    assert said.code == 130
    assert "bug" not in said.err


def _feed(folder: Path) -> Path:
    good = admission("1", "0001", "9001") + diagnosis("2", "0001", "9001", "I10")
    bad = message("ADT^A60^ADT_A60", "CTRL77", "20240301080000", pid("IPP5577", name="KERMADEC"))
    row = admission("4", "0004", "9004", "20240310080000", end="20240301080000", name="KERVELLA")
    path = folder / "feed.hl7"
    path.write_bytes(good + good + bad + row)
    return path


@pytest.mark.integration
def test_the_road_by_its_verbs(call: Call, tmp_path: Path) -> None:
    """One site from init to a blocked load: exit codes and shapes in the order of a first day."""
    site = ("--site", tmp_path / "chu")
    feed = _feed(tmp_path)
    assert call("init", tmp_path / "chu").code == EXIT_CLEAN
    assert call("sql", "SELECT 1", *site).code == EXIT_USAGE
    assert call("verify", *site).code == EXIT_USAGE
    _before_the_first_run(call, site, feed)
    published = call("run", *site, "--json")
    assert published.code == EXIT_QUARANTINED
    assert len(published.out.splitlines()) == 1
    assert isinstance(json.loads(published.out), dict)
    assert call("run", *site).code == EXIT_QUARANTINED
    _assert_shapes(call, site)
    _assert_quarantine_without_content(call, site)
    with site_lock(Site.open(tmp_path / "chu")):
        assert call("run", *site).code == EXIT_USAGE
    _assert_verify(call, site, tmp_path / "chu" / "research" / "warehouse.duckdb")
    overlay = tmp_path / "chu" / "mappings" / "omop" / "condition_occurrence.sql"
    overlay.parent.mkdir(parents=True)
    shipped = (data_folder("mappings") / "omop" / overlay.name).read_text()
    spoilt = "UPDATE cdm.condition_occurrence SET stop_reason = 'a.b@example.org';"
    overlay.write_text(f"{shipped}\n{spoilt}\n")
    blocked = call("run", *site)
    assert blocked.code == EXIT_BLOCKED
    assert "email" in blocked.out
    assert "example.org" not in blocked.out + blocked.err


def _before_the_first_run(call: Call, site: tuple[object, ...], feed: Path) -> None:
    no_vocabulary = call("run", *site)
    assert no_vocabulary.code == EXIT_USAGE
    assert "vocabulary load" in no_vocabulary.err
    assert call("vocabulary", "load", VOCABULARY, *site).code == EXIT_CLEAN
    unconfirmed = call("run", *site)
    assert unconfirmed.code == EXIT_USAGE
    assert "oppose confirm" in unconfirmed.err
    assert call("oppose", "confirm", *site).code == EXIT_CLEAN
    assert call("ingest", feed, "--source", "radio", *site).code == EXIT_USAGE
    assert call("ingest", str(feed) + ".gone", "--source", "adt", *site).code == EXIT_USAGE
    landed = call("ingest", feed, "--source", "adt", *site, "--json")
    assert landed.code == EXIT_CLEAN
    counts = json.loads(landed.out)
    assert (counts["received"], counts["duplicates"]) == (6, 2)
    waiting = json.loads(call("status", *site, "--json").out)
    assert waiting["sources"]["adt"]["pending"] == 4
    assert waiting["release"] is None


def _assert_shapes(call: Call, site: tuple[object, ...]) -> None:
    status = json.loads(call("status", *site, "--json").out)
    assert set(status) == {"sources", "tables", "release"}
    assert set(status["sources"]) == {"adt"}
    adt = status["sources"]["adt"]
    assert set(adt) == COUNTS
    assert all(type(count) is int for count in adt.values())
    assert adt["received"] == sum(adt[name] for name in COUNTS - {"received"})
    assert (adt["received"], adt["duplicates"], adt["pending"]) == (6, 2, 0)
    assert all(type(rows) is int for rows in status["tables"].values())
    assert status["tables"]["person"] == 1
    assert isinstance(status["release"], str)
    rows = call(
        "sql", "SELECT person_id, condition_source_value FROM condition_occurrence"
        " UNION ALL SELECT 1, NULL ORDER BY 1", *site, "--json",
    )  # fmt: skip
    assert rows.code == EXIT_CLEAN
    objects = [json.loads(line) for line in rows.out.splitlines()]
    assert objects[0] == {"person_id": 1, "condition_source_value": None}
    assert objects[1]["condition_source_value"] == "I10"
    assert len(objects) == 2
    assert call("sql", "DROP TABLE person", *site).code == EXIT_USAGE
    assert call("sql", "SELECT * FROM nowhere", *site).code == EXIT_USAGE


def _assert_quarantine_without_content(call: Call, site: tuple[object, ...]) -> None:
    for words in (("quarantine", "list", *site), ("quarantine", "list", *site, "--json")):
        said = call(*words)
        assert said.code == EXIT_CLEAN
        assert "event_not_mapped" in said.out
        assert "MSH-9" in said.out
        for secret in ("KERMADEC", "KERVELLA", "IPP5577", "CTRL77", "ANNE", "19700412"):
            assert secret not in said.out + said.err
    lines = [json.loads(line) for line in said.out.splitlines()]
    records = [line for line in lines if "record" in line]
    assert {line["reason"].split(".")[0] for line in records} == {"event_not_mapped", "order"}
    assert {line["table"] for line in lines if "table" in line} >= {"visit_occurrence"}


def _assert_verify(call: Call, site: tuple[object, ...], warehouse: Path) -> None:
    said = call("verify", *site, "--json")
    assert said.code == EXIT_CLEAN
    verdict = json.loads(said.out)
    assert len(verdict["hashes"]["person"]) == 64
    assert verdict["changed"] == []
    intact = warehouse.read_bytes()
    os.chmod(warehouse, 0o600)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("UPDATE cdm.person SET year_of_birth = year_of_birth + 1")
    tampered = call("verify", *site, "--json")
    assert tampered.code == EXIT_BUG
    assert json.loads(tampered.out)["changed"] == ["person"]
    warehouse.write_bytes(intact)
