"""Deleted rows are gone from the database's raw files once it is written anew."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import sqlalchemy as sa

from entrepot.config import Site, SiteConfig
from entrepot.landing.database import create_tables, rebuild, write_transaction, zone_engine
from entrepot.register import store, tables

pytestmark = pytest.mark.core

assert store is not None  # importing adds the ledger's tables, to which the register's refer

ROWS = 600


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site", SiteConfig())


def _left(site: Site, payloads: list[bytes]) -> int:
    """How many payloads stand in the database's files, by any 24 bytes of their middle."""
    raw = b"".join(path.read_bytes() for path in site.identifying.glob("zone.sqlite*"))
    return sum(payload[100:124] in raw for payload in payloads)


def _fill(engine: sa.Engine) -> list[bytes]:
    """Rows of many sizes in no order, so that pages are split and cells are moved; half go."""
    chance = random.Random(7)
    rows = [
        {"subject": chance.randbytes(32), "digest": chance.randbytes(32),
         "sealed": chance.randbytes(chance.randint(200, 3000))}
        for _ in range(ROWS)
    ]  # fmt: skip
    with write_transaction(engine) as connection:
        connection.execute(sa.insert(tables.identity), rows)
    gone = rows[::2]
    with write_transaction(engine) as connection:
        for row in rows[1::2]:  # what stays grows, and moves over pages of what goes
            longer = row["sealed"] + chance.randbytes(900)
            this = tables.identity.c.subject == row["subject"]
            connection.execute(sa.update(tables.identity).where(this).values(sealed=longer))
    with write_transaction(engine) as connection:
        for row in gone:
            this = tables.identity.c.subject == row["subject"]
            connection.execute(sa.delete(tables.identity).where(this))
    return [row["sealed"] for row in gone]


def test_nothing_of_deleted_rows_is_left_once_it_is_written_anew(site: Site) -> None:
    engine = zone_engine(site)
    try:
        create_tables(engine)
        gone = _fill(engine)
        assert _left(site, gone) > 0  # the journal at least: else this would prove nothing
        rebuild(engine)
        assert _left(site, gone) == 0
        with engine.connect() as connection:
            assert (
                connection.scalar(sa.select(sa.func.count()).select_from(tables.identity))
                == ROWS // 2
            )
    finally:
        engine.dispose()
