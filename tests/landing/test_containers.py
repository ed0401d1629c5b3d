"""Containers: what gzip, zip and folders hold, and what happens when they are damaged."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from landing_strategies import Told, told

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError, RecordFault
from entrepot.landing import arrival as arrivals
from entrepot.landing import containers
from entrepot.landing.containers import open_containers
from entrepot.landing.inputs import check_paths, files

pytestmark = pytest.mark.core

MESSAGE = b"MSH|^~\\&|DPI|CH|EDS|EDS|20240101||ADT^A01|A|P|2.5\rPID|1\r"
UNREADABLE, TOO_LARGE = "container_unreadable", "container_too_large"
Outcome = tuple[bytes, Told | None]


def outcomes(paths: Sequence[Path]) -> list[Outcome]:
    """Each container's content, or its raw bytes and the fault."""
    found: list[Outcome] = []
    for container in open_containers(paths):
        fault = container.fault
        try:
            content = b"".join(container.chunks()) if fault is None else b""
        except RecordFault as raised:
            fault = raised
        kept = content if fault is None else b"".join(container.raw())
        found.append((kept, told(fault)))
    return found


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_folders_are_walked_sorted_without_hidden_files(inbox: Path) -> None:
    for name in ("b.hl7", "a.hl7", ".hidden", "sub/c.hl7", "sub/.git/d.hl7"):
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_bytes(name.encode())
    (inbox / "loop").symlink_to(inbox)
    names = [path.relative_to(inbox).as_posix() for path in files([inbox])]
    assert names == ["a.hl7", "b.hl7", "sub/c.hl7"]
    assert list(files([inbox / ".hidden"])) == [inbox / ".hidden"]


def test_gzip_of_several_members_is_one_stream(inbox: Path) -> None:
    path = written(inbox, "feed.gz", gzip.compress(MESSAGE) + gzip.compress(MESSAGE))
    assert outcomes([path]) == [(MESSAGE * 2, None)]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_zip_gives_its_members_in_order(inbox: Path, method: int) -> None:
    members = {"b.hl7": b"MSH|^~\\&|b", "a.hl7": b"MSH|^~\\&|a", ".hidden": b"x", "empty/": b""}
    path = written(inbox, "feed.zip", zipped(members, method))
    assert outcomes([path]) == [(b"MSH|^~\\&|b", None), (b"MSH|^~\\&|a", None)]


def test_packed_content_is_known_by_its_bytes_not_its_name(inbox: Path) -> None:
    path = written(inbox, "feed.hl7", gzip.compress(MESSAGE))
    misnamed = written(inbox, "plain.gz", MESSAGE)
    assert outcomes([path, misnamed]) == [(MESSAGE, None), (MESSAGE, None)]


def test_nested_archives_are_opened_to_the_third_level(inbox: Path) -> None:
    inner = zipped({"feed.hl7.gz": gzip.compress(MESSAGE)})
    three = written(inbox, "three.zip", zipped({"inner.zip": inner}))
    assert outcomes([three]) == [(MESSAGE, None)]
    four = written(inbox, "four.zip", zipped({"inner.zip": zipped({"x.zip": inner})}))
    ((_, fault),) = outcomes([four])
    assert fault == (TOO_LARGE, "member 1 member 1 member 1")


@pytest.mark.parametrize("cut", [1, 10, 30, 60])
def test_a_truncated_gzip_keeps_its_packed_bytes(inbox: Path, cut: int) -> None:
    packed = gzip.compress(MESSAGE)[:-cut] if cut < 60 else b"\x1f"
    assert outcomes([written(inbox, "feed.gz", packed)]) == [(packed, (UNREADABLE, ""))]


def test_a_wrong_checksum_is_unreadable(inbox: Path) -> None:
    packed = bytearray(gzip.compress(MESSAGE))
    packed[-6] ^= 1
    path = written(inbox, "feed.gz", bytes(packed))
    assert outcomes([path]) == [(bytes(packed), (UNREADABLE, ""))]


def test_one_damaged_member_does_not_hide_the_others(inbox: Path) -> None:
    packed = bytearray(
        zipped({"a": MESSAGE, "b": MESSAGE + b"x", "c": MESSAGE}, zipfile.ZIP_STORED)
    )
    packed[packed.index(MESSAGE + b"x") + 3] ^= 1
    good, damaged, last = outcomes([written(inbox, "feed.zip", bytes(packed))])
    assert (good, last) == ((MESSAGE, None), (MESSAGE, None))
    assert damaged[1] == (UNREADABLE, "member 2")
    assert damaged[0].startswith(b"PK\x03\x04")
    assert damaged[0] in bytes(packed)
    assert MESSAGE[10:] in damaged[0]


def test_a_member_with_a_password_is_unreadable(inbox: Path) -> None:
    packed = bytearray(zipped({"a": MESSAGE}, zipfile.ZIP_STORED))
    packed[6] |= 1  # general purpose flag, bit 0: encrypted (APPNOTE 4.4.4)
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    ((_, fault),) = outcomes([written(inbox, "feed.zip", bytes(packed))])
    assert fault == (UNREADABLE, "member 1")


def test_a_zip_without_directory_is_one_unreadable_record(inbox: Path) -> None:
    packed = zipped({"a": MESSAGE})[:-30]
    path = written(inbox, "feed.zip", packed)
    assert outcomes([path]) == [(packed, (UNREADABLE, ""))]


def test_an_empty_zip_is_an_empty_file(inbox: Path) -> None:
    path = written(inbox, "feed.zip", zipped({}))
    assert outcomes([path]) == [(path.read_bytes(), ("empty_file", ""))]


def test_a_zip_that_announces_too_much_is_not_opened(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "RATIO_FLOOR_BYTES", 1000)
    path = written(inbox, "bomb.zip", zipped({"a": MESSAGE, "zeros": bytes(1 << 20)}))
    assert outcomes([path]) == [(path.read_bytes(), (TOO_LARGE, ""))]


def test_a_gzip_bomb_stops_at_the_ratio(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "RATIO_FLOOR_BYTES", 1000)
    packed = gzip.compress(bytes(8 << 20))
    opened = open_containers([written(inbox, "bomb.gz", packed)])
    container = next(opened)
    read: list[int] = []
    with pytest.raises(RecordFault, match=TOO_LARGE):
        read.extend(len(chunk) for chunk in container.chunks())
    assert 0 < sum(read) <= 200 * len(packed)
    assert b"".join(container.raw()) == packed


def test_many_small_bombs_in_one_zip_share_one_budget(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "RATIO_FLOOR_BYTES", 3 << 20)
    bomb = gzip.compress(bytes(1 << 20))
    path = written(inbox, "bombs.zip", zipped({f"{i}.gz": bomb for i in range(1000)}))
    monkeypatch.setattr(containers, "MAX_CONTAINER_BYTES", 3 << 20)
    found = outcomes([path])
    assert [fault for _, fault in found[:3]] == [None] * 3
    assert found[3][1] == (TOO_LARGE, "member 4")
    assert found[4:] == [(path.read_bytes(), (TOO_LARGE, ""))]


def test_an_archive_in_an_archive_is_limited_by_memory(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MAX_RECORD_BYTES", 100)
    path = written(inbox, "feed.zip", zipped({"inner.zip": zipped({"a": MESSAGE})}))
    ((_, fault),) = outcomes([path])
    assert fault == (TOO_LARGE, "member 1")


PACKED = [gzip.compress(MESSAGE * 3), zipped({"a.hl7": MESSAGE, "b.gz": gzip.compress(MESSAGE)})]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(st.sampled_from(PACKED), st.lists(st.tuples(st.integers(0, 9999), st.integers(1, 255))))
def test_damage_is_a_fault_and_never_an_exception(
    tmp_path: Path, packed: bytes, damage: list[tuple[int, int]]
) -> None:
    damaged = bytearray(packed)
    for position, change in damage:
        damaged[position % len(damaged)] ^= change
    found = outcomes([written(tmp_path, "feed.bin", bytes(damaged))])
    assert found
    assert all(
        fault is None or fault[0] in {UNREADABLE, TOO_LARGE, "empty_file"} for _, fault in found
    )


def test_paths_are_checked_and_named_by_ordinal(inbox: Path, site: Site) -> None:
    path = written(inbox, "ok.hl7", MESSAGE)
    assert check_paths([inbox, path], site.identifying) == 2 * len(MESSAGE)
    with pytest.raises(ConfigurationError, match=r"does not exist \[path 2 of 2\]") as raised:
        check_paths([path, inbox / "DUPONT_Jean.hl7"], site.identifying)
    assert "DUPONT" not in str(raised.value)


def test_the_zone_itself_is_never_ingested(inbox: Path, site: Site) -> None:
    site.identifying.mkdir(parents=True)
    for path in (site.root, site.identifying):
        with pytest.raises(ConfigurationError, match="identifying zone"):
            check_paths([path], site.identifying)


def test_a_file_that_vanishes_is_a_clear_error_without_its_name(inbox: Path) -> None:
    path = written(inbox, "DUPONT.hl7", MESSAGE)
    opened = open_containers([path, inbox / "MARTIN.hl7"])
    next(opened)
    with pytest.raises(EntrepotError, match="No such file") as raised:
        next(opened)
    assert "MARTIN" not in str(raised.value)


def test_bytes_read_grow_to_the_size_on_disk(inbox: Path) -> None:
    first = written(inbox, "a.hl7", MESSAGE * 100_000)
    second = written(inbox, "b.gz", gzip.compress(MESSAGE))
    told: list[int] = []
    for container in open_containers([first, second], told.append):
        for _ in container.chunks():
            pass
    assert told == sorted(told)
    assert told[-1] == first.stat().st_size + second.stat().st_size
    assert len(set(told)) > 4
