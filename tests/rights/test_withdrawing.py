"""Erasures beside merges, orders and blocked loads, and the end of retention."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from pathlib import Path

import pytest

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import PERSON
from entrepot.register.erasure_log import ERASE, ErasureLog
from entrepot.register.person import Identifier
from entrepot.resources import data_folder
from entrepot.rights.erasing import erase
from entrepot.rights.retention import purge
from entrepot.rights.target import find_target
from entrepot.road.inputs import Inputs
from faults.hand_made import admission, diagnosis, merge, message, pid
from properties.stages import AUTHORITY_OID, Warehouse, derive, differing
from rights.scanned import contents, person_id
from rights.small_hospital import MOTHER, PEOPLE, Hospital, configure, number
from roads import feed, hashes, keyring, query

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("rights")]

GONE, LEFT, THIRD = "00910091", "00920092", "00930093"
WHO = Identifier(AUTHORITY_OID, GONE, "")


def _two() -> bytes:
    """Two persons with a stay and a diagnosis each."""
    first = admission("1", GONE, "9091") + diagnosis("2", GONE, "9091", "I10")
    return first + admission("3", LEFT, "9092", name="PETIT") + diagnosis("4", LEFT, "9092", "E119")


def _third() -> bytes:
    return admission("5", THIRD, "9093", name="DURAND") + diagnosis("6", THIRD, "9093", "I10")


def _site(hospital: Hospital, *contents_: bytes) -> Site:
    site = hospital.sites.new(PEOPLE)
    for place, content in enumerate(contents_):
        feed(site, f"{place}.hl7", content)
    return site


def _suppress(site: Site, who: Identifier = WHO) -> None:
    """What `erase` writes before it runs the road."""
    with Inputs.of(site) as inputs:
        target = find_target(inputs, who.hmac(inputs.keyring))
        log = ErasureLog(site, inputs.keyring)
        log.append(ERASE, target.numbers, target.persons, target.records)


def _parting(control: str, first: str, second: str) -> bytes:
    at = "20240402080000"
    return message("ADT^A37^ADT_A37", control, at, pid(first, name="PETIT"), pid(second))


@pytest.fixture(scope="module")
def expected(published: Hospital) -> Warehouse:
    """A site that never heard of the person."""
    return derive(_site(published, _left(), _third()))


def test_a_merge_after_the_erasure_excludes_and_destroys_nobody(
    published: Hospital, expected: Warehouse
) -> None:
    """Who is said to be the erased person is out; a correction brings them back whole."""
    site = _site(published, _two(), _third())
    derive(site)
    _suppress(site)
    feed(site, "merge.hl7", merge("7", LEFT, GONE) + merge("9", GONE, LEFT))
    for _ in range(2):  # nothing is left to do for the next run
        assert derive(site).dispositions == {("excluded", "erased"): 6, ("staged", ""): 2}
    feed(site, "parting.hl7", _parting("8", LEFT, GONE))
    for _ in range(2):
        assert differing(derive(site), expected) == []
    assert not any(GONE.encode() in content for content in contents(site))


def _left() -> bytes:
    return admission("3", LEFT, "9092", name="PETIT") + diagnosis("4", LEFT, "9092", "E119")


def test_messages_that_parted_two_persons_go_with_either(
    published: Hospital, expected: Warehouse
) -> None:
    """They hold both identities; what each is stands in their own messages."""
    joined = merge("7", LEFT, GONE) + _parting("8", LEFT, GONE)
    site = _site(published, _two(), joined, _third())
    derive(site)
    _suppress(site)
    assert differing(derive(site), expected) == []
    assert not any(GONE.encode() in content for content in contents(site))


def test_what_the_register_never_attributed_is_searched(published: Hospital) -> None:
    """An order (a rule excludes it unread) and an event that nothing maps, before and after."""
    order = message("OML^O21^OML_O21", "20", "20240303080000", pid(GONE), "ORC|NW|1")
    unmapped = message("ADT^Z77^ADT_A05", "21", "20240303080000", pid(GONE), "PV1|1|N")
    site = _site(published, _two(), order, unmapped)
    before = derive(site)
    assert before.dispositions["excluded", "order"] == 1
    assert before.dispositions["quarantined", "event_not_mapped"] == 1
    _suppress(site)
    again = order.replace(b"|20|P", b"|22|P") + unmapped.replace(b"|21|P", b"|23|P")
    feed(site, "later.hl7", again)
    after = derive(site)
    assert after.dispositions["excluded", "erased"] == 6
    assert not any(GONE.encode() in content for content in contents(site))


def test_a_blocked_load_keeps_no_erased_person(published: Hospital) -> None:
    """The former release is written anew without her; everybody else stays as they were."""
    site = published.copy()
    sql = data_folder("mappings") / "omop" / "note.sql"
    overlay = site.root / "mappings" / "omop" / "note.sql"
    overlay.parent.mkdir(parents=True)
    fault = "\nUPDATE cdm.note SET note_text = note_text || ' jean.dupont@example.org';\n"
    overlay.write_text(sql.read_text() + fault)
    who = number(MOTHER)
    left = f"SELECT count(*) FROM measurement WHERE person_id <> {person_id(site, who)}"
    others = query(site, left)
    result = erase(site, who, "c.moreau", "demande du 3 mai")
    assert not result.published
    assert result.proof.clean
    assert query(site, "SELECT count(*) FROM person") == [(2,)]
    assert query(site, "SELECT count(*) FROM measurement") == others
    assert not list(site.work.glob("*.duckdb*"))


def test_retention_looks_back_only(published: Hospital, tmp_path: Path) -> None:
    """20 years: who was last seen in 2001 goes, who came in 2024 stays; both may come again."""
    old = admission("1", GONE, "9091", "20010301080000", end="20010303080000")
    old += diagnosis("2", GONE, "9091", "I10", "20010302120000")
    backups = f"retention: {{backups: {{folder: {tmp_path}, keep_days: 30}}}}\n"
    site = configure(_site(published, old, _left()), backups)
    assert derive(site).dispositions == {("staged", ""): 4}
    _backup(site, tmp_path / "old", dt.date(2025, 1, 1))
    _backup(site, tmp_path / "new", dt.date(2026, 11, 1))
    counted = purge(site, "c.moreau", dt.date(2026, 11, 22), dry_run=True)
    assert (counted.persons, counted.records, counted.backups) == (1, 2, 1)
    assert (tmp_path / "old").exists()
    purged = purge(site, "c.moreau", dt.date(2026, 11, 22))
    assert (purged.persons, purged.records, purged.backups) == (1, 2, 1)
    assert purged.clean
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["new"]
    assert hashes(site) == derive(_site(published, _left())).hashes
    (evidence,) = (site.identifying / "evidence").iterdir()
    assert json.loads(evidence.read_text())["persons"] == 1
    assert evidence.stat().st_mode & 0o77 == 0
    feed(site, "again.hl7", old + admission("9", GONE, "9099", "20260301080000"))
    again = derive(site)
    assert again.dispositions["excluded", "retention_ended"] == 2
    assert person_key(site) in staged_persons(site)


def _backup(site: Site, folder: Path, day: dt.date) -> None:
    """A copy of the database that was made that day."""
    folder.mkdir()
    copied = Path(shutil.copy(site.identifying / "zone.sqlite", folder))
    moment = dt.datetime.combine(day, dt.time()).timestamp()
    os.utime(copied, (moment, moment))
    os.utime(folder, (moment, moment))


def person_key(site: Site) -> str:
    """The pseudonym of the purged person."""
    return keyring(site).keyed(PERSON, AUTHORITY_OID, GONE)


def staged_persons(site: Site) -> set[str]:
    """Pseudonyms with a staged row."""
    import pyarrow.parquet as pq

    found: set[str] = set()
    for path in site.staging.glob("[0-9]*/stay/*.parquet"):
        found |= set(pq.read_table(path, columns=["person_key"])["person_key"].to_pylist())
    return found


def test_a_purge_needs_its_backup_folder(published: Hospital, tmp_path: Path) -> None:
    backups = f"retention: {{backups: {{folder: {tmp_path / 'gone'}, keep_days: 30}}}}\n"
    site = configure(published.copy(), backups)
    with pytest.raises(ConfigurationError, match="backup folder is not there"):
        purge(site, "c.moreau", dry_run=True)
