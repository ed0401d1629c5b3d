"""From bytes to text: the charset that MSH-18 declares, proven against the bytes.

A name read in the wrong charset no longer equals itself in a letter and escapes scrubbing, so what
cannot be decoded without doubt is refused, and every repair that leaves no doubt is recorded:

* bytes that are multi-byte UTF-8 under a one-byte charset are UTF-8 (French text in a one-byte
  charset does not form valid UTF-8 by chance): `charset_mojibake_repaired`;
* bytes 0x80-0x9F under 8859/1 are Windows-1252, whose other positions are the same:
  `charset_cp1252_repaired`. Under 8859/15 they stay in doubt and the message is refused;
* non-ASCII bytes under ASCII or UTF-16 are UTF-8 if they are valid UTF-8, and a UTF-16 message may
  declare another charset (its MSH-18 was written before it was converted):
  `charset_mismatch_repaired`.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

from entrepot.errors import ConfigurationError, RecordFault

_UTF8 = "utf-8"
_WIDE = "utf-16"
_UNICODE = "unicode"  # the 0211 name that says no encoding: the bytes do
_CP1252 = "cp1252"
_ONE_BYTE = {str(part): f"iso8859-{part}" for part in (*range(1, 10), 15)}

# HL7 table 0211 and the spellings seen beside it, without spaces, hyphens, slashes, underscores.
_CODECS = {
    "ASCII": "ascii",
    "USASCII": "ascii",
    "ISOIR6": "ascii",
    "UTF8": _UTF8,
    "UNICODEUTF8": _UTF8,
    "UNICODE": _UNICODE,
    "UTF16": _WIDE,
    "UNICODEUTF16": _WIDE,
    "LATIN1": "iso8859-1",
    "LATIN9": "iso8859-15",
    "ISOIR100": "iso8859-1",
    "CP1252": _CP1252,
    "WINDOWS1252": _CP1252,
    **{f"8859{part}": codec for part, codec in _ONE_BYTE.items()},
    **{f"ISO8859{part}": codec for part, codec in _ONE_BYTE.items()},
}

_BLOCK_START, _BLOCK_END = b"\x0b", b"\x1c"  # MLLP
_BOMS = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"M\0S\0H\0", "utf-16-le"),
    (b"\0M\0S\0H", "utf-16-be"),
)
_BLANK = "\r\n\t "
_LINE_END = re.compile("[\r\n]")
_FRAMES = re.compile(r"(?:^|(?<=[\r\n]))[\x0b\x1c]+|[\x0b\x1c]+(?=[\r\n]|\Z)")
_C1 = re.compile(rb"[\x80-\x9f]")
_MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Those that end a line or part words in some system stand for white space; the others are noise
# inside a word (NUL padding, escape sequences of a terminal) and joining its halves restores it.
_PARTING = "\x0b\x0c\x1c\x1d\x1e\x1f\x85"
_CLEAN = {
    code: (" " if chr(code) in _PARTING else None)
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\t\n\r"
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message as text.

    Args:
        text: without byte order mark, MLLP framing, leading white space and control characters.
        charset: the Python codec that decoded it; hexadecimal escapes are read with it.
        notices: codes of what was assumed or repaired.
    """

    text: str
    charset: str
    notices: list[str]


def decode(content: bytes, default: str) -> Decoded:
    """Decodes one message by its byte order mark, else MSH-18, else the source's default.

    Args:
        content: one message, with or without its MLLP frame.
        default: a charset of HL7 table 0211 or a Python codec; applied strictly.

    Raises:
        RecordFault: `charset_unknown` at MSH-18; `charset_mismatch` at the first byte, counted
            from 1, that the charset cannot hold; `no_msh` when undecodable bytes have no header.
        ConfigurationError: the default names no charset.
    """
    body, offset, closed = _unframed(content)
    for bom, codec in _BOMS:
        if body.startswith(bom):
            text, charset, notices = _wide(body, codec, offset)
            if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                notices.append("charset_by_bom")
            break
    else:
        text, charset, notices = _narrow(body, default, offset)
    notices += _doubts(text)
    if "\x0b" in text or "\x1c" in text:
        text = _FRAMES.sub("", text)
    text, cleaned = without_controls(text)
    if cleaned:
        notices.append("control_bytes_removed")
    text = text.lstrip("\ufeff" + _BLANK)
    if closed and text and text[-1] not in "\r\n":
        text += "\r"  # the end of the block ends the last segment
    return Decoded(text, charset, notices)


def without_controls(text: str) -> tuple[str, bool]:
    """The text without C0 and C1 controls other than CR, LF and TAB, and whether there were any.

    Vertical tab, form feed, the four information separators and NEL become a space, because they
    part words; all others (NUL, DEL…) are removed, so that the word around them is whole again.
    """
    if _CONTROL.search(text) is None:
        return text, False
    return text.translate(_CLEAN), True


def _unframed(content: bytes) -> tuple[bytes, int, bool]:
    """The message, the bytes before it, and whether an end block closed it."""
    body = content.lstrip(_BLOCK_START)
    offset = len(content) - len(body)
    trimmed = body.rstrip(b"\r\n")
    if trimmed.endswith(_BLOCK_END):
        return trimmed.rstrip(_BLOCK_END), offset, True
    return body, offset, False


def _wide(body: bytes, codec: str, offset: int) -> tuple[str, str, list[str]]:
    text = _strict(body, codec, offset).removeprefix("\ufeff")
    declared = _declared(_LINE_END.split(text.lstrip(_BLANK), maxsplit=1)[0])
    if declared and _codec_of(declared) not in {_WIDE, _UNICODE}:
        return text, codec, ["charset_mismatch_repaired"]
    return text, codec, []


def _narrow(body: bytes, default: str, offset: int) -> tuple[str, str, list[str]]:
    marked = body.startswith(codecs.BOM_UTF8)
    stripped = body.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK.encode() + _BLOCK_START)
    offset += len(body) - len(stripped)
    header = _header(stripped)
    declared = _declared(header) if header is not None else ""
    codec, notices = _codec_of(declared), []
    if not declared:
        codec = _default_codec(default)
        notices.append("charset_defaulted")
    if marked:
        text, repaired = _strict(stripped, _UTF8, offset), []
        if codec not in {_UTF8, _WIDE, _UNICODE} and not stripped.isascii():
            repaired.append("charset_mojibake_repaired")
        return text, _UTF8, notices + repaired
    try:
        text, charset, repaired = _eight_bit(stripped, codec, offset)
    except RecordFault:
        if header is None:
            raise RecordFault("no_msh", "segment 1") from None
        raise
    return text, charset, notices + repaired


def _eight_bit(body: bytes, codec: str, offset: int) -> tuple[str, str, list[str]]:
    if codec == _WIDE:
        codec = "ascii"  # MSH-18 was legible byte by byte, so this is not UTF-16
    if body.isascii():
        return body.decode("ascii"), _UTF8 if codec in {"ascii", _UNICODE} else codec, []
    if codec in {_UTF8, _UNICODE}:
        return _strict(body, _UTF8, offset), _UTF8, []
    try:
        text = body.decode(_UTF8)
    except UnicodeDecodeError:
        return _one_byte(body, codec, offset)
    repair = "charset_mismatch_repaired" if codec == "ascii" else "charset_mojibake_repaired"
    return text, _UTF8, [repair]


def _one_byte(body: bytes, codec: str, offset: int) -> tuple[str, str, list[str]]:
    controls = _C1.search(body) if codec.startswith("iso8859") else None
    if controls is None:
        return _strict(body, codec, offset), codec, []
    if codec == "iso8859-1":
        return _strict(body, _CP1252, offset), _CP1252, ["charset_cp1252_repaired"]
    raise RecordFault("charset_mismatch", f"byte {offset + controls.start() + 1}")


def _strict(body: bytes, codec: str, offset: int) -> str:
    try:
        return body.decode(codec)
    except UnicodeDecodeError as error:
        position = f"byte {offset + error.start + 1}"
    raise RecordFault("charset_mismatch", position)


def _doubts(text: str) -> list[str]:
    """What the sender had already spoiled: decoded without fault, and not restorable."""
    if text.isascii():
        return []
    doubts = []
    if ("Ã" in text or "Â" in text) and _MOJIBAKE.search(text):
        doubts.append("charset_mojibake_suspected")
    if "\ufffd" in text:
        doubts.append("replacement_character")
    return doubts


def _header(body: bytes) -> str | None:
    if not body.startswith(b"MSH"):
        return None
    ends = [end for end in (body.find(b"\r"), body.find(b"\n")) if end >= 0]
    line = body[: min(ends, default=len(body))]  # without a scan of a document of 12 MB
    try:
        return line.decode(_UTF8)
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _declared(header: str) -> str:
    """The first repetition of MSH-18 that holds something; the others are alternates."""
    separator = header[3:4]
    fields = header.split(separator) if separator else []
    if len(fields) < 18 or fields[0] != "MSH":
        return ""
    component, repetition = fields[1][:1] or separator, fields[1][1:2] or separator
    for stated in fields[17].split(repetition):
        name = stated.split(component)[0].strip()
        if name and name != '""':
            return name
    return ""


@lru_cache(maxsize=256)
def _codec_of(declared: str) -> str:
    if not declared:
        return ""
    codec = _CODECS.get(re.sub(r"[\s/_-]", "", declared).upper())
    if codec is None:
        raise RecordFault("charset_unknown", "MSH-18")
    return codec


@lru_cache(maxsize=64)
def _default_codec(default: str) -> str:
    codec = _CODECS.get(re.sub(r"[\s/_-]", "", default).upper())
    if codec is None:
        raise ConfigurationError(
            f"{default} is no charset that HL7 v2 feeds use",
            where="sources: charset",
            remedy="utf-8, cp1252, 8859/1, 8859/15 or ascii",
        )
    return codec
