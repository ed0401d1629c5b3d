"""One CDA document as a record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from entrepot.synthetic.cda.tree import Node, written
from entrepot.synthetic.times import monday

_TURNS = ("UTF-8", "UTF-8", "ISO-8859-1", "UTF-8", "ISO-8859-15", "UTF-8")


@dataclass
class Document:
    """One version of one document.

    Attributes:
        code: document type (LOINC). number: ClinicalDocument/id/@extension.
        root: the whole tree. sent: its effectiveTime, local civil time.
        arrival: when it was delivered. facts: ids of the statements that it states.
        damage: what happened to its bytes on the way.
    """

    format: ClassVar[str] = "cda"
    source: ClassVar[str] = "cda"
    carries: ClassVar[str] = ""
    other: ClassVar[str] = ""
    code: str
    number: str
    root: Node
    patient: str
    sent: dt.datetime
    facts: tuple[str, ...]
    arrival: dt.datetime = dt.datetime.min
    id: str = ""
    damage: Callable[[bytes], bytes] | None = None
    marks: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arrival = max(self.arrival, self.sent)

    @property
    def event(self) -> str:
        """`CDA^11502-2`."""
        return f"CDA^{self.code}"

    @property
    def control_id(self) -> str:
        """The document's own number."""
        return str(self.number)

    @property
    def charset(self) -> str:
        """The encoding that the XML declaration names: one a week, by the date of the document."""
        return _TURNS[monday(self.sent).toordinal() // 7 % len(_TURNS)]

    def content(self) -> bytes:
        """The bytes."""
        content = written(self.root, self.charset)
        return self.damage(content) if self.damage else content
