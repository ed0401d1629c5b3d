"""Bad input: what is wrong with the site refuses the run before anything is written; what is
wrong with a record quarantines that record, with its reason and position, and the rest goes on.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import EXIT_QUARANTINED, EXIT_USAGE, EntrepotError, SiteBusyError
from entrepot.landing.ingest import ingest
from entrepot.lock import site_lock
from entrepot.report.quarantine import read_quarantine
from entrepot.resources import data_folder
from entrepot.run import run
from faults.hand_made import admission, diagnosis, merge, message, pid, pv1
from properties.stages import SETTINGS, Sites, Warehouse, derive
from roads import feed, keyring, query, travel

pytestmark = pytest.mark.integration

GOOD = admission("1", "0001", "9001") + diagnosis("2", "0001", "9001", "I10")
MAPPINGS = data_folder("mappings")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """Empty sites with one root key."""
    return Sites(tmp_path_factory.mktemp("bad"))


def _setting(old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / CONFIG_NAME
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def _overlay(relative: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        name, _, rest = relative.partition("/")
        target = root / relative
        target.parent.mkdir(parents=True)
        target.write_text(change((data_folder(name) / rest).read_text()))

    return write


def _unused_key(root: Path) -> None:
    (root / "identifying" / "keys" / "root.key").write_text("77" * 32 + "\n")


def _key(act: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        act(root / "identifying" / "keys" / "root.key")

    return change


def _stale(root: Path) -> None:
    _setting("required: false", "required: true")(root)
    database = sqlite3.connect(root / "identifying" / "zone.sqlite")
    with database:
        database.execute(
            "INSERT INTO zone_setting VALUES ('oppositions_confirmed_at', '2024-01-01T00:00:00')"
        )
    database.close()


REFUSED: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "key_missing": (_key(Path.unlink), ("root key", "root.key", "restore")),
    "key_wrong": (_unused_key, ("key",)),
    "key_no_hex": (_key(lambda path: path.write_text("zz")), ("hexadecimal", "root.key")),
    "key_readable_by_others": (_key(lambda path: path.chmod(0o640)), ("others", "chmod 600")),
    "mapping_unknown_key": (
        _overlay("mappings/hl7v2/letter.yaml", lambda text: "colour: red\n" + text),
        ("colour", "letter.yaml:1]"),
    ),
    "mapping_no_yaml": (
        _overlay("mappings/hl7v2/letter.yaml", lambda _: "a: 1\nb: [\n"), ("letter.yaml:",),
    ),
    "mapping_unknown_treatment": (
        _overlay(
            "mappings/hl7v2/letter.yaml", lambda text: text.replace("scrub", "publish", 1)
        ),
        ("letter.yaml:", "treatment"),
    ),
    "check_incomplete": (
        _overlay("quality/checks/privacy.yaml", lambda _: "checks:\n  - id: mine\n"),
        ("privacy.yaml:",),
    ),
    "setting_unknown": (
        _setting("site: hopital", "site: hopital\nsauces: 1"), (CONFIG_NAME, "sauces"),
    ),
    "setting_no_number": (
        _setting("site: hopital", "site: hopital\nworkers: many"), (CONFIG_NAME, "workers"),
    ),
    "timezone_unknown": (
        _setting("site: hopital", "site: hopital\ntimezone: Mars/Olympus"),
        (CONFIG_NAME, "timezone"),
    ),
    "memory_limit_no_size": (
        _setting("site: hopital", "site: hopital\nmemory_limit: lots"), ("memory_limit",),
    ),
    "settings_not_utf8": (
        lambda root: (root / CONFIG_NAME).write_bytes(b"title: H\xf4pital\n"), (CONFIG_NAME,),
    ),
    "database_unreachable": (
        _setting(
            "site: hopital",
            "site: hopital\ndatabase: postgresql+psycopg://nobody@127.0.0.1:1/zone",
        ),
        ("database", "reachable"),
    ),
    "database_folder": (
        _setting("site: hopital", "site: hopital\ndatabase: sqlite:////proc/no/zone.sqlite"),
        ("database",),
    ),
    "no_vocabulary": (
        lambda root: (root / "research" / "vocabulary.duckdb").unlink(), ("vocabulary load",),
    ),
    "vocabulary_damaged": (
        lambda root: _damage(root / "research" / "vocabulary.duckdb"), ("vocabulary",),
    ),
    "oppositions_stale": (_stale, ("opposition register", "days ago", "oppose confirm")),
    "oppositions_never_confirmed": (
        _setting("required: false", "required: true"), ("never confirmed", "oppose confirm"),
    ),
}  # fmt: skip


def _damage(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"not a database" * 1000)


def _zone(site: Site) -> list[str]:
    database = sqlite3.connect(site.identifying / "zone.sqlite")
    try:
        return [line for line in database.iterdump() if "oppositions_confirmed_at" not in line]
    finally:
        database.close()


def _files(site: Site) -> dict[str, tuple[int, int]]:
    """Size and time of every file of the research zone and of landing."""
    return {
        str(path.relative_to(site.root)): (path.stat().st_size, path.stat().st_mtime_ns)
        for folder in (site.research, site.segments)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_site_that_is_not_fit_refuses_the_run_before_anything_is_written(
    sites: Sites, name: str
) -> None:
    spoil, words = REFUSED[name]
    site = sites.new()
    feed(site, "good.hl7", GOOD)
    spoil(site.root)
    zone, files = _zone(site), _files(site)
    with pytest.raises(EntrepotError) as refusal:
        run(Site.open(site.root))
    assert refusal.value.exit_code == EXIT_USAGE
    for word in words:
        assert word in str(refusal.value)
    assert _zone(site) == zone
    assert _files(site) == files


def test_a_second_run_at_the_same_time_refuses(sites: Sites) -> None:
    site = sites.new()
    feed(site, "good.hl7", GOOD)
    zone, files = _zone(site), _files(site)
    with site_lock(site), pytest.raises(SiteBusyError) as refusal:
        run(site)
    assert refusal.value.exit_code == EXIT_USAGE
    assert (_zone(site), _files(site)) == (zone, files)
    with site_lock(site):
        pass


def test_ingest_refuses_an_unknown_source_and_a_missing_path(sites: Sites, tmp_path: Path) -> None:
    site = sites.new()
    path = tmp_path / "good.hl7"
    path.write_bytes(GOOD)
    for paths, source, word in (
        ([path], "radio", "unknown source; known: adt"),
        ([path, tmp_path / "absent.hl7"], "adt", "path 2 of 2"),
    ):
        with pytest.raises(EntrepotError, match=word) as refusal:
            ingest(site, keyring(site), paths, source)
        assert refusal.value.exit_code == EXIT_USAGE
        assert not list(site.segments.glob("*.segment"))


BAD_RECORDS = {
    "truncated.hl7": (admission("11", "0011", "9011")[:-40], "truncated"),
    "zbe4.hl7": (admission("12", "0012", "9012", action="REPLACE"), "zbe4_unknown"),
    "date.hl7": (admission("13", "0013", "9013", birth="19700231"), "impossible_date"),
    "event.hl7": (message("ADT^A60^ADT_A60", "14", "20240301080000", pid("0014")),
                  "event_not_mapped"),
    "empty.hl7": (b"\r\n \r\n", "empty_file"),
}  # fmt: skip


def test_bad_records_are_quarantined_with_reason_and_position_and_the_rest_is_published(
    sites: Sites,
) -> None:
    site = sites.new()
    feed(site, "good.hl7", GOOD)
    for name, (content, _) in BAD_RECORDS.items():
        feed(site, name, content)
    result = travel(site)
    assert result.exit_code == EXIT_QUARANTINED
    assert result.published
    records, rows = read_quarantine(site)
    assert sorted(line["reason"] for line in records) == sorted(r for _, r in BAD_RECORDS.values())
    assert rows == []
    placed = {line["reason"]: line["position"] for line in records}
    assert placed["zbe4_unknown"].startswith("ZBE")
    assert placed["zbe4_unknown"].endswith("-4")
    assert placed["impossible_date"].startswith("PID")
    assert placed["event_not_mapped"] == "MSH-9"
    assert placed["truncated"]
    assert query(site, "SELECT count(*) FROM person") == [(1,)]
    assert query(site, "SELECT condition_source_value FROM condition_occurrence") == [("I10",)]


def test_an_event_without_mapping_is_replayed_when_a_mapping_comes(sites: Sites) -> None:
    site = sites.new()
    feed(site, "good.hl7", GOOD)
    content, reason = BAD_RECORDS["event.hl7"]
    feed(site, "event.hl7", content)
    assert derive(site).dispositions["quarantined", reason] == 1
    shipped = (MAPPINGS / "hl7v2" / "patient.yaml").read_text()
    head = 'events: ["*", ADT^A28, ADT^A31]'
    assert head in shipped
    overlay = site.root / "mappings" / "hl7v2" / "patient.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(shipped.replace(head, 'events: ["*", ADT^A28, ADT^A31, ADT^A60]'))
    assert derive(site).dispositions == {("staged", ""): 3}
    shutil.rmtree(site.root / "mappings")
    assert derive(site).dispositions["quarantined", reason] == 1


def _conflict(found: Warehouse) -> int:
    return found.dispositions.get(("quarantined", "key_of_two_persons"), 0)


def test_a_stay_of_two_persons_quarantines_both_until_they_are_merged(sites: Sites) -> None:
    first = admission("21", "0021", "9021") + diagnosis("22", "0021", "9021", "I10")
    second = admission("23", "0022", "9021", "20240302080000", name="DURAND")
    apart = diagnosis("24", "0022", "9022", "E119")
    site = sites.new()
    feed(site, "other.hl7", GOOD)
    feed(site, "first.hl7", first)
    before = derive(site)
    assert Counter(before.dispositions) == {("staged", ""): 4}
    feed(site, "second.hl7", second + apart)
    found = derive(site)
    assert _conflict(found) == 3  # the three records that state NDA 9021; the others go on
    assert found.dispositions["staged", ""] == 3
    feed(site, "merge.hl7", merge("25", "0021", "0022"))
    merged = derive(site)
    assert _conflict(merged) == 0
    assert merged.dispositions == {("staged", ""): 7}
    at_once = sites.new()
    for name, content in (("m", merge("25", "0021", "0022")), ("s", second + apart),
                          ("f", first), ("o", GOOD)):  # fmt: skip
        feed(at_once, name, content)
    assert derive(at_once).hashes == merged.hashes


def test_settings_of_these_tests_are_those_of_a_real_site() -> None:
    """Else a refusal could come from the settings themselves."""
    assert "required: false" in SETTINGS
    assert pv1("1", "20240301080000", "20240305100000").split("|")[44:46] == [
        "20240301080000", "20240305100000",
    ]  # fmt: skip
