"""Ingest: files in, records counted, the same ledger however the feed was split."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from landing_strategies import batch, framed, messages

from entrepot.config import Site, SiteConfig, Source
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.landing import containers
from entrepot.landing import ingest as ingest_module
from entrepot.landing.database import zone_engine
from entrepot.landing.ingest import IngestReport, ingest
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import SegmentReader
from entrepot.landing.tables import Counts, Notice

pytestmark = pytest.mark.core

A = b"MSH|^~\\&|DPI|CH|EDS|EDS|20240101||ADT^A01|A|P|2.5\rPID|1||1^^^CH^PI"
B = b"MSH|^~\\&|DPI|CH|EDS|EDS|20240102||ADT^A02|B|P|2.5\rPID|1||1^^^CH^PI"
PACKINGS: list[Callable[[bytes], bytes]] = [framed, gzip.compress, lambda m: m + b"\r\n", bytes]


def deliveries(site: Site, keyring: Keyring) -> Counter[tuple[str, bytes]]:
    """What the ledger and the segments hold: how often each source sent each content."""
    engine = zone_engine(site)
    found: Counter[tuple[str, bytes]] = Counter()
    with SegmentReader(site.segments, keyring) as reader:
        for row in Ledger(engine, keyring).records():
            found[row.source, reader.read(row)] += row.deliveries
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("file", "report"),
    [
        ("11_two_messages_mllp.hl7", IngestReport(2, 0, 0, 1)),
        ("12_batch_FHS_BHS.hl7", IngestReport(2, 0, 0, 1)),
        ("13_batch_count_mismatch.hl7", IngestReport(1, 0, 0, 1)),
        ("16_empty.hl7", IngestReport(1, 0, 1, 1)),
        ("17_only_whitespace.hl7", IngestReport(1, 0, 1, 1)),
        ("18_no_msh.hl7", IngestReport(1, 0, 0, 1)),
        ("32_dup_msh10_same_payload.hl7", IngestReport(2, 1, 0, 1)),
        ("33_dup_msh10_other_payload.hl7", IngestReport(2, 0, 0, 1)),
        ("50_obx_corrected_deleted.hl7", IngestReport(3, 0, 0, 1)),
    ],
)
def test_malformed_samples(
    site: Site,
    keyring: Keyring,
    ledger: Ledger,
    hl7v2_samples: Path,
    file: str,
    report: IngestReport,
) -> None:
    assert ingest(site, keyring, [hl7v2_samples / "malformed" / file], "dpi") == report
    rows = list(ledger.records())
    assert {row.format for row in rows} == {"hl7v2"}
    faults = {row.fault_reason for row in rows}
    assert faults == ({"empty_file"} if report.faulty else {None})
    notices = list(ledger.notices())
    mismatch = Notice(rows[0].record_id, "landing", "batch_count_mismatch", "BTS-1")
    assert notices == ([mismatch] if file.startswith("13") else [])


def test_all_samples_land_and_the_equation_holds(
    site: Site, keyring: Keyring, ledger: Ledger, reader: SegmentReader, hl7v2_samples: Path
) -> None:
    files = [f for f in hl7v2_samples.rglob("*") if f.is_file() and not f.name.startswith(".")]
    files = [f for f in files if f.suffix != ".json"]  # what a peer made of them
    more = {"messages.txt": 18, "example_oml_o21.hl7": 12, "50_obx_corrected_deleted.hl7": 2}
    more |= dict.fromkeys(
        (f.name for f in files if f.name[:3] in {"11_", "12_", "32_", "33_", "45_"}), 1
    )
    report = ingest(site, keyring, files, "dpi")
    assert report.containers == len(files)
    assert report.received == len(files) + sum(more.values())
    rows = list(ledger.records())
    assert ledger.counts() == {"dpi": Counts(report.received, report.duplicates)}
    assert len(rows) == report.received - report.duplicates
    # every file of one message is there, byte for byte but for its framing
    landed = {hashlib.sha256(reader.read(row).strip(b"\r\n")).digest() for row in rows}
    single = [f for f in files if f.name not in more and f.name[:3] not in {"13_"}]
    for file in single:
        content = file.read_bytes().removeprefix(b"\xef\xbb\xbf").strip(b"\x0b\x1c\r\n")
        assert hashlib.sha256(content).digest() in landed, file.name


def test_the_large_sample_lands_whole(
    site: Site,
    keyring: Keyring,
    inbox: Path,
    hl7v2_samples: Path,
    reader: SegmentReader,
    ledger: Ledger,
) -> None:
    head = (hl7v2_samples / "malformed" / "24_20000_obx.hl7").read_bytes().split(b"\r")[:3]
    obx = b"OBX|1|ED|11502-2^CR^LN||^TEXT^XML^Base64^" + b"QUJD" * 3_000_000 + b"||||||F"
    message = b"\r".join([*head, obx])
    (inbox / "huge.hl7").write_bytes(message + b"\r")
    assert ingest(site, keyring, [inbox], "dpi") == IngestReport(1, 0, 0, 1)
    (row,) = ledger.records()
    assert reader.read(row) == message


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=15,
)
@given(st.lists(messages(), min_size=1, max_size=8), st.data())
def test_one_ingest_or_many_however_packed_give_the_same_ledger(
    tmp_path_factory: pytest.TempPathFactory,
    keyring: Keyring,
    content: list[bytes],
    data: st.DataObject,
) -> None:
    config = SiteConfig(sources={"dpi": Source()})
    folder = tmp_path_factory.mktemp("split")
    once, often = Site(folder / "once", config), Site(folder / "often", config)
    file = folder / "all.hl7"
    file.write_bytes(batch(content))
    ingest(once, keyring, [file], "dpi")
    for message in data.draw(st.permutations(content)):
        pack = data.draw(st.sampled_from(PACKINGS))
        (folder / "one").write_bytes(pack(message))
        ingest(often, keyring, [folder / "one"], "dpi")
    assert deliveries(once, keyring) == deliveries(often, keyring)
    assert deliveries(once, keyring) == Counter(("dpi", message) for message in content)


def test_the_same_content_of_two_sources_is_two_records(
    site: Site, keyring: Keyring, inbox: Path
) -> None:
    (inbox / "a.hl7").write_bytes(A)
    for source in ("dpi", "labo", "dpi"):
        ingest(site, keyring, [inbox], source)
    assert deliveries(site, keyring) == {("dpi", A): 2, ("labo", A): 1}


def test_a_damaged_archive_is_one_record_and_the_rest_goes_on(
    site: Site, keyring: Keyring, inbox: Path, ledger: Ledger
) -> None:
    packed = gzip.compress(A + b"\r" + B)
    (inbox / "1.hl7.gz").write_bytes(packed[:-1])
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a", A)
        archive.writestr("b", B)
    damaged = zipped.getvalue().replace(b"A02|B|", b"A02|X|")
    (inbox / "2.zip").write_bytes(damaged)
    assert ingest(site, keyring, [inbox], "dpi") == IngestReport(3, 0, 2, 3)
    found = deliveries(site, keyring)
    assert found["dpi", packed[:-1]] == 1
    assert found["dpi", A] == 1
    faults = [(row.fault_reason, row.fault_position) for row in ledger.records()]
    unreadable = "container_unreadable"
    assert faults == [(unreadable, ""), (None, None), (unreadable, "member 2")]


def test_what_a_damaged_archive_gave_before_its_damage_is_withdrawn(
    site: Site, keyring: Keyring, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "BATCH_RECORDS", 10)
    monkeypatch.setattr(containers, "CHUNK_BYTES", 4096)
    content = [A + b"\rNTE|%d" % number for number in range(2000)]
    packed = gzip.compress(b"\r".join(content))[:-4]
    (inbox / "feed.gz").write_bytes(packed)
    (inbox / "last.hl7").write_bytes(content[0])
    assert ingest(site, keyring, [inbox], "dpi") == IngestReport(2, 0, 1, 2)
    assert deliveries(site, keyring) == {("dpi", packed): 1, ("dpi", content[0]): 1}


@pytest.mark.parametrize(
    ("content", "format_", "expected"),
    [
        (b'{"resourceType":"Patient"}', None, ("fhir", None)),
        (b"<ClinicalDocument/>", None, ("cda", None)),
        (b"IPP;NDA\n1;2\n", None, ("table", "format_not_supported")),
        (b"words", None, ("hl7v2", None)),  # as the source declares; the parser refuses it
        (b"words", "cda", ("cda", None)),
        (b'{"resourceType":"Patient"}', "hl7v2", ("hl7v2", None)),
        (b" \n", "fhir", ("fhir", "empty_file")),
    ],
)
def test_the_format_is_sniffed_or_told_and_tables_wait_whole(
    site: Site,
    keyring: Keyring,
    inbox: Path,
    ledger: Ledger,
    content: bytes,
    format_: str | None,
    expected: tuple[str, str | None],
) -> None:
    (inbox / "file").write_bytes(content)
    ingest(site, keyring, [inbox], "dpi", format=format_)
    (row,) = ledger.records()
    assert (row.format, row.fault_reason) == expected
    assert deliveries(site, keyring) == {("dpi", content): 1}


def test_a_batch_is_entered_in_pieces(
    site: Site, keyring: Keyring, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "BATCH_RECORDS", 3)
    monkeypatch.setattr(ingest_module, "COMMIT_RECORDS", 5)
    content = [A + b"\rNTE|%d" % (number % 10) for number in range(25)]
    (inbox / "1.hl7").write_bytes(batch(content[:20]))
    for number, message in enumerate(content[20:], 2):
        (inbox / f"{number}.hl7").write_bytes(message)
    assert ingest(site, keyring, [inbox], "dpi") == IngestReport(25, 15, 0, 6)
    assert deliveries(site, keyring) == Counter(("dpi", message) for message in content)


@pytest.mark.parametrize(
    ("now", "received_at"),
    [
        (dt.datetime(2026, 11, 20, 10, 30), dt.datetime(2026, 11, 20, 10, 30)),
        (
            dt.datetime(2026, 11, 20, 10, 30, tzinfo=dt.timezone(dt.timedelta(hours=1))),
            dt.datetime(2026, 11, 20, 9, 30),
        ),
    ],
)
def test_the_time_of_receipt_is_utc(
    site: Site,
    keyring: Keyring,
    inbox: Path,
    ledger: Ledger,
    now: dt.datetime,
    received_at: dt.datetime,
) -> None:
    (inbox / "a.hl7").write_bytes(A)
    ingest(site, keyring, [inbox], "dpi", now=now)
    (row,) = ledger.records()
    assert row.received_at == received_at


def test_progress_ends_at_the_size_of_the_files(site: Site, keyring: Keyring, inbox: Path) -> None:
    (inbox / "a.hl7").write_bytes(A)
    (inbox / "b.gz").write_bytes(gzip.compress(B))
    size = sum(path.stat().st_size for path in inbox.iterdir())
    told: list[tuple[int, int]] = []
    ingest(site, keyring, [inbox], "dpi", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (size, size)
    assert told == sorted(told)


def test_a_refused_command_writes_nothing(site: Site, keyring: Keyring, inbox: Path) -> None:
    (inbox / "a.hl7").write_bytes(A)
    with pytest.raises(ConfigurationError, match="unknown source; known: dpi, labo"):
        ingest(site, keyring, [inbox], "pharmacie")
    with pytest.raises(ConfigurationError, match="unknown format"):
        ingest(site, keyring, [inbox], "dpi", format="pdf")
    with pytest.raises(ConfigurationError, match="does not exist"):
        ingest(site, keyring, [inbox, inbox / "missing"], "dpi")
    assert not site.identifying.exists()


def test_a_wrong_key_writes_nothing(
    site: Site, keyring: Keyring, inbox: Path, engine: sa.Engine
) -> None:
    (inbox / "a.hl7").write_bytes(A)
    ingest(site, keyring, [inbox], "dpi")
    (inbox / "a.hl7").write_bytes(B)
    with pytest.raises(ConfigurationError, match="wrong key"):
        ingest(site, Keyring(bytes(32)), [inbox], "dpi")
    assert deliveries(site, keyring) == {("dpi", A): 1}
