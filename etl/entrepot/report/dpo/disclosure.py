"""Counts of persons, records and documents that a report may print: none from 1 to 10, none exact.

A count is shown up to the next ten, one from 1 to 10 as `<11`, nothing as 0: what changed between
two reports stays unknown within nineteen values, so that one report subtracted from another gives
no small count away. Where sums of such counts would still narrow one down, it is withheld (`n.c.`,
not communicated). Rounding one by one: printed parts need not add up to a printed total.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from math import inf
from typing import Any

SMALLEST = 11
STEP = 10
SLACK = 4  # a count keeps at least five values that it may have, sum by sum
SMALL = "<11"
WITHHELD = "n.c."


@dataclass(eq=False)
class Cell:
    """One count; what of it is shown is known when its `Disclosure` is closed.

    Args:
        printed: False for a count that the report does not print but lets its reader derive
            (the loads before this one: cumulative minus this load).
        wanted: withheld only when nothing else is left to withhold.
        hidden: nothing is told of it.
        late: of the last load alone; its 0 is shown as 1 to 10 are. Of nine loads told as 1 or
            more, within one step of the total, each would be exactly 1.
    """

    value: int
    printed: bool = True
    wanted: bool = False
    hidden: bool = False
    late: bool = False

    @property
    def small(self) -> bool:
        """1 to 10."""
        return 0 < self.value < SMALLEST

    @property
    def shown(self) -> int | str:
        """What stands for the count."""
        if self.hidden:
            return WITHHELD
        return SMALL if self.late and not self.value else rounded(self.value)

    @property
    def told(self) -> tuple[float, float]:
        """The least and the most that what is shown allows."""
        if self.hidden or not self.printed:
            return 0, inf
        if self.value < SMALLEST and (self.late or self.value):
            return 0 if self.late else 1, SMALLEST - 1
        most = -(-self.value // STEP) * STEP
        return (max(most - STEP + 1, SMALLEST), most) if self.value else (0, 0)


Sum = tuple[Cell, tuple[Cell, ...]]  # total, parts
Bounds = dict[Cell, tuple[float, float]]


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

    def load(self, value: int, every: Cell) -> Cell:
        """What the last load added to `every`; all of it in a first load.

        Raises:
            ValueError: it is larger.
        """
        if value == every.value:
            return every
        cell = Cell(value, late=True)
        self.within(cell, every)
        return cell

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
        """Withholds counts until no sum, and no sums together, narrow one down."""
        while True:
            victim = self._victim(narrowed(self._sums))
            if victim is None:
                return
            victim.hidden = True

    def _victim(self, bounds: Bounds) -> Cell | None:
        """The next count to withhold, of a sum that holds one narrowed down."""
        narrow = {one for one, (low, high) in bounds.items() if one.value and high - low < SLACK}
        for total, parts in self._sums if narrow else ():
            cells = (total, *parts)
            if narrow.intersection(cells):
                victim = _least(cells)
                if victim is not None:
                    return victim
        return None


def _least(cells: Iterable[Cell]) -> Cell | None:
    """The count that people miss least; to withhold a zero would protect little."""
    free = [cell for cell in cells if cell.value and cell.printed and not cell.hidden]
    return min(free, key=_missed, default=None)


def _missed(cell: Cell) -> tuple[bool, bool, int]:
    """Of small counts alone the largest goes: their total."""
    return cell.small, cell.wanted and not cell.small, -cell.value if cell.small else cell.value


def rounded(count: int) -> int | str:
    """Up to the next ten; 1 to 10 as `<11`."""
    if 0 < count < SMALLEST:
        return SMALL
    return -(-count // STEP) * STEP


def narrowed(sums: Sequence[Sum]) -> Bounds:
    """What each count may be at least and at most, as far as each sum tells by itself."""
    bounds: Bounds = {}
    for total, parts in sums:
        bounds.update((cell, cell.told) for cell in (total, *parts))
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


def _others(bounds: Bounds, part: Cell, parts: Sequence[Cell]) -> float:
    return sum(bounds[one][1] for one in parts if one is not part)


def _tighten(bounds: Bounds, cell: Cell, low: float, high: float) -> bool:
    least, most = bounds[cell]
    bounds[cell] = max(least, low), min(most, high)
    return bounds[cell] != (least, most)


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
