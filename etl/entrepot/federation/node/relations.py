"""What a study may read: its tables without the persons who are excluded, and the vocabulary.

Rows that hang on no visible person are left out of units and places as well: whether an excluded
person was the only one of a ward shows nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from entrepot.federation.cards import ALWAYS
from entrepot.omop.cdm import load_cdm
from entrepot.publish.frozen import HIDDEN, PLACES, vocabulary

Place = Callable[[str], str]


def allowed(tables: Iterable[str]) -> frozenset[str]:
    """The relations of a card's tables; names that a node never shows are not among them."""
    personal = {table.name for table in load_cdm().person_tables} - HIDDEN
    stated = {name for name in tables if name in personal or name in PLACES}
    return frozenset((*ALWAYS, *stated, *vocabulary()))


def selects(tables: Iterable[str], source: Place, excluded: str) -> Iterator[tuple[str, str]]:
    """Each relation and its SELECT, the same text for every engine.

    Args:
        tables: names of `allowed`.
        source: name of the whole table of a name.
        excluded: name of the table of excluded `person_id`.
    """
    cdm = load_cdm()
    there = f"NOT EXISTS (SELECT 1 FROM {excluded} x WHERE x.person_id = t.person_id)"
    personal = {table.name for table in cdm.person_tables}
    for name in sorted(tables):
        columns = ", ".join(f"t.{column}" for column in cdm.table(name).columns)
        stem = f"SELECT {columns} FROM {source(name)} t"
        if name in personal:
            yield name, f"{stem} WHERE {there}"
        elif name in PLACES:
            key, users = PLACES[name]
            used = " UNION ALL ".join(
                f"SELECT t.{key} FROM {source(user)} t WHERE {there}"
                for user in users
                if key in cdm.table(user).columns
            )
            yield name, f"{stem} WHERE t.{key} IN ({used})"
        else:
            yield name, stem
