"""What a text stands for when it is written in escapes, in markup or in damaged letters."""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

from entrepot.report.second_scan.spelling import WALL

LEGIBLE = 0.9  # share of printable characters from which decoded bytes are taken for text
PLAIN = 0.75  # share of characters without accent
_DAMAGED = re.compile("[\u00c2-\u00f4][^\x00-\x7f]{1,3}")
_MARKUP = re.compile(r"<(?:[a-zA-Z/!?][^<>]{0,2000}|!--.*?--)>", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbfv\"'/\\])|([0-7]{3}))")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_QUOTED = re.compile(r"=[0-9A-F]{2}|=\r?\n")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{4}\s{0,2}){3,}[A-Za-z0-9+/_-]{0,3}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){6,}")
_UNUSUAL = re.compile("[^\t\r\n -~À-ÖØ-öø-ÿŒœ’]+")
_KEY = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{64})$")  # a pseudonym or a hash


def views(text: str) -> Iterator[tuple[str, str]]:
    """`text` itself, then each reading of it that differs: (how it was written, text).

    Escapes, markup and damaged letters are undone one by one and all together; what stood in
    Base64 or hexadecimal is read so too.
    """
    yield "plain", text
    whole, ways = text, list[str]()
    for how, reading in _READINGS.items():
        other = reading(text)
        if other != text:
            yield how, other
            whole, ways = reading(whole), [*ways, how]
    if len(ways) > 1:
        yield ", ".join(ways), whole
    for how, extracted in (("Base64", _from_base64), ("hexadecimal", _from_hex)):
        hidden = extracted(text)
        for inner, found in views(hidden) if hidden else ():
            yield how if inner == "plain" else f"{how}, {inner}", found


def _mended(text: str) -> str:
    """UTF-8 that was read as ISO 8859-1 or Windows 1252, up to twice."""
    for _ in range(2):
        text = _DAMAGED.sub(_recoded, text)
    return text


def _recoded(match: re.Match[str]) -> str:
    for charset in ("cp1252", "latin-1"):
        for end in range(len(match[0]), 1, -1):
            try:
                return match[0][:end].encode(charset).decode("utf-8") + match[0][end:]
            except UnicodeError:
                continue
    return match[0]


def _unmarked(text: str) -> str:
    """Without markup, within words too."""
    if "<" in text:
        text = _MARKUP.sub("", text)
    return html.unescape(text) if "&" in text else text


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    four, two, letter, octal = match.groups()
    if letter:
        return letter if letter in "\"'/\\" else " "
    return chr(int(four or two, 16) if four or two else int(octal, 8))


def _unquoted(text: str) -> str:
    if "%" not in text or not _PERCENT.search(text):
        return text
    return _decoded(unquote_to_bytes(text.replace("+", " ")))


def _printable(text: str) -> str:
    """Quoted-printable (RFC 2045, 6.7)."""
    if "=" not in text or not _QUOTED.search(text):
        return text
    return _decoded(quopri.decodestring(text.encode("utf-8", "replace")))


def _from_base64(text: str) -> str:
    """The legible parts of what stands in Base64, whatever the alignment; line ends are layout."""
    found = []
    for match in _BASE64.finditer(text):
        run = "".join(match[0].split()).replace("-", "+").replace("_", "/")
        if not _KEY.match(run) and not run.isdigit():
            for shift in range(4):
                part = run[shift:]
                found += _legible(_bytes(part[: len(part) // 4 * 4]))
    return WALL.join(found)


def _bytes(coded: str) -> bytes:
    try:
        return base64.b64decode(coded)
    except binascii.Error:
        return b""


def _from_hex(text: str) -> str:
    found = []
    for match in _HEX.finditer(text):
        digits = match[0].replace(" ", "").replace(":", "")
        if not _KEY.match(digits) and not digits.isdigit():
            found += _legible(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    return WALL.join(found)


def _legible(raw: bytes) -> list[str]:
    """Runs of six and more printable characters, when most of the bytes are such.

    Most letters must be plain ones: words in Base64's own letters decode to accented ones.
    """
    text = _decoded(raw)
    runs = [run for run in _UNUSUAL.split(text) if len(run) >= 6]
    plain = sum(character.isascii() for character in text)
    likely = sum(map(len, runs)) >= LEGIBLE * len(text) and plain >= PLAIN * len(text)
    return runs if raw and likely else []


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


_READINGS: dict[str, Callable[[str], str]] = {
    "damaged accents": _mended,
    "markup": _unmarked,
    "escapes": _unescaped,
    "percent": _unquoted,
    "quoted-printable": _printable,
}
