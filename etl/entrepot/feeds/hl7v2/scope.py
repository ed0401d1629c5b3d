"""Which segment of another name belongs to a row's segment.

Chapter by chapter the norm nests segments in groups; one depth per segment name is enough to find
what a row needs (v2.5 abstract messages of chapters 3, 4, 6, 7, 9): a segment that stands above
covers what follows, until one that stands higher still begins a new group; a segment that stands
below belongs to the row it follows. So the second patient of a message never gets the visit of
the first, and a result without a comment never gets the comment of the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from entrepot.feeds.hl7v2.segment import Segment

_PATIENT, _VISIT, _SPECIMEN_FIRST, _ORDER, _ACT, _RESULT, _OTHER, _COMMENT = range(2, 10)
_DEPTH = {
    "MSH": 0, "SFT": 0, "MSA": 0, "ERR": 0, "SCH": 0,
    "EVN": 1,
    "PID": _PATIENT,
    "PD1": _VISIT, "PV1": _VISIT, "PV2": _VISIT, "MRG": _VISIT,
    "ORC": _ORDER,
    "OBR": _ACT, "RXO": _ACT, "RXE": _ACT, "RXD": _ACT, "RXG": _ACT, "RXA": _ACT, "TXA": _ACT,
    "OBX": _RESULT, "SPM": _RESULT, "TQ1": _RESULT, "RXR": _RESULT, "RXC": _RESULT,
    "NTE": _COMMENT, "PRT": _COMMENT, "CTD": _COMMENT, "CTI": _COMMENT, "TQ2": _COMMENT,
}  # fmt: skip


class Scope:
    """The segments of one message by name and by what they belong to."""

    __slots__ = ("_found", "_named", "_segments")

    def __init__(self, segments: Sequence[Segment], named: Mapping[str, Sequence[Segment]]) -> None:
        self._segments, self._named = segments, named
        self._found: dict[tuple[str, str], dict[int, Segment]] = {}

    def related(self, name: str, row: Segment) -> Segment | None:
        """The segment called `name` that `row` belongs to, or the first that belongs to `row`."""
        found = self._found.get((name, row.name))
        if found is None:
            found = self._found[name, row.name] = self._pairs(name, row.name)
        return found.get(row.index)

    def all_related(self, name: str, row: Segment) -> list[Segment]:
        """Every segment called `name` below `row`; else the one that `row` belongs to."""
        named = self._named.get(name)
        if named is None:
            return []
        own = self._depth(row.name)
        if own >= self._level(name):
            segment = self.related(name, row)
            return [] if segment is None else [segment]
        if own <= _PATIENT and self._one_patient():
            return list(named)
        closing = _OTHER if self._level(name) == _COMMENT and own > _PATIENT else own
        return list(self._below(name, row, closing))

    def _one_patient(self) -> bool:
        return len(self._named.get("PID", ())) <= 1

    def _below(self, name: str, row: Segment, closing: int) -> Iterator[Segment]:
        for index in range(row.index, len(self._segments)):
            segment = self._segments[index]
            if segment.name == name:
                yield segment
            elif self._depth(segment.name) <= closing:
                return

    def _pairs(self, name: str, row_name: str) -> dict[int, Segment]:
        found: dict[int, Segment] = {}
        named = self._named.get(name, ())
        if not named:
            return found
        if len(named) == 1 and self._level(name) <= _VISIT and self._one_patient():
            return {row.index: named[0] for row in self._named[row_name]}
        level, own = self._level(name), self._depth(row_name)
        covering: Segment | None = None
        for segment in self._segments:
            if segment.name == name:
                covering = segment
                continue
            if self._depth(segment.name) < level:
                covering = None
            if segment.name == row_name and covering is not None:
                found[segment.index] = covering
        if own <= level or level <= _VISIT:
            self._add_following(found, name, row_name)
        return found

    def _add_following(self, found: dict[int, Segment], name: str, row_name: str) -> None:
        """Pairs each row left with the first segment after it, up to the end of their group."""
        level, own = self._level(name), self._depth(row_name)
        closing = own if own < level else level - 1
        if level == _COMMENT:
            closing = _OTHER  # a comment belongs to the very segment it follows
        following: Segment | None = None
        for segment in reversed(self._segments):
            if segment.name == name:
                following = segment
                continue
            if segment.name == row_name and following is not None:
                found.setdefault(segment.index, following)
            if self._depth(segment.name) <= closing:
                following = None

    def _level(self, name: str) -> int:
        """Depth of a segment that is looked for: one of no known place describes the visit."""
        return _VISIT if name not in _DEPTH else self._depth(name)

    def _depth(self, name: str) -> int:
        """Depth of a segment on the way: one of no known place ends no group but a comment's."""
        if name == "SPM" and self._before_orders(name):
            return _SPECIMEN_FIRST  # OUL^R22: the specimen heads its orders; in ORU it follows
        if name == "ORC" and not self._before_orders(name):
            return _RESULT  # OUL^R22: ORC follows its OBR; elsewhere it heads it
        return _DEPTH.get(name, _OTHER)

    def _before_orders(self, name: str) -> bool:
        orders, named = self._named.get("OBR"), self._named.get(name)
        return not orders or not named or named[0].index < orders[0].index
