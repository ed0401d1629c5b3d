"""Create, refresh, withdraw, expire, close: what is there afterwards, and what nowhere any more."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from studies import APPROVER, TABLES, define, rows
from typer.testing import CliRunner

from entrepot.audit.log import read_entries
from entrepot.cli.main import app
from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError, GateBlockedError
from entrepot.keys import site_keyring
from entrepot.landing.database import write_transaction, zone_engine
from entrepot.landing.settings import write_setting
from entrepot.study import facts, study_person_id, withdraw
from entrepot.study.judging import judge
from entrepot.study.life import PUBLISHED, close, create, expire, refresh
from entrepot.study.space import Space

if TYPE_CHECKING:
    from conftest import Made

pytestmark = pytest.mark.integration

FIRST_40 = "SELECT person_id FROM cdm.person ORDER BY person_source_value LIMIT 40"
TODAY = dt.date(2026, 11, 22)


@pytest.fixture(scope="module")
def site(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A copy of the drawn site, whose spaces these tests change."""
    folder = tmp_path_factory.mktemp("life") / "site"
    shutil.copytree(made.site.root, folder)
    shutil.rmtree(folder / "research" / "studies")
    return Site.open(folder)


@pytest.fixture
def small(site: Site, tmp_path: Path) -> Iterator[Space]:
    """A space of forty persons, of its own id."""
    study = f"s{abs(hash(tmp_path)) % 10**9}"
    path = define(tmp_path, study, cohort={"sql": FIRST_40})
    create(site, path, TODAY)
    yield Space(site, study)
    if (known := Space(site, study).facts()) and known["status"] == "open":
        close(site, study)


def _content(space: Space) -> dict[str, list[tuple[object, ...]]]:
    """Every row but for the units, which are left out once they have fewer than eleven persons."""
    columns = {"visit_occurrence": "* EXCLUDE (care_site_id, provider_id)"}
    return {
        table: rows(space.file, f"SELECT {columns.get(table, '*')} FROM cdm.{table} ORDER BY ALL")
        for table in TABLES if table not in ("care_site", "provider")
    }  # fmt: skip


def test_a_refresh_gives_the_same_ids_and_days(site: Site, small: Space) -> None:
    before = _content(small)
    reader = duckdb.connect(str(small.file), read_only=True)
    told = refresh(site, small.study_id, today=dt.date(2026, 12, 1))
    assert _content(small) == before
    assert (told["created"], told["refreshed"]) == ("2026-11-22", "2026-12-01")
    assert reader.execute("SELECT count(*) FROM cdm.person").fetchall()[0][0] > 0  # the former
    reader.close()
    assert small.file.stat().st_mode & 0o777 == 0o640


def test_withdrawn_persons_leave_the_file_and_nothing_else_changes(
    site: Site, small: Space
) -> None:
    keyring = site_keyring(site)
    core = [one for (one,) in rows(site.warehouse, FIRST_40)]
    shown = dict(rows(small.file, "SELECT person_id, 1 FROM cdm.person"))
    gone = [one for one in core if study_person_id(keyring, small.study_id, one) in shown][:2]
    ids = {study_person_id(keyring, small.study_id, one) for one in gone}
    before = _content(small)
    assert withdraw(site, keyring, [*gone, 12345]) == 2
    after = _content(small)
    for table in after:
        assert after[table] == [row for row in before[table] if not ids & set(row)], table
    content = small.file.read_bytes()
    assert not any(one.to_bytes(8, "little") in content for one in ids)
    assert withdraw(site, keyring, gone) == 0
    known = small.facts()
    assert known is not None
    assert known["withdrawn"] == 2
    assert known["persons"] == len(shown) - 2


def test_a_space_that_cannot_be_cleaned_stops_whoever_asks(site: Site, small: Space) -> None:
    person = rows(site.warehouse, FIRST_40)[0][0]
    content = small.file.read_bytes()
    small.file.write_bytes(b"no database")
    with pytest.raises(EntrepotError, match="cannot be opened"):
        withdraw(site, site_keyring(site), [person])
    small.file.write_bytes(content)


def test_a_space_of_a_former_root_key_is_emptied_until_it_is_refreshed(
    site: Site, small: Space
) -> None:
    """Nobody is found in it by today's key: an opposed person would stay."""
    known = small.facts()
    assert known is not None
    small.write_facts({**known, "key": "0123456789abcdef"})
    assert withdraw(site, site_keyring(site), []) == 0
    assert small.file.exists()
    withdraw(site, site_keyring(site), [rows(site.warehouse, FIRST_40)[0][0]])
    assert not small.file.exists()
    emptied = small.facts()
    assert emptied is not None
    assert (emptied["status"], emptied["persons"], emptied["stale"]) == ("open", 0, True)
    engine = zone_engine(site)
    for published, refused in (("-1", True), ("7", False)):
        with write_transaction(engine) as connection:
            write_setting(connection, PUBLISHED, published)
        if refused:
            with pytest.raises(ConfigurationError, match="root key in force"):
                refresh(site, small.study_id)
        else:
            assert refresh(site, small.study_id)["persons"] == known["persons"]
    engine.dispose()


def test_an_expired_space_is_closed_and_its_evidence_stays(site: Site, small: Space) -> None:
    assert expire(site, site_keyring(site), dt.date(2030, 12, 31)) == []
    assert small.study_id in expire(site, site_keyring(site), dt.date(2031, 1, 1))
    assert sorted(path.name for path in small.folder.iterdir()) == ["study.json", "study.yaml"]
    known = small.facts()
    assert known is not None
    assert (known["status"], known["closed_because"]) == ("closed", "expired")
    assert known["persons"] > 30
    with pytest.raises(ConfigurationError, match="closed"):
        create(site, small.definition)
    logged = [
        entry.action for entry in read_entries(site, site_keyring(site))
        if entry.facts.get("study") == small.study_id
    ]  # fmt: skip
    assert logged == ["study_created", "study_closed"]


def test_the_gate_says_the_same_before_and_after(made: Made) -> None:
    with duckdb.connect() as connection:
        as_of = dt.date(2026, 11, 20)
        site: Site = made.site
        before = judge(connection, site, site.warehouse, as_of)
        verdicts = {
            study: judge(connection, site, made.file(study), as_of - dt.timedelta(weeks=60))
            for study in made.facts
        }
    assert before.failing == ()
    assert before.checks > 700
    assert {verdict.failing for verdict in verdicts.values()} == {()}


def test_a_space_with_a_fault_is_not_made(site: Site, tmp_path: Path) -> None:
    """A mapping that shifts ends farther than starts: the gate's own check finds it."""
    overlay = site.root / "mappings" / "study"
    overlay.mkdir(parents=True)
    shipped = Path(__file__).parents[2] / "mappings" / "study" / "macros.sql"
    text = shipped.read_text().replace(
        "ELSE CAST(day AS DATE) - days END",
        "ELSE CAST(day AS DATE) - days - CAST(month(day) AS INTEGER) END",
    )
    (overlay / "macros.sql").write_text(text)
    try:
        with pytest.raises(GateBlockedError, match=r"order\.|after_death|before_birth"):
            create(site, define(tmp_path, "faulty"))
        assert not Space(site, "faulty").file.exists()
        assert not (site.identifying / "studies" / ".work").exists()
    finally:
        shutil.rmtree(overlay)


def test_a_cohort_file_stays_where_the_keys_are(site: Site, tmp_path: Path) -> None:
    people = [one for (one,) in rows(site.warehouse, FIRST_40)]
    lines = [f"{one},2020-01-01,2025-12-31" for one in people]
    head = "subject_id,cohort_start_date,cohort_end_date"
    (tmp_path / "cohort.csv").write_text("\n".join([head, *lines]))
    told = create(site, define(tmp_path, "from_file", cohort={"csv": "cohort.csv"}))
    (tmp_path / "cohort.csv").unlink()
    assert refresh(site, "from_file")["persons"] == told["persons"] > 30
    research = site.research / "studies" / "from_file"
    assert not any(str(people[0]).encode() in path.read_bytes() for path in research.iterdir())
    close(site, "from_file")
    assert not (site.identifying / "studies" / "from_file").exists()


def test_the_command_line(site: Site, tmp_path: Path) -> None:
    runner = CliRunner()
    path = define(tmp_path, "by_command", cohort={"sql": FIRST_40})
    at = ["--site", str(site.root), "--json"]
    made = runner.invoke(app, ["study", "create", str(path), *at])
    assert made.exit_code == 0, made.output
    assert json.loads(made.output)["status"] == "open"
    listed = runner.invoke(app, ["study", "list", *at]).output.splitlines()
    assert "by_command" in {json.loads(line)["id"] for line in listed}
    assert {one["id"] for one in facts(site)} >= {"by_command"}
    ended = runner.invoke(app, ["study", "close", "by_command", "--by", APPROVER, *at])
    assert json.loads(ended.output)["status"] == "closed"
    assert not Space(site, "by_command").file.exists()


def test_a_site_refuses_what_nobody_approved(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has to be signed"):
        create(site, define(tmp_path, "unsigned", columns=["person.location_id"]))
    with pytest.raises(ConfigurationError, match="nobody of this name"):
        create(site, define(tmp_path, "stranger", approval={"approved_by": "x.inconnu"}))
    forged = {"approved_by": APPROVER, "signature": "ab" * 64}
    with pytest.raises(ConfigurationError, match="not signed by"):
        create(site, define(tmp_path, "forged", approval=forged))
    assert not (site.research / "studies" / "unsigned").exists()
