"""Faults put into a clean warehouse: bulk ones block, single rows are told, clean loads pass."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from fault_bench import Bench, answered, apart, put
from faults_of_data import FAULTS, UNLISTED
from omop_hospital import Traits, write_hospital

pytestmark = pytest.mark.integration

BEFORE = Traits(until=dt.date(2025, 9, 30))
CLEAN = {
    "the same persons, three months later": Traits(),
    "other persons": Traits(first=5000),
    "fewer persons": Traits(persons=250),
    "a strike week, a new unit, PMSI not yet come": Traits(
        strike=True, new_unit=True, late_pmsi=True
    ),
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean") / "clean.duckdb"
    write_hospital(path, Traits())
    return path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    path = tmp_path_factory.mktemp("before") / "before.duckdb"
    write_hospital(path, BEFORE)
    return Bench(path)


@pytest.mark.parametrize("load", CLEAN)
def test_a_clean_load_passes_and_no_row_is_told(load: str, bench: Bench, tmp_path: Path) -> None:
    write_hospital(tmp_path / "load.duckdb", CLEAN[load])
    judgement = bench.judged(tmp_path / "load.duckdb")
    assert [one.check_id for one in judgement.findings if one.blocks] == []
    assert judgement.quarantine == ()


def test_single_rows_are_told(clean: Path, bench: Bench, tmp_path: Path) -> None:
    faults = [one for one in FAULTS if one.listed and one.name not in UNLISTED]
    wanted = put(clean, tmp_path / "faulty.duckdb", faults, bulk=False)
    told = bench.told(tmp_path / "faulty.duckdb")
    missed = [name for name, rows in wanted.items() if not set(rows) <= told]
    assert missed == []


@pytest.mark.parametrize("group", range(len(apart(FAULTS))))
def test_a_fifth_of_a_table_blocks(group: int, clean: Path, bench: Bench, tmp_path: Path) -> None:
    faults = apart(FAULTS)[group]
    put(clean, tmp_path / "faulty.duckdb", faults, bulk=True)
    judgement = bench.judged(tmp_path / "faulty.duckdb")
    assert [one.name for one in faults if not answered(judgement, one)] == []
