"""Counts of persons, records and documents that a report may print: none from 1 to 10.

A small count is shown as `<11`. Where totals are printed too, it could be found again by
subtraction, so that further counts of the same sum are withheld (`n.c.`, not communicated): in no
sum may a single withheld count stand, nor withheld counts that together make less than 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from math import inf
from typing import Any

SMALLEST = 11
SLACK = 2  # a small count keeps at least three values that it may have
SMALL = "<11"
WITHHELD = "n.c."


@dataclass(eq=False)
class Cell:
    """One count; what of it is shown is known when its `Disclosure` is closed.

    Args:
        printed: False for a count that the report does not print but lets its reader derive
            (the loads before this one: cumulative minus this load).
        wanted: withheld only when nothing else is left to withhold.
    """

    value: int
    printed: bool = True
    wanted: bool = False
    hidden: bool = False

    def __post_init__(self) -> None:
        self.hidden = self.small

    @property
    def small(self) -> bool:
        """1 to 10."""
        return 0 < self.value < SMALLEST

    @property
    def shown(self) -> int | str:
        """The count, or what stands for it."""
        if not self.hidden:
            return self.value
        return SMALL if self.small else WITHHELD


Sum = tuple[Cell, tuple[Cell, ...]]  # total, parts


class Disclosure:
    """All counts of one report, and the sums by which one tells of others."""

    def __init__(self) -> None:
        self._sums: list[Sum] = []
        self._cells: dict[object, Cell] = {}

    def count(self, value: int, name: object = None, *, wanted: bool = False) -> Cell:
        """A count; the same `name` gives the same cell, so that one fact printed twice is one.

        Raises:
            ValueError: the name was given to another count.
        """
        if name is None:
            return Cell(value, wanted=wanted)
        cell = self._cells.setdefault(name, Cell(value))
        cell.wanted |= wanted
        if cell.value != value:
            raise ValueError(f"{name} counts {cell.value} and {value}")
        return cell

    def sum(self, parts: Sequence[Cell], name: object = None) -> Cell:
        """The total of `parts`, printed beside them."""
        total = self.count(sum(part.value for part in parts), name, wanted=True)
        self._sums.append((total, tuple(parts)))
        return total

    def part(self, value: int, whole: Cell, name: object = None) -> Cell:
        """A count that is one of `whole`; a reader may know the difference to be nothing.

        Raises:
            ValueError: it is larger.
        """
        if value == whole.value:
            return whole
        part = self.count(value, name)
        self.within(part, whole)
        return part

    def whole(self, value: int, part: Cell) -> Cell:
        """A count that `part` is one of.

        Raises:
            ValueError: it is smaller.
        """
        if value == part.value:
            return part
        whole = self.count(value)
        self.within(part, whole)
        return whole

    def within(self, part: Cell, whole: Cell) -> None:
        """Says that `part` is one of `whole`: their difference can be derived too.

        Raises:
            ValueError: it is larger.
        """
        if part.value > whole.value:
            raise ValueError("a part is larger than its whole")
        rest = Cell(whole.value - part.value, printed=False)
        self._sums.append((whole, (part, rest)))

    def close(self) -> None:
        """Withholds counts until no sum, and no sums together, give a small one away."""
        while True:
            victims = (_victim(total, parts) for total, parts in self._sums)
            victim = next((one for one in victims if one is not None), None) or self._given_away()
            if victim is None:
                return
            victim.hidden = True

    def _given_away(self) -> Cell | None:
        """A count to withhold because all sums taken together narrow a small one down."""
        narrow = [cell for cell, (low, high) in narrowed(self._sums).items() if high - low < SLACK]
        for cell in [*determined(self._sums), *narrow]:
            for total, parts in self._sums if cell.small else ():
                if cell is total or any(cell is part for part in parts):
                    free = _smallest([*parts, total])
                    if free is not None:
                        return free
        return None


def rounded(count: int) -> int | str:
    """A count that stands in no sum: up to the next ten, so that it cannot be set beside one."""
    if 0 < count < SMALLEST:
        return SMALL
    return -(-count // 10) * 10


def narrowed(sums: Sequence[Sum]) -> dict[Cell, tuple[float, float]]:
    """What each count may be at least and at most, as far as each sum tells by itself."""
    bounds: dict[Cell, tuple[float, float]] = {}
    for total, parts in sums:
        bounds.update((cell, _signs(cell)) for cell in (total, *parts))
    changed = True
    while changed:
        changed = False
        for total, parts in sums:
            low = sum(bounds[part][0] for part in parts)
            high = sum(bounds[part][1] for part in parts)
            changed |= _tighten(bounds, total, low, high)
            least, most = bounds[total]
            for part in parts:
                below, above = bounds[part]
                others = high - above if above < inf else _others(bounds, part, parts)
                changed |= _tighten(bounds, part, least - others, most - (low - below))
    return bounds


def _others(bounds: dict[Cell, tuple[float, float]], part: Cell, parts: Sequence[Cell]) -> float:
    return sum(bounds[one][1] for one in parts if one is not part)


def _signs(cell: Cell) -> tuple[float, float]:
    """What the sign in the place of a count says."""
    if not cell.printed:
        return 0, inf
    if not cell.hidden:
        return cell.value, cell.value
    return (1, SMALLEST - 1) if cell.small else (SMALLEST, inf)


def _tighten(
    bounds: dict[Cell, tuple[float, float]], cell: Cell, low: float, high: float
) -> bool:  # fmt: skip
    least, most = bounds[cell]
    bounds[cell] = max(least, low), min(most, high)
    return bounds[cell] != (least, most)


def determined(sums: Iterable[Sum]) -> list[Cell]:
    """Counts that are not shown and that the sums fix, by elimination over fractions."""
    unknown: dict[Cell, int] = {}
    rows: list[dict[int, Fraction]] = []
    for total, parts in sums:
        row: dict[int, Fraction] = {}
        for cell, factor in ((total, -1), *((part, 1) for part in parts)):
            if cell.hidden or not cell.printed:
                number = unknown.setdefault(cell, len(unknown))
                row[number] = row.get(number, Fraction(0)) + factor
        rows.append(row)
    cells = list(unknown)
    return [cells[next(iter(row))] for row in _reduced(rows) if len(row) == 1]


def _reduced(rows: list[dict[int, Fraction]]) -> list[dict[int, Fraction]]:
    """Reduced row echelon form of sparse rows."""
    done: dict[int, dict[int, Fraction]] = {}
    for row in rows:
        current = dict(row)
        for pivot in sorted(done):
            _subtract(current, done[pivot], pivot)
        current = {n: value for n, value in current.items() if value}
        if not current:
            continue
        pivot = min(current)
        scaled = {n: value / current[pivot] for n, value in current.items()}
        for other in done.values():
            _subtract(other, scaled, pivot)
        done[pivot] = scaled
    return list(done.values())


def _subtract(row: dict[int, Fraction], other: dict[int, Fraction], pivot: int) -> None:
    factor = row.get(pivot)
    if not factor:
        return
    for n, value in other.items():
        left = row.get(n, Fraction(0)) - factor * value
        if left:
            row[n] = left
        else:
            row.pop(n, None)


def _victim(total: Cell, parts: Sequence[Cell]) -> Cell | None:
    """The next count to withhold in one sum, the smallest that says least."""
    unknown = [part for part in parts if part.hidden or not part.printed]
    if total.hidden:
        return None if unknown else _smallest(parts)
    if not any(part.hidden for part in parts):
        return None
    if len(unknown) > 1 and sum(part.value for part in unknown) >= SMALLEST:
        return None
    return _smallest([*parts, total])


def _smallest(cells: Iterable[Cell]) -> Cell | None:
    """Of what is printed and not nothing: withholding a zero would protect little."""
    free = [cell for cell in cells if not cell.hidden and cell.printed and cell.value]
    return min(free, key=lambda cell: (cell.wanted, cell.value), default=None)


def plain(value: Any) -> Any:
    """Facts with what is shown in the place of each cell: ready for JSON."""
    if isinstance(value, Cell):
        return value.shown
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
