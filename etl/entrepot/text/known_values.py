"""Numbers, phones, addresses, mails and birth dates of one identity, ready to be searched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from entrepot.text.document import Digits, Document
from entrepot.text.folding import fold, letters
from entrepot.text.identity import Identity
from entrepot.text.lexicon import Lexicon
from entrepot.text.measures import measured
from entrepot.text.spans import KNOWN, LABELS, Span

MIN_DIGITS = 5  # shorter numbers are left to the identifier context of layer 3
ANYWHERE_DIGITS = 7  # searched inside longer runs of digits; shorter ones must stand alone
_NIR_DIGITS = 13
_MIN_STREET = 6
_WORD = re.compile(r"[^\W_]+")
_HOUSE = re.compile(r"\d{1,4}\s?(?:bis|ter|quater|[a-d])?[\s,]{0,3}$")
_PHONE_PREFIXES = ("00330", "0033", "330", "33", "0")
_ALIASES = {"INS": "SECU", "NIR": "SECU"}


class Values:
    """What layer 1 searches besides names.

    Attributes:
        digits: (digits, label) of numbers, phones (significant digits) and compact birth dates.
        squeezed: (letters and digits, label) of mails, street lines and numbers with letters.
        postcodes: as digits.
        births: full birth dates.
        months: (year, month) of partial birth dates.
    """

    def __init__(self, identity: Identity, lexicon: Lexicon) -> None:
        self.digits: set[tuple[str, str]] = set()
        self.squeezed: set[tuple[str, str]] = set()
        for label, value in identity.numbers:
            self._add_number(_ALIASES.get(label, label), letters(value))
        for value in identity.professional_numbers:
            self._add_number("AUTRE_ID", letters(value))
        for phone in identity.phones:
            if digits := significant(phone):
                self.digits.add((digits, "TEL"))
        self.squeezed |= {(letters(mail), "MAIL") for mail in identity.mails if "@" in mail}
        for street in identity.addresses:
            self.squeezed |= {(form, "ADRESSE") for form in _street_forms(street, lexicon)}
        self.postcodes = sorted({p for p in map(letters, identity.postcodes) if len(p) >= 4})
        self.births = frozenset(identity.birth_dates)
        self.months = frozenset(
            (int(partial[:4]), int(partial[5:7]))
            for partial in identity.partial_birth_dates
            if re.fullmatch(r"\d{4}-\d\d", partial)
        )
        for birth in self.births:
            self.digits |= {(form, "DATE_NAISSANCE") for form in _compact(birth)}

    def _add_number(self, label: str, value: str) -> None:
        label = label if label in LABELS else "AUTRE_ID"
        if value.isdigit():
            digits = value[:_NIR_DIGITS] if label == "SECU" and len(value) == 15 else value
            bare = digits.lstrip("0")
            digits = bare if len(bare) >= ANYWHERE_DIGITS else digits
            if len(digits) >= MIN_DIGITS:
                self.digits.add((digits, label))
        elif len(value) >= MIN_DIGITS and any(c.isdigit() for c in value):
            self.squeezed.add((value[:_NIR_DIGITS] if label == "SECU" else value, label))


def significant(phone: str) -> str:
    """The digits of a phone number without country code and trunk zero; empty if too few."""
    digits = "".join(filter(str.isdigit, fold(phone)))
    for prefix in _PHONE_PREFIXES:
        if digits.startswith(prefix) and len(digits) - len(prefix) == 9:
            return digits[len(prefix) :]
    bare = digits.lstrip("0")
    return bare if len(bare) >= 6 else ""


def find_values(document: Document, values: Values, lexicon: Lexicon) -> Iterator[Span]:
    """Spans of the folded text that hold one of `values`."""
    for run in document.digits:
        yield from _in_digits(document, run, values)
    for value, label in values.squeezed:
        yield from _in_squeezed(document, value, label)
    yield from _postcodes(document, values, lexicon)
    yield from births(document, values.births, values.months)


def births(
    document: Document, known: Iterable[date], months: frozenset[tuple[int, int]]
) -> Iterator[Span]:
    """Dates of the document that may be a way to write a known birth date."""
    for found in document.dates:
        if any(found.is_on(birth) for birth in known) or (
            found.year and found.month and (found.year, found.month) in months
        ):
            yield Span(found.start, found.end, "DATE_NAISSANCE", KNOWN)


def _in_digits(document: Document, run: Digits, values: Values) -> Iterator[Span]:
    digits = run.digits
    if len(digits) < MIN_DIGITS:
        return
    for value, label in values.digits:
        if value not in digits:
            continue
        for at in _occurrences(digits, value):
            if len(value) < ANYWHERE_DIGITS and not _stands_alone(document, run, at, len(value)):
                continue
            if label == "TEL":
                yield _phone_span(document, run, at, at + len(value))
            else:
                yield _digit_span(document, run, at, at + len(value), label)


def _phone_span(document: Document, run: Digits, at: int, last: int) -> Span:
    """The span of a phone number with its country code and trunk zero."""
    first = at
    for prefix in _PHONE_PREFIXES:
        if run.digits[:at].endswith(prefix):
            first = at - len(prefix)
            break
    span = _digit_span(document, run, first, last, "TEL")
    plus = span.start and document.lower[span.start - 1] in "+("
    return span._replace(start=span.start - 1) if plus else span


def _occurrences(text: str, value: str) -> Iterator[int]:
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + 1)


def _stands_alone(document: Document, run: Digits, at: int, length: int) -> bool:
    """Whether no digit touches the found digits directly."""
    places = run.positions
    first, last = places[at], places[at + length - 1]
    before = first and document.lower[first - 1].isdigit()
    return not before and not document.lower[last + 1 : last + 2].isdigit()


def _digit_span(document: Document, run: Digits, first: int, last: int, label: str) -> Span:
    """The span of `run.digits[first:last]`, widened over digits that touch it directly."""
    places = run.positions
    start, end = places[first], places[last - 1] + 1
    while start and document.lower[start - 1].isdigit():
        start -= 1
    while document.lower[end : end + 1].isdigit():
        end += 1
    return Span(start, end, label, KNOWN)


def _in_squeezed(document: Document, value: str, label: str) -> Iterator[Span]:
    for at in _occurrences(document.squeezed, value):
        places = document.squeezed_positions
        start, end = places[at], places[at + len(value) - 1] + 1
        if end - start > 2 * len(value) + 10 or not _at_words(document, start, end):
            continue
        if label == "ADRESSE" and (
            house := _HOUSE.search(document.lower, max(0, start - 16), start)
        ):
            start = house.start()
        if label == "SECU":
            key = re.match(r"[\s.\-/]{0,3}\d\d(?!\d)", document.lower[end : end + 6])
            end += key.end() if key else 0
        yield Span(start, end, label, KNOWN)


def _at_words(document: Document, start: int, end: int) -> bool:
    """Whether the match begins and ends with a word or number, not in the middle of one."""
    lower = document.lower
    inside_before = start and lower[start - 1].isalpha() and lower[start].isalpha()
    inside_after = lower[end : end + 1].isalpha() and lower[end - 1].isalpha()
    return not inside_before and not inside_after


def _postcodes(document: Document, values: Values, lexicon: Lexicon) -> Iterator[Span]:
    for postcode in values.postcodes:
        for at in _occurrences(document.lower, postcode):
            end = at + len(postcode)
            around = document.lower[at - 1 : at] + document.lower[end : end + 1]
            if not any(map(str.isdigit, around)) and not measured(document.lower, end, lexicon):
                yield Span(at, end, "ZIP", KNOWN)


def _compact(birth: date) -> set[str]:
    forms = {f"{birth:%d%m%Y}", f"{birth:%Y%m%d}", f"{birth:%d%m%y}", f"{birth:%y%m%d}"}
    return {form for form in forms if len(form) in (6, 8)}


def _street_forms(street: str, lexicon: Lexicon) -> set[str]:
    """Ways to write a street line, glued: with each abbreviation of its type, without its number.

    A house number before a match is taken with it.
    """
    words = _WORD.findall(fold(street))
    while words and (words[0].isdigit() or words[0] in ("bis", "ter", "quater")):
        words = words[1:]
    whole = _WORD.findall(fold(street))
    forms = {"".join(words) if len("".join(words)) >= _MIN_STREET else "".join(whole)}
    for k, word in enumerate(words):
        kind = lexicon.streets.get(word)
        if kind is not None:
            for other, (canonical, _) in lexicon.streets.items():
                if canonical == kind[0]:
                    forms.add("".join([*words[:k], other, *words[k + 1 :]]))
            break
    forms |= {form.replace("saint", "st") for form in forms}
    return {form for form in forms if len(form) >= _MIN_STREET}
