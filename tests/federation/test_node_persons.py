"""Whom no answer counts, and that nothing tells of them (T8); a log that cannot be cut (T12, T14).

The strongest form of T8: of two nodes with the same secrets, one has the data of the persons who
opposed and one never had them. Whatever is asked, both answer the same bytes.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from node_hospital import (
    KNOWN,
    PERSONS,
    STEWARD,
    Hospital,
    accepted,
    diabetes,
    new_hospital,
    query_for,
    release,
    sent,
    with_drug,
)

from entrepot.audit import Head, log_path, verify
from entrepot.cohorts import read_definition
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.federation.analyses import ANALYSIS, PathError, RegressionTurn, perform
from entrepot.federation.canonical import canonical
from entrepot.federation.disclosure import Asker, Guard, Ledger, person_set, read_policy
from entrepot.federation.envelopes import AnswerEnvelope, LogHead, read_envelope
from entrepot.federation.node.answering import answer_due
from entrepot.federation.node.exclusions import exclusions
from entrepot.federation.node.intake import receive
from entrepot.federation.node.outbox import leaving, state_head
from entrepot.federation.node.papers import end
from entrepot.federation.node.releasing import release_due
from entrepot.federation.node.tables import nonce, transaction
from entrepot.federation.node.upkeep import keep_up
from entrepot.federation.node.views import DuckViews, QuestionError
from entrepot.publish.frozen import freeze, read_frozen, take_out
from entrepot.publish.warehouse import literal

pytestmark = pytest.mark.core
TABLES = ("condition_occurrence", "drug_exposure", "care_site", "visit_occurrence")
QUESTIONS: dict[str, dict[str, Any]] = {
    "counts": {"cohorts": ["diabetes", "metformin"]},
    "stratified": {"cohort": "diabetes", "by": ["sex", "age_band"]},
    "attrition": {"cohort": "diabetes", "rules": 0},
    "characterisation": {
        "target": "diabetes",
        "features": [{"name": "drug", "domain": "drug", "concept_id": 1503297}],
    },
    "survival": {"target": "diabetes", "outcome": "metformin", "prior": "keep"},
    "prevalence": {
        "population": "metformin",
        "condition": "diabetes",
        "years": {"first": 2020, "last": 2021},
    },
    "incidence": {"target": "diabetes", "outcome": "metformin", "prior": "keep"},
}
REGRESSIONS = ("logistic", "cox")
NODES = ("chu-nord", "ch-ouest", "hopital-sud")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """A hospital whose units and visits are those of its persons."""
    made = new_hospital(tmp_path_factory.mktemp("node"))
    release(made, range(PERSONS), _units)
    return made


def _units(connection: Any) -> None:
    """Every third person in a ward of their own, so that a ward tells of a person."""
    connection.execute(
        "INSERT INTO cdm.care_site BY NAME SELECT n AS care_site_id FROM drawn WHERE n % 3 = 0"
    )
    connection.execute("UPDATE cdm.person SET care_site_id = observation_period_id FROM"
        " cdm.observation_period o WHERE o.person_id = person.person_id"
        " AND observation_period_id % 3 = 0")  # fmt: skip


def _without(file: Path, folder: Path, persons: Iterable[int]) -> Path:
    """The release as it would be, had these persons never come: every row of theirs is gone, and
    so are the wards that only they were in."""
    path = folder / "without.duckdb"
    shutil.copyfile(file, path)
    path.chmod(0o600)
    wanted = ", ".join(map(str, persons)) or "-1"
    with duckdb.connect(str(path)) as connection:
        wards = f"SELECT care_site_id FROM cdm.person WHERE person_id IN ({wanted})"
        connection.execute(f"DELETE FROM cdm.care_site WHERE care_site_id IN ({wards})")
        for table in ("condition_occurrence", "drug_exposure", "observation_period", "person"):
            connection.execute(f"DELETE FROM cdm.{table} WHERE person_id IN ({wanted})")
    return path


@contextmanager
def _asked(file: Path, excluded: Iterable[int], folder: Path) -> Iterator[tuple[DuckViews, Guard]]:
    """Views and guard of a node with the secrets of the test and an empty ledger."""
    views = DuckViews(file, TABLES, list(excluded))
    everybody = person_set(one for (one,) in views.rows("SELECT person_id FROM cdm.person"))
    asker = Asker("S", "lea", "r1", dt.date(2026, 11, 22))
    ledger = folder / f"{file.stem}.sqlite"
    ledger.unlink(missing_ok=True)
    with Ledger(ledger, b"k" * 32) as opened:
        yield views, Guard(read_policy(), b"s" * 32, opened, everybody, asker)
    views.close()


@pytest.mark.parametrize("kind", QUESTIONS)
@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(numbers=st.sets(st.integers(0, PERSONS - 1), min_size=1, max_size=40))
def test_t8_removing_the_data_of_opposed_persons_changes_no_answer(
    made: Hospital, tmp_path_factory: pytest.TempPathFactory, kind: str, numbers: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("t8")
    persons = [made.person_id(n) if n < KNOWN else 9_000_000_000 + n for n in numbers]
    analysis = ANALYSIS.validate_python({"kind": kind, **QUESTIONS[kind]})
    definitions = {"diabetes": diabetes(), "metformin": with_drug()}
    cohorts = {name: read_definition(canonical(one), name) for name, one in definitions.items()}
    found = []
    for file in (made.site.warehouse, _without(made.site.warehouse, folder, persons)):
        with _asked(file, persons, folder) as (views, guard):
            found.append(perform(views, cohorts, analysis, guard).model_dump_json().encode())
    assert found[0] == found[1]
    with _asked(made.site.warehouse, [], folder) as (views, _):
        shown = views.rows("SELECT count(*) FROM cdm.person")
    with _asked(made.site.warehouse, persons, folder) as (views, _):
        assert views.rows("SELECT count(*) FROM cdm.person")[0][0] == shown[0][0] - len(persons)


def _rounds(
    kind: str, file: Path, persons: list[int], folder: Path, whole: Path
) -> list[dict[str, Any]]:
    """The shares of the first node, over `file` without `persons`, in every round that it takes
    part in; the two others are whole hospitals."""
    analysis = ANALYSIS.validate_python(
        {"kind": kind, "target": "diabetes", "outcome": "metformin", "age": False,
         "horizon_days": 182}
    )  # fmt: skip
    definitions = {"diabetes": diabetes(), "metformin": with_drug()}
    cohorts = {name: read_definition(canonical(one), name) for name, one in definitions.items()}
    secrets = {frozenset(pair): bytes([n]) * 32 for n, pair in enumerate(combinations(NODES, 2))}
    rounds: list[dict[str, Any]] = []
    for _ in range(3):
        given = {}
        for name in NODES:
            where, gone = (file, persons) if name == NODES[0] else (whole, [])
            pairs = {other: secrets[frozenset((name, other))] for other in NODES if other != name}
            turn = RegressionTurn(name, pairs, tuple(rounds))
            try:
                with _asked(where, gone, folder) as (views, guard):
                    told = perform(views, cohorts, analysis, guard, turn)
            except PathError as error:  # the path has ended, or cannot be solved
                return [*(one[NODES[0]] for one in rounds), {"share": None, "why": error.what}]
            given[name] = told.model_dump(mode="json")
        rounds.append(given)
        if any(one["share"] is None for one in given.values()):
            break
    return [one[NODES[0]] for one in rounds]


@pytest.mark.parametrize("kind", REGRESSIONS)
@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(numbers=st.sets(st.integers(0, PERSONS - 1), min_size=1, max_size=40))
def test_t8_removing_the_data_of_opposed_persons_changes_no_share(
    made: Hospital, tmp_path_factory: pytest.TempPathFactory, kind: str, numbers: set[int]
) -> None:
    """Sums of three rounds; the first of them tells whether the node takes part at all."""
    folder, whole = tmp_path_factory.mktemp("t8"), made.site.warehouse
    persons = [made.person_id(n) if n < KNOWN else 9_000_000_000 + n for n in numbers]
    without = _without(whole, folder, persons)
    assert _rounds(kind, whole, persons, folder, whole) == _rounds(
        kind, without, persons, folder, whole
    )


@pytest.mark.parametrize("kind", REGRESSIONS)
def test_a_whole_hospital_gives_shares(made: Hospital, tmp_path: Path, kind: str) -> None:
    """The rounds above are no row of refusals, and a person who opposes does change them.

    Men and women are given metformin alike, so what is added to the sums is all that moves the
    path: one in twelve drawn hospitals has hazards that meet in two rounds.
    """
    whole = made.site.warehouse
    everybody = _rounds(kind, whole, [], tmp_path, whole)
    shares = [one["share"] is not None for one in everybody]
    assert shares == [True] * 3 or everybody[2:] == [{"share": None, "why": "the path has ended"}]
    assert shares[:2] == [True] * 2
    assert _rounds(kind, whole, [made.person_id(0)], tmp_path, whole) != everybody


def _bytes(made: Hospital, nonce: int) -> tuple[bytes, AnswerEnvelope]:
    """The answer to one question without the head of the log, which holds the time of day."""
    card = next(iter(_cards(made)))
    receive(made.node, sent(made, query_for(made, card, nonce, delivery="pooled")).text())
    answer_due(made.node)
    made.moment[0] += dt.timedelta(minutes=11)
    release_due(made.node)
    texts = [one.envelope for one in leaving(made.node) if one.path == "/v1/results"]
    body = read_envelope(texts[-1]).body
    stated = AnswerEnvelope.model_validate(body)
    return canonical({key: one for key, one in body.items() if key != "log_head"}), stated


def _cards(made: Hospital) -> list[Any]:
    from entrepot.federation.node.papers import held_cards

    return [one.card for one in held_cards(made.node)]


def test_t8_two_whole_nodes_answer_the_same_bytes(tmp_path: Path) -> None:
    """One has the opposed persons' rows in its frozen release, from the other they were taken."""
    one = new_hospital(tmp_path / "one")
    accepted(one)
    one.oppose(0, 1, 2, 3)
    shutil.copytree(one.keys.parent, tmp_path / "two")
    other = Hospital.at(tmp_path / "two")
    ids = [other.person_id(number) for number in range(4)]
    frozen = read_frozen(other.site, freeze(other.site).release)
    assert frozen is not None
    assert take_out(frozen, ids, "1GB") == 4
    first, second = _bytes(one, 1), _bytes(other, 1)
    assert first[0] == second[0]
    assert first[1].payload is not None


def test_an_opposition_holds_at_the_next_question(tmp_path: Path) -> None:
    """Registered after the release: out of the views and of the file, and the answer says by which
    register. The released file itself is another matter: the next load makes it anew."""
    made = new_hospital(tmp_path)
    card = accepted(made)
    before = exclusions(made.site, made.node.keyring, card.study)
    made.oppose(*range(12))
    now = exclusions(made.site, made.node.keyring, card.study)
    assert (before.excluded, now.excluded) == ("<11", "20")
    assert before.register != now.register
    assert now.persons == {made.person_id(number) for number in range(12)}
    _, answer = _bytes(made, 1)
    assert (answer.register_, answer.excluded) == (now.register, now.excluded)
    frozen = read_frozen(made.site, answer.release)
    assert frozen is not None
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(frozen.path)} AS kept (READ_ONLY)")
        rows = connection.execute("SELECT person_id FROM kept.cdm.person").fetchall()
    assert len(rows) == PERSONS - 12
    assert not now.persons & {one for (one,) in rows}
    assert take_out(frozen, now.persons, "1GB") == 0


def test_who_opposes_leaves_the_file_though_nobody_asks(tmp_path: Path) -> None:
    """Once a day and at each start; a nonce goes a day after its query has expired."""
    made = new_hospital(tmp_path)
    card = accepted(made)
    receive(made.node, sent(made, query_for(made, card)).text())
    assert keep_up(made.node) == 0
    made.oppose(0, 1)
    assert keep_up(made.node) == 0  # done today
    made.moment[0] += dt.timedelta(days=1)
    assert keep_up(made.node) == 2
    made.oppose(0, 1, 2)
    assert keep_up(made.node, again=True) == 1
    with transaction(made.node.engine) as connection:
        assert len(connection.execute(sa.select(nonce)).all()) == 1
    made.moment[0] += dt.timedelta(days=8)
    keep_up(made.node)
    with transaction(made.node.engine) as connection:
        assert connection.execute(sa.select(nonce)).all() == []


def test_a_release_goes_with_its_last_study(tmp_path: Path) -> None:
    made = new_hospital(tmp_path)
    first, second = accepted(made), accepted(made, study="SECOND")
    name = freeze(made.site).release
    end(made.node, first.sha256, STEWARD)
    assert read_frozen(made.site, name) is not None
    end(made.node, second.sha256, STEWARD)
    assert read_frozen(made.site, name) is None
    with pytest.raises(ConfigurationError, match="no such study"):
        end(made.node, second.sha256, STEWARD)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM cdm.note", "SELECT * FROM cdm.measurement", "SELECT * FROM cdm.cdm_source",
        "SELECT 1; SELECT 2", "CREATE TABLE t (i INT)", "DELETE FROM cdm.person",
        "COPY cdm.person TO 'x.csv'", "SELECT * FROM read_csv('/etc/passwd')",
        "SET memory_limit = '900GB'", "ATTACH 'x.duckdb' AS x", "PRAGMA database_list",
    ],
)  # fmt: skip
def test_the_views_show_the_cards_tables_and_nothing_is_written(made: Hospital, sql: str) -> None:
    views = DuckViews(made.site.warehouse, ["condition_occurrence"], [])
    with pytest.raises(QuestionError):
        views.rows(sql)
    views.close()


def test_a_question_without_end_is_interrupted(made: Hospital) -> None:
    views = DuckViews(made.site.warehouse, [], [], seconds=0.2)
    endless = (
        "SELECT count(*) FROM range(10000000000) a(i), range(10000000000) b(j) WHERE i * j = 7"
    )
    with pytest.raises(QuestionError, match="Interrupt"):
        views.rows(endless)
    views.close()
    small = DuckViews(made.site.warehouse, [], [], memory_limit="20MB", seconds=60)
    with pytest.raises(QuestionError, match="OutOfMemory"):
        small.rows(
            "SELECT i, string_agg(j, '') FROM range(300) a(i), range(100000) b(j) GROUP BY i"
        )
    small.close()


def test_t12_a_node_with_a_changed_log_answers_nothing(tmp_path: Path) -> None:
    made = new_hospital(tmp_path)
    accepted(made)
    assert state_head(made.node)
    path = log_path(made.site)
    path.write_bytes(path.read_bytes().replace(b'"mode":"counts"', b'"mode":"manual"', 1))
    made.moment[0] += dt.timedelta(days=1)
    with pytest.raises(EntrepotError, match="changed or cut"):
        state_head(made.node)


def test_t14_the_head_kept_outside_finds_a_log_that_was_cut(tmp_path: Path) -> None:
    """Whoever holds the machine can put an older zone back, log and noted head together. The head
    that left the hospital, once a day, is not in their hands."""
    made = new_hospital(tmp_path)
    backup = tmp_path / "backup"
    shutil.copytree(made.site.identifying, backup)
    accepted(made)
    assert state_head(made.node)
    assert not state_head(made.node)
    (notice,) = leaving(made.node)
    kept = LogHead.model_validate(read_envelope(notice.envelope).body)
    head = Head(kept.sequence, kept.mac)
    assert verify(made.site, made.node.keyring, head).intact
    made.node.engine.dispose()
    shutil.rmtree(made.site.identifying)
    os.rename(backup, made.site.identifying)
    assert verify(made.site, made.node.keyring).intact
    found = verify(made.site, made.node.keyring, head)
    assert {str(fault.kind) for fault in found.faults} == {"cut"}
