"""Merges, oppositions and names learnt late: re-derivation makes them independent of arrival
(DESIGN 3).
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from entrepot.config import Site
from entrepot.keys import PERSON
from properties.stages import (
    AUTHORITY_OID,
    FIXED,
    Sites,
    derive,
    differing,
    land,
    oppose,
)
from properties.told import Told, hospital, ipps
from roads import hashes as published_hashes
from roads import keyring, query, travel

pytestmark = pytest.mark.integration

SEED = 7


def _tables(candidate: Path, sql: str) -> list[tuple[object, ...]]:
    connection = duckdb.connect(str(candidate), read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def _staged_keys(site: Site) -> set[str]:
    """Every pseudonym in every text column of every staged row."""
    found: set[str] = set()
    for path in site.staging.rglob("*.parquet"):
        table = pq.read_table(path)
        for name in table.column_names:
            if name.endswith("_key"):
                found |= {value for value in table[name].to_pylist() if value}
    return found


@pytest.mark.parametrize(
    ("patients", "joined"), [((13, 14), "ADT^A40^ADT_A39"), ((20, 21), "ADT^A24^ADT_A24")]
)
def test_merge_then_unmerge_is_the_identity(
    sites: Sites, patients: tuple[int, int], joined: str
) -> None:
    """Two patients taken for one and parted again are as if nobody had mistaken them."""
    messages = hospital(SEED, patients)
    joins = [told for told in messages if told.event == joined or told.links]
    parts = _parting(messages, min(told.sent for told in joins))
    rest = [told for told in messages if told not in joins and told not in parts]
    assert {told.event for told in joins} == {joined, "Patient"}
    assert {told.event for told in parts} == {"ADT^A37^ADT_A37", "Patient"}

    never = sites.new(FIXED)
    land(never, [*rest, *parts])
    expected = derive(never)

    merged = sites.new(FIXED)
    land(merged, [*rest, *joins])
    middle = derive(merged)
    assert "person" in differing(middle, expected)
    land(merged, parts)
    found = derive(merged)
    assert differing(found, expected) == []

    undone_first = sites.new(FIXED)
    land(undone_first, [*parts, *rest, *reversed(joins)])
    assert differing(derive(undone_first), expected) == []


def _parting(messages: list[Told], since: dt.datetime) -> list[Told]:
    """A37, and the later versions of the resources Patient, which link no more."""
    return [
        told
        for told in messages
        if told.event == "ADT^A37^ADT_A37"
        or (told.event == "Patient" and not told.links and told.sent > since)
    ]


def test_an_opposed_person_is_nowhere_and_removing_them_changes_nothing_else(sites: Sites) -> None:
    messages = hospital(SEED, (3, 26, 11))
    without = [told for told in messages if "P000026" not in told.patients]
    numbers = ipps(SEED, 26)

    opposed = sites.new()
    land(opposed, messages)
    before = derive(opposed)
    keys = {keyring(opposed).keyed(PERSON, AUTHORITY_OID, number) for number in numbers}
    ids = {keyring(opposed).number(PERSON, 53, "id", key) for key in keys}
    assert keys & _staged_keys(opposed)
    oppose(opposed, numbers)
    after = derive(opposed)
    assert not keys & _staged_keys(opposed)
    content = b"".join(path.read_bytes() for path in opposed.staging.rglob("*.parquet"))
    assert not any(key.encode() in content for key in keys)
    for table in ("person", "visit_occurrence", "measurement", "note", "observation_period"):
        rows = _tables(after.candidate, f"SELECT DISTINCT person_id FROM cdm.{table}")
        assert rows
        assert not ids & {row[0] for row in rows}

    removed = sites.new()
    land(removed, without)
    expected = derive(removed)
    assert differing(after, expected) == []

    first = sites.new()
    oppose(first, numbers)
    land(first, messages)
    assert differing(derive(first), expected) == []

    oppose(opposed, numbers, withdraw=True)
    assert differing(derive(opposed), before) == []


def test_an_opposition_by_one_number_holds_for_the_merged_person(sites: Sites) -> None:
    """The absorbed number opposes: the whole cluster goes, whenever the merge arrives."""
    messages = hospital(SEED, (3, 11))
    surviving, absorbed = ipps(SEED, 11)
    alone = sites.new()
    land(alone, [told for told in messages if "P000003" in told.patients])
    expected = derive(alone)
    for number in (absorbed, surviving):
        merge_last = sites.new()
        merge = [told for told in messages if told.event == "ADT^A40^ADT_A39" or told.links]
        rest = [told for told in messages if told not in merge]
        oppose(merge_last, [number])
        land(merge_last, rest)
        derive(merge_last)
        land(merge_last, merge)
        found = derive(merge_last)
        assert differing(found, expected) == []
        staged = found.dispositions["staged", ""]
        assert staged == expected.dispositions["staged", ""]


def _letter_and_name() -> tuple[list[Told], Told, Told]:
    """An admission, a letter that holds a common word, and the later news that it is a name."""

    def message(source: str, event: str, at: str, *segments: str) -> Told:
        head = (
            f"MSH|^~\\&|A|CHSYN^{AUTHORITY_OID}^ISO|EDS|CHSYN|{at}||{event}|{at}{source}|P"
            "|2.5^FRA^2.11||||||UNICODE UTF-8"
        )
        content = "\r".join((head, *segments)) + "\r"
        sent = dt.datetime.strptime(at, "%Y%m%d%H%M%S")
        return Told(source, event, frozenset({"X"}), sent, content.encode())

    def pid(*names: str) -> str:
        spelled = "~".join(f"{name}^ANNE^^^^^L" for name in names)
        return (
            f"PID|1||0042^^^CHSYN&{AUTHORITY_OID}&ISO^PI||{spelled}||19700412|F"
            f"|||||||||||0099^^^CHSYN&{AUTHORITY_OID}&ISO^AN"
        )

    stay = "PV1|1|I|3001||||||||||||||||0099^^^CHSYN|||||||||||||||||||||||||20240301080000"
    admission = message(
        "adt", "ADT^A01^ADT_A01", "20240301080500", "EVN||20240301080500", pid("MARTIN"), stay,
        "ZBE|77^GAM|20240301080000||INSERT|N|A01|^^^^^^UF^^^3001",
    )  # fmt: skip
    letter = message(
        "letters",
        "MDM^T02^MDM_T02",
        "20240302100000",
        "EVN||20240302100000",
        pid("MARTIN"),
        stay,
        "TXA|1|11490-0|TX|20240302100000||||||||DOC1|||||LA",
        "OBX|1|TX|11490-0^CR^LN||Examen fait avec Cerise ce jour, ventre souple.||||||F",
    )
    learnt = message(
        "adt", "ADT^A31^ADT_A05", "20240401080500", "EVN||20240401080500", pid("MARTIN", "CERISE"),
        "PV1|1|N",
    )  # fmt: skip
    return [admission], letter, learnt


def test_a_name_learnt_later_is_scrubbed_whatever_the_order(sites: Sites) -> None:
    start, letter, learnt = _letter_and_name()

    def text(candidate: Path) -> str:
        (note,) = _tables(candidate, "SELECT note_text FROM cdm.note")
        return str(note[0])

    later = sites.new(FIXED)
    land(later, [*start, letter])
    assert "Cerise" in text(derive(later).candidate)  # no name yet: else this would prove nothing
    land(later, [learnt])
    found = derive(later)
    assert "Cerise" not in text(found.candidate)
    assert "ventre souple" in text(found.candidate)
    for order in ([learnt, letter, *start], [letter, learnt, *start]):
        site = sites.new(FIXED)
        land(site, order)
        assert differing(derive(site), found) == []


def test_a_run_with_its_gate_after_each_part_publishes_the_same(sites: Sites) -> None:
    """Split, and opposed after publication: the published files, gate and all."""
    messages = hospital(SEED, (3, 26, 11))
    numbers = ipps(SEED, 26)
    whole = sites.new()
    oppose(whole, numbers)
    land(whole, messages)
    assert travel(whole).published
    random.Random(1).shuffle(messages)
    split = sites.new()
    land(split, messages[: len(messages) // 2])
    assert travel(split).published
    land(split, messages[len(messages) // 2 :])
    assert travel(split).published
    people = query(split, "SELECT count(*) FROM person")
    oppose(split, numbers)
    assert travel(split).published
    assert query(split, "SELECT count(*) FROM person")[0][0] == people[0][0] - 1
    assert published_hashes(split) == published_hashes(whole)


def test_the_last_person_of_a_warehouse_can_oppose(sites: Sites) -> None:
    """Nothing is staged any more: the release must not stay behind with the person in it."""
    site = sites.new()
    land(site, hospital(SEED, (18,)))
    assert travel(site).published
    assert query(site, "SELECT count(*) FROM person") == [(1,)]
    oppose(site, ipps(SEED, 18))
    travel(site)
    assert not site.warehouse.is_file() or query(site, "SELECT count(*) FROM person") == [(0,)]
