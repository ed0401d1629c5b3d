"""Appending: before the act, by several processes at once, across crashes and full disks."""

from __future__ import annotations

import datetime as dt
import json
import os
import pwd
import resource
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest
import sqlalchemy as sa

from entrepot.audit import Action, AuditLog, log_path, verify
from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.keys import Keyring, site_keyring
from entrepot.landing.database import create_tables, write_transaction, zone_engine
from entrepot.site_files import create_site

pytestmark = pytest.mark.core
PROCESSES, EACH = 3, 12


@pytest.fixture
def fresh(tmp_path: Path) -> Site:
    return create_site(tmp_path / "chu", demonstration=True)


def _log(site: Site) -> AuditLog:
    return AuditLog(site, site_keyring(site))


def _keyring(site: Site) -> Keyring:
    return site_keyring(site)


def test_an_entry_says_who_when_what_and_lies_in_the_identifying_zone(fresh: Site) -> None:
    before = dt.datetime.now(dt.UTC)
    head = _log(fresh).append(Action.CONTENT_READ, {"record": 7, "why": "ticket 41"})
    (line,) = log_path(fresh).read_bytes().splitlines()
    stated = json.loads(line)
    assert head.sequence == stated["sequence"] == 1
    assert head.mac == stated["mac"]
    assert stated["facts"] == {"record": 7, "why": "ticket 41"}
    assert stated["account"] == pwd.getpwuid(os.getuid()).pw_name
    assert before - dt.timedelta(seconds=1) <= dt.datetime.fromisoformat(stated["at"])
    assert log_path(fresh).stat().st_mode & 0o077 == 0
    assert log_path(fresh).is_relative_to(fresh.identifying)


@pytest.mark.parametrize(
    "facts",
    [{"name": "KERMADEC"}, {"record": 1.5}, {"why": "x" * 501}, {"why": ["x" * 501]},
     {"why": {"a": 1}}, {"why": ["x"] * 51}],
)  # fmt: skip
def test_only_the_named_short_facts_are_taken(fresh: Site, facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="content_read") as refused:
        _log(fresh).append(Action.CONTENT_READ, facts)  # type: ignore[arg-type]
    assert "KERMADEC" not in str(refused.value)
    assert not log_path(fresh).exists()


def _append_many(root: Path) -> None:
    log = _log(Site.open(root))
    for number in range(EACH):
        log.append(Action.CONTENT_READ, {"record": number, "why": "x" * (number * 20)})


def test_several_processes_write_one_chain(fresh: Site) -> None:
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        list(pool.map(_append_many, [fresh.root] * PROCESSES))
    found = verify(fresh, _keyring(fresh))
    assert found.intact
    assert (found.entries, found.noted.sequence) == (PROCESSES * EACH, PROCESSES * EACH)


@pytest.mark.parametrize("torn", [b'{"sequence":3,"at":"2026', b"\0" * 40, b"{"])
def test_a_torn_last_line_is_told_and_the_next_entry_takes_its_number(
    fresh: Site, torn: bytes
) -> None:
    """A crash in the middle of an append: the head was never noted, the act never took place."""
    log = _log(fresh)
    log.append(Action.RUN_STARTED)
    log.append(Action.RUN_ENDED)
    with log_path(fresh).open("ab") as file:
        file.write(torn)
    found = verify(fresh, _keyring(fresh))
    assert (found.intact, found.entries, found.torn) == (True, 2, (3,))
    assert log.append(Action.RUN_STARTED).sequence == 3
    after = verify(fresh, _keyring(fresh))
    assert (after.intact, after.entries, after.torn) == (True, 3, (3,))


def test_a_crash_just_before_the_line_end_keeps_the_entry(fresh: Site) -> None:
    log = _log(fresh)
    log.append(Action.RUN_STARTED)
    log_path(fresh).write_bytes(log_path(fresh).read_bytes()[:-1])
    assert log.append(Action.RUN_ENDED).sequence == 2
    found = verify(fresh, _keyring(fresh))
    assert (found.intact, found.entries, found.torn) == (True, 2, ())


def test_a_crash_before_the_head_was_noted_is_no_fault(fresh: Site) -> None:
    log = _log(fresh)
    log.append(Action.RUN_STARTED)
    engine = zone_engine(fresh)
    with engine.begin() as connection:
        noted = connection.execute(sa.text("SELECT sequence, mac FROM audit_head")).one()
        log.append(Action.RUN_ENDED, connection=connection)
        connection.rollback()
    engine.dispose()
    found = verify(fresh, _keyring(fresh))
    assert found.intact
    assert (found.head.sequence, found.noted.sequence, found.noted.mac) == (2, *noted)
    assert log.append(Action.RUN_STARTED).sequence == 3
    assert verify(fresh, _keyring(fresh)).noted.sequence == 3


def test_after_a_cut_work_goes_on_and_the_gap_stays(fresh: Site) -> None:
    log = _log(fresh)
    for _ in range(4):
        log.append(Action.RUN_STARTED)
    lines = log_path(fresh).read_bytes().splitlines(keepends=True)
    log_path(fresh).write_bytes(b"".join(lines[:2]))
    assert log.append(Action.RUN_ENDED).sequence == 5
    found = verify(fresh, _keyring(fresh))
    assert [(f.sequence, str(f.kind)) for f in found.faults] == [(3, "dropped"), (4, "dropped")]


def test_within_a_transaction_of_the_zone_the_head_goes_with_the_act(fresh: Site) -> None:
    engine = zone_engine(fresh)
    create_tables(engine)
    with write_transaction(engine) as connection:
        _log(fresh).append(Action.OPPOSITIONS_CONFIRMED, connection=connection)
    engine.dispose()
    found = verify(fresh, _keyring(fresh))
    assert (found.intact, found.noted.sequence) == (True, 1)


@contextmanager
def _disk_ends_at(size: int) -> Iterator[None]:
    """No file may grow beyond: what a full disk does to an append."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_the_act_and_leaves_no_half_line(fresh: Site) -> None:
    log = _log(fresh)
    for _ in range(3):
        log.append(Action.RUN_STARTED)
    before = log_path(fresh).read_bytes()
    with _disk_ends_at(len(before) + 20), pytest.raises(EntrepotError) as refused:
        log.append(Action.RUN_ENDED)
    assert "refused" in str(refused.value)
    assert refused.value.remedy
    assert log_path(fresh).read_bytes() == before
    assert log.append(Action.RUN_ENDED).sequence == 4
    assert verify(fresh, _keyring(fresh)).intact


def test_a_link_in_the_place_of_the_log_is_not_followed(fresh: Site) -> None:
    elsewhere = fresh.research / "audit.log"
    log_path(fresh).symlink_to(elsewhere)
    with pytest.raises(EntrepotError):
        _log(fresh).append(Action.RUN_STARTED)
    assert not elsewhere.exists()


def test_an_entry_too_long_for_the_window_is_refused(fresh: Site) -> None:
    checks = ["é" * 500] * 50
    with pytest.raises(ValueError, match="too much"):
        _log(fresh).append(Action.WAIVED, {"checks": checks})
    assert verify(fresh, _keyring(fresh)).entries == 0
