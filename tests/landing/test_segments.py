"""Segments: what is appended is read back, and nothing else ever is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.errors import EntrepotError, SiteBusyError
from entrepot.keys import Keyring
from entrepot.landing.segments import (
    ErasedRecordError,
    Location,
    SegmentReader,
    SegmentWriter,
)

pytestmark = pytest.mark.core

ADDRESS = bytes(range(32))
CANARY = b"CANARI-DUPONT-1790328"


class Row(NamedTuple):
    address: bytes
    segment: int
    offset: int
    length: int
    wrapped_key: bytes | None


def landed(
    folder: Path, keyring: Keyring, contents: list[bytes], limit: int = 1 << 20
) -> list[Row]:
    with SegmentWriter(folder, keyring, limit) as writer:
        rows = [Row(ADDRESS, *writer.append(content, ADDRESS)) for content in contents]
        writer.sync()
    return rows


@settings(deadline=None)
@given(st.lists(st.lists(st.binary(max_size=300), max_size=5), max_size=3), st.integers(1, 500))
def test_what_is_appended_is_read_back_over_sessions_and_segments(
    tmp_path_factory: pytest.TempPathFactory, sessions: list[list[bytes]], limit: int
) -> None:
    folder, keyring = tmp_path_factory.mktemp("landing"), Keyring(bytes(32))
    rows = [row for contents in sessions for row in landed(folder, keyring, contents, limit)]
    with SegmentReader(folder, keyring) as reader:
        assert [reader.read(row) for row in rows] == [c for contents in sessions for c in contents]
    for path in folder.glob("*.segment"):
        number = int(path.stem)
        lengths = [row.length for row in rows if row.segment == number]
        assert path.stat().st_size == sum(lengths)
        assert path.stat().st_size <= limit or len(lengths) == 1


def test_the_same_bytes_twice_have_other_keys_and_other_ciphertext(
    tmp_path: Path, keyring: Keyring
) -> None:
    first, second = landed(tmp_path, keyring, [CANARY, CANARY])
    data = (tmp_path / "00000001.segment").read_bytes()
    assert data[: first.length] != data[second.offset :]
    assert first.wrapped_key != second.wrapped_key
    assert CANARY not in data


def test_an_erased_record_is_not_read(tmp_path: Path, keyring: Keyring) -> None:
    (row,) = landed(tmp_path, keyring, [CANARY])
    with SegmentReader(tmp_path, keyring) as reader, pytest.raises(ErasedRecordError):
        reader.read(row._replace(wrapped_key=None))


@pytest.mark.parametrize("position", [0, 5, -1])
def test_an_altered_byte_is_told_with_its_place(
    tmp_path: Path, keyring: Keyring, position: int
) -> None:
    _, row = landed(tmp_path, keyring, [b"first", CANARY])
    path = tmp_path / "00000001.segment"
    data = bytearray(path.read_bytes())
    data[row.offset + position if position >= 0 else position] ^= 1
    path.write_bytes(data)
    with (
        SegmentReader(tmp_path, keyring) as reader,
        pytest.raises(EntrepotError, match=f"segment 1, offset {row.offset}") as raised,
    ):
        reader.read(row)
    assert "CANARI" not in str(raised.value)


def test_a_missing_or_short_segment_is_told(tmp_path: Path, keyring: Keyring) -> None:
    (row,) = landed(tmp_path, keyring, [CANARY])
    path = tmp_path / "00000001.segment"
    path.write_bytes(path.read_bytes()[:-1])
    reader = SegmentReader(tmp_path, keyring)
    with pytest.raises(EntrepotError, match=r"too short \[segment 1, offset 0\]"):
        reader.read(row)
    reader.close()
    path.unlink()
    with pytest.raises(EntrepotError, match=r"No such file.*\[segment 1, offset 0\]"):
        reader.read(row)


@pytest.mark.parametrize("change", ["key", "address", "swapped"])
def test_a_wrong_key_or_another_record_s_line_opens_nothing(
    tmp_path: Path, keyring: Keyring, change: str
) -> None:
    row, other = landed(tmp_path, keyring, [CANARY, CANARY])
    root = Keyring(bytes(32)) if change == "key" else keyring
    if change == "address":
        row = row._replace(address=bytes(32))
    elif change == "swapped":
        row = row._replace(wrapped_key=other.wrapped_key)
    with (
        SegmentReader(tmp_path, root) as reader,
        pytest.raises(EntrepotError, match="segment 1, offset 0") as raised,
    ):
        reader.read(row)
    assert "CANARI" not in str(raised.value)


def test_files_are_the_owner_s_alone(tmp_path: Path, keyring: Keyring) -> None:
    folder = tmp_path / "identifying" / "landing"
    landed(folder, keyring, [CANARY])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_second_writer_is_refused(tmp_path: Path, keyring: Keyring) -> None:
    with SegmentWriter(tmp_path, keyring), pytest.raises(SiteBusyError):
        SegmentWriter(tmp_path, keyring).__enter__()
    with SegmentWriter(tmp_path, keyring) as writer:
        assert isinstance(writer.append(b"after", ADDRESS), Location)
