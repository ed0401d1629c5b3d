"""The newest version of a resource or document set speaks alone, whatever came first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import NamedTuple

import pytest
from sqlalchemy import Connection, create_engine, insert

from entrepot.landing.database import metadata
from entrepot.landing.tables import record
from entrepot.register import tables
from entrepot.register.versions import REPLACED, SUPERSEDED, stale_records

pytestmark = pytest.mark.core


class Told(NamedTuple):
    """One record: its set, version order, names, what it replaces, and its disposition."""

    set: str = ""
    order: str = ""
    names: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    disposition: str = "known"


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    needed = (tables.registration, tables.version, tables.version_name, tables.replacement)
    metadata.create_all(engine, [record, *needed])
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _tell(connection: Connection, records: list[tuple[int, Told]]) -> dict[int, str]:
    for number, one in records:
        row: dict[str, object] = {"record_id": number, "disposition": one.disposition}
        connection.execute(insert(tables.registration).values(row))
        if one.set:
            row = {"record_id": number, "set": one.set.encode(), "order": one.order}
            connection.execute(insert(tables.version).values(row))
        for table, names in ((tables.version_name, one.names), (tables.replacement, one.replaces)):
            for name in names:
                row = {"record_id": number, "hmac": name.encode()}
                connection.execute(insert(table).values(row))
    return stale_records(connection)


CASES = {
    "the newest of a set": (
        {"old": Told("s", "1"), "new": Told("s", "2"), "other": Told("t", "0")},
        {"old": SUPERSEDED},
    ),
    "three versions": (
        {"a": Told("s", "1"), "b": Told("s", "2"), "c": Told("s", "3")},
        {"a": SUPERSEDED, "b": SUPERSEDED},
    ),
    "a deletion is the newest version": (
        {"row": Told("s", "1"), "deletion": Told("s", "2", disposition="excluded")},
        {"row": SUPERSEDED},
    ),
    "what the register refused replaces nothing": (
        {"old": Told("s", "1"), "unbelieved": Told("s", "2", disposition="quarantined")},
        {},
    ),
    "replaced by the name of a document": (
        {"old": Told("s", "1", names=("id1",)), "new": Told("t", "2", replaces=("id1",))},
        {"old": REPLACED},
    ),
    "replaced by its set": (
        {"old": Told("s", "1"), "new": Told("t", "2", replaces=("s",))},
        {"old": REPLACED},
    ),
    "naming its own set replaces no newer version": (
        {"a": Told("s", "1"), "b": Told("s", "2", replaces=("s",)), "c": Told("s", "3")},
        {"a": SUPERSEDED, "b": SUPERSEDED},
    ),
    "naming itself replaces nothing": (
        {"a": Told("s", "1", names=("id1",), replaces=("id1",))},
        {},
    ),
    "a withdrawal without a document": (
        {"document": Told("s", "1", names=("id1",)), "withdrawal": Told(replaces=("id1",))},
        {"document": REPLACED},
    ),
    "what replaces an unknown document replaces nothing": (
        {"a": Told("s", "1"), "b": Told("t", "1", replaces=("u",))},
        {},
    ),
}


@pytest.mark.parametrize(("records", "expected"), CASES.values(), ids=CASES)
def test_stale_records(
    connection: Connection, records: dict[str, Told], expected: dict[str, str]
) -> None:
    numbers = {name: number for number, name in enumerate(records, 1)}
    found = _tell(connection, [(numbers[name], one) for name, one in records.items()])
    assert found == {numbers[name]: rule for name, rule in expected.items()}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_arrival_changes_nothing(
    connection: Connection, order: tuple[int, ...]
) -> None:
    told = [
        Told("s", "1", names=("id1",)),
        Told("s", "2", names=("id2",), replaces=("id1",)),
        Told("t", "1", replaces=("id2",)),
    ]
    arrived = [(arrival, told[which]) for arrival, which in enumerate(order, 1)]
    stale = _tell(connection, arrived)
    alive = {one.set for arrival, one in arrived if arrival not in stale}
    assert alive == {"t"}
