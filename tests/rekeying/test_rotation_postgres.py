"""A rotation of a zone whose database is PostgreSQL, interrupted once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from entrepot.audit import verify
from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import site_keyring
from entrepot.landing.database import check_keyring, create_tables, zone_engine
from entrepot.landing.ingest import ingest
from entrepot.register.tables import erased_record, link, opposition
from entrepot.reidentification.tables import request
from entrepot.rekeying import resume, rotate, rotation
from entrepot.rekeying.tables import zone_tables
from entrepot.site_files import create_site
from postgres_server import any_server
from rekeying.zone_at_rest import DPO, PEOPLE, contents, rows
from roads import oppose

pytestmark = pytest.mark.integration
MESSAGES = b"".join(
    b"MSH|^~\\&|DPI|CHT|EDS|CHT|20240301080000||ADT^A01|%d|P|2.5\rPID|1||%d^^^CHT^PI\r" % (n, n)
    for n in range(700)
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with any_server() as server:
        made = create_site(tmp_path / "chu", demonstration=True)
        path = made.root / CONFIG_NAME
        text = path.read_text("utf-8")
        path.write_text(f"{text}{PEOPLE}database: {server.url()}\n", "utf-8")
        site = Site.open(made.root)
        (tmp_path / "a.hl7").write_bytes(MESSAGES)
        ingest(site, site_keyring(site), [tmp_path / "a.hl7"], "adt")
        listed = tmp_path / "oppositions.csv"
        listed.write_text(
            "authority,ipp,opposed_on,withdrawn_on\nCHT,5,2024-01-02,\nCHT,6,2024-01-03,\n"
        )
        oppose(site, listed)
        _add_sealed(site)
        yield site


def _add_sealed(site: Site) -> None:
    """What an erasure leaves (an opposition without its number, a link that keeps somebody out),
    and a request for re-identification."""
    zone_tables()
    keys, engine = site_keyring(site), zone_engine(site)
    create_tables(engine)
    hmac = keys.digest("identifier/v1", "CHT", "6")
    line: dict[str, object] = dict.fromkeys(("motive", "requester", "study", "signature"), "x")
    line |= dict.fromkeys(("requested_at", "until"), dt.datetime(2026, 1, 1))
    sealed = keys.seal("reidentification/v1", b"[17]", b"r1")
    with engine.begin() as connection:
        table = opposition
        connection.execute(update(table).where(table.c.identifier == hmac).values(sealed=b""))
        connection.execute(
            insert(request).values(**line, request_id="r1", persons=1, sealed=sealed)
        )
        connection.execute(insert(erased_record).values(record_id=1, sequence=1))
        for record_id in (1, 2):  # the second can be read again
            stated = {"record_id": record_id, "relation": "link", "version": "1"}
            other = keys.digest("identifier/v1", "CHT", "7")
            connection.execute(insert(link).values(**stated, left=hmac, right=other))
    engine.dispose()


def test_interrupted_and_resumed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old = site_keyring(site)
    landed = contents(site, old)

    def full(*_: object) -> None:
        raise EntrepotError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "rebuild", full)
        with pytest.raises(EntrepotError, match="disk is full"):
            rotate(site, DPO, "yearly", lambda *_: None)
    engine = zone_engine(site)
    with pytest.raises(ConfigurationError, match="rotate --resume"):
        check_keyring(engine, site_keyring(site))
    done = resume(site, lambda *_: None)
    new = site_keyring(site)
    check_keyring(engine, new)
    engine.dispose()
    assert (done.new, done.records) == (new.fingerprint, 700)
    assert contents(site, new) == landed
    assert verify(site, new).intact
    told = dict(rows(site, "SELECT identifier, sealed FROM opposition"))
    known = new.digest("identifier/v1", "CHT", "5")
    assert new.unseal("register/v1", told.pop(known), known) == b"CHT\x1f5"  # type: ignore[arg-type]
    assert told == {new.digests("identifier/v1", "CHT", "6")[1]: b""}
    assert old.digest("identifier/v1", "CHT", "6") not in told
    links = rows(site, 'SELECT record_id, "left", "right" FROM link')
    carried = [new.digests("identifier/v1", "CHT", number)[1] for number in ("6", "7")]
    assert links == [(1, *carried)]
    ((sealed,),) = rows(site, "SELECT sealed FROM reidentification_request")
    assert new.unseal("reidentification/v1", sealed, b"r1") == b"[17]"  # type: ignore[arg-type]
