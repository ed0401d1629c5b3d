"""A source's inbox: whole files are landed once and put away, others are left alone."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa

from entrepot.config import Inbox, Site, SiteConfig, Source
from entrepot.errors import ConfigurationError, EntrepotError, SiteBusyError
from entrepot.keys import Keyring
from entrepot.landing import inbox as module
from entrepot.landing.inbox import DropFolder, inbox_sources, land_inbox
from entrepot.landing.segments import SegmentWriter
from entrepot.landing.tables import record

pytestmark = pytest.mark.core

NAME = "DUPONT_Marie_1790328.hl7"  # as some senders name their files
WHERE = "site.yaml: sources.dpi.inbox"


def _message(number: int) -> bytes:
    return f"MSH|^~\\&|A|B|C|D|20240301080000||ADT^A01|{number}|P|2.5\rPID|1||{number}\r".encode()


def _site(folder: Path, **inbox: object) -> Site:
    box = folder / "drop"
    box.mkdir(exist_ok=True)
    settings = Inbox.model_validate({"folder": box, "quiet_seconds": 0, **inbox})
    sources = {"dpi": Source(inbox=settings), "labo": Source()}
    return Site(folder / "site", SiteConfig(sources=sources))


def _drop(folder: Path, name: str, content: bytes) -> Path:
    path = folder / "drop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _names(folder: Path) -> set[str]:
    drop = folder / "drop"
    return {path.relative_to(drop).as_posix() for path in drop.rglob("*") if path.is_file()}


def test_files_are_landed_then_moved_to_done(tmp_path: Path, keyring: Keyring) -> None:
    site = _site(tmp_path)
    _drop(tmp_path, NAME, _message(1) + _message(2))
    _drop(tmp_path, "2024/03/b.hl7", _message(3))
    report = land_inbox(site, keyring, "dpi")
    assert report.as_dict() == {
        "files": 2, "left": 0, "received": 3, "duplicates": 0, "faulty": 0, "new": True,
    }  # fmt: skip
    assert _names(tmp_path) == {f"done/{NAME}", "done/2024/03/b.hl7"}
    assert land_inbox(site, keyring, "dpi").as_dict() == {
        "files": 0, "left": 0, "received": 0, "duplicates": 0, "faulty": 0, "new": False,
    }  # fmt: skip


def test_files_are_deleted_when_the_site_wants_it(tmp_path: Path, keyring: Keyring) -> None:
    site = _site(tmp_path, keep=False)
    _drop(tmp_path, NAME, _message(1))
    assert land_inbox(site, keyring, "dpi").received == 1
    assert _names(tmp_path) == set()


def test_a_name_used_again_keeps_both_files(tmp_path: Path, keyring: Keyring) -> None:
    site = _site(tmp_path)
    for number in (1, 2, 3):
        _drop(tmp_path, "export.hl7", _message(number))
        assert land_inbox(site, keyring, "dpi").received == 1
    done = {name: (tmp_path / "drop" / name).read_bytes() for name in _names(tmp_path)}
    assert done == {
        "done/export.hl7": _message(1),
        "done/export.hl7~2": _message(2),
        "done/export.hl7~3": _message(3),
    }


def test_what_was_known_already_is_nothing_new(tmp_path: Path, keyring: Keyring) -> None:
    site = _site(tmp_path)
    for name in ("a.hl7", "b.hl7"):
        _drop(tmp_path, name, _message(1))
        report = land_inbox(site, keyring, "dpi")
        assert report.new is (name == "a.hl7")
    assert (report.received, report.duplicates) == (1, 1)


@pytest.mark.parametrize(
    "name",
    ["x.hl7.part", "x.filepart", "x.hl7.TMP", ".x.hl7.Ab12Cd", ".rsync/x.hl7", "x.hl7.crdownload"],
)
def test_names_of_unfinished_transfers_are_left(
    tmp_path: Path, keyring: Keyring, name: str
) -> None:
    site = _site(tmp_path)
    _drop(tmp_path, name, _message(1))
    assert land_inbox(site, keyring, "dpi").files == 0
    assert _names(tmp_path) == {name}


def test_a_file_is_left_until_it_was_quiet(tmp_path: Path, keyring: Keyring) -> None:
    """The sender's clock does not count: `cp -p` gives a young file an old date."""
    site = _site(tmp_path, quiet_seconds=3600)
    path = _drop(tmp_path, NAME, _message(1))
    os.utime(path, (0, 0))
    assert land_inbox(site, keyring, "dpi").files == 0
    assert land_inbox(_site(tmp_path, quiet_seconds=0), keyring, "dpi").files == 1


def test_a_file_that_grows_while_it_is_read_stays_and_is_landed_again(
    tmp_path: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch, engine: sa.Engine
) -> None:
    site = _site(tmp_path)
    path = _drop(tmp_path, NAME, _message(1))
    whole = module.ingest

    def ingest_and_write(*arguments: object) -> object:
        report = whole(*arguments)  # type: ignore[arg-type]
        with path.open("ab") as file:
            file.write(_message(2))
        return report

    with monkeypatch.context() as patch:  # the sender writes at this very moment
        patch.setattr(module, "ingest", ingest_and_write)
        report = land_inbox(site, keyring, "dpi")
    assert (report.received, report.left) == (1, 1)
    assert _names(tmp_path) == {NAME}
    again = land_inbox(site, keyring, "dpi")
    assert (again.received, again.duplicates, again.left) == (2, 1, 0)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(record)) == 2


def test_a_look_that_was_killed_after_landing_still_tells_of_something_new(
    tmp_path: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = _site(tmp_path)
    _drop(tmp_path, NAME, _message(1))
    with monkeypatch.context() as patch:
        patch.setattr(DropFolder, "put_away", _killed)
        with pytest.raises(KeyboardInterrupt):
            land_inbox(site, keyring, "dpi")
    report = land_inbox(site, keyring, "dpi")
    assert (report.received, report.duplicates, report.new) == (1, 1, True)
    assert not land_inbox(site, keyring, "dpi").new


def _killed(*_: object) -> int:
    raise KeyboardInterrupt


def test_links_are_not_followed(tmp_path: Path, keyring: Keyring) -> None:
    site = _site(tmp_path)
    outside = tmp_path / "outside.hl7"
    outside.write_bytes(_message(1))
    (tmp_path / "drop" / "link.hl7").symlink_to(outside)
    os.mkfifo(tmp_path / "drop" / "pipe.hl7")
    assert land_inbox(site, keyring, "dpi").files == 0
    assert outside.exists()


def test_a_busy_landing_leaves_the_files(tmp_path: Path, keyring: Keyring) -> None:
    site = _site(tmp_path)
    _drop(tmp_path, NAME, _message(1))
    with SegmentWriter(site.segments, keyring), pytest.raises(SiteBusyError):
        land_inbox(site, keyring, "dpi")
    assert _names(tmp_path) == {NAME}
    assert land_inbox(site, keyring, "dpi").received == 1


@pytest.mark.parametrize("folder", ["site/identifying/in", "site/research/in", "site", "missing"])
def test_a_folder_that_cannot_be_an_inbox_is_refused(tmp_path: Path, folder: str) -> None:
    site = _site(tmp_path)
    if folder != "missing":
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(ConfigurationError, match=WHERE):
        DropFolder(site, Inbox(folder=tmp_path / folder), WHERE)


def test_a_source_without_inbox_is_refused(tmp_path: Path, keyring: Keyring) -> None:
    site = _site(tmp_path)
    assert inbox_sources(site) == ["dpi"]
    for source in ("labo", "other"):
        with pytest.raises(ConfigurationError, match="has no inbox"):
            land_inbox(site, keyring, source)


def test_no_error_tells_a_file_name(tmp_path: Path, keyring: Keyring) -> None:
    site = _site(tmp_path)
    _drop(tmp_path, NAME, _message(1))
    (tmp_path / "drop" / "done").write_text("a file where the folder should be")
    with pytest.raises(EntrepotError, match="cannot be worked on") as raised:
        land_inbox(site, keyring, "dpi")
    assert "DUPONT" not in "".join(traceback.format_exception(raised.value))


def test_where_files_wait_does_not_make_the_door_derive_anew() -> None:
    """The door's fingerprint is made of this text."""
    assert repr(Source()) == repr(Source(inbox=Inbox(folder=Path("/srv/adt"))))
