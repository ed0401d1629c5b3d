"""Layer 2: identifiers that their own format gives away.

Source: reference on pseudonymisation, section 3, layer 2. Check digits are not verified: a
mistyped identifier still identifies. Ordinary dates are found here too and kept (label DATE).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import islice, takewhile

from entrepot.text.digit_rows import Piece, find_rows
from entrepot.text.document import Document
from entrepot.text.lexicon import Lexicon
from entrepot.text.measures import measured
from entrepot.text.spans import FORMATS, Span

# patterns start with what they look for and look behind it afterwards: the search is faster so;
# a NIR, its digits written apart in any way: at every digit, because `le 12 1 79 03…` starts two
_NIR_PLACES = re.compile(r"[1-478](?<!\d\d)(?=((?:[ \t.\-_\n]{0,2}[\dab]){12,14})(?!\d))")
# sex, year, month (20-42 and 50-99 when it is not known), department incl. 2A and 2B, commune or
# country, order, and the key when it is written
_NIR = re.compile(r"[1-478]\d\d(?:0[1-9]|1[0-2]|[2-4]\d|[5-9]\d)(?:\d\d|2[ab])\d{6}(?:\d\d)?")
_NIR_PARTS = {1, 3, 5, 7, 10}
_ONE_BY_ONE = 9
_NIR_KEY = re.compile(r"[ ,:]{1,3}cle[ :]{1,3}\d\d(?!\d)")
_PHONE = re.compile(
    r"(?:(?:\+|00(?<!\d00))\s?(?:33|262|590|594|596|687|689|32|41|352|377)\s?(?:\(0\)|0)?[\s.\-/]{0,2}[1-9]"
    r"|\(?0(?<![\d/.,]0)[1-9]\)?|0(?<![\d/.,]0) [1-9])(?:[ \t.\-/_]{0,3}\d[ .\-]?\d){4}(?!\d)"
)
# five pairs with one sign between them, whatever the first pair, and ten digits after a zero
_PAIRS = re.compile(
    r"0(?<![\d/.,]0) ?\d(?P<sep>[ \t]?[.\-/ ][ \t]?)\d ?\d(?:(?P=sep)\d ?\d){3}(?! ?\d)"
)
_TEN = re.compile(r"0(?<![\d.,/]0)\d{9}(?!\d)")
_FOREIGN_PHONE = re.compile(r"\+(?<!\w\+) ?\d ?\d? ?\d?(?:[ \t.\-()]{0,2}\d){6,12}(?!\d)")
_PREFIXED_PHONE = re.compile(r"\( ?\d ?\d ?\d? ?\)(?:[ \t.\-]{0,2}\d){8,10}(?!\d)")
_SHORT_PHONE = re.compile(r"0(?<!\d0)(?:[89]\d{2}(?:[\s.]?\d{3}){2}|8\d\d?(?:\s\d\d){2,3})(?!\d)")
_AT = re.compile(r"@|\(at\)|\[at\]|\barobase\b")
_MAILBOX = re.compile(r"[\w.+%'\-]{1,64}\s?$")
_MAIL_HOST = re.compile(r"\s?[\w\-]+(?:\s?\.\s?[\w\-]{2,})*")
_URL = re.compile(r"(?:(?:https?|ftp|sftp|file)://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]']")
_HOSTS = "fr com org net eu info gouv paris bzh be ch lu io".split()  # noqa: SIM905
_DOMAIN = re.compile(
    rf"(?<![\w@.\-])(?:[a-z0-9\-]{{2,}}\.)+(?:{'|'.join(_HOSTS)})(?:/[^\s<>\"]*)?(?![\w\-])"
)
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = re.compile(rf"\d(?<![\d.]\d)\d{{0,2}}(?:\.{_BYTE}){{3}}(?![\d.]?\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])")
_IBAN = re.compile(
    r"[a-z]{2}(?<![a-z0-9][a-z]{2})\d\d(?:[ \-]?[a-z0-9]{4}){3,7}"
    r"(?:[ \-]?[a-z0-9]{1,4})?(?![a-z0-9])"
)
_PLATE = re.compile(r"(?<![\w\-])[A-HJ-NP-TV-Z]{2}[\- ]\d{3}[\- ][A-HJ-NP-TV-Z]{2}(?![\w\-])")
_SIRET = re.compile(r"\d(?<!\d\d)\d\d \d{3} \d{3} \d{5}(?!\d)")
_RPPS = re.compile(r"1(?<!\d\d)0(?:\d{9}| (?:\d{3} ){2}\d{3}|\d(?: \d{4}){2})(?!\d)")
_LONG = re.compile(r"\d(?<![\d.,]\d)\d{5,}(?!\d)")
_APART = re.compile(
    r"\d(?<!\d\d)(?<!\d \d)(?: \d){5}(?!\d| \d)"
)  # 8 0 0 1 2 3; longer ones are rows
# 28AB04493: a number with letters before its last digit; HBQK002 and N02BE01 have fewer digits
_CODE = re.compile(r"\b(?<![/.\-])(?=[a-z]{0,9}\d)(?=\d*[a-z]+\d)[a-z\d]{7,20}(?!\w)(?![.\-/]\d)")
_CODE_DIGITS = 5
_NEAR = 90  # characters: two lines of a form
_DECIMALS = re.compile(r"[.,]\d")


def find(document: Document, lexicon: Lexicon) -> list[Span]:
    """Spans of the folded text whose format identifies, and the ordinary dates."""
    spans = [Span(d.start, d.end, "DATE", FORMATS) for d in document.dates]
    spans += _electronic(document)
    longest = max((len(run.digits) for run in document.digits), default=0)
    if longest >= 2:
        spans += _codes(document)
    if longest >= 6:
        rows = list(find_rows(document.lower))
        spans += [Span(start, end, label, FORMATS) for start, end, label in rows]
        spans += _contacts(document, longest, rows)
        spans += _long_numbers(document, lexicon)
        spans += _births(document, spans)
    if "-" in document.plain or longest >= 3:
        spans += _all(_PLATE, document.plain, "AUTRE_ID")
    return spans


def _all(pattern: re.Pattern[str], text: str, label: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        yield Span(match.start(), match.end(), label, FORMATS)


def _electronic(document: Document) -> Iterator[Span]:
    lower = document.lower
    for match in _AT.finditer(lower):
        box = _MAILBOX.search(lower, max(0, match.start() - 66), match.start())
        host = _MAIL_HOST.match(lower, match.end())
        if box and host:
            yield Span(box.start(), host.end(), "MAIL", FORMATS)
    if "://" in lower or "www." in lower:
        yield from (_whole_word(lower, span) for span in _all(_URL, lower, "URL"))
    if any(f".{host}" in lower for host in _HOSTS):
        yield from _all(_DOMAIN, lower, "URL")
    if lower.count(".") > 2:
        yield from _all(_IPV4, lower, "AUTRE_ID")
    if lower.count(":") > 2:
        yield from (s for s in _all(_IPV6, lower, "AUTRE_ID") if _is_ipv6(lower[s.start : s.end]))


def _whole_word(lower: str, span: Span) -> Span:
    """The span from the start of its word: half a word left behind may be a name."""
    start = span.start
    while start and lower[start - 1].isalnum():
        start -= 1
    return span._replace(start=start)


def _is_ipv6(text: str) -> bool:
    """Times (`12:30:45`) are not addresses: those have `::` or a group of three or more."""
    return "::" in text or any(len(group) > 2 for group in text.split(":"))


def _contacts(document: Document, longest: int, rows: list[Piece]) -> Iterator[Span]:
    """Numbers of fixed length; `longest` is the most digits that stand together.

    What starts within one of `rows`, numbers written digit by digit, is read there.
    """
    lower = document.lower
    yield from _apart_from(rows, _nirs(document))
    yield from _apart_from(rows, _outside_dates(document, _PHONE, "TEL"))
    yield from _apart_from(rows, _all(_PAIRS, lower, "TEL"))
    yield from _all(_TEN, lower, "TEL")
    if "(" in lower:
        yield from _outside_dates(document, _PREFIXED_PHONE, "TEL")
    if "+" in lower:
        yield from _outside_dates(document, _FOREIGN_PHONE, "TEL")
    if "08" in lower or "09" in lower:
        yield from _outside_dates(document, _SHORT_PHONE, "TEL")
    if longest >= 11:
        yield from _outside_dates(document, _SIRET, "AUTRE_ID")
        yield from _outside_dates(document, _RPPS, "AUTRE_ID")
    if longest >= 10:
        ibans = _all(_IBAN, lower, "AUTRE_ID")
        yield from (s for s in ibans if _has_digits(lower[s.start : s.end]))


def _outside_dates(document: Document, pattern: re.Pattern[str], label: str) -> Iterator[Span]:
    """Matches that take no digit of a date; `05/03/2024 06` hides the phone that starts at 06."""
    match = pattern.search(document.lower)
    while match:
        start, end = match.span()
        if _in_date(document, start, end):
            end = start + 1
        else:
            yield Span(start, end, label, FORMATS)
        match = pattern.search(document.lower, end)


def _in_date(document: Document, start: int, end: int) -> bool:
    """Whether digits of a date with its separators (`12/03/2020`) are among `start:end`."""
    dates = document.dates
    first = max(0, bisect_right(dates, (start,)) - 1)
    return any(
        found.end > start and found.solid(document.lower)
        for found in takewhile(lambda d: d.start < end, islice(dates, first, None))
    )


def _apart_from(rows: list[Piece], spans: Iterator[Span]) -> Iterator[Span]:
    starts = [row[0] for row in rows]
    for span in spans:
        at = bisect_right(starts, span.start) - 1
        inside = at >= 0 and span.start < rows[at][1]
        after = bisect_right(starts, span.end - 1) - 1
        if not inside and after == at:
            yield span


def _nirs(document: Document) -> Iterator[Span]:
    """Thirteen digits, or fifteen with the key: every reading that may be a NIR."""
    lower = document.lower
    for match in _NIR_PLACES.finditer(lower):
        places = [k for k in range(match.start(), match.end(1)) if lower[k].isalnum()]
        for count in (15, 13):
            compact = "".join(lower[k] for k in places[:count])
            if len(compact) < count or not _NIR.fullmatch(compact):
                continue
            end = places[count - 1] + 1
            if lower[end : end + 1].isdigit() or not _is_printed_nir(document, places[:count]):
                continue
            key = _NIR_KEY.match(lower, end)
            yield Span(places[0], key.end() if key else end, "SECU", FORMATS)
            break


def _is_printed_nir(document: Document, places: list[int]) -> bool:
    """Whether the digits are grouped like a NIR, not like a row of values (`120 80 75 98`).

    Spaces stand at some ends of its parts and nowhere else, at all of them, or between nearly all
    digits; in the last two cases the digits of a date are not taken.
    """
    breaks = {k for k in range(1, 13) if places[k] - places[k - 1] > 1}
    broken = "\n" in document.lower[places[0] : places[-1]]
    if breaks <= _NIR_PARTS:
        return len(places) == 13 or _has_key(document, places)
    if broken:
        return False
    spread = breaks >= _NIR_PARTS or len(breaks) >= _ONE_BY_ONE
    return spread and not _in_date(document, places[0], places[-1] + 1)


def _has_key(document: Document, places: list[int]) -> bool:
    """Whether the last two of fifteen digits are the key, not what stands after the NIR."""
    written = document.lower[places[12] + 1 : places[14]]
    if "\n" in written or places[14] - places[13] > 1:
        return False
    return not _in_date(document, places[13], places[14] + 1)


def _has_digits(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= 10


def _long_numbers(document: Document, lexicon: Lexicon) -> Iterator[Span]:
    """Six digits or more in a row or one by one, unless they are a date or measure something."""
    lower = document.lower
    dates = {d.start for d in document.dates}
    for match in (*_LONG.finditer(lower), *_APART.finditer(lower)):
        start, end = match.span()
        if start in dates or _DECIMALS.match(lower, end) or measured(lower, end, lexicon):
            continue
        yield Span(start, end, "AUTRE_ID", FORMATS)


def _codes(document: Document) -> Iterator[Span]:
    for match in _CODE.finditer(document.lower):
        written = match.group()
        if sum(map(str.isdigit, written)) >= _CODE_DIGITS:
            yield Span(match.start(), match.end(), "AUTRE_ID", FORMATS)


def _births(document: Document, spans: list[Span]) -> Iterator[Span]:
    """Dates beside a NIR whose year is that of the NIR: its bearer's birth date.

    A NIR holds the year of birth (its second and third digit); forms print both side by side.
    """
    starts = [found.start for found in document.dates]
    for nir in [span for span in spans if span.label == "SECU"]:
        digits = [c for c in document.lower[nir.start : nir.end] if c.isdigit()]
        year = int("".join(digits[1:3]))
        near = [
            (max(nir.start - found.end, found.start - nir.end), found)
            for found in document.dates[
                bisect_left(starts, nir.start - 2 * _NEAR) : bisect_left(starts, nir.end + _NEAR)
            ]
            if found.day is not None
            and found.year is not None
            and found.year % 100 == year
            and nir.start - _NEAR < found.end
            and found.start < nir.end + _NEAR
            and (found.end <= nir.start or found.start >= nir.end)
        ]
        if near:
            found = min(near)[1]
            yield Span(found.start, found.end, "DATE_NAISSANCE", FORMATS)
