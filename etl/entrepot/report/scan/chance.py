"""Figures that hexadecimal digits spell by chance.

A published warehouse of 1,000 patients holds 600 kB of keyed values that can be read in its bytes:
cells side by side, and the tables of symbols by which DuckDB's FSST compresses such a column (runs
of some hundred hexadecimal digits that are in no cell: 476 where it was seen). In one hospital of
three, one of its 150,000 identifiers, a number of ten figures, stood in them.
"""

from __future__ import annotations

import re

KEY = 32  # hexadecimal digits of a keyed value
FEWEST_LETTERS = 8  # one in so many digits is a letter; of random ones, three in eight are
NUMBERS = 3  # among whole keys, so many numbers are told by the length of the run
_HEXADECIMAL = re.compile(rf"[0-9a-f]{{{KEY},}}")


def only_by_chance(number: str, folded: str, apart: bool = False) -> bool:
    """Whether a number stands in a folded text, and nowhere but within keyed values.

    Args:
        number: figures only.
        apart: only where no other figure touches it.
    """
    keyed = [run.span() for run in _HEXADECIMAL.finditer(folded) if _keyed(run[0], len(number))]
    bounds = (r"(?<![0-9])", r"(?![0-9])") if apart else ("", "")
    places = [found.span() for found in re.finditer(bounds[0] + number + bounds[1], folded)]
    return bool(places) and all(
        any(first <= start and end <= last for first, last in keyed) for start, end in places
    )


def _keyed(run: str, figures: int) -> bool:
    """Whether a run is keyed values and nothing else, as far as its letters and its length tell.

    A number between whole keys makes the run longer by its own figures.
    """
    letters = len(run) - sum(map(run.count, "0123456789"))
    longer = {figures * numbers % KEY for numbers in range(1, NUMBERS + 1)} - {0}
    return letters * FEWEST_LETTERS >= len(run) and len(run) % KEY not in longer
