"""Folded text and its tokens: how two spellings of one identifier become equal."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

SEPARATOR = "\x1f"  # no usual separator within a number or name, so that cells never join
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"})
# Combining accents, and what is invisible on paper: soft hyphen, zero-width characters, BOM.
_UNSEEN = re.compile("[\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]+")
_ISO_TIME = re.compile(r"(?<=\d)t(?=\d\d)")  # 2024-03-31T02:30: the T glues day and hour
# A UUID's groups of four spell names by chance (bebe, dada): 1 in 65,536 each, and the event log of
# a Spark session holds thousands. Written together they are one word, which is no name.
_UUID = re.compile(
    r"(?<![0-9a-z])([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})(?![0-9a-z])"
)
_TOKEN = re.compile(r"[0-9a-z]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbf\"'/\\]))")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_INLINE_TAG = re.compile(
    r"</?(?:a|b|i|u|em|strong|span|font|mark|small|sub|sup|wbr|bdi)\b[^<>]{0,200}>", re.IGNORECASE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


class Piece(NamedTuple):
    """A text of a file.

    Args:
        text: what is searched.
        where: cell, statistics, metadata, text, raw or name.
        shortest: names of fewer letters are chance (raw bytes).
    """

    text: str
    where: str
    shortest: int = 1


def fold(text: str) -> str:
    """`text` without case, accents, ligatures and invisible characters."""
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKD", text).casefold().translate(_LIGATURES)
        folded = _UNSEEN.sub("", unicodedata.normalize("NFKD", folded))
    return _UUID.sub(r"\1\2\3\4\5", _ISO_TIME.sub(" ", folded))


def tokens(folded: str) -> list[str]:
    """Maximal runs of letters and digits of a folded text."""
    return _TOKEN.findall(folded)


def views(text: str) -> Iterator[str]:
    """`text` and what its escapes stand for: entities, JSON and URL escapes, Base64."""
    yield text
    if "&" in text:
        yield html.unescape(text)
    if "<" in text and _INLINE_TAG.search(text):
        yield html.unescape(_INLINE_TAG.sub("", text))
    if "\\" in text:
        yield _ESCAPE.sub(_unescaped, text)
    if "%" in text and _PERCENT.search(text):
        yield unquote(text, errors="replace")
    for run in _BASE64.findall(text):
        decoded = _decoded(run)
        if decoded:
            yield decoded


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        return chr(int(code, 16))
    return match[3] if match[3] in "\"'/\\" else " "


def _decoded(run: str) -> str:
    """The text behind a Base64 run; empty when it holds anything but text."""
    if run == run.lower():  # a pseudonym in hexadecimal
        return ""
    try:
        text = base64.b64decode(run[: len(run) // 4 * 4], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if all(c.isprintable() or c in "\r\n\t" for c in text) else ""
