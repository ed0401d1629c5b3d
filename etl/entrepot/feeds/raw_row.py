"""What one mapping reads from one place of a record: text as sent, before the door treats it."""

from __future__ import annotations

from dataclasses import dataclass, field

from entrepot.feeds.document import Attachment, Node, Path
from entrepot.feeds.mapping import Mapping


@dataclass(slots=True)
class RawRow:
    """What one mapping reads from one node (or the whole document).

    Args:
        values: column -> text; '' is absent, NULL is the sender's deletion.
        lists: column -> every repetition, for `all` columns.
        key: components of the row's own key; empty when only the fallback identifies it.
        key_by_person: components that identify the row together with its person.
        key_in_record: components that identify the row within its record.
    """

    mapping: Mapping
    node: Node | None
    places: dict[str, Path] = field(default_factory=dict, repr=False)
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    key_by_person: list[str] = field(default_factory=list)
    key_in_record: list[str] = field(default_factory=list)
    action: str = "upsert"
    event_time: str = ""
    attachment: Attachment | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def position(self) -> str:
        """The node that the row stands on (`OBX[4]`), for faults and notices."""
        return "" if self.node is None else self.node.place

    def where(self, column: str) -> str:
        """The element that a column is read from (`PID-7`, `OBX[4]-5`), for faults."""
        path = self.places.get(column)
        return self.position if path is None else path.position(self.node)
