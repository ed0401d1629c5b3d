"""HL7v2 bytes: MSH, escapes, charsets; files of several messages, framed in three ways."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import NamedTuple

from entrepot.synthetic.hospital import AUTHORITY
from entrepot.synthetic.message import Field, Ident, Message, Repeat, Segment
from entrepot.synthetic.times import in_utc, monday, stamp, with_offset

CHARSETS = {"UNICODE UTF-8": "utf-8", "8859/1": "iso8859-1", "8859/15": "iso8859-15"}
_TURNS = {  # MSH-18 by week; letters hold œ, which 8859/1 lacks
    "letters": ("UNICODE UTF-8", "UNICODE UTF-8", "8859/15", "UNICODE UTF-8"),
    "": ("UNICODE UTF-8", "UNICODE UTF-8", "8859/1", "UNICODE UTF-8", "8859/15"),
}
APPLICATIONS = {"adt": "GAM", "lab": "SIL", "pmsi": "DIM", "pharma": "PHARMA", "letters": "DPI"}
_ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\n": "\\.br\\"}
)
_SPECIAL = re.compile(r"[\\|^&~\n]")
_EPOCH = dt.date(2023, 12, 25)
_FLUSH = 4_000_000  # bytes held before the files are appended to


class Slot(NamedTuple):
    """One file: a source, a week, and with them a charset and a framing."""

    source: str
    name: str
    charset: str  # as MSH-18 names it
    framing: str  # plain, batch or mllp


def slot(source: str, arrival: dt.datetime) -> Slot:
    """The file that takes a message of `source` arriving at `arrival`."""
    first = monday(arrival)
    week = (first - _EPOCH).days // 7
    turns = _TURNS.get(source, _TURNS[""])
    framing = "batch" if week % 6 == 2 else "mllp" if week % 7 == 3 else "plain"
    return Slot(source, f"{source}-{first:%Y%m%d}.hl7", turns[week % len(turns)], framing)


def msh(message: Message, charset: str) -> Segment:
    """The message header; MSH-7 bears an offset when the sender's style has one."""
    write = {"local": stamp, "offset": with_offset, "utc": in_utc}[message.style]
    event: list[str | list[str]] = [*message.event.split("^")]
    return Segment(
        "MSH",
        {
            3: APPLICATIONS[message.source],
            4: [*AUTHORITY],
            5: "EDS",
            6: "CHSYN",
            7: write(message.sent),
            9: event,
            10: Ident(message.control_id, "AUTRE_ID"),
            11: "P",
            12: ["2.5", "FRA", "2.11"],
            17: "FRA",
            18: charset,
            19: "FR",
            21: ["2.11", "IHE_FRANCE-2.11-PAM"] if message.source == "adt" else "",
        },
    )


def encode(segments: list[Segment], charset: str) -> bytes:
    """Segments ended by CR, in `charset` (MSH-18's name)."""
    text = "".join(_segment(segment) + "\r" for segment in segments)
    return text.encode(CHARSETS[charset])


def _segment(segment: Segment) -> str:
    last = max(segment.fields)
    values = [_field(segment.fields[n]) if n in segment.fields else "" for n in range(1, last + 1)]
    if segment.name == "MSH":  # MSH-1 is the separator itself
        values = ["^~\\&", *values[2:]]
    return f"{segment.name}|{'|'.join(values)}".rstrip("|")


def _field(content: Field) -> str:
    if isinstance(content, str):
        return _leaf(content)
    if isinstance(content, Repeat):
        return "~".join(_field(repetition) for repetition in content)
    return "^".join(
        _leaf(part) if isinstance(part, str) else "&".join(_leaf(sub) for sub in part)
        for part in content
    ).rstrip("^")


def _leaf(value: str) -> str:
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value


class Feeds:
    """The folders of HL7v2 files, appended to as patients come; memory stays bounded."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._held: dict[Slot, bytearray] = {}
        self._size = 0
        self._counts: dict[Slot, int] = {}

    @property
    def files(self) -> int:
        """Files written to so far."""
        return len(self._counts)

    def path(self, where: Slot) -> str:
        """Path of a file below the output folder."""
        return f"hl7v2/{where.source}/{where.name}"

    def add(self, where: Slot, content: bytes) -> int:
        """Appends one message; returns its rank in the file, from 1."""
        held = self._held.setdefault(where, bytearray())
        if where not in self._counts and where.framing == "batch":
            sender = APPLICATIONS[where.source]
            held += f"FHS|^~\\&|{sender}|CHSYN\rBHS|^~\\&|{sender}|CHSYN\r".encode("ascii")
        held += b"\x0b" + content + b"\x1c\r" if where.framing == "mllp" else content
        self._counts[where] = self._counts.get(where, 0) + 1
        self._size += len(content)
        if self._size > _FLUSH:
            self._flush()
        return self._counts[where]

    def close(self) -> None:
        """Ends the batches and writes what is held."""
        for where, count in self._counts.items():
            if where.framing == "batch":
                self._held.setdefault(where, bytearray()).extend(
                    f"BTS|{count}\rFTS|1\r".encode("ascii")
                )
        self._flush()

    def _flush(self) -> None:
        for where, held in self._held.items():
            path = self._out / self.path(where)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(held)
        self._held, self._size = {}, 0
