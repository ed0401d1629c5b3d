"""Faults by another mind in a warehouse of other conventions; all of them: fault_rates.py."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import duckdb
import pytest
from fault_bench import Bench
from other_faults import put_fifth, put_single, read_faults
from other_hospital import Style, write_other

from entrepot.quality.checks import Action

pytestmark = pytest.mark.integration

CLEAN = Style(persons=200, ids="sparse", seed="s")
BEFORE = dataclasses.replace(CLEAN, until=dt.date(2025, 7, 31))
LOADS = {
    "three months later with a strike, a new unit and PMSI that has not come": (
        {"strike": True, "new_unit": True, "late_pmsi": True}, True),
    "other persons": ({"first": 90_000}, False),
    "fewer persons, no time of day": ({"skip": 3, "times": "none"}, True),
}  # fmt: skip
# One of each kind of rule that looks at the whole: without the release before.
FIFTHS = (
    "labs stop 90 days ago", "glucose mmol", "cut", "no observation period",
    "drug_exposure.quantity = 0", "drug_exposure.days_supply = -5", "drug_exposure.refills = 300",
    "emergency of 60 days",
)  # fmt: skip
# How sites record: Synthea writes 0 into every quantity, pharmacies 0 days for what is given once.
WAYS = {
    "quantity": "UPDATE cdm.drug_exposure SET quantity = 0",
    "days_supply": "UPDATE cdm.drug_exposure SET days_supply = 0 WHERE drug_exposure_id % 3 = 0",
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("other") / "clean.duckdb"
    write_other(path, CLEAN)
    return path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    path = tmp_path_factory.mktemp("other_before") / "before.duckdb"
    write_other(path, BEFORE)
    return Bench(path)


@pytest.mark.parametrize("load", LOADS)
def test_a_clean_load_of_other_conventions_passes(load: str, bench: Bench, tmp_path: Path) -> None:
    changes, alone = LOADS[load]
    write_other(tmp_path / "load.duckdb", dataclasses.replace(CLEAN, **changes))
    judgement = bench.judged(tmp_path / "load.duckdb", alone=alone)
    assert [one.check_id for one in judgement.findings if one.blocks] == []
    assert judgement.quarantine == ()


def test_a_changed_row_is_named(clean: Path, bench: Bench, tmp_path: Path) -> None:
    faults = [one for one in read_faults() if one.one_row and "ALTER" not in one.change][::2]
    wanted = put_single(clean, tmp_path / "faulty.duckdb", faults)
    told = bench.told(tmp_path / "faulty.duckdb", alone=True)
    missed = [name for name, rows in wanted.items() if not rows & told]
    assert len(wanted) > 100
    assert len(missed) <= 0.05 * len(wanted), missed


def test_a_text_in_an_integer_column_is_named(clean: Path, bench: Bench, tmp_path: Path) -> None:
    faults = [one for one in read_faults() if one.name == "text in drug_exposure.days_supply"]
    wanted = put_single(clean, tmp_path / "faulty.duckdb", faults)
    assert wanted[faults[0].name] <= bench.told(tmp_path / "faulty.duckdb", alone=True)


@pytest.mark.parametrize("name", FIFTHS)
def test_a_fifth_blocks_without_the_release_before(
    name: str, clean: Path, bench: Bench, tmp_path: Path
) -> None:
    fault = next(one for one in read_faults() if one.name == name)
    put_fifth(clean, tmp_path / "faulty.duckdb", fault)
    assert not bench.judged(tmp_path / "faulty.duckdb", alone=True).passed


@pytest.mark.parametrize("field", WAYS)
def test_how_a_site_records_is_told_and_does_not_block(
    field: str, clean: Path, bench: Bench, tmp_path: Path
) -> None:
    shutil.copy(clean, tmp_path / "load.duckdb")
    with duckdb.connect(str(tmp_path / "load.duckdb")) as connection:
        connection.execute(WAYS[field])
    judgement = bench.judged(tmp_path / "load.duckdb", alone=True)
    assert [one.check_id for one in judgement.findings if one.blocks] == []
    told = [one for one in judgement.findings if one.field == field and one.failed]
    assert [one.action for one in told] == [Action.WARN]
    assert all("own way" in one.reason for one in told)
