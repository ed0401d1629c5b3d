"""The zone's database: its settings, its key, and its silence about values."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from entrepot.config import Site, SiteConfig
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import Keyring
from entrepot.landing import tables  # noqa: F401 - registers the ledger's tables
from entrepot.landing.database import (
    check_keyring,
    create_tables,
    metadata,
    write_transaction,
    zone_engine,
    zone_setting,
)

pytestmark = pytest.mark.core


def test_sqlite_is_durable_and_forgets_what_is_deleted(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in (
                "journal_mode",
                "secure_delete",
                "foreign_keys",
                "synchronous",
                "busy_timeout",
            )
        }
    assert values == {
        "journal_mode": "wal",
        "secure_delete": 1,
        "foreign_keys": 1,
        "synchronous": 2,  # FULL
        "busy_timeout": 60_000,
    }


def test_files_are_the_owner_s_alone(site: Site) -> None:
    site.identifying.mkdir(parents=True)
    site.identifying.chmod(0o755)  # as another tool left it
    engine = zone_engine(site)
    create_tables(engine)
    assert stat.S_IMODE(site.identifying.stat().st_mode) == 0o700
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in site.identifying.iterdir()}
    assert found["zone.sqlite"] == 0o600
    assert set(found.values()) == {0o600}


def test_another_root_key_is_refused_and_nothing_changes(
    engine: sa.Engine, keyring: Keyring
) -> None:
    create_tables(engine)
    check_keyring(engine, keyring)
    check_keyring(engine, keyring)
    with pytest.raises(ConfigurationError, match="wrong key"):
        check_keyring(engine, Keyring(bytes(32)))
    with engine.connect() as connection:
        rows = connection.execute(sa.select(zone_setting)).all()
    assert [tuple(row) for row in rows] == [("key_fingerprint", keyring.fingerprint)]


@pytest.mark.parametrize(
    "url", ["nonsense", "unknowndb://host/x", "sqlite://", "sqlite:///:memory:"]
)
def test_an_unusable_url_is_a_configuration_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"site\.yaml: database"):
        zone_engine(Site(tmp_path, SiteConfig(database=url)))


def test_an_unreachable_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"this is no SQLite database, whatever its name says")
    engine = zone_engine(Site(tmp_path, SiteConfig(database=f"sqlite:///{tmp_path / 'file'}")))
    with pytest.raises(EntrepotError, match="SQLITE_NOTADB"):
        create_tables(engine)


def test_a_refused_row_is_not_told(engine: sa.Engine) -> None:
    create_tables(engine)
    row = {"key": "DUPONT", "value": "Jean"}
    with pytest.raises(sa.exc.IntegrityError) as untranslated, engine.begin() as connection:
        connection.execute(zone_setting.insert(), [row, row])
    assert "DUPONT" not in str(untranslated.value)
    with (
        pytest.raises(EntrepotError, match="SQLITE_CONSTRAINT") as raised,
        write_transaction(engine) as connection,
    ):
        connection.execute(zone_setting.insert(), [row, row])
    assert "DUPONT" not in str(raised.value)
    assert raised.value.__cause__ is None
    with engine.connect() as connection:
        assert connection.execute(sa.select(zone_setting)).all() == []


def test_two_writers_wait_for_each_other(site: Site, engine: sa.Engine) -> None:
    create_tables(engine)
    other = zone_engine(site)
    with other.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with write_transaction(engine) as connection:
        connection.execute(zone_setting.insert(), {"key": "a", "value": "1"})
        with pytest.raises(EntrepotError, match="SQLITE_BUSY"), write_transaction(other):
            pass
        with other.connect() as reader:  # a reader goes on, and sees the former state
            assert reader.execute(sa.select(zone_setting)).all() == []
    other.dispose()


def test_the_tables_are_postgresql_s_too() -> None:
    dialect = sa.make_url("postgresql://").get_dialect()()
    ddl = {
        table.name: str(CreateTable(table).compile(dialect=dialect))
        for table in metadata.sorted_tables
    }
    assert "record_id BIGSERIAL NOT NULL" in ddl["record"]
    assert "wrapped_key BYTEA NOT NULL" in ddl["data_key"]
