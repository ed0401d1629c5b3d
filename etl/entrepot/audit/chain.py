"""Reads the whole log and says which entries were changed, dropped, reordered or cut off."""

from __future__ import annotations

import fcntl
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from entrepot.audit.entry import GENESIS, Entry, Sealer, stated_sequence
from entrepot.audit.head import Head, HeadRecord
from entrepot.audit.log import log_path
from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.keys import Keyring


class FaultKind(StrEnum):
    """How the chain is broken."""

    CHANGED = "changed"  # a line that the site's key did not write so
    DROPPED = "dropped"  # a number is missing
    REORDERED = "reordered"  # an entry stands after a later one
    REPEATED = "repeated"  # an entry stands twice
    CUT = "cut"  # the log ends before the noted head
    REPLACED = "replaced"  # a genuine entry, not the one that was noted or that the next follows
    HEAD_MISSING = "head_missing"  # entries, and nothing noted in the database


@dataclass(frozen=True, order=True)
class Fault:
    """One fault.

    Args:
        sequence: the entry's number; 0 when it cannot be told.
        line: of the file; 0 when the entry is not there.
    """

    sequence: int
    kind: str
    line: int = 0


@dataclass(frozen=True)
class Verification:
    """What the log is worth.

    Args:
        entries: genuine ones.
        head: the last of them.
        noted: the head that the database holds.
        faults: by sequence.
        torn: lines of the file that a crash cut short; no act belongs to them.
    """

    entries: int
    head: Head
    noted: Head
    faults: tuple[Fault, ...]
    torn: tuple[int, ...]

    @property
    def intact(self) -> bool:
        """Nothing was changed, dropped, reordered or cut."""
        return not self.faults


def verify(site: Site, keyring: Keyring, *kept: Head) -> Verification:
    """Walks the chain from its first entry to its last.

    Args:
        kept: heads that were kept elsewhere; the log must still hold them.

    Raises:
        EntrepotError: the log or the zone's database cannot be read.
    """
    noted = HeadRecord(site).read()
    walk = _Walk(Sealer(keyring), {noted or Head(), *kept})
    path = log_path(site)
    try:
        if path.exists():
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)  # nobody is in the middle of a line
                walk.through(file)
    except OSError as error:
        raise EntrepotError(
            f"the audit log cannot be read ({error.strerror})", where=f"identifying/{path.name}"
        ) from None
    return walk.end(noted, kept)


@dataclass
class _Walk:
    """The state between two lines."""

    sealer: Sealer
    wanted: set[Head]
    last: Head = field(default_factory=Head)
    entries: int = 0
    faults: list[Fault] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)
    missing: dict[int, int] = field(default_factory=dict)  # number -> line it was missed at
    unread: list[tuple[int, int | None]] = field(default_factory=list)  # (line, number claimed)
    found: dict[int, str] = field(default_factory=dict)  # MACs of the wanted heads' numbers

    def through(self, lines: Iterable[bytes]) -> None:
        for number, line in enumerate(lines, 1):
            entry = self.sealer.genuine(line.removesuffix(b"\n"))
            if entry is None:
                self.unread.append((number, stated_sequence(line)))
                continue
            self._take(entry, number)
            if not line.endswith(b"\n"):
                self.torn.append(number)

    def _take(self, entry: Entry, line: int) -> None:
        self.entries += 1
        if any(entry.sequence == head.sequence for head in self.wanted):
            self.found.setdefault(entry.sequence, entry.mac)
        following = self.last.sequence + 1
        if entry.sequence < following:
            again = self.missing.pop(entry.sequence, None) is None
            kind = FaultKind.REPEATED if again else FaultKind.REORDERED
            self.faults.append(Fault(entry.sequence, kind, line))
            return
        self._account_for(range(following, entry.sequence), line)
        if entry.sequence == following and entry.previous != self.last.mac:
            self.faults.append(Fault(following, FaultKind.REPLACED, line))
        self.last = Head(entry.sequence, entry.mac)

    def _account_for(self, gap: range, line: int) -> None:
        """Lines that could not be read before an entry: the missing ones, or torn ones."""
        left = list(gap)
        for place, claimed in self.unread:
            number = claimed if claimed in left else (left[0] if left else None)
            if number is not None:
                left.remove(number)
                self.faults.append(Fault(number, FaultKind.CHANGED, place))
            elif claimed is None:
                self.torn.append(place)
            else:
                self.faults.append(Fault(max(claimed, 0), FaultKind.CHANGED, place))
        self.unread.clear()
        self.missing.update(dict.fromkeys(left, line))

    def end(self, noted: Head | None, kept: Iterable[Head]) -> Verification:
        """The verdict, once every line was seen."""
        heads = [*kept, *([noted] if noted is not None else [])]
        furthest = max((head.sequence for head in heads), default=0)
        after = self.last.sequence
        lines = len(self.unread)
        self._account_for(range(after + 1, min(furthest, after + lines) + 1), 0)
        changed = {fault.sequence for fault in self.faults}
        cut = (n for n in range(after + 1, furthest + 1) if n not in changed)
        self.faults += [Fault(number, FaultKind.CUT) for number in cut]
        self.faults += [Fault(n, FaultKind.DROPPED, line) for n, line in self.missing.items()]
        for head in heads:
            told = self.found.get(head.sequence, GENESIS if head.sequence == 0 else None)
            if told is not None and told != head.mac:
                self.faults.append(Fault(head.sequence, FaultKind.REPLACED))
        if noted is None and self.entries:
            self.faults.append(Fault(after, FaultKind.HEAD_MISSING))
        return Verification(
            self.entries, self.last, noted or Head(), tuple(sorted(set(self.faults))),
            tuple(self.torn),
        )  # fmt: skip
