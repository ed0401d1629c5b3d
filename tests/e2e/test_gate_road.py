"""The gate in the road: a row's fault is quarantined with what hangs on it and the rest is
published; a fault of the load blocks it and the published file stays as it is, byte for byte.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from entrepot.config import Site
from entrepot.errors import EXIT_BLOCKED, EXIT_CLEAN, EXIT_QUARANTINED
from entrepot.keys import PERSON
from entrepot.load import Load
from entrepot.order import FILE as ORDER
from entrepot.report.status import read_status
from entrepot.resources import data_folder
from entrepot.run import RunResult
from faults.hand_made import admission, diagnosis, message, pid, pv1
from properties.stages import Sites, land, oppose
from properties.told import hospital, ipps
from roads import feed, keyring, query, travel

pytestmark = pytest.mark.integration

SEED, PATIENT, OPPOSED = 7, 18, 23
AUTHORITY_OID = "1.2.250.1.999.1"
TESTS = Path(__file__).resolve().parent.parent
SQL = data_folder("mappings") / "omop"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """Empty sites with one root key."""
    return Sites(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def published(sites: Sites) -> Site:
    """A site with a release; never run again, only copied."""
    site = sites.new()
    land(site, hospital(SEED, (PATIENT, OPPOSED), ("hl7v2",), twice=0))
    assert travel(site).published
    return site


@pytest.fixture
def site(published: Site, tmp_path: Path) -> Site:
    """A copy of the published site, with more to publish."""
    shutil.copytree(published.root, tmp_path / "site")
    copy = Site.open(tmp_path / "site")
    feed(copy, "more.hl7", admission("91", "0091", "9091") + diagnosis("92", "0091", "9091", "I10"))
    return copy


def _release(site: Site) -> tuple[str, int, int]:
    """Content, time and inode of the published file."""
    stat = site.warehouse.stat()
    digest = hashlib.sha256(site.warehouse.read_bytes()).hexdigest()
    return digest, stat.st_mtime_ns, stat.st_ino


def _counts(site: Site) -> dict[str, int]:
    sources = read_status(site)["sources"].values()
    return {name: sum(counts[name] for counts in sources) for name in next(iter(sources))}


def _assert_blocked(
    site: Site, blocked: RunResult, check: str, former: tuple[str, int, int]
) -> None:
    assert blocked.exit_code == EXIT_BLOCKED
    assert not blocked.published
    assert any(failure.startswith(check) for failure in blocked.failures), blocked.failures
    assert _release(site) == former
    assert [path.name for path in site.work.rglob("*") if path.is_file()] == [ORDER]
    verdict = json.loads((site.quality / "verdict.json").read_text())
    assert verdict["passed"] is False


def _assert_pending(site: Site, pending: int) -> None:
    counts = _counts(site)
    assert counts["pending"] == pending
    assert counts["received"] == sum(n for name, n in counts.items() if name != "received")


def _overlay(site: Site, name: str, added: str) -> Path:
    """The shipped SQL of a table with a fault at its end."""
    path = site.root / "mappings" / "omop" / f"{name}.sql"
    path.parent.mkdir(parents=True)
    path.write_text((SQL / f"{name}.sql").read_text() + added)
    return path


def test_row_faults_are_quarantined_with_their_dependants_and_the_rest_is_published(
    site: Site,
) -> None:
    birth = "20990115"
    unborn = admission("93", "0093", "9093", birth=birth, name="DURAND")
    unborn += diagnosis("94", "0093", "9093", "E119", birth=birth)
    backwards = admission(
        "95", "0095", "9095", "20240310080000", end="20240301080000", name="PETIT"
    )  # fmt: skip
    backwards += diagnosis("96", "0095", "9095", "I10", "20240310120000")
    held = _counts(site)["quarantined"]
    before = dict(query(site, "SELECT cdm_table, row_count FROM etl.release"))
    feed(site, "rows.hl7", unborn + backwards + _potassium("97", "410") + _potassium("98", "4.1"))
    result = travel(site)
    assert result.published
    assert result.exit_code == EXIT_QUARANTINED
    keys = {ipp: _person_id(site, ipp) for ipp in ("0091", "0093", "0095")}
    quarantine = query(site, "SELECT cdm_table, cdm_id, check_id FROM etl.quarantine")
    checks = {(table, check.split(".")[0]) for table, _, check in quarantine}
    assert ("person", "birth") in checks
    assert ("visit_occurrence", "order") in checks
    # What hangs on a person or a visit goes with it; a person without any event left goes too.
    for table in ("visit_occurrence", "visit_detail", "condition_occurrence"):
        assert (table, "parent:birth") in checks
    assert ("condition_occurrence", "parent:order") in checks
    assert {key for table, key, _ in quarantine if table == "person"} == {
        keys["0093"], keys["0095"],
    }  # fmt: skip
    for table in ("person", "visit_occurrence", "condition_occurrence", "observation_period"):
        left = {row[0] for row in query(site, f"SELECT person_id FROM {table}")}
        assert keys["0091"] in left
        assert not {keys["0093"], keys["0095"]} & left
    # 410 mmol/L is a mistyped 4.10: no body has it, and the record with that value alone is held.
    assert ("measurement", "range") in checks
    potassium = "measurement_source_value = '2823-3' AND measurement_date = '2024-03-02'"
    kept = query(site, f"SELECT value_as_number FROM measurement WHERE {potassium}")
    assert [float(value) for (value,) in kept] == [4.1]
    assert _counts(site)["quarantined"] == held + 5
    _assert_pending(site, 0)
    _assert_reconciled(site, before)
    # Re-injection: the site's laboratory says what it measures, and the held row is published.
    ranges = data_folder("quality") / "ranges" / "measurements.csv"
    own = site.root / "quality" / "ranges" / "measurements.csv"
    own.parent.mkdir(parents=True)
    own.write_text(ranges.read_text().replace("2823-3,mmol/L,1,15,", "2823-3,mmol/L,1,500,"))
    assert travel(site).published
    kept = query(site, f"SELECT value_as_number FROM measurement WHERE {potassium}")
    assert sorted(float(value) for (value,) in kept) == [4.1, 410.0]
    assert _counts(site)["quarantined"] == held + 4


def _potassium(control: str, value: str) -> bytes:
    """A result of the stay that the site's own feed opens."""
    return message(
        "ORU^R01^ORU_R01", control, "20240302120000", pid("0091"), pv1("9091", "20240301080000"),
        f"OBR|1|P{control}|F{control}|IONO^Ionogramme^L|||20240302110000",
        f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|3.5-5.1||||F|||20240302113000",
    )  # fmt: skip


def _assert_reconciled(site: Site, before: dict[str, int]) -> None:
    """The ledger's rows by source arrived, and the former release stood beside as the baseline."""
    with (site.quality / "results.csv").open(encoding="utf-8") as stream:
        found = {line["check_id"]: line for line in csv.DictReader(stream)}
    staged = query(site, "SELECT count(*) FROM etl.row_disposition")[0][0]
    assert int(found["fed"]["denominator"]) == staged
    assert found["fed"]["violated"] == "0"
    assert int(found["persons_lost"]["denominator"]) == before["person"]
    measured = query(site, "SELECT sum(n) FROM etl.profile_value")[0][0]
    assert measured == query(
        site, "SELECT count(value_as_number) FROM measurement WHERE measurement_concept_id <> 0"
    )[0][0]  # fmt: skip


def _person_id(site: Site, ipp: str) -> int:
    keys = keyring(site)
    key = keys.keyed(PERSON, AUTHORITY_OID, ipp)
    return keys.number(PERSON, 53, "id", key)


BLOCKING = {
    "bulk": (
        "measurement",
        "\nUPDATE cdm.measurement SET measurement_date = DATE '1899-12-31',"
        " measurement_datetime = TIMESTAMP '1899-12-31 10:00:00';\n",
        "",
    ),
    "identifier": (
        "note",
        "\nUPDATE cdm.note SET note_text = note_text || ' jean.dupont@example.org';\n",
        "email",
    ),
}


@pytest.mark.parametrize("fault", sorted(BLOCKING))
def test_a_fault_of_the_load_blocks_it_and_the_next_run_publishes(site: Site, fault: str) -> None:
    table, added, check = BLOCKING[fault]
    former = _release(site)
    overlay = _overlay(site, table, added)
    blocked = travel(site)
    _assert_blocked(site, blocked, check, former)
    _assert_pending(site, 2)
    research = [path for path in site.research.rglob("*") if path.is_file()]
    assert not any(b"jean.dupont" in path.read_bytes() for path in research)
    if fault == "identifier":
        overlay.unlink()
        mended = travel(site)
        assert mended.exit_code in (EXIT_CLEAN, EXIT_QUARANTINED)
        assert mended.published
        assert _release(site)[0] != former[0]
        _assert_pending(site, 0)
        assert _person_id(site, "0091") in {
            r[0] for r in query(site, "SELECT person_id FROM person")
        }


def _between_door_and_map(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[Site], None]
) -> pytest.MonkeyPatch:
    """Lets `act` touch the staging that the door committed, before the candidate is built."""
    original = Load.map_

    def spoilt(self: Load, *arguments: Any) -> None:
        act(self._site)
        original(self, *arguments)

    monkeypatch.setattr(Load, "map_", spoilt)
    return monkeypatch


def _staged_files(site: Site, kind: str) -> list[Path]:
    return sorted(site.staging.glob(f"[0-9]*/{kind}/*.parquet"))


def test_a_lost_message_blocks_the_load_and_the_next_run_publishes(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    former = _release(site)
    kept: dict[Path, Path] = {}

    def lose(site: Site) -> None:
        path = max(_staged_files(site, "event"), key=lambda one: pq.read_metadata(one).num_rows)
        rows = pq.read_table(path)
        kept[path] = tmp_path / "whole.parquet"
        path.rename(kept[path])
        pq.write_table(rows.slice(1), path)

    patch = _between_door_and_map(monkeypatch, lose)
    blocked = travel(site)
    _assert_blocked(site, blocked, "staged", former)
    _assert_pending(site, 2)
    patch.undo()
    for path, whole in kept.items():
        whole.replace(path)
    assert travel(site).published
    _assert_pending(site, 0)


def test_an_opposed_person_left_in_staging_blocks_the_load(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    former = _release(site)
    (generation,) = site.staging.glob("[0-9]*")
    shutil.copytree(generation, tmp_path / "former")
    oppose(site, ipps(SEED, OPPOSED))

    def leave(site: Site) -> None:
        (now,) = site.staging.glob("[0-9]*")
        shutil.rmtree(now)
        shutil.copytree(tmp_path / "former", now)

    _between_door_and_map(monkeypatch, leave)
    persons = {row[0] for row in query(site, "SELECT person_id FROM person")}
    blocked = travel(site)
    # A right does not wait: the former release is written anew without the person, and that is all.
    assert _release(site) != former
    _assert_blocked(site, blocked, "opposed", _release(site))
    left = {row[0] for row in query(site, "SELECT person_id FROM person")}
    assert persons - left == {_person_id(site, ipps(SEED, OPPOSED)[0])}
    assert left < persons
    monkeypatch.undo()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_map_gate_and_publish_run_without_access_to_the_keys(sites: Sites) -> None:
    """DESIGN 2: another user in deployment, to whom the identifying zone is closed."""
    with TemporaryDirectory(dir="/tmp") as open_folder:  # pytest's own is closed to others
        root = Path(open_folder) / "site"
        shutil.copytree(sites.new().root, root)
        feed(Site.open(root), "one.hl7", admission("1", "0001", "9001"))
        root.parent.chmod(0o755)
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("keyless_load.py")), str(root)],
            env={**os.environ, "PYTHONPATH": str(TESTS), "HOME": open_folder},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["hidden"]
    assert said["passed"]
    assert said["rows"] == 2
    assert said["first"] != said["second"]


def test_the_published_file_of_these_tests_holds_the_persons_they_speak_of(published: Site) -> None:
    """Else an untouched file or an absent person would prove nothing."""
    ids = {row[0] for row in query(published, "SELECT person_id FROM person")}
    for patient in (PATIENT, OPPOSED):
        assert ids & {_person_id(published, ipp) for ipp in ipps(SEED, patient)}
    notes = query(published, "SELECT count(*) FROM note")[0][0]
    measured = query(published, "SELECT count(*) FROM measurement")[0][0]
    assert (notes > 0, measured > 20) == (True, True)
    with pytest.raises(duckdb.Error):
        query(published, "DELETE FROM person")
