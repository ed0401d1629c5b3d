"""Dropped opposition files: each whole or not at all, and no name of a file is told."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa

from entrepot.config import Inbox, Oppositions, Site, SiteConfig
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.landing.database import zone_engine
from entrepot.register.opposition_inbox import import_inbox, require_inbox
from entrepot.register.tables import opposition

pytestmark = pytest.mark.core

KEYS = Keyring(bytes(range(32)))
HEAD = "authority,ipp,opposed_on,withdrawn_on\n"
LINE = "1.2.250.1.999.1,0091,2026-01-02,\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    drop = tmp_path / "drop"
    drop.mkdir()
    inbox = Inbox(folder=drop, quiet_seconds=0)
    return Site(tmp_path / "site", SiteConfig(oppositions=Oppositions(inbox=inbox)))


def _drop(tmp_path: Path, name: str, text: str | bytes) -> None:
    content = text.encode() if isinstance(text, str) else text
    (tmp_path / "drop" / name).write_bytes(content)


def _count(site: Site) -> int:
    engine = zone_engine(site)
    try:
        with engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(opposition)) or 0
    finally:
        engine.dispose()


def _waiting(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "drop").iterdir() if path.is_file())


def test_files_are_imported_and_put_away(site: Site, tmp_path: Path) -> None:
    assert import_inbox(site, KEYS) is None
    _drop(tmp_path, "a.csv", HEAD + LINE)
    _drop(tmp_path, "b.csv", HEAD + LINE.replace("0091", "0092") + LINE.replace("0091", "0093"))
    assert import_inbox(site, KEYS) == 3
    assert _count(site) == 3
    assert _waiting(tmp_path) == []


def test_no_run_while_the_desk_cannot_be_reached(site: Site, tmp_path: Path) -> None:
    require_inbox(site)
    (tmp_path / "drop").rmdir()
    with pytest.raises(ConfigurationError, match="is no folder"):
        require_inbox(site)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + LINE + LINE.replace("2026-01-02", "DUPONT"), "file 2 of 3, by name, line 3"),
        ("ipp,opposed_on\n0091,2026-01-02\n", "column authority is missing"),
        (HEAD.encode() + b"1.2.3,D\xe9sir\xe9,2026-01-02,\n", "not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_whole_and_stays_with_those_after_it(
    site: Site, tmp_path: Path, text: str | bytes, told: str
) -> None:
    _drop(tmp_path, "a.csv", HEAD + LINE)
    _drop(tmp_path, "dupont-marie.csv", text)
    _drop(tmp_path, "z.csv", HEAD + LINE.replace("0091", "0094"))
    with pytest.raises(ConfigurationError) as raised:
        import_inbox(site, KEYS)
    said = "".join(traceback.format_exception(raised.value)).lower()
    assert told.lower() in said
    assert "dupont" not in said
    assert _count(site) == 1
    assert _waiting(tmp_path) == ["dupont-marie.csv", "z.csv"]
