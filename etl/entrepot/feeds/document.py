"""What a format's reader gives to register and door: a document, its row nodes, paths into it.

One spelling of values whatever the format: dates and times are HL7 DTM text (`202403`,
`20240331023000+0100`), numbers plain decimals as sent, booleans `true` and `false`, absent ''.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from entrepot.feeds.mapping import Mapping

NULL = '""'  # HL7: the sender deletes the value (v2.5 chapter 2.7.3)
# A longer integer is an identifier (NIR, order number), not a laboratory value: it stays text.
MAX_INTEGER_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Attachment:
    """An encapsulated document, still encoded.

    Args:
        subtype: HL7 type or subtype, or a media type.
        encoding: Base64, Hex or A (plain).
    """

    subtype: str
    encoding: str
    data: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """A CDA inside a message.

    Args:
        position: where it stands (`OBX[1]-5`).
        withdrawn: the message says that it holds no longer.
    """

    content: bytes
    position: str
    withdrawn: bool


Result = tuple[dict[str, str], Attachment | None, list[str]]


class Node(Protocol):
    """The place of one row in its document."""

    @property
    def place(self) -> str:
        """`OBX[4]`, `component[2]`: for faults and notices; it holds no value."""


class Document(Protocol):
    """One parsed record, or a document carried inside one."""

    @property
    def event(self) -> str:
        """What mappings call it: `ADT^A01`, `Observation`, `CDA^11502-2`."""

    @property
    def control(self) -> str:
        """The sender's own number of the record; '' when the format has none."""

    @property
    def notices(self) -> list[tuple[str, str]]:
        """Code and position of what was assumed, repaired or left."""

    def nodes(self, foreach: str) -> list[Any]:
        """The row nodes of a mapping's `foreach`."""

    def stated(self) -> list[tuple[str, str]]:
        """(time as DTM text, position): when the sender stated it, by preference."""

    def embedded(self) -> list[Embedded]:
        """CDA documents that it carries."""


class Path(Protocol):
    """One compiled path; `node` is the row's node, or None for a row of the whole document."""

    def read(self, document: Any, node: Any, /) -> str:
        """The first value; '' when absent."""

    def read_all(self, document: Any, node: Any, /) -> list[str]:
        """Every value."""

    def position(self, node: Any = None, /) -> str:
        """Where it reads, for faults."""


class Reader(Protocol):
    """One format: compiled for the mappings that read it."""

    def parse(self, content: bytes, charset: str) -> Any:
        """Reads one record; raises RecordFault when it is refused."""

    def unread(self, document: Any, content: bytes, mappings: Iterable[Mapping], /) -> set[str]:
        """Names of the elements that none of these mappings reads; never a value."""

    def path(self, text: str, mapping: Mapping | None) -> Path:
        """Compiles a path; raises ConfigurationError when it is none."""

    def reader(self, name: str, path: str, mapping: Mapping) -> Callable[[Any, Any], Result]:
        """A reader of a typed element that fills several columns."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a format tells what the register looks for, and what an absence means.

    Args:
        undated: reason of a record without time; empty when the time of receipt serves.
        open_types: a pattern covers every type: any CDA has a header, an encounter, a narrative.
    """

    subject: str
    second: str
    event: str
    time: str
    control: str
    undated: str
    open_types: bool = False


PLACES = {
    "hl7v2": Places("PID-3", "PID[2]", "MSH-9", "MSH-7", "MSH-10", "message_time_missing"),
    "cda": Places(
        "recordTarget",
        "recordTarget[2]",
        "code",
        "effectiveTime",
        "",
        "message_time_missing",
        open_types=True,
    ),
    "fhir": Places("subject", "subject[2]", "resourceType", "meta.lastUpdated", "", ""),
}
FORMATS = tuple(PLACES)


def reader_of(
    format_: str, mappings: Iterable[Mapping], overlays: Iterable[FilePath] = ()
) -> Reader:
    """The reader of a format; its libraries are imported only now.

    Args:
        overlays: folders whose code systems come before the shipped ones.
    """
    if format_ == "fhir":
        from entrepot.feeds.fhir.reader import FhirReader

        return FhirReader(mappings, overlays)
    if format_ == "cda":
        from entrepot.feeds.cda.reader import CdaReader

        return CdaReader(mappings, overlays)
    from entrepot.feeds.hl7v2.reader import Hl7Reader

    return Hl7Reader(mappings)
