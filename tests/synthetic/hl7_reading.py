"""A tiny HL7v2 reader of the tests' own, so that the product's reader is not its own judge."""

from __future__ import annotations

import base64
import datetime as dt
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CHARSETS = {"UNICODE UTF-8": "utf-8", "8859/1": "latin-1", "8859/15": "iso8859-15"}
POSITION = re.compile(r"([A-Z0-9]{3})(?:\[(\d+)\])?-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?")
ESCAPES = {"E": "\\", "F": "|", "S": "^", "T": "&", "R": "~", ".br": "\n"}
PARIS = ZoneInfo("Europe/Paris")


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def contents(path: Path) -> list[bytes]:
    """The messages of one file, in order, without framing."""
    raw = path.read_bytes().replace(b"\x0b", b"").replace(b"\x1c\r", b"")
    raw = re.sub(rb"(?:^|(?<=\r))(?:FHS|BHS|BTS|FTS)\|[^\r]*\r", b"", raw)
    return [b"MSH|" + part for part in re.split(rb"(?:^|(?<=\r))MSH\|", raw)[1:]]


def unescape(text: str) -> str:
    """Decodes HL7 escapes."""
    return re.sub(r"\\(E|F|S|T|R|\.br)\\", lambda m: ESCAPES[m[1]], text)


@dataclass
class Read:
    """One message split into segments and fields."""

    segments: list[list[str]]

    @classmethod
    def of(cls, content: bytes) -> Read:
        """Decodes by MSH-18 and splits."""
        charset = content.split(b"\r")[0].split(b"|")[17].decode("ascii")
        text = content.decode(CHARSETS[charset])
        return cls([part.split("|") for part in text.split("\r") if part])

    def named(self, name: str) -> list[list[str]]:
        """The segments of one name."""
        return [segment for segment in self.segments if segment[0] == name]

    def get(self, position: str) -> str:
        """The decoded text at a position; '' when there is none."""
        match = POSITION.fullmatch(position)
        assert match, position
        name, occurrence, field, repetition, component, sub = match.groups()
        return pick(
            self.named(name)[int(occurrence or 1) - 1],
            int(field),
            int(repetition or 1),
            int(component) if component else None,
            int(sub) if sub else None,
        )


def pick(
    segment: list[str],
    field: int,
    repetition: int = 1,
    component: int | None = None,
    sub: int | None = None,
) -> str:
    """One decoded element of a segment; '' when it is absent."""
    index = field - 1 if segment[0] == "MSH" else field
    if index >= len(segment):
        return ""
    parts = segment[index].split("~") if segment[0] != "MSH" else [segment[index]]
    text = parts[repetition - 1] if repetition <= len(parts) else ""
    for number, separator in ((component, "^"), (sub, "&")):
        if number is not None:
            split = text.split(separator)
            text = split[number - 1] if number <= len(split) else ""
    return unescape(text)


def attachment(data: str, subtype: str) -> str:
    """The text inside a Base64 attachment: plain, HTML or RTF."""
    raw = base64.b64decode(data)
    if subtype == "rtf":
        body = re.sub(
            r"\\'([0-9a-f]{2})", lambda m: bytes.fromhex(m[1]).decode("cp1252"), raw.decode()
        )
        return body.replace("\\par\n", "\n")
    text = raw.decode("utf-8")
    return html.unescape(text.replace("<br/>\n", "\n")) if subtype == "html" else text


def local(stamp: str) -> dt.datetime:
    """An HL7 time as local civil time of Paris, without zone."""
    digits, offset = stamp[:14], stamp[14:]
    form = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
    if not offset and ("+" in digits):
        digits, offset = digits.split("+")[0], "+" + digits.split("+")[1]
    when = dt.datetime.strptime(digits, form[len(digits)])
    if not offset:
        return when
    shift = dt.timedelta(hours=int(offset[:3]), minutes=int(offset[3:]))
    zoned = when.replace(tzinfo=dt.timezone(shift)).astimezone(PARIS)
    return zoned.replace(tzinfo=None)
