"""A site that changed its root key is the site that had the new one from the start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection

from entrepot.audit import read_entries, verify
from entrepot.audit.entry import Sealer
from entrepot.config import Site
from entrepot.demonstration import feed_folders
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import Keyring
from entrepot.landing.database import check_keyring, zone_engine
from entrepot.landing.ingest import ingest
from entrepot.landing.ledger import ERASED
from entrepot.register.snapshot import Snapshot
from entrepot.rekeying import Rotated, current_person_ids, facts, rotate
from entrepot.report.dpo import signing
from entrepot.study import study_person_id
from entrepot.synthetic.generate import generate
from properties.stages import NOW, Sites, Warehouse, derive, differing, pseudonymise
from rekeying.zone_at_rest import (
    DPO,
    MERGED,
    Pseudonyms,
    binary_cells,
    bytes_of,
    ciphertexts,
    contents,
    erase,
    fed,
    number_of,
    pseudonyms,
    rows,
)
from roads import feed, keyring

pytestmark = pytest.mark.integration
PATIENTS, SEED = 8, 5
STUDY = "asthme"


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Story:
    """One site before and after its rotation, and a site that had the new key from the start."""

    sites: Sites
    site: Site
    hospital: Path
    old: Keyring
    read: dict[int, bytes]  # contents before
    cells: frozenset[bytes]  # binary cells and beginnings of segments before
    before: Pseudonyms
    persons: dict[int, int]  # person_id before -> a record of theirs
    numbers: dict[int, int]  # person_id that a number gives by itself -> a record of it
    erased: int  # a record
    gone: bytes  # a message of a person who was erased
    report: Path
    rotated: Rotated
    after: Warehouse
    fresh: Warehouse

    @property
    def new(self) -> Keyring:
        return keyring(self.site)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("rotation")
    hospital = folder / "hospital"
    generate(PATIENTS, SEED, hospital, formats=("hl7v2",))
    sites = Sites(folder)
    site = fed(sites, hospital)
    old = keyring(site)
    pseudonymise(site)
    (site.research / "studies" / STUDY).mkdir(parents=True)
    report = folder / "report.json"
    report.write_text(json.dumps(signing.signed({"made_at": "2026-01-01"}, old)))
    landed = contents(site, old)
    erased = max(landed)
    gone = next(one for one in reversed(landed.values()) if number_of(one) and one not in MERGED)
    erase(site, erased, number_of(gone))
    pseudonymise(site)
    stated = rows(site, "SELECT person_key, min(record_id) FROM derivation GROUP BY 1")
    persons = {old.number("person/v1", 53, "id", str(k)): int(str(n)) for k, n in stated if k}
    of_numbers = rows(
        site,
        "SELECT person_key, min(record_id) FROM identifier"
        " JOIN registration ON subject = hmac JOIN data_key USING (record_id)"
        f" WHERE wrapped_key <> x'{ERASED.hex()}' GROUP BY 1",
    )
    numbers = {old.number("person/v1", 53, "id", str(k)): int(str(n)) for k, n in of_numbers}
    cells = frozenset({*binary_cells(site), *(one[:64] for one in ciphertexts(site))})
    known = (contents(site, old), cells, pseudonyms(site), persons, numbers)
    rotated = rotate(site, DPO, "yearly", silent)
    after = derive(site)
    fresh = fed(sites, hospital, site.root_key.read_text())
    erase(fresh, erased, number_of(gone))
    return Story(
        sites, site, hospital, old, *known, erased, gone, report, rotated, after, derive(fresh)
    )  # fmt: skip


@contextmanager
def looked_up(site: Site) -> Iterator[tuple[Connection, Snapshot, dict[int, int]]]:
    """The register as it stands, and record -> person_id of today."""
    keys, engine = keyring(site), zone_engine(site)
    with engine.connect() as connection:
        snapshot = Snapshot(connection, keys, site.config.register_)
        yield (
            connection,
            snapshot,
            {
                one.record_id: keys.number(
                    "person/v1", 53, "id", snapshot.persons[one.person].person_key
                )
                for one in snapshot.standings("")
                if one.person is not None
            },
        )
    engine.dispose()


def test_it_is_the_site_that_had_the_key_from_the_start(story: Story) -> None:
    assert story.after.dispositions == story.fresh.dispositions
    assert differing(story.after, story.fresh) == []
    assert story.rotated.records == len(story.read)
    assert story.rotated.persons == len(story.persons) > 5


def test_no_pseudonym_is_the_same(story: Story) -> None:
    """Two keys never give linkable outputs: nothing joins what was made before and after."""
    now = pseudonyms(story.site)
    assert len(now.ids) > 100
    assert len(now.keys) > 100
    assert not now.ids & story.before.ids
    assert not now.keys & story.before.keys


def test_every_record_is_as_it_was_landed(story: Story) -> None:
    assert contents(story.site, story.new) == story.read


def test_the_former_key_opens_nothing(story: Story) -> None:
    with pytest.raises((InvalidTag, EntrepotError)):
        contents(story.site, story.old)
    for subject, sealed in rows(story.site, "SELECT subject, sealed FROM identity"):
        with pytest.raises(InvalidTag):
            story.old.unseal("register/v1", sealed, subject)  # type: ignore[arg-type]
    for identifier, sealed in rows(story.site, "SELECT identifier, sealed FROM opposition"):
        with pytest.raises(InvalidTag):
            story.old.unseal("register/v1", sealed, identifier)  # type: ignore[arg-type]
    engine = zone_engine(story.site)
    with pytest.raises(ConfigurationError, match="wrong key"):
        check_keyring(engine, story.old)
    engine.dispose()


def test_nothing_of_before_is_left_on_the_disk(story: Story) -> None:
    """No former digest or ciphertext, also not in free pages, and no former key."""
    left = bytes_of(story.site.identifying)
    assert len(story.cells) > 1000
    assert not binary_cells(story.site) & story.cells
    assert [cell for cell in story.cells if cell in left] == []
    assert story.old.root() not in left
    assert story.old.root().hex().encode() not in left
    names = {path.name for path in story.site.root_key.parent.iterdir()}
    assert names == {"root.key", "former.keys"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in story.site.root_key.parent.iterdir())


def test_the_log_is_one_chain_over_both_keys(story: Story) -> None:
    assert verify(story.site, story.new).intact
    steps = [e.facts["step"] for e in read_entries(story.site, story.new) if "step" in e.facts]
    assert steps == ["begun", "closed", "opened"]


def test_the_former_key_forges_no_entry(story: Story) -> None:
    """Who stole it can neither go on writing nor write the past anew."""
    log = story.site.identifying / "audit.log"
    genuine = log.read_bytes()
    thief = Sealer(story.old)
    lines = genuine.splitlines()
    first = thief.genuine(lines[0])
    last = next(e for e in reversed(list(read_entries(story.site, story.new))))
    assert first is not None
    try:
        later = replace(last, sequence=last.sequence + 1, previous=last.mac)
        log.write_bytes(genuine + thief.line(later)[0] + b"\n")
        assert not verify(story.site, story.new).intact
        other = thief.line(replace(first, facts={**first.facts, "x": 1}))[0]
        log.write_bytes(b"\n".join([other, *lines[1:]]) + b"\n")
        assert not verify(story.site, story.new).intact
    finally:
        log.write_bytes(genuine)
    assert verify(story.site, story.new).intact


def test_a_report_signed_before_is_still_ours(story: Story) -> None:
    assert signing.check(story.report, story.new).holds
    assert not signing.check(story.report, Keyring(bytes(32))).ours


def test_an_erased_record_does_not_come_back(story: Story) -> None:
    """Its content is gone, so its address was carried over: a second delivery is still known."""
    before = rows(story.site, "SELECT record_id, deliveries FROM record")
    for source, folder in feed_folders(story.hospital).items():
        ingest(story.site, story.new, [folder], source, now=NOW)
    after = dict(rows(story.site, "SELECT record_id, deliveries FROM record"))
    assert {n for n, _ in before} == set(after)
    assert after[story.erased] > dict(before)[story.erased]
    assert story.erased not in contents(story.site, story.new)


def test_an_erased_person_does_not_come_back(story: Story) -> None:
    """Of their number a hash of a former key is left: a record never seen is refused by it."""
    control = story.gone.split(b"|")[9]
    feed(story.site, "again.hl7", story.gone.replace(control, control + b"x", 1))
    last = max(contents(story.site, story.new))
    pseudonymise(story.site)
    said = rows(story.site, "SELECT record_id, reason FROM derivation WHERE disposition='excluded'")
    assert (last, "erased") in said
    assert last not in contents(story.site, story.new)


def test_former_ids_lead_to_the_persons_of_today(story: Story) -> None:
    with looked_up(story.site) as (connection, snapshot, today):
        assert set(story.numbers) - set(story.persons)  # somebody has two numbers
        for former, record_id in (story.persons | story.numbers).items():
            ask = partial(current_person_ids, connection, story.new, snapshot)
            assert ask(former) == [today[record_id]]
            in_study = study_person_id(story.old, STUDY, former)
            assert ask(in_study, STUDY) == [today[record_id]]
            assert ask(in_study, "another") == ask(1) == []
        told = facts(connection)
    assert (told["version"], told["fingerprint"]) == (2, story.new.fingerprint)
    assert told["former_ids"] >= len(story.persons)
    assert not told["interrupted"]


def test_a_second_rotation_keeps_all_of_this(story: Story) -> None:
    """Last: it changes the site that the others look at."""
    rotated = rotate(story.site, DPO, "again", silent)
    newest = keyring(story.site)
    assert (rotated.version, newest.version) == (3, 3)
    assert contents(story.site, newest) == story.read
    assert verify(story.site, newest).intact
    assert signing.check(story.report, newest).holds
    fresh = fed(story.sites, story.hospital, story.site.root_key.read_text())
    erase(fresh, story.erased, number_of(story.gone))
    assert differing(derive(story.site), derive(fresh)) == []
    with looked_up(story.site) as (connection, snapshot, today):
        for former, record_id in (story.persons | story.numbers).items():
            found = current_person_ids(connection, newest, snapshot, former)
            assert found == [today[record_id]]
