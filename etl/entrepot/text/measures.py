"""Tells measured numbers (`250000 /mm3`) from numbers that name something."""

from __future__ import annotations

import re

from entrepot.text.document import WALL
from entrepot.text.lexicon import Lexicon

_UNIT = re.compile(r" ?(?:/ ?[^\W\d_]\w*|[%‰°€]|[^\W\d_]+\d?(?:/\w+)?)")


def measured(lower: str, end: int, lexicon: Lexicon) -> bool:
    """Whether a unit of measure follows position `end`, or a tag that may have hidden one."""
    if lower[end : end + 2].lstrip(" ").startswith(WALL):
        return True
    match = _UNIT.match(lower, end)
    if match is None:
        return False
    unit = match.group().strip()
    return unit.startswith("/") or unit in lexicon.units or unit.split("/")[0] in lexicon.units
