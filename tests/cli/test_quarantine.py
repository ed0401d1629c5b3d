"""quarantine list, show, replay: what is told of held records, to whom, and how they go on."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from entrepot.audit import log_path, verify
from entrepot.cli import main
from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.errors import EXIT_CLEAN, EXIT_QUARANTINED, EXIT_USAGE, RecordFault
from entrepot.landing.arrival import Arrival
from entrepot.landing.database import (
    check_keyring,
    create_tables,
    write_transaction,
    zone_engine,
)
from entrepot.landing.ingest import ingest
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import SegmentReader, SegmentWriter
from entrepot.landing.tables import RecordRow
from entrepot.lock import site_lock
from entrepot.register.tables import registration
from entrepot.report.accounting import SourceCounts, records
from faults.hand_made import admission, diagnosis, message, pid
from roads import feed, hashes, keyring, new_site, query, travel

GOOD = admission("1", "0001", "9001") + diagnosis("2", "0001", "9001", "I10")
UNMAPPED = message("ADT^A60^ADT_A60", "CTRL77", "20240301080000", pid("IPP5577", name="KERMADEC"))
# MSH-8 is missing: the control id stands where the event belongs
SLIPPED = UNMAPPED.replace(b"||ADT^A60^ADT_A60|", b"||", 1)
DOOR = admission("3", "0003", "9003", action="REPLACE")
GATE = admission("4", "0004", "9004", "20240310080000", end="20240301080000", name="KERVELLA")
TABLE = b"ipp;nom\n0005;KERGUELEN\n0006;KERVELLA\n"
SECRETS = ("KERMADEC", "KERVELLA", "KERGUELEN", "IPP5577", "CTRL77", "ANNE", "19700412", ".hl7")
RECEIVED = dt.datetime(2024, 5, 1, 8, 0)
NOT_SUPPORTED = "format_not_supported"


@dataclass(frozen=True)
class Said:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Call = Callable[..., Said]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Call:
    """Calls `entrepot quarantine …` in this process, as its entry point does."""

    def command(*words: object, terminal: bool = False) -> Said:
        monkeypatch.setattr(sys, "argv", ["entrepot", "quarantine", *map(str, words)])
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        with pytest.raises(SystemExit) as leaving:
            main()
        captured = capsysbinary.readouterr()
        code = leaving.value.code
        return Said(code if isinstance(code, int) else 1, captured.out, captured.err.decode())

    return command


@pytest.fixture(scope="module")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site after a run with one record held at each stage."""
    site = new_site(tmp_path_factory.mktemp("held") / "chu")
    for number, content in enumerate((GOOD, UNMAPPED, UNMAPPED, SLIPPED, DOOR, GATE, TABLE)):
        feed(site, f"KERMADEC-{number}.hl7", content)
    assert travel(site).exit_code == EXIT_QUARANTINED
    return site


@pytest.fixture
def site(travelled: Site, tmp_path: Path) -> Site:
    """That site, to be changed."""
    shutil.copytree(travelled.root, tmp_path / "chu")
    return Site.open(tmp_path / "chu")


def _rows(site: Site) -> list[RecordRow]:
    engine = zone_engine(site)
    rows = list(Ledger(engine, keyring(site)).records())
    engine.dispose()
    return rows


def _counts(site: Site) -> SourceCounts:
    engine = zone_engine(site)
    with engine.connect() as connection:
        counted = records(connection)
    engine.dispose()
    assert counted.balanced
    return counted.sources["adt"]


def _reasons(call: Call, site: Site, *words: object) -> Counter[str]:
    said = call("list", "--site", site.root, "--json", *words)
    assert said.code == EXIT_CLEAN, said.err
    return Counter(line["reason"] for line in said.lines if "record" in line)


def _id(call: Call, site: Site, reason: str) -> int:
    lines = call("list", "--site", site.root, "--reason", reason, "--json").lines
    return int(next(line["record"] for line in lines if "record" in line))


# list


def test_list_tells_stage_reason_and_meaning_of_each_record(call: Call, travelled: Site) -> None:
    lines = call("list", "--site", travelled.root, "--json").lines
    held = [line for line in lines if "record" in line]
    assert set(held[0]) == {
        "record", "stage", "reason", "meaning_fr", "meaning_en", "source", "format", "event",
        "position", "received_at", "count",
    }  # fmt: skip
    told = {(line["stage"], line["reason"].split(".")[0]): line for line in held}
    assert set(told) == {
        ("landing", NOT_SUPPORTED), ("register", "event_not_mapped"), ("door", "zbe4_unknown"),
        ("gate", "order"),
    }  # fmt: skip
    assert len(held) == _counts(travelled).quarantined == 5
    assert told["door", "zbe4_unknown"]["position"].startswith("ZBE")
    assert told["door", "zbe4_unknown"]["event"] == "ADT^A01"
    assert told["landing", NOT_SUPPORTED]["format"] == "table"
    assert "mapping" in told["register", "event_not_mapped"]["meaning_en"]
    assert "correspondance" in told["register", "event_not_mapped"]["meaning_fr"]
    assert told["gate", "order"]["meaning_fr"]
    assert all(line["received_at"].endswith("Z") for line in held)
    assert sorted(line["count"] for line in held) == [1, 1, 1, 1, 2]  # UNMAPPED came twice


def test_list_counts_the_rows_of_the_gate_by_table_and_check(call: Call, travelled: Site) -> None:
    lines = call("list", "--site", travelled.root, "--json").lines
    rows = [line for line in lines if "table" in line]
    found = {(line["table"], line["check"]): line["count"] for line in rows}
    assert found == {
        (table, check): count
        for table, check, count in query(
            travelled, "SELECT cdm_table, check_id, count(*) FROM etl.quarantine GROUP BY ALL"
        )
    }
    assert "visit_occurrence" in {table for table, _ in found}
    assert {line["stage"] for line in rows} == {"gate"}
    assert all(line["meaning_fr"] and line["meaning_en"] for line in rows)


def test_a_control_id_in_the_place_of_the_event_is_not_told(call: Call, travelled: Site) -> None:
    lines = call("list", "--site", travelled.root, "--reason", "event_not_mapped", "--json").lines
    assert sorted(line["event"] for line in lines) == ["?", "ADT^A60"]


@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("list", "--limit", "1")])
@pytest.mark.parametrize("terminal", [False, True])
def test_list_tells_nothing_of_the_content(
    call: Call, travelled: Site, words: tuple[str, ...], terminal: bool
) -> None:
    said = call(*words, "--site", travelled.root, terminal=terminal)
    assert said.code == EXIT_CLEAN
    assert said.out
    assert [secret for secret in SECRETS if secret in said.out.decode() + said.err] == []


def test_filters_of_list(call: Call, travelled: Site) -> None:
    assert _reasons(call, travelled, "--stage", "door") == {"zbe4_unknown": 1}
    assert _reasons(call, travelled, "--reason", "event_not_mapped") == {"event_not_mapped": 2}
    assert sum(_reasons(call, travelled, "--source", "adt").values()) == 5
    assert _reasons(call, travelled, "--source", "lab") == {}
    assert sum(_reasons(call, travelled, "--limit", "2").values()) == 2


@pytest.mark.parametrize(
    "words", [("--stage", "attic"), ("--reason", "zbe4_unkown"), ("--source", "radio")]
)
def test_a_mistyped_filter_is_no_empty_quarantine(
    call: Call, travelled: Site, words: tuple[str, ...]
) -> None:
    said = call("list", "--site", travelled.root, *words)
    assert said.code == EXIT_USAGE
    assert "unknown" in said.err


def test_a_fault_of_landing_is_told_before_any_run(call: Call, tmp_path: Path) -> None:
    site = new_site(tmp_path / "chu")
    feed(site, "a.csv", TABLE)
    assert _reasons(call, site) == {NOT_SUPPORTED: 1}
    assert _counts(site).pending == 1


# show


def test_show_tells_all_but_the_content(call: Call, travelled: Site) -> None:
    number = _id(call, travelled, "zbe4_unknown")
    said = call("show", number, "--site", travelled.root, "--json")
    assert said.code == EXIT_CLEAN
    (story,) = said.lines
    assert (story["status"], story["stage"], story["reason"]) == (
        "quarantined", "door", "zbe4_unknown",
    )  # fmt: skip
    assert story["next"]
    assert story["stated_at"] == "2024-03-01 08:00:00"
    assert story["length"] > len(DOOR) - 2
    assert story["segment"] == 1
    assert story["notices"] == []
    for words in (("--json",), ()):
        told = call("show", number, "--site", travelled.root, *words)
        assert "zbe4_unknown" in told.out.decode()
        assert [one for one in (*SECRETS, "0003", "9003") if one in told.out.decode()] == []


def test_show_knows_every_status(call: Call, site: Site) -> None:
    feed(site, "ack.hl7", message("ACK^A01^ACK", "9", "20240301080000", "MSA|AA|1"))
    statuses = Counter(
        call("show", row.record_id, "--site", site.root, "--json").lines[0]["status"]
        for row in _rows(site)
    )
    counts = _counts(site)
    assert statuses == {
        "published": counts.published, "quarantined": counts.quarantined, "pending": 1,
    }  # fmt: skip


def test_show_of_an_unknown_or_erased_record_exits_2(call: Call, site: Site) -> None:
    unknown = call("show", 999, "--site", site.root)
    assert unknown.code == EXIT_USAGE
    assert "999" in unknown.err
    number = _id(call, site, "zbe4_unknown")
    engine = zone_engine(site)
    Ledger(engine, keyring(site)).erase(number)
    engine.dispose()
    for words in ((), ("--content", "--yes", "--reason-for-access", "tri")):
        erased = call("show", number, "--site", site.root, *words)
        assert erased.code == EXIT_USAGE
        assert "erased" in erased.err
        assert erased.out == b""
    assert _log(site) == []


# show --content


ASKED = ("--content", "--reason-for-access", "ticket 41: which sender?")


def _log(site: Site) -> list[dict[str, Any]]:
    """The accesses that the audit log holds, among the runs and oppositions of the site."""
    if not log_path(site).is_file():
        return []
    lines = [json.loads(line) for line in log_path(site).read_text().splitlines() if "}" in line]
    return [line for line in lines if line["action"] == "content_read"]


def test_content_needs_a_reason_and_leaves_the_terminal_only_with_yes(
    call: Call, site: Site
) -> None:
    number = _id(call, site, "zbe4_unknown")
    for words in (
        ("--content", "--yes"),
        ("--content", "--yes", "--reason-for-access", " \n"),
        ("--content", "--yes", "--reason-for-access", "x" * 501),
        ASKED,
        (*ASKED, "--yes", "--json"),
    ):
        said = call("show", number, "--site", site.root, *words)
        assert said.code == EXIT_USAGE
        assert said.out == b""
    assert _log(site) == []


def test_content_is_given_byte_for_byte_and_logged_in_the_identifying_zone(
    call: Call, site: Site
) -> None:
    number = _id(call, site, "zbe4_unknown")
    before = _research(site)
    for _ in range(2):
        said = call("show", number, "--site", site.root, *ASKED, "--yes")
        assert said.code == EXIT_CLEAN
        assert said.out == DOOR.rstrip(b"\r")
    first, second = _log(site)
    said_twice = {"account", "login", "action", "facts"}
    assert {k: first[k] for k in said_twice} == {k: second[k] for k in said_twice}
    assert first["facts"] == {"record": number, "why": ASKED[2]}
    assert first["account"] in {_account(), str(os.getuid())}
    assert dt.datetime.fromisoformat(first["at"]).tzinfo is not None
    assert second["previous"] == first["mac"]
    assert log_path(site).stat().st_mode & 0o077 == 0
    assert log_path(site).is_relative_to(site.identifying)
    assert b"MARTIN" not in log_path(site).read_bytes()
    assert verify(site, keyring(site)).intact
    assert _research(site) == before


def _account() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _research(site: Site) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in sorted(site.research.rglob("*")) if p.is_file()}


def test_the_log_only_grows_and_survives_a_torn_line(call: Call, site: Site) -> None:
    with log_path(site).open("ab") as file:
        file.write(b'{"at": "2024-01-01", "wh')  # a crash in the middle of a line
    number = _id(call, site, "zbe4_unknown")
    call("show", number, "--site", site.root, *ASKED, "--yes")
    *_, torn, whole = log_path(site).read_bytes().splitlines()
    assert torn == b'{"at": "2024-01-01", "wh'
    assert json.loads(whole)["facts"]["record"] == number
    assert verify(site, keyring(site)).intact


def test_nothing_is_shown_that_cannot_be_logged(call: Call, site: Site) -> None:
    number = _id(call, site, "zbe4_unknown")
    log_path(site).unlink(missing_ok=True)
    log_path(site).mkdir()
    said = call("show", number, "--site", site.root, *ASKED, "--yes")
    assert said.code == EXIT_USAGE
    assert said.out == b""
    assert "audit log" in said.err
    log_path(site).rmdir()
    elsewhere = site.research / "audit.log"
    log_path(site).symlink_to(elsewhere)
    assert call("show", number, "--site", site.root, *ASKED, "--yes").code == EXIT_USAGE
    assert not elsewhere.exists()


def test_without_the_key_store_no_content_and_no_log(call: Call, site: Site) -> None:
    number = _id(call, site, "zbe4_unknown")
    site.root_key.unlink()
    said = call("show", number, "--site", site.root, *ASKED, "--yes")
    assert said.code == EXIT_USAGE
    assert said.out == b""
    assert _log(site) == []
    assert call("show", number, "--site", site.root).code == EXIT_CLEAN  # the rest needs no key


@pytest.mark.parametrize(("answer", "shown"), [("y\n", True), ("n\n", False), ("", False)])
def test_a_terminal_is_asked_and_is_not_obeyed_by_the_content(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, shown: bool
) -> None:
    import io

    site = new_site(tmp_path / "chu")
    feed(site, "a.csv", b"nom;prenom\nKERMADEC;\x1b[2J\x9b1mANNE\n")
    (row,) = _rows(site)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    said = call("show", row.record_id, "--site", site.root, *ASKED, terminal=True)
    assert said.code == (EXIT_CLEAN if shown else EXIT_USAGE)
    assert (b"KERMADEC" in said.out) is shown
    assert b"\x1b" not in said.out
    assert b"\x9b" not in said.out
    assert bool(_log(site)) is shown


# replay


def _staged(site: Site) -> Counter[str]:
    engine = zone_engine(site)
    found: Counter[str] = Counter()
    with engine.connect() as connection:
        for text in connection.scalars(
            sa.select(derivation.c.kinds).where(derivation.c.disposition == "staged")
        ):
            found.update(json.loads(text))
    engine.dispose()
    return found


@pytest.mark.integration
def test_an_unchanged_cause_quarantines_again(call: Call, site: Site) -> None:
    before, tables, staged = _reasons(call, site), hashes(site), _staged(site)
    number = _id(call, site, "zbe4_unknown")
    for words, count in (
        ((number,), 1), ((number,), 0), (("--reason", "event_not_mapped"), 2), (("--all",), 2),
        (("--all",), 0),
    ):  # fmt: skip
        said = call("replay", *words, "--site", site.root, "--json")
        assert said.code == EXIT_CLEAN
        assert said.lines == [{"replayed": count, "files": 0, "cut": 0}]
    counts = _counts(site)
    assert (counts.pending, counts.quarantined) == (4, 1)  # the gate's stays out of the release
    assert travel(site).exit_code == EXIT_QUARANTINED
    assert _reasons(call, site) == before
    assert hashes(site) == tables
    assert _staged(site) == staged


@pytest.mark.integration
def test_a_record_goes_on_when_its_cause_is_gone(call: Call, site: Site) -> None:
    """A former reader took a diagnosis for truncated; no run asks again until replay says so."""
    tables = hashes(site)
    engine = zone_engine(site)
    with write_transaction(engine) as connection:
        connection.execute(
            sa.update(registration)
            .where(registration.c.event == "BAR^P01")
            .values(disposition="quarantined", reason="truncated")
        )
    engine.dispose()
    for _ in range(2):
        travel(site)
        assert _reasons(call, site)["truncated"] == 1
        assert query(site, "SELECT count(*) FROM condition_occurrence") == [(0,)]
    said = call("replay", "--reason", "truncated", "--site", site.root, "--json")
    assert said.lines == [{"replayed": 1, "files": 0, "cut": 0}]
    travel(site)
    assert _reasons(call, site)["truncated"] == 0
    assert hashes(site) == tables


def test_replay_of_what_is_not_there_exits_2(call: Call, site: Site) -> None:
    for words in ((), ("--all", "--reason", "zbe4_unknown"), (1, "--all"), ("--reason", "zbe")):
        assert call("replay", *words, "--site", site.root).code == EXIT_USAGE
    assert call("replay", 999, "--site", site.root).code == EXIT_USAGE
    number = _id(call, site, "zbe4_unknown")
    engine = zone_engine(site)
    Ledger(engine, keyring(site)).erase(number)
    engine.dispose()
    erased = call("replay", number, "--site", site.root)
    assert erased.code == EXIT_USAGE
    assert "erased" in erased.err
    published = next(row.record_id for row in _rows(site))
    said = call("replay", published, "--site", site.root, "--json")
    assert said.lines == [{"replayed": 0, "files": 0, "cut": 0}]


def test_replay_waits_for_a_run_and_for_an_ingest(call: Call, site: Site) -> None:
    with site_lock(site):
        assert call("replay", "--all", "--site", site.root).code == EXIT_USAGE
    with SegmentWriter(site.segments, keyring(site)):
        assert call("replay", "--all", "--site", site.root).code == EXIT_USAGE
    assert sum(_reasons(call, site).values()) == 5


# replay of files that landing could not cut


def _land_uncut(site: Site, content: bytes, format_: str, times: int = 1) -> int:
    """As landing kept a file before it could read its format: one record with a fault."""
    engine, fault = zone_engine(site), RecordFault(NOT_SUPPORTED)
    create_tables(engine)
    check_keyring(engine, keyring(site))
    ledger = Ledger(engine, keyring(site))
    with (
        SegmentWriter(site.segments, keyring(site)) as segments,
        write_transaction(engine) as connection,
    ):
        arrivals = [Arrival(content, format_, fault=fault)] * times
        ledger.add(connection, "adt", arrivals, segments, RECEIVED)
        segments.sync()
    number = [row.record_id for row in ledger.records()][-1]
    engine.dispose()
    return number


def _contents(site: Site) -> Iterator[tuple[bytes, dt.datetime, str | None]]:
    with SegmentReader(site.segments, keyring(site)) as reader:
        for row in _rows(site):
            if row.wrapped_key is not None:
                yield reader.read(row), row.received_at, row.fault_reason


def test_a_whole_file_becomes_its_records(call: Call, tmp_path: Path) -> None:
    site = new_site(tmp_path / "chu")
    number = _land_uncut(site, GOOD + GOOD, "hl7v2", times=3)
    said = call("replay", "--reason", NOT_SUPPORTED, "--site", site.root, "--json")
    assert said.lines == [{"replayed": 1, "files": 1, "cut": 4}]
    first, second = GOOD.split(b"\rMSH")
    wanted = {(first, RECEIVED, None), (b"MSH" + second.rstrip(b"\r"), RECEIVED, None)}
    assert set(_contents(site)) == wanted
    counts = _counts(site)
    assert (counts.received, counts.duplicates, counts.pending) == (7, 4, 3)
    again = call("replay", "--all", "--site", site.root, "--json")
    assert again.lines == [{"replayed": 0, "files": 0, "cut": 0}]
    assert call("replay", number, "--site", site.root).code == EXIT_CLEAN


@pytest.mark.integration
def test_a_replayed_file_is_excluded_by_name_and_stays_so(call: Call, tmp_path: Path) -> None:
    site = new_site(tmp_path / "chu")
    number = _land_uncut(site, GOOD, "hl7v2")
    assert travel(site).exit_code == EXIT_QUARANTINED
    assert call("replay", "--all", "--site", site.root).code == EXIT_CLEAN
    assert travel(site).exit_code == EXIT_CLEAN
    counts = _counts(site)
    assert (counts.received, counts.published, counts.excluded) == (3, 2, 1)
    story = call("show", number, "--site", site.root, "--json").lines[0]
    assert (story["status"], story["reason"]) == ("excluded", "replayed_as_records")
    path = tmp_path / "again.hl7"
    path.write_bytes(GOOD)
    report = ingest(site, keyring(site), [path], "adt")
    assert (report.received, report.duplicates) == (2, 2)
    (site.root / "site.yaml").write_text(  # other rules: everything is registered anew
        (site.root / "site.yaml").read_text().replace("Europe/Paris", "Europe/Brussels")
    )
    assert travel(Site.open(site.root)).exit_code == EXIT_CLEAN
    after = _counts(site)
    assert (after.received, after.duplicates, after.published, after.excluded) == (5, 2, 2, 1)
    direct = new_site(tmp_path / "direct")
    (direct.root / "site.yaml").write_bytes((site.root / "site.yaml").read_bytes())
    direct = Site.open(direct.root)
    feed(direct, "good.hl7", GOOD)
    travel(direct)
    assert hashes(direct) == hashes(site)


def test_lines_of_a_fhir_export_become_records(call: Call, tmp_path: Path) -> None:
    """One bad line loses only that line."""
    site = new_site(tmp_path / "chu")
    lines = [b'{"resourceType":"Patient","id":"%d"}' % number for number in range(3)]
    _land_uncut(site, b"\n".join([*lines, lines[0], b'{"resourceType":"Pa']) + b"\n", "fhir")
    said = call("replay", "--all", "--site", site.root, "--json")
    assert said.lines == [{"replayed": 1, "files": 1, "cut": 5}]
    found = list(_contents(site))
    assert {content for content, _, fault in found if fault is None} >= set(lines)
    assert len(found) == 4
    assert {received for _, received, _ in found} == {RECEIVED}
    counts = _counts(site)
    assert (counts.received, counts.duplicates, counts.pending) == (6, 1, 5)


def test_a_document_kept_as_a_file_is_one_record(call: Call, tmp_path: Path) -> None:
    site = new_site(tmp_path / "chu")
    content = b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>'
    _land_uncut(site, content, "cda")
    said = call("replay", "--all", "--site", site.root, "--json")
    assert said.lines == [{"replayed": 1, "files": 0, "cut": 0}]
    assert list(_contents(site)) == [(content, RECEIVED, None)]
    assert _rows(site)[0].format == "cda"


def test_a_file_that_is_one_record_keeps_its_line(call: Call, tmp_path: Path) -> None:
    site = new_site(tmp_path / "chu")
    one = DOOR.rstrip(b"\r")
    number = _land_uncut(site, one, "hl7v2", times=2)
    said = call("replay", number, "--site", site.root, "--json")
    assert said.lines == [{"replayed": 1, "files": 0, "cut": 0}]
    assert list(_contents(site)) == [(one, RECEIVED, None)]
    counts = _counts(site)
    assert (counts.received, counts.duplicates, counts.pending) == (2, 1, 1)


def test_what_still_cannot_be_read_stays(call: Call, tmp_path: Path) -> None:
    site = new_site(tmp_path / "chu")
    _land_uncut(site, TABLE, "table")
    said = call("replay", "--all", "--site", site.root, "--json")
    assert said.lines == [{"replayed": 0, "files": 0, "cut": 0}]
    assert list(_contents(site)) == [(TABLE, RECEIVED, NOT_SUPPORTED)]


def test_a_kill_while_cutting_leaves_the_file_as_it_was(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = new_site(tmp_path / "chu")
    _land_uncut(site, GOOD, "hl7v2")
    with monkeypatch.context() as patch:
        patch.setattr(SegmentWriter, "sync", _killed)
        assert call("replay", "--all", "--site", site.root).code == 130
    assert list(_contents(site)) == [(GOOD, RECEIVED, NOT_SUPPORTED)]
    assert _counts(site).received == 1
    said = call("replay", "--all", "--site", site.root, "--json")
    assert said.lines == [{"replayed": 1, "files": 1, "cut": 2}]


def _killed(_: SegmentWriter) -> None:
    raise KeyboardInterrupt
