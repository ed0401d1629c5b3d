"""The history of results: what is kept of each load, how long, and what it never changes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from entrepot.errors import ConfigurationError
from entrepot.quality.history import (
    COLUMNS,
    JudgedLoad,
    Kept,
    carry_file,
    carry_history,
    load_kept,
    name_release,
)
from entrepot.quality.past import history_of_file, history_of_release
from entrepot.quality.results import ResultLine, Status, applicable

pytestmark = pytest.mark.core

DAY = dt.datetime(2024, 1, 1)


def line(check_id: str, violated: int, status: Status = Status.PASSED) -> ResultLine:
    return ResultLine(check_id, "person", "", "conformance", "fatal", "block", violated, 10, status)


def load(number: int, *lines: ResultLine, days: int | None = None) -> JudgedLoad:
    as_of = DAY + dt.timedelta(days=number if days is None else days)
    return JudgedLoad(f"inputs{number}", as_of, lines or (line("a", number),), "strict")


def test_each_load_is_kept_with_its_counts(tmp_path: Path) -> None:
    file = tmp_path / "history.parquet"
    for one in (load(1), load(2, line("a", 0), line("b", 3, Status.FAILED))):
        carry_file(file, one, Kept(recent=5, months=0))
    first, second = history_of_file(file, "strict")
    assert (first.number, first.load_id, first.as_of) == (1, "inputs1", DAY + dt.timedelta(1))
    assert second.counts == {("conformance", Status.PASSED): 1, ("conformance", Status.FAILED): 1}
    assert [(o.check_id, o.violated, o.status) for o in second.lines] == [
        ("a", 0, Status.PASSED), ("b", 3, Status.FAILED),
    ]  # fmt: skip
    assert history_of_file(file, "dqd") == []


def test_the_same_inputs_judged_again_are_one_load(tmp_path: Path) -> None:
    file = tmp_path / "history.parquet"
    for one in (load(1), load(2), load(2, line("a", 9))):
        carry_file(file, one, Kept(recent=5, months=0))
    loads = history_of_file(file, "strict")
    assert [one.load_id for one in loads] == ["inputs1", "inputs2"]
    assert loads[-1].lines[0].violated == 9


def test_a_history_is_bounded_and_keeps_the_last_load_of_older_months(tmp_path: Path) -> None:
    """Two loads a month for a year: the 4 newest, and of 6 months the last."""
    file = tmp_path / "history.parquet"
    for n in range(24):
        carry_file(file, load(n, days=n * 15), Kept(recent=4, months=6))
    days = [DAY + dt.timedelta(days=n * 15) for n in range(24)]
    newest = days[-4:]
    months = sorted({(day.year, day.month) for day in days})[-6:]
    last = {max(day for day in days if (day.year, day.month) == month) for month in months}
    found = [one.as_of for one in history_of_file(file, "strict")]
    assert found == sorted({*newest, *last})


def test_suites_are_bounded_apart(tmp_path: Path) -> None:
    file = tmp_path / "history.parquet"
    carry_file(file, JudgedLoad("x", DAY, (line("a", 1),), "dqd"), Kept(recent=2, months=0))
    for n in range(5):
        carry_file(file, load(n, days=0), Kept(recent=2, months=0))
    assert [one.load_id for one in history_of_file(file, "dqd")] == ["x"]
    assert [one.load_id for one in history_of_file(file, "strict")] == ["inputs3", "inputs4"]


@pytest.mark.parametrize("content", [b"no parquet", b""])
def test_a_file_that_is_no_history_is_refused_and_left_alone(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "history.parquet"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError):
        carry_file(file, load(1), load_kept())
    assert file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["history.parquet"]


def test_a_candidate_takes_the_history_of_the_release(tmp_path: Path) -> None:
    former = tmp_path / "warehouse.duckdb"
    gate = [JudgedLoad(f"load{n}", DAY + dt.timedelta(n), (line("a", n),)) for n in (1, 2, 3)]
    candidate(former, tmp_path / "none.duckdb", gate[0], "first")
    candidate(tmp_path / "second.duckdb", former, gate[1], "second")
    candidate(tmp_path / "third.duckdb", tmp_path / "second.duckdb", gate[2], "")
    loads = history_of_release(tmp_path / "third.duckdb")
    assert [(one.load_id, one.release_id, one.number) for one in loads] == [
        ("load1", "first", 1), ("load2", "second", 2), ("load3", "", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"damaged", None])
def test_a_release_without_a_history_begins_one(content: bytes | None, tmp_path: Path) -> None:
    former = tmp_path / "warehouse.duckdb"
    if content:
        former.write_bytes(content)
    else:
        with duckdb.connect(str(former)) as connection:
            connection.execute("CREATE SCHEMA cdm")
    assert history_of_release(former) == []
    candidate(tmp_path / "next.duckdb", former, JudgedLoad("x", DAY, (line("a", 1),)), "r")
    assert [one.load_id for one in history_of_release(tmp_path / "next.duckdb")] == ["x"]


def candidate(path: Path, former: Path, load: JudgedLoad, release: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA etl")
        carry_history(connection, former, load, load_kept())
        if release:
            name_release(connection, release)
        columns = connection.execute("DESCRIBE etl.metric_history").fetchall()
    assert {name: kind for name, kind, *_ in columns} == COLUMNS


def test_a_years_history_of_nightly_loads_stays_small(tmp_path: Path) -> None:
    """What is kept of a nightly load of 1,200 checks, in bytes a load."""
    file = tmp_path / "history.parquet"
    lines = [line(f"check.table_{n % 39}.field_{n}", n % 7) for n in range(1200)]
    for n in range(8):
        carry_file(file, load(n, *lines), load_kept())
    assert file.stat().st_size / 8 < 20_000
    kept = load_kept()
    assert (kept.recent + kept.months) * 20_000 < 5_000_000


def test_what_counts_of_one_feed_is_no_check() -> None:
    of_feed = ResultLine("r", "person", "", "", "", "", 1, 2, Status.PASSED, source="adt")
    skipped = line("b", 0, Status.NOT_APPLICABLE)
    assert applicable([line("a", 0), skipped, of_feed]) == [line("a", 0)]
