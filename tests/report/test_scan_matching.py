"""What counts as the same identifier: folding, tokens, separators; and what does not."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from pathlib import Path

import pytest
import scan_zone
from hypothesis import given
from hypothesis import strategies as st

from entrepot.report.scan import ScanReport, scan
from entrepot.report.scan.needles import compact_date_of, date_of
from entrepot.report.scan.text import fold, tokens

pytestmark = pytest.mark.core


def scanned(tmp_path: Path, identifier: tuple[str, str], text: str) -> ScanReport:
    """A zone of one log against a truth of one identifier (label, value)."""
    truth = scan_zone.write_truth(tmp_path / "truth", [("P1", *identifier)])
    zone = tmp_path / "research"
    zone.mkdir()
    (zone / "run.log").write_text(text, encoding="utf-8")
    return scan(zone, truth)


@pytest.mark.parametrize(
    ("identifier", "written"),
    [
        (("NOM", "PATÉ-ÉCLAIR"), "m. pate-eclair"),
        (("NOM", "PATÉ-ÉCLAIR"), "Pate\u0301 E\u0301clair"),  # accents as combining characters
        (("NOM", "PATÉ-ÉCLAIR"), "PatéÉclair"),
        (("NOM", "Lœwenstein"), "LOEWENSTEIN"),
        (("NOM", "d'Aubigné"), "D’AUBIGNE"),
        (("NOM", "Thévenot"), "[Thévenot]:(thevenot)_x"),
        (("NOM", "Thévenot"), "THÉ\u00adVE\u200bNOT"),  # soft hyphen, zero-width space
        (("ADRESSE", "12 bis rue de l'Église"), "12 BIS, RUE DE L'EGLISE"),
        (("MAIL", "zoe.pate@example.org"), "<ZOE.PATE@EXAMPLE.ORG>"),
        (("PRENOM", "Bebe"), "048d260e-4cbc-bebe-576666c72b8e"),  # four groups: no UUID
        (("AUTRE_ID", "048d260e-4cbc-4a92-bebe-576666c72b8e"), "048D260E4CBC4A92BEBE576666C72B8E"),
        (("INS", "279035121518989"), "2 79 03 51 215 189 89"),
        (("INS", "279035121518989"), "2.79.03.51.215.189/89"),
        (("INS", "279032A15189441"), "2 79 03 2a 151 894 41"),
        (("IPP", "80012345"), "IPP n°8001-2345."),
        (("TEL", "0261910042"), "+33 (0)2 61 91 00 42"),
        (("TEL", "02 61 91 00 42"), "0033261910042"),
        (("TEL", "+33 2 61 91 00 42"), "02.61.91.00.42"),
        (("DATE_NAISSANCE", "19790328"), "née le 28/03/1979"),
        (("DATE_NAISSANCE", "28/03/1979"), "1979-03-28T00:00:00"),
        (("DATE_NAISSANCE", "1979-03-28"), "le 28 mars 1979"),
        (("DATE_NAISSANCE", "2 février 1951"), "02.02.1951"),
        (("DATE_NAISSANCE", "02021951"), "2/2/1951"),
    ],
)
def test_another_spelling_is_the_same_identifier(
    tmp_path: Path, identifier: tuple[str, str], written: str
) -> None:
    report = scanned(tmp_path, identifier, f"reçu : {written} ce jour")
    assert [(leak.label, leak.kind) for leak in report.leaks] == [(identifier[0], "distinctive")]


@pytest.mark.parametrize(
    ("identifier", "written"),
    [
        (("NOM", "Morel"), "Morelli, xmorel, morel2"),
        (("NOM", "Saint-Martin"), "saint homme, martin-pêcheur"),
        (("NOM", "Legendre"), "le gendre"),
        (("PRENOM", "Bebe"), "048d260e-4cbc-4a92-bebe-576666c72b8e"),  # chance in a UUID
        (("PRENOM", "Bebe"), "048D260E-BEBE-4A92-8567-576666C72B8E"),
        (("IPP", "80012345"), "180012345 800123456 a80012345"),
        (("IPP", "80012345"), "8001,2345 8001\n\n\n\n2345 80 01 23 46"),
        (("TEL", "0261910042"), "02 61 91 00 43"),
        (("DATE_NAISSANCE", "19790328"), "1979-03-29 28/03/1980 mars 1979"),
        (("MAIL", "zoe.pate@example.org"), "zoe@example.org"),
    ],
)
def test_what_only_resembles_is_no_leak(
    tmp_path: Path, identifier: tuple[str, str], written: str
) -> None:
    assert scanned(tmp_path, identifier, written).clean


NUMBER = "8152926575"
KEYS = [hashlib.sha256(bytes([number])).hexdigest()[:32] for number in range(20)]


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        (KEYS[0] + KEYS[1][:9] + "b" + NUMBER + "a" + KEYS[1][21:] + KEYS[2], True),
        (KEYS[1][:9] + "b" + NUMBER + "a" + KEYS[1][21:], True),
        ("".join(KEYS)[:200] + "b0" + NUMBER + "a" + "".join(KEYS)[-263:], True),  # symbols
        (KEYS[0] + NUMBER + KEYS[1], False),
        (KEYS[0] + NUMBER + KEYS[1] + NUMBER + KEYS[2], False),
        (KEYS[0] + NUMBER, False),
        (NUMBER * 16, False),  # no letters, though as long as five keys
        ("81529265758152926576", False),
        (KEYS[1][:9] + "b" + NUMBER + "a" + KEYS[1][21:] + "\0abc" + NUMBER + "7\0", False),
    ],
    ids=[
        "keys side by side",
        "one key",
        "table of symbols",
        "between two keys",
        "among three keys",
        "after a key",
        "no letters",
        "twice",
        "in a key and alone",
    ],
)
def test_figures_within_keyed_values_are_chance(
    tmp_path: Path, written: str, *, clean: bool
) -> None:
    """In bytes that no reader knows; what stands between whole keys is no chance."""
    truth = scan_zone.write_truth(tmp_path / "truth", [("P1", "AUTRE_ID", NUMBER)])
    zone = tmp_path / "research"
    zone.mkdir()
    (zone / "pages.bin").write_bytes(b"\x01\x00\xee" + written.encode() + b"\x00\x1d")
    assert scan(zone, truth).clean is clean


@pytest.mark.parametrize(
    ("written", "clean"),
    [(KEYS[1][:11] + "b80012345a" + KEYS[1][21:], True), ("b80012345a", False)],
    ids=["in a key", "between letters"],
)
def test_a_number_between_letters_within_a_key(
    tmp_path: Path, written: str, *, clean: bool
) -> None:
    truth = scan_zone.write_truth(tmp_path / "truth", [("P1", "IPP", "80012345")])
    zone = tmp_path / "research"
    zone.mkdir()
    (zone / "pages.bin").write_bytes(b"\x01\x00\xee" + written.encode() + b"\x00\x1d")
    assert scan(zone, truth).clean is clean


def test_a_name_and_a_given_name_together_are_found_though_each_is_a_word(tmp_path: Path) -> None:
    truth = scan_zone.write_truth(
        tmp_path / "truth",
        [("P1", "NOM", "Blanc"), ("P1", "PRENOM", "Rose"), ("P2", "PRENOM", "Pierre")],
        [{"id": "S1", "patient": "P1", "label": "rose bengale, globule blanc, pierre"}],
    )
    zone = tmp_path / "research"
    zone.mkdir()
    (zone / "a.csv").write_text("rose,blanc sur pierre\nPierre BLANC", encoding="utf-8")
    report = scan(zone, truth)
    assert report.ambiguous == 3
    assert [(leak.label, leak.origin) for leak in report.leaks] == [
        ("NOM_COMPLET", "persons.jsonl")
    ]


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_case_and_normal_form_do_not_change_tokens(text: str) -> None:
    expected = tokens(fold(text))
    assert tokens(fold(unicodedata.normalize("NFD", text))) == expected
    assert tokens(fold(text.swapcase().swapcase())) == tokens(fold(text.lower()))


@given(st.dates(dt.date(1900, 1, 1), dt.date(2030, 12, 31)))
def test_a_day_is_read_from_each_of_its_spellings(day: dt.date) -> None:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"):
        assert date_of(day.strftime(form)) == day
    assert compact_date_of(day.strftime("%Y%m%d")) == day
    # day first: the year's 18, 19 or 20 would be the month, so the two never mean two days
    assert compact_date_of(day.strftime("%d%m%Y")) == day


@pytest.mark.parametrize("value", ["1979-02-30", "00/00/1979", "12/34", "rue du 8 mai 1945"])
def test_what_is_no_day_is_not_read_as_one(value: str) -> None:
    assert date_of(value) is None


@pytest.mark.parametrize("value", ["19790230", "19790000", "197903281", "80012345", "1979"])
def test_eight_digits_that_are_no_day_are_not_read_as_one(value: str) -> None:
    assert compact_date_of(value) is None


def test_a_number_that_looks_like_a_day_stays_a_number(tmp_path: Path) -> None:
    report = scanned(tmp_path, ("IPP", "19790328"), "vu le 28/03/1979")
    assert report.clean
