"""Tables of persons, which never leave a node, and the protected tables of counts made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from entrepot.errors import EntrepotError

PersonSet: TypeAlias = npt.NDArray[np.int64]
Key: TypeAlias = tuple[str, ...]
ALL = "*"  # in a margin's key: every value of this dimension


def person_set(persons: Iterable[int] | PersonSet) -> PersonSet:
    """Sorted unique person ids, whatever their order and repetition."""
    given = persons if isinstance(persons, np.ndarray) else list(persons)
    return np.unique(np.asarray(given, dtype=np.int64))


def set_digest(persons: PersonSet) -> bytes:
    """SHA-256 of a sorted person set (8 bytes a person, little end first)."""
    return hashlib.sha256(persons.astype("<i8").tobytes()).digest()


@dataclass(frozen=True)
class Cell:
    """The persons of one inner cell of a table; `key` has one value per dimension."""

    key: Key
    persons: PersonSet = field(repr=False)


@dataclass(frozen=True)
class Union:
    """A further figure of a table: the inner cells `of`, together, under a name of its own."""

    key: Key
    of: tuple[Key, ...]


@dataclass(frozen=True)
class CountTable:
    """A cohort divided into cells; margins are implied.

    Args:
        name: of the table, unique in an answer.
        dimensions: names; none for a plain count, whose one cell has the key `()`.
        cells: every inner cell, the empty ones too, so that the shape says nothing; no person is in
            two of them.
        cohort: what the cells divide. Tables of one cohort divide the same persons, and dimensions
            of the same name mean the same: common margins are the same figures. By default the
            table's own name.
        unions: figures of the shape that are neither cells nor margins.
    """

    name: str
    dimensions: tuple[str, ...]
    cells: tuple[Cell, ...]
    cohort: str = ""
    unions: tuple[Union, ...] = ()


@dataclass(frozen=True)
class ProtectedCell:
    """A count as it may be told, or None: withheld, shown as `<k`, which zero is as well."""

    key: Key
    count: int | None


@dataclass(frozen=True)
class ProtectedTable:
    """Inner cells, then margins (their keys have `*` in summed dimensions), then unions."""

    name: str
    dimensions: tuple[str, ...]
    cells: tuple[ProtectedCell, ...]

    def count(self, *key: str) -> int | None:
        """The count under a key; KeyError where the table has no such cell."""
        return {cell.key: cell.count for cell in self.cells}[key]


def margin_keys(table: CountTable) -> list[Key]:
    """Keys of every margin, the total first; none for a plain count."""
    width = len(table.dimensions)
    found: dict[Key, None] = {}
    for kept in sorted(range(2**width - 1), key=lambda mask: (mask.bit_count(), mask)):
        for cell in table.cells:
            found.setdefault(_margin(cell.key, kept))
    return list(found)


def _margin(key: Key, kept: int) -> Key:
    return tuple(value if kept >> n & 1 else ALL for n, value in enumerate(key))


def withheld(tables: Sequence[CountTable]) -> tuple[ProtectedTable, ...]:
    """The shape of an answer with nothing in it: what a refusal looks like."""
    return tuple(filled(table, {}) for table in tables)


def filled(table: CountTable, told: dict[Key, int]) -> ProtectedTable:
    """A table's protected shape with the counts of `told`, None everywhere else."""
    keys = [cell.key for cell in table.cells]
    keys += [*margin_keys(table), *(union.key for union in table.unions)]
    cells = tuple(ProtectedCell(key, told.get(key)) for key in keys)
    return ProtectedTable(table.name, table.dimensions, cells)


def check_tables(tables: Sequence[CountTable]) -> None:
    """Refuses tables that the sums of disclosure control would misread.

    Raises:
        EntrepotError: two tables of a name, a key of another width or told twice, a person in two
            cells, a union of unknown cells, tables of one cohort with different persons.
    """
    if len({table.name for table in tables}) != len(tables):
        raise EntrepotError("two tables of an answer have one name", where="disclosure control")
    cohorts: dict[str, bytes] = {}
    for table in tables:
        persons = _divided(table)
        if cohorts.setdefault(table.cohort or table.name, persons) != persons:
            raise _fault(table, "divides other persons than another table of its cohort")


def _divided(table: CountTable) -> bytes:
    """Digest of the persons of a table."""
    keys = {cell.key for cell in table.cells}
    unions = {union.key for union in table.unions}
    if not keys or len(keys) != len(table.cells):
        raise _fault(table, "has no cell, or two of one key")
    if any(len(key) != len(table.dimensions) or ALL in key for key in keys):
        raise _fault(table, "has a key that does not fit its dimensions")
    if unions & (keys | set(margin_keys(table))) or len(unions) != len(table.unions):
        raise _fault(table, "has a union with the key of another figure")
    if any(not union.of or not keys.issuperset(union.of) for union in table.unions):
        raise _fault(table, "has a union of cells that it does not have")
    together = np.concatenate([cell.persons for cell in table.cells])
    persons = person_set(together)
    if len(persons) != len(together):
        raise _fault(table, "has a person in two cells, or cells that are not person sets")
    return set_digest(persons)


def _fault(table: CountTable, what: str) -> EntrepotError:
    return EntrepotError(f"a table of counts {what}", where=f"table {table.name}")
