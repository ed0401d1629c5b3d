"""One HL7 version 2 message: split into segments at once, into fields when first asked.

Strict where a doubt would lose or misattribute data, tolerant where nothing is in doubt (line
ends, blank lines, missing last line end, unknown versions). Section numbers are HL7 v2.5's.
"""

from __future__ import annotations

import re

from entrepot.errors import RecordFault
from entrepot.feeds.document import Embedded
from entrepot.feeds.hl7v2.charset import decode
from entrepot.feeds.hl7v2.embedded import embedded_documents
from entrepot.feeds.hl7v2.path import Path, compile_path
from entrepot.feeds.hl7v2.scope import Scope
from entrepot.feeds.hl7v2.segment import Header, Notices, Segment
from entrepot.feeds.hl7v2.syntax import NULL, Syntax, syntax_of

__all__ = ["Message", "Segment", "parse"]

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_VERSION = re.compile(r"2\.[1-9](\.[0-9])?")
_TRIGGER = 8  # MSH-9 in a header split at its separators

# The last field that the norm requires in a segment: one that stops before it was cut.
_REQUIRED = {"PID": 5, "PV1": 2, "OBR": 4, "OBX": 11, "MRG": 1, "ZBE": 5}
# Messages whose structure goes on after PID (chapters 3, 4, 7, 9): PV1, MRG, OBR, TXA, FT1…
_CARRIERS = {"ORU", "MDM"}  # messages that carry documents (CI-SIS, transmission of CDA)
_GOES_ON = {"ORU", "MDM", "ORM", "OML", "DFT", "RAS", "RDE"}
# ADT events that may stop at PID: links of two PID, and identities sent without their PV1.
_MAY_STOP = {"A24", "A28", "A29", "A31", "A37", "A60"}


class Message:
    """One message.

    Args:
        segments: in the order sent, blank lines left out, continued segments joined.
        charset: the Python codec that decoded it.
        ended_cleanly: whether a line end (or an MLLP end block) follows the last segment.
    """

    __slots__ = ("_named", "_notices", "_scope", "charset", "ended_cleanly", "segments")

    def __init__(
        self,
        segments: list[Segment],
        named: dict[str, list[Segment]],
        notices: Notices,
        charset: str,
        ended_cleanly: bool,
    ) -> None:
        self.segments, self._named, self._notices = segments, named, notices
        self.charset, self.ended_cleanly = charset, ended_cleanly
        self._scope = Scope(segments, named)

    @property
    def notices(self) -> list[tuple[str, str]]:
        """Code and position of what was assumed, repaired or kept undecoded, each once.

        Fields with escape sequences that no mapping reads are read for theirs.
        """
        for segment in self.segments[1:]:
            if "\\" in segment.raw:
                for number in range(1, segment.count() + 1):
                    segment.text(number)
        return list(self._notices)

    @property
    def structure(self) -> str:
        """MSH-9.1^MSH-9.2 (`ADT^A01`); without MSH-9.2 the event is EVN-1's, else MSH-9.3's.

        EVN-1 first: one structure serves several events (ADT_A05: A05, A14, A28, A31).
        """
        code, event = self._header(9), self._header(9, 2)
        if not event or event == NULL:
            event = self.get("EVN-1.1") or self._header(9, 3).partition("_")[2]
            if event:
                self._notices["event_inferred", "MSH-9"] = None
        return f"{code}^{event}" if event else code

    @property
    def event(self) -> str:
        """What mappings call it: see `structure`."""
        return self.structure

    @property
    def control(self) -> str:
        """See `control_id`."""
        return self.control_id

    def nodes(self, foreach: str) -> list[Segment]:
        """One row per segment of this name."""
        return self.named(foreach)

    def stated(self) -> list[tuple[str, str]]:
        """MSH-7, then EVN-2."""
        return [(self.get("MSH-7"), "MSH-7"), (self.get("EVN-2"), "EVN-2")]

    def embedded(self) -> list[Embedded]:
        """The CDA documents in OBX-5 (type ED).

        Raises:
            RecordFault: `attachment_unreadable`.
        """
        return embedded_documents(self) if self.structure[:3] in _CARRIERS else []

    @property
    def control_id(self) -> str:
        """MSH-10; unique only in principle."""
        return self._header(10)

    @property
    def version(self) -> str:
        """MSH-12.1."""
        return self._header(12)

    def get(self, path: str | Path) -> str:
        """What the path reads from the first segment of its name; '' when absent."""
        compiled = compile_path(path) if isinstance(path, str) else path
        return compiled.read(self, None)

    def named(self, name: str) -> list[Segment]:
        """The segments of one name, in the order sent."""
        return self._named.get(name, [])

    def related(self, name: str, row: Segment) -> Segment | None:
        """The segment called `name` that belongs to the same group as `row`."""
        return self._scope.related(name, row)

    def all_related(self, name: str, row: Segment) -> list[Segment]:
        """The segments called `name` below `row`, else the one that `row` belongs to."""
        return self._scope.all_related(name, row)

    def _header(self, n: int, component: int = 1) -> str:
        return self.segments[0].component(n, 1, component)


def parse(content: bytes, default_charset: str = "utf-8") -> Message:
    """Reads one message.

    Args:
        content: its bytes, with or without an MLLP frame or byte order mark.
        default_charset: applied when MSH-18 is empty.

    Raises:
        RecordFault: `empty_message`; `no_msh`; `several_messages`; `segment_name` (segment N,
            blank lines not counted); `separators` (MSH-2); `truncated` (MSH, or the field where
            the message was cut); `message_continued` (parts of it travel in another message);
            `charset_unknown`, `charset_mismatch` (see `decode`).
        ConfigurationError: `default_charset` names no charset.
    """
    decoded = decode(content, default_charset)
    text = decoded.text
    if not text:
        raise RecordFault("empty_message")
    lines = text.replace("\n", "\r").split("\r") if "\n" in text else text.split("\r")
    syntax = _syntax(lines[0], decoded.charset)
    notices: Notices = {}
    for code in decoded.notices:
        notices[code, "MSH-18" if code.startswith("charset") else ""] = None
    for code in syntax.notices:
        notices[code, "MSH-2"] = None
    segments, named = _segments(lines, syntax, notices)
    message = Message(segments, named, notices, decoded.charset, not lines[-1].strip())
    _check_whole(message)
    if not _VERSION.fullmatch(message.version):
        notices["version_unknown", "MSH-12"] = None
    return message


def _syntax(line: str, charset: str) -> Syntax:
    separator = line[3:4]
    if not line.startswith("MSH") or separator.isalnum() or separator.isspace():
        raise RecordFault("no_msh", "segment 1")
    header = line.split(separator) if separator else []
    if len(header) <= _TRIGGER or not header[1] or not header[_TRIGGER]:
        raise RecordFault("truncated", "MSH")
    return syntax_of(separator, header[1], charset)


def _segments(
    lines: list[str], syntax: Syntax, notices: Notices
) -> tuple[list[Segment], dict[str, list[Segment]]]:
    segments: list[Segment] = []
    named: dict[str, list[Segment]] = {}
    ends = (syntax.field, "")
    number = 0
    for line in lines:
        if not line or line.isspace():
            continue
        number += 1
        name = line[:3]
        same = named.get(name)
        if same is None:
            if not _NAME.fullmatch(name) or line[3:4] not in ends:
                raise RecordFault("segment_name", f"segment {number}")
            if name == "ADD":
                _join(segments[-1], line)
                continue
            same = named[name] = []
        elif name == "MSH":
            raise RecordFault("several_messages", f"segment {number}")
        elif line[3:4] not in ends:
            raise RecordFault("segment_name", f"segment {number}")
        kind = Segment if segments else Header
        segment = kind(syntax, notices, name, line, len(segments) + 1, len(same) + 1)
        segments.append(segment)
        same.append(segment)
    return segments, named


def _join(continued: Segment, addendum: str) -> None:
    """Joins an ADD segment: the segment before it was cut at any character (2.10.2.1).

    An empty ADD says that the rest comes in another message, an ADD after MSH that it is the rest.
    """
    rest = addendum[4:]
    if not rest.strip() or continued.name == "MSH":
        raise RecordFault("message_continued", f"{continued.name}[{continued.number}]")
    continued.raw += rest


def _check_whole(message: Message) -> None:
    """Refuses a message that is visibly a part of one.

    Without a line end after the last segment (valid messages lack it too) the message was cut if
    that segment stops before a field the norm requires of it, or if it is MSH, EVN or PID in a
    message whose structure goes on. A cut inside a later optional field cannot be seen.
    """
    for pointer in message.named("DSC"):
        if pointer.field(1) and pointer.component(2) != "I":  # I: a query answered page by page
            raise RecordFault("message_continued", "DSC-1")
    if message.ended_cleanly:
        return
    last = message.segments[-1]
    stops = last.name in {"MSH", "EVN"} or (last.name == "PID" and _goes_on(message.structure))
    if stops or last.count() < _REQUIRED.get(last.name, 0):
        raise RecordFault("truncated", f"{last.name}-{last.count()}")


def _goes_on(structure: str) -> bool:
    code, _, event = structure.partition("^")
    return code in _GOES_ON or (code == "ADT" and event not in _MAY_STOP)
