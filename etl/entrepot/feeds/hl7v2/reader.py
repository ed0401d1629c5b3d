"""HL7 v2 as the road reads every format: parsing, paths, typed readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from entrepot.errors import ConfigurationError
from entrepot.feeds.document import Result
from entrepot.feeds.hl7v2.message import Message, Segment, parse
from entrepot.feeds.hl7v2.path import Path, compile_path
from entrepot.feeds.hl7v2.readers import READERS
from entrepot.feeds.hl7v2.unread import UnreadFields
from entrepot.feeds.mapping import Mapping


class Hl7Reader:
    """Paths are compiled one by one: a message needs no knowledge of the mappings."""

    def __init__(self, mappings: Iterable[Mapping]) -> None:
        self.mappings = tuple(mappings)
        self._unread = UnreadFields()

    def parse(self, content: bytes, charset: str) -> Message:
        """See `message.parse`."""
        return parse(content, charset)

    def unread(self, document: Message, content: bytes, mappings: Iterable[Mapping]) -> set[str]:
        """See `unread.UnreadFields`."""
        return self._unread.of(document, mappings)

    def path(self, text: str, mapping: Mapping | None) -> Path:
        """`PID-3.1`; see `path.compile_path`."""
        return compile_path(text)

    def reader(
        self, name: str, path: str, mapping: Mapping
    ) -> Callable[[Message, Segment | None], Result]:
        """`obx_value`, `obx_range` or `attachment` at a path."""
        function = READERS.get(name)
        if function is None:
            raise ConfigurationError(
                f"no HL7 v2 reader {name}; one of {', '.join(sorted(READERS))}",
                where=mapping.mapping,
            )
        return lambda message, segment: function(message, segment, path)
