"""Reads the text of an RTF document; nothing else of it.

Source: Rich Text Format Specification 1.9.1. Understood: groups, control words and symbols, `\\'hh`
in the code page of `\\ansicpg`, `\\uN` with `\\ucN`, the special characters. Destinations that hold
no text of the body (fonts, colours, styles, pictures, `\\*`) are skipped.
"""

from __future__ import annotations

import codecs
import re

from entrepot.errors import RecordFault

MAX_DEPTH = 200
_TOKEN = re.compile(
    rb"\\(?:(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    rb"|'(?P<hex>[0-9a-fA-F]{2})|(?P<symbol>[^a-zA-Z]))"
    rb"|(?P<brace>[{}])|(?P<plain>[^\\{}\r\n]+)|[\r\n]+",
    re.DOTALL,
)
_SKIPPED = frozenset((
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "objdata", "themedata",
    "datastore", "listtable", "xmlnstbl", "listoverridetable", "rsidtbl", "generator",
    "latentstyles", "fldinst", "bkmkstart", "bkmkend", "filetbl", "private", "revtbl", "pgptbl",
    "mmathPr", "nonshppict",
))  # fmt: skip
_SPECIAL = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "cell": "\t", "tab": "\t",
    "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ",
}  # fmt: skip
_SYMBOLS = {"~": "\u00a0", "_": "\u2011", "{": "{", "}": "}", "\\": "\\", "\n": "\n", "\r": "\n"}


class _Group:
    """State that a closing brace restores: skipped or not, and characters after a `\\u`."""

    __slots__ = ("fallback", "skipped")

    def __init__(self, skipped: bool, fallback: int) -> None:
        self.skipped, self.fallback = skipped, fallback


class _Reader:
    def __init__(self) -> None:
        self.groups = [_Group(skipped=False, fallback=1)]
        self.encoding = "cp1252"
        self.pieces: list[str] = []
        self.pending = bytearray()  # \'hh bytes of a character of several bytes
        self.ignore = 0  # characters still to drop after a \u
        self.starred = False

    def text(self, data: bytes) -> str:
        for match in _TOKEN.finditer(data):
            if match["hex"]:
                self._byte(bytes.fromhex(match["hex"].decode()))
                continue
            if match["brace"]:
                self._flush()
                self._brace(match["brace"])
            elif match["word"]:
                self._word(match["word"].decode(), match["number"])
            elif match["symbol"]:
                self._flush()
                self._symbol(match["symbol"].decode("latin-1"))
            elif match["plain"]:
                self._byte(match["plain"])
        self._flush()
        if len(self.groups) != 1:
            raise RecordFault("attachment_unreadable", "rtf: unbalanced groups")
        joined = "".join(self.pieces)
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _brace(self, brace: bytes) -> None:
        self.ignore, self.starred = 0, False
        if brace == b"{":
            if len(self.groups) > MAX_DEPTH:
                raise RecordFault("attachment_unreadable", "rtf: depth")
            top = self.groups[-1]
            self.groups.append(_Group(top.skipped, top.fallback))
        elif len(self.groups) > 1:
            self.groups.pop()
        else:
            raise RecordFault("attachment_unreadable", "rtf: unbalanced groups")

    def _word(self, word: str, number: bytes | None) -> None:
        top, value = self.groups[-1], int(number) if number else None
        if self.starred or word in _SKIPPED:
            top.skipped, self.starred = True, False
        elif word == "bin":
            raise RecordFault("attachment_unreadable", "rtf: binary data")
        elif word == "ansicpg" and value is not None:
            self._flush()
            self.encoding = _encoding(value)
        elif word == "uc" and value is not None:
            top.fallback = max(0, value)
        elif word == "u" and value is not None:
            self._flush()
            self._write(chr(value % 65536))
            self.ignore = top.fallback
        elif word in _SPECIAL:
            self._flush()
            self._write(_SPECIAL[word])

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self.starred = True
        elif self.ignore:
            self.ignore -= 1
        elif symbol in _SYMBOLS:
            self._write(_SYMBOLS[symbol])

    def _byte(self, data: bytes) -> None:
        dropped = min(self.ignore, len(data))
        self.ignore -= dropped
        if not self.groups[-1].skipped:
            self.pending += data[dropped:]

    def _flush(self) -> None:
        if self.pending:
            self.pieces.append(self.pending.decode(self.encoding, "replace"))
            self.pending.clear()

    def _write(self, text: str) -> None:
        if not self.groups[-1].skipped:
            self.pieces.append(text)


def _encoding(code_page: int) -> str:
    name = {65001: "utf-8", 10000: "mac_roman"}.get(code_page, f"cp{code_page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise RecordFault("attachment_unreadable", "rtf: code page") from None


def rtf_text(data: bytes) -> str:
    """The body text of an RTF document.

    Raises:
        RecordFault: `attachment_unreadable` when it is no RTF, its groups do not balance, they
            are deeper than MAX_DEPTH, it holds raw binary data or an unknown code page.
    """
    data = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not data.startswith(b"{\\rtf"):
        raise RecordFault("attachment_unreadable", "rtf: no header")
    return _Reader().text(data)
