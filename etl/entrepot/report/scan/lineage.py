"""What the research zone holds of one element of one synthetic message, found through its record.

The truth names messages by file and ordinal; their bytes give the record's keyed address, which
staging rows carry. Only the demonstration and tests use this: it needs the keys and the feeds.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from entrepot.config import Site
from entrepot.door.attached import attached_text
from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.message import Message, Segment, parse
from entrepot.feeds.hl7v2.path import compile_path
from entrepot.feeds.hl7v2.readers import attachment
from entrepot.keys import LANDING, RECORD, Keyring
from entrepot.landing.hl7v2_split import split
from entrepot.staging.kinds import KINDS, ColumnType

_LINE = re.compile(r"OBX\[(\d+)\]-5$|-5\[(\d+)\]")
FREE_TEXT = ("OBX-5", "NTE-3")


class Places:
    """Texts of the staging rows of a synthetic hospital, by message and element."""

    def __init__(self, site: Site, keyring: Keyring, hospital: Path) -> None:
        self._keyring, self._hospital = keyring, hospital
        self._listed = _listed(hospital / "truth" / "messages.jsonl")
        self._texts, self._codes = _staged(site)
        self._contents: dict[str, list[bytes]] = {}

    def text(self, message: str, position: str) -> list[str]:
        """Texts for an element that is free text, the other cells of the record for the rest."""
        content = self._content(message)
        address = self._keyring.digest(LANDING, self._listed[message]["source"], content)
        key = self._keyring.keyed(RECORD, address)
        if not _is_text(position):
            return self._codes[key]
        line = _LINE.search(position)
        number = int(line[1] or line[2]) if line else 0
        return _around(self._texts[key], number) if number else self._texts[key]

    def source(self, message: str, position: str) -> str | None:
        """The element's decoded text, None when it is no free text."""
        if not _is_text(position):
            return None
        parsed = self._parsed(message)
        if parsed is None:
            return None
        segment, _, field = position.partition("-")
        name, _, number = segment.rstrip("]").partition("[")
        named = parsed.named(name)
        wanted = named[int(number or 1) - 1 : int(number or 1)]
        if not wanted:
            return None
        if field == "5.5":
            return _attached(parsed, wanted[0])
        return compile_path(f"{name}-{field}").read(parsed, wanted[0])

    def _parsed(self, message: str) -> Message | None:
        try:
            return parse(self._content(message))
        except RecordFault:
            return None

    def _content(self, message: str) -> bytes:
        line = self._listed[message]
        file = line["file"]
        if file not in self._contents:
            whole = (self._hospital / file).read_bytes()
            self._contents[file] = [arrival.content for arrival in split(whole)]
        ordinal: int = line["ordinal"]
        return self._contents[file][ordinal - 1]


def _attached(message: Message, segment: Segment) -> str | None:
    """The text that the door reads in an attachment; None when it reads none."""
    _, attached, _ = attachment(message, segment, "OBX-5")
    try:
        return attached_text(attached, "OBX-5") if attached else None
    except RecordFault:
        return None


def _listed(path: Path) -> dict[str, dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        lines = (json.loads(line) for line in file)
        return {line["message"]: line for line in lines}


def _around(texts: list[str], line: int) -> list[str]:
    """The lines of each text near one OBX or one repetition of OBX-5: either is a line.

    A masked name that was broken over lines takes a line away, so four lines before are read too.
    """
    windows = ("\n".join(text.split("\n")[max(0, line - 5) : line + 1]) for text in texts)
    return [window for window in windows if window]


def _is_text(position: str) -> bool:
    segment, _, field = position.partition("-")
    name, number = re.split(r"\[", segment)[0], re.split(r"[.\[]", field)[0]
    return f"{name}-{number}" in FREE_TEXT


def _staged(site: Site) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    import polars

    texts: dict[str, list[str]] = defaultdict(list)
    codes: dict[str, list[str]] = defaultdict(list)
    for kind in KINDS.values():
        free = [name for name, type_ in kind.columns.items() if type_ is ColumnType.TEXT]
        coded = [name for name, type_ in kind.columns.items() if type_ is ColumnType.CODE]
        for path in sorted(site.staging.glob(f"*/{kind.name}/*.parquet")):
            rows = polars.read_parquet(path, columns=["record_key", *free, *coded])
            for row in rows.iter_rows(named=True):
                texts[row["record_key"]] += [row[name] for name in free if row[name]]
                codes[row["record_key"]] += [row[name] for name in coded if row[name]]
    return texts, codes
