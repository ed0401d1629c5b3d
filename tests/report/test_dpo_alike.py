"""k-anonymity and l-diversity in SQL against classes counted in Python."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from pathlib import Path

import duckdb
import pytest

from entrepot.errors import ConfigurationError
from entrepot.report.dpo.alike import read_spec, statement

pytestmark = pytest.mark.core
Person = tuple[int, int, int, int | None]


def _release(seed: int) -> tuple[duckdb.DuckDBPyConnection, list[Person], dict[int, set[int]]]:
    """Persons (id, sex, year, home or None) and their diagnoses; few values, so that many agree."""
    chance = random.Random(seed)
    persons: list[Person] = [
        (n, chance.choice((8507, 8532)), chance.randint(1950, 1954),
         chance.choice((None, 29, 35))) for n in range(120)
    ]  # fmt: skip
    borne = {n: {chance.randint(1, 6) for _ in range(chance.randint(0, 3))} for n in range(120)}
    connection = duckdb.connect()
    connection.execute(
        "CREATE TEMP TABLE risk_person (person_id INT, sex INT, birth_year INT, home INT)"
    )
    connection.executemany("INSERT INTO risk_person VALUES (?, ?, ?, ?)", persons)
    connection.execute("CREATE TEMP TABLE risk_diagnosis (person_id INT, concept INT)")
    rows = [(n, concept) for n, concepts in borne.items() for concept in concepts]
    connection.executemany("INSERT INTO risk_diagnosis VALUES (?, ?)", rows)
    return connection, persons, borne


@pytest.mark.parametrize("seed", range(5))
def test_classes_and_their_diagnoses(seed: int) -> None:
    connection, persons, borne = _release(seed)
    classes: dict[tuple[int | None, ...], list[int]] = defaultdict(list)
    for number, *known in persons:
        classes[tuple(known)].append(number)
    sizes = Counter(len(members) for members in classes.values())
    told = connection.execute(statement("classes", "sex, birth_year, home")).fetchall()
    assert told == [(size, count, size * count) for size, count in sorted(sizes.items())]
    wanted: Counter[tuple[int, int]] = Counter()
    for members in classes.values():
        if len(members) > 1:
            bearers = Counter(concept for one in members for concept in borne[one])
            most = max(bearers.values(), default=0)
            wanted[100 * most // len(members), len(bearers)] += len(members)
    rows = connection.execute(statement("diversity", "sex, birth_year, home")).fetchall()
    assert {(sure, kinds): count for sure, kinds, count in rows} == wanted
    assert sum(wanted.values()) + sizes[1] == len(persons)


def _spec(attribute: str, column: str, known: str, sureness: str) -> str:
    return (
        f"attributes: {{{attribute}: {column}}}\nlevels: {{one: {{attributes: [{known}]}}}}\n"
        f"sureness: [{sureness}]\n"
    )


def test_attributes_and_levels_are_data(tmp_path: Path) -> None:
    path = tmp_path / "quality" / "risk" / "attributes.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(_spec("race", "person.race_concept_id", "race", "100"), encoding="utf-8")
    assert list(read_spec((tmp_path,)).levels) == ["one"]
    for bad in (
        _spec("race", "person.race_concept_id", "sex", "100"),
        _spec("race", "'(SELECT 1)'", "race", "100"),
        _spec("race", "person.a", "race", "20, 50"),
    ):
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"attributes\.yaml"):
            read_spec((tmp_path,))
