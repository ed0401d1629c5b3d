"""Layer 2: identifiers that their own format gives away.

Source: reference on pseudonymisation, section 3, layer 2. Check digits are not verified: a
mistyped identifier still identifies. Ordinary dates are found here too and kept (label DATE).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from entrepot.text.document import Document
from entrepot.text.known_values import measured
from entrepot.text.lexicon import Lexicon
from entrepot.text.spans import FORMATS, Span

_S = r"[ \t.\-/_\n]{0,2}"
# sex, year, month (01-12; 20-42 and 50-99 when the month is unknown), department incl. 2A and 2B,
# commune or country, order, and the key when it is written
_NIR = re.compile(
    rf"(?<!\d)[1-478]{_S}\d\d{_S}(?:0[1-9]|1[0-2]|[2-4]\d|[5-9]\d){_S}(?:\d\d|2[ab]){_S}\d{{3}}"
    rf"{_S}\d{{3}}(?:{_S}(?:cle[ :]{{0,3}})?\d\d)?(?!\d)"
)
_PHONE = re.compile(
    r"(?<![\d/.,])(?:(?:\+|00)\s?(?:33|262|590|594|596|687|689|32|41|352|377)\s?(?:\(0\)|0)?[\s.\-/]{0,2}[1-9]"
    r"|\(?0[1-9]\)?|0 [1-9])(?:[\s.\-/_]{0,3}\d[\s.\-]?\d){4}(?!\d)"
)
_FOREIGN_PHONE = re.compile(r"(?<![\w+])\+\d{1,3}(?:[\s.\-()]{0,2}\d){6,12}(?!\d)")
_SHORT_PHONE = re.compile(r"(?<!\d)0[89]\d{2}(?:[\s.]?\d{3}){2}(?!\d)|(?<!\d)08\d\d?(?:\s\d\d){2,3}(?!\d)")
_MAIL = re.compile(
    r"[\w.+%'\-]+\s?(?:@|\(at\)|\[at\]|\s+arobase\s+)\s?[\w\-]+(?:\s?\.\s?[\w\-]{2,})*", re.IGNORECASE
)
_URL = re.compile(r"(?:(?:https?|ftp|sftp|file)://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]']")
_DOMAIN = re.compile(
    r"(?<![\w@.\-])(?:[a-z0-9\-]{2,}\.)+(?:fr|com|org|net|eu|info|gouv|paris|bzh|be|ch|lu|io)(?:/[^\s<>\"]*)?(?![\w\-])"
)
_IPV4 = re.compile(r"(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\d.]?\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])")
_IBAN = re.compile(r"(?<![a-z0-9])[a-z]{2}\d\d(?:[ \-]?[a-z0-9]{4}){3,7}(?:[ \-]?[a-z0-9]{1,4})?(?![a-z0-9])")
_PLATE = re.compile(r"(?<![\w\-])[A-HJ-NP-TV-Z]{2}[\- ]\d{3}[\- ][A-HJ-NP-TV-Z]{2}(?![\w\-])")
_SIRET = re.compile(r"(?<!\d)\d{3} \d{3} \d{3}(?: \d{5})(?!\d)")
_RPPS = re.compile(r"(?<!\d)8?10(?:\d{9}| (?:\d{3} ){2}\d{3}|\d(?: \d{4}){2})(?!\d)")
_LONG = re.compile(r"(?<![\d.,])\d{6,}(?!\d)")
_DECIMALS = re.compile(r"[.,]\d")


def find(document: Document, lexicon: Lexicon) -> list[Span]:
    """Spans of the folded text whose format identifies, and the ordinary dates."""
    spans = [Span(d.start, d.end, "DATE", FORMATS) for d in document.dates]
    spans += _electronic(document)
    if document.digits:
        spans += _contacts(document)
        spans += _long_numbers(document, lexicon)
    return spans


def _all(pattern: re.Pattern[str], text: str, label: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        yield Span(match.start(), match.end(), label, FORMATS)


def _electronic(document: Document) -> Iterator[Span]:
    lower = document.lower
    if "@" in lower or "(at)" in lower or "arobase" in lower or "[at]" in lower:
        yield from _all(_MAIL, lower, "MAIL")
    if "://" in lower or "www." in lower:
        yield from _all(_URL, lower, "URL")
    if "." in lower:
        yield from _all(_DOMAIN, lower, "URL")
        yield from _all(_IPV4, lower, "AUTRE_ID")
    if lower.count(":") > 2:
        yield from (s for s in _all(_IPV6, lower, "AUTRE_ID") if _is_ipv6(lower[s.start : s.end]))


def _is_ipv6(text: str) -> bool:
    """Times (`12:30:45`) are not addresses: those have `::` or a group of three or more."""
    return "::" in text or any(len(group) > 2 for group in text.split(":"))


def _contacts(document: Document) -> Iterator[Span]:
    lower = document.lower
    yield from _all(_NIR, lower, "SECU")
    yield from _all(_PHONE, lower, "TEL")
    if "+" in lower:
        yield from _all(_FOREIGN_PHONE, lower, "TEL")
    if "08" in lower or "09" in lower:
        yield from _all(_SHORT_PHONE, lower, "TEL")
    yield from (s for s in _all(_IBAN, lower, "AUTRE_ID") if _has_digits(lower[s.start : s.end]))
    yield from _all(_PLATE, document.plain, "AUTRE_ID")
    yield from _all(_SIRET, lower, "AUTRE_ID")
    yield from _all(_RPPS, lower, "AUTRE_ID")


def _has_digits(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= 10


def _long_numbers(document: Document, lexicon: Lexicon) -> Iterator[Span]:
    """Six digits or more in a row, unless they are a date or measure something."""
    lower = document.lower
    dates = {d.start for d in document.dates}
    for match in _LONG.finditer(lower):
        start, end = match.span()
        if start in dates or _DECIMALS.match(lower, end) or measured(lower, end, lexicon):
            continue
        yield Span(start, end, "AUTRE_ID", FORMATS)
