"""What the research zone holds of one element of one synthetic record, found through its address.

The truth names records by file and ordinal; their bytes give the record's keyed address, which
staging rows carry. Only the demonstration and tests use this: it needs the keys and the feeds.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from entrepot.config import Site
from entrepot.keys import LANDING, RECORD, Keyring
from entrepot.landing import fhir_split, hl7v2_split
from entrepot.report.scan.elements import Element, Lines, element
from entrepot.staging.kinds import KINDS, ColumnType

_GZIP = b"\x1f\x8b"
_BEFORE = 4  # a masked name that was broken over lines takes a line away


class Places:
    """Texts of the staging rows of a synthetic hospital, by record and element."""

    def __init__(self, site: Site, keyring: Keyring, hospital: Path) -> None:
        self._keyring, self._hospital = keyring, hospital
        self._listed = _listed(hospital / "truth" / "messages.jsonl")
        self._texts, self._codes = _staged(site)
        self._contents: dict[str, list[bytes]] = {}

    def address(self, message: str) -> bytes:
        """The ledger's address of a record."""
        return self._keyring.digest(
            LANDING, self._listed[message]["source"], self._content(message)
        )

    def text(self, message: str, position: str) -> list[str]:
        """Texts for an element that is free text, the other cells of the record for the rest."""
        key = self._keyring.keyed(RECORD, self.address(message))
        found = self._element(message, position)
        if found is None:
            return self._codes[key]
        columns = found.columns
        texts = [text for text in self._texts[key] if not columns or text[0] in columns]
        return list(filter(None, (_near(*text, found.lines) for text in texts)))

    def source(self, message: str, position: str) -> str | None:
        """The element's decoded text, None when it is no free text."""
        found = self._element(message, position)
        return None if found is None else found.text

    def _element(self, message: str, position: str) -> Element | None:
        return element(self._listed[message]["format"], self._content(message), position)

    def _content(self, message: str) -> bytes:
        line = self._listed[message]
        file = line["file"]
        if file not in self._contents:
            self._contents[file] = _records(self._hospital / file, line["format"])
        ordinal: int = line["ordinal"]
        return self._contents[file][ordinal - 1]


def _records(path: Path, format_: str) -> list[bytes]:
    """The records of one file as landing cuts them."""
    whole = path.read_bytes()
    whole = gzip.decompress(whole) if whole.startswith(_GZIP) else whole
    if format_ == "cda":
        return [whole]
    split = fhir_split.split if format_ == "fhir" else hl7v2_split.split
    return [arrival.content for arrival in split(whole)]


def _listed(path: Path) -> dict[str, dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        lines = (json.loads(line) for line in file)
        return {line["message"]: line for line in lines}


def _near(column: str, text: str, lines: Lines | None) -> str:
    """Of a document's text, the lines near those that an element became."""
    if lines is None or column != "text":
        return text
    first, last = max(0, lines.first - 1 - _BEFORE), lines.last + 1
    return "\n".join(text.split("\n")[first:last])


def _staged(site: Site) -> tuple[dict[str, list[tuple[str, str]]], dict[str, list[str]]]:
    """Record key -> (column, text) of free texts, and codes."""
    import polars

    texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    codes: dict[str, list[str]] = defaultdict(list)
    for kind in KINDS.values():
        free = [name for name, type_ in kind.columns.items() if type_ is ColumnType.TEXT]
        coded = [name for name, type_ in kind.columns.items() if type_ is ColumnType.CODE]
        for path in sorted(site.staging.glob(f"*/{kind.name}/*.parquet")):
            rows = polars.read_parquet(path, columns=["record_key", *free, *coded])
            for row in rows.iter_rows(named=True):
                texts[row["record_key"]] += [(name, row[name]) for name in free if row[name]]
                codes[row["record_key"]] += [row[name] for name in coded if row[name]]
    return texts, codes
