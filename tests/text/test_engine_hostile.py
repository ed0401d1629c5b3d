"""Bad input for the engine: what hides inside a name, names that are words, texts that only repeat.

Masked or stopped by the leak scan, in a time that grows as the text does.
"""

from __future__ import annotations

import random
import re
import time
from datetime import date

import pytest

from entrepot.text import NOBODY, Identity, Scrubber, leaks

pytestmark = pytest.mark.core

PATIENT = Identity(
    family_names=("KOWALCZYK",),
    given_names=("Éléonore",),
    birth_dates=(date(1979, 3, 28),),
    phones=("06 12 34 56 78",),
    mails=("e.kowalczyk@exemple.fr",),
    numbers=(("IPP", "8001234567"), ("SECU", "179032999901245")),
)
WRITTEN = (
    "KOWALCZYK", "Éléonore", "8001234567", "0612345678", "179032999901245",
    "e.kowalczyk@exemple.fr", "28/03/1979",
)  # fmt: skip
UNSEEN = {
    "zero-width space": "\u200b", "zero-width joiner": "\u200d", "soft hyphen": "\u00ad",
    "right-to-left mark": "\u200f", "right-to-left override": "\u202e", "isolate": "\u2066",
    "byte-order mark": "\ufeff", "NUL": "\x00", "bell": "\x07", "escape": "\x1b", "DEL": "\x7f",
    "C1 control": "\x9f", "half a pair": "\ud800", "combining accent": "\u0301",
    "enclosing mark": "\u20dd", "joiner of graphemes": "\u034f", "variation": "\ufe0f",
    "tag": "\U000e0041", "lost character": "\ufffd", "private use": "\ue000",
    "no character": "\uffff", "Hangul filler": "\u3164", "annotation": "\ufff9",
}  # fmt: skip
TAG = re.compile(r"\[(?:[A-Z_]+_\d+|1979)\]")


@pytest.mark.parametrize("name", UNSEEN)
def test_what_a_reader_does_not_see_hides_nothing(scrubber: Scrubber, name: str) -> None:
    """After the first letter, in the middle, before the last, and several of them."""
    for value in WRITTEN:
        for at in (1, len(value) // 2, len(value) - 1):
            hidden = value[:at] + UNSEEN[name] * (1 + at % 2) + value[at:]
            out = scrubber.scrub(f"Vu ce jour {hidden} au calme", PATIENT).text
            rest = TAG.sub("", out.removeprefix("Vu ce jour ").removesuffix(" au calme"))
            assert not any(map(str.isalnum, rest)), value


@pytest.mark.parametrize("name", sorted(UNSEEN.keys() - {"lost character", "private use"}))
def test_the_leak_scan_sees_through_it_by_itself(name: str) -> None:
    """Marks that add an accent to a letter or a digit aside, each identifier is still told."""
    for value in WRITTEN[:5]:
        hidden = value[:3] + UNSEEN[name] + value[3:]
        if name not in ("combining accent", "enclosing mark") or value.isalpha():
            assert leaks(f"Vu ce jour {hidden} au calme", PATIENT), value


@pytest.mark.parametrize(
    "written",
    [
        "𝐊𝐎𝐖𝐀𝐋𝐂𝐙𝐘𝐊", "ＫＯＷＡＬＣＺＹＫ", "Ⓚⓞⓦⓐⓛⓒⓩⓨⓚ", "８００１２３４５６７", "٨٠٠١٢٣٤٥٦٧",
        "K\u0336O\u0336W\u0336A\u0336L\u0336C\u0336Z\u0336Y\u0336K", "KOWAL\u2028CZYK",
    ],
)  # fmt: skip
def test_letters_and_digits_in_another_dress(scrubber: Scrubber, written: str) -> None:
    out = scrubber.scrub(f"Vu ce jour {written} au calme", PATIENT).text
    assert TAG.sub("", out) == "Vu ce jour  au calme"


@pytest.mark.parametrize(
    ("family", "given", "text", "gone"),
    [
        ("Li", "Bo", "Mme LI Bo, née LI. Li Bo va bien.", ["LI", "Li", "Bo"]),
        ("Ba", "Aï", "M. BA. Aï BA mange. M. Ba dort.", ["BA", "Ba", "Aï"]),
        ("Le", "Lê", "Mme LE Lê est vue.", ["LE", "Lê"]),
        ("Petit", "Rose", "Mme PETIT Rose ; Rose Petit sort.", ["PETIT", "Petit", "Rose"]),
        ("Blanc", "Claire", "Vu Mme Claire Blanc, puis M. BLANC.", ["Blanc", "BLANC", "Claire"]),
        ("Cancer", "Foie", "M. CANCER Foie revient.", ["CANCER", "Foie"]),
        ("Doliprane", "Paris", "Mme Paris DOLIPRANE va bien.", ["DOLIPRANE", "Paris"]),
    ],
)
def test_a_short_or_common_name_is_masked_where_it_is_a_name(
    scrubber: Scrubber, family: str, given: str, text: str, gone: list[str]
) -> None:
    out = scrubber.scrub(text, Identity(family_names=(family,), given_names=(given,))).text
    assert [word for word in gone if re.search(rf"\b{word}\b", out)] == []


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t\r\n", "\x00", "\x00" * 999, "\u200b", "\ud800", "\u202e\u202c"]
)
def test_a_text_without_a_word_stays_as_it_is(scrubber: Scrubber, text: str) -> None:
    assert scrubber.find(text, PATIENT) == []
    assert scrubber.scrub(text, PATIENT).text == text


PIECES = [
    "a", "1", " ", "1 ", "A.", "é", "[", "@", "1/", "M. ", "Kowalczyk ", "-", "a\n", "a@", "1.",
    "0 6 ", "e\u0301", "\u200b", "\x00", "\ud800", "rue ", "12 rue ", "né le ", "IPP : ", "aB",
    "http://", "a/", "L", "Li", "+33 ", "[NOM_", "12 mars ", "Jean-", "CHU ", "d'", "\r\n", "12 ",
    "A ", "Dr A", "1a", "a.b@", ", ", "((", "e\u0301\u0301\u0301", "de ", "Le ", "7501", "x" * 999,
]  # fmt: skip
DISTINCT = ["Dr {0} absent.\n", "{0} ", "Mme {0}, IPP 80{1:05}.\n", "{1}{1:06} ", "{0}.{1}@b.fr "]
SHORT, TIMES, MOST, FLOOR = 2_000, 16, 64, 0.01


def seconds(scrubber: Scrubber, text: str, identity: Identity) -> float:
    start = time.process_time()
    leaks(scrubber.scrub(text, identity).text, identity)
    return time.process_time() - start


def assert_linear(scrubber: Scrubber, short: str, long: str, identity: Identity) -> None:
    """Sixteen times the text: 16 times the work is right, 256 times is the square."""
    allowed = MOST * max(FLOOR, seconds(scrubber, short, identity))
    assert any(seconds(scrubber, long, identity) < allowed for _ in range(3))


@pytest.mark.parametrize("piece", PIECES)
def test_a_text_that_repeats_one_thing(scrubber: Scrubber, piece: str) -> None:
    count = SHORT // len(piece)
    identity = Identity(family_names=("Kowalczyk", "Li"), given_names=("Jean-Luc",))
    assert_linear(scrubber, piece * count, piece * count * TIMES, identity)


@pytest.mark.parametrize("form", DISTINCT)
def test_a_text_where_every_line_names_another_person(scrubber: Scrubber, form: str) -> None:
    rng = random.Random(5)
    names = [
        "".join(rng.choice("bcdfglmnprtv") + rng.choice("aeiou") for _ in range(4)).capitalize()
        for _ in range(SHORT)
    ]
    lines = [form.format(name, number) for number, name in enumerate(names)]
    short = len(lines) // TIMES
    assert_linear(scrubber, "".join(lines[:short]), "".join(lines), NOBODY)


def test_the_end_of_a_very_long_text_is_read(scrubber: Scrubber) -> None:
    text = "Le patient va bien, apyrétique ce jour. " * 8_000 + "Mme KOWALCZYK, IPP 8001234567."
    assert scrubber.scrub(text, PATIENT).text.endswith("Mme [NOM_1], IPP [IPP_1].")
