"""Synthea27Nj, made by others and judged alone: nothing blocks, nor in samples of its persons.

What is odd in it is listed or told: twelve protein values in g/L under g/dL, SNOMED CT codes as
long as a NIR among short ones, quantities that are all zero.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from fault_bench import Bench
from synthea27nj import load_synthea

pytestmark = pytest.mark.integration

# Persons and their rows: everybody, and two thirds of them.
SAMPLES = {"all": "TRUE", "most": "hash(person_id) % 3 <> 0", "others": "hash(person_id) % 3 <> 1"}


def _sample(folder: Path, path: Path, persons: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA cdm")
        load_synthea(connection, folder, "cdm", persons)
    return path


@pytest.mark.parametrize("persons", SAMPLES)
def test_synthea27nj_alone_does_not_block(
    dqd_reference: Path, tmp_path: Path, persons: str
) -> None:
    path = _sample(dqd_reference, tmp_path / "sample.duckdb", SAMPLES[persons])
    judgement = Bench(path).judged(path, alone=True)
    assert [one.check_id for one in judgement.findings if one.blocks] == []


def test_a_sample_of_synthea27nj_after_the_whole_does_not_block(
    dqd_reference: Path, tmp_path: Path
) -> None:
    bench = Bench(_sample(dqd_reference, tmp_path / "whole.duckdb", SAMPLES["all"]))
    sample = _sample(dqd_reference, tmp_path / "sample.duckdb", SAMPLES["most"])
    judgement = bench.judged(sample)
    assert [one.check_id for one in judgement.findings if one.blocks] == []


def test_a_register_number_in_the_place_of_a_code_still_blocks(
    dqd_reference: Path, tmp_path: Path
) -> None:
    """A form no code of the vocabulary has: woman, May 1985, Paris."""
    path = _sample(dqd_reference, tmp_path / "sample.duckdb", SAMPLES["all"])
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "UPDATE cdm.condition_occurrence SET condition_source_value = '2850575113001'"
            " WHERE condition_occurrence_id % 5 = 0"
        )
    judgement = Bench(path).judged(path, alone=True)
    assert any("nir_as_code" in one.check_id for one in judgement.findings if one.blocks)
