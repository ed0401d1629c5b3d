"""The leak scan finds what is left, spares codes and values, and shares no code with the layers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import entrepot.text
from entrepot.text import Identity, Leak, cell_leaks, leaks

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("vu Le Goff hier", "NOM"),
        ("vu LEGOFF hier", "NOM"),
        ("vu le-goff hier", "NOM"),
        ("vu Le\nGoff hier", "NOM"),
        ("vu kervella hier", "NOM"),
        ("vu KERVELLAC hier", "NOM"),  # inside a longer word
        ("vu Jean hier", "PRENOM"),
        ("vu baptiste hier", "PRENOM"),
        ("vu Mae\u0308lys hier", "NOM"),
        ("vu MAELYS hier", "NOM"),
        ("vu Solène hier", "NOM"),
        ("K E R V E L L A  J E A N", "NOM"),
        ("suivi de k.e.r.v.e.l.l.a", "NOM"),
        ("né le 28/03/1979", "DATE_NAISSANCE"),
        ("né le 28.03.79", "DATE_NAISSANCE"),
        ("né le 28 mars 1979", "DATE_NAISSANCE"),
        ("né le 1979-03-28", "DATE_NAISSANCE"),
        ("né le 19790328", "DATE_NAISSANCE"),
        ("IPP 8001234567", "IPP"),
        ("IPP 8001 234 567", "IPP"),
        ("x008001234567", "IPP"),
        ("séjour 24AB00127", "NDA"),
        ("séjour 24-AB-00127", "NDA"),
        ("NIR 1 79 03 29 999 012 45", "INS"),
        ("NIR 2 80 04 2A 123 456", "SECU"),  # anybody's
        ("au 06.12.34.56.78", "TEL"),
        ("au +33 2 98 00 11 22", "TEL"),
        ("à JB.LEGOFF@exemple.fr", "MAIL"),
        ("à autre@exemple.org", "MAIL"),  # anybody's
        ("au 12 bis rue de l'Eglise", "ADRESSE"),
        ("RPPS 10101234567", "AUTRE_ID"),
    ],
)
def test_what_is_left_is_found(patient: Identity, text: str, label: str) -> None:
    assert label in {leak.label for leak in leaks(text, patient)}


def test_the_position_is_where_it_starts(patient: Identity) -> None:
    assert leaks("œuvre, vu Kervella", patient) == [Leak("NOM", 10)]


@pytest.mark.parametrize(
    "text",
    [
        "M. [NOM_1], né le [1979], IPP [IPP_1], tél. [TEL_1]",
        "opéré le 12/03/2024, troponine 12 ng/L, plaquettes 250000/mm3",
        "le goût, la goutte, un jean bleu".replace("jean", "pantalon"),
        "groupes A B O, vitamines A D E K, C 3 P O, H L A - D R",
        "à Brest 29200",  # towns and postcodes also name hospitals
    ],
)
def test_clean_texts_pass(patient: Identity, text: str) -> None:
    assert leaks(text, patient) == []


def test_ordinary_words_in_lower_case_pass() -> None:
    who = Identity(family_names=("Petit", "Blanche"), given_names=("Rose", "Le"))
    assert leaks("un petit nodule, peau rose, urines blanches, le soir", who) == []
    assert [leak.label for leak in leaks("vu Petit, vu ROSE", who)] == ["NOM", "PRENOM"]


@pytest.mark.parametrize(
    "value",
    [
        "8001234567",
        "08001234567",
        "8001234567^^^HOP",
        "179032999901245",
        "1790329999012",
        "0612345678",
        "24-AB-00127",
        "KERVELLA",
        "Le Goff",
        "LEGOFF",
        "Kervella^Jean",
        "jb.legoff@exemple.fr",
        "255081416802538",  # a valid NIR of anybody: 97 - 2550814168025 mod 97 = 38
    ],
)
def test_a_cell_that_leaks(patient: Identity, value: str) -> None:
    assert cell_leaks(value, patient)


@pytest.mark.parametrize(
    "value",
    [
        "2345-7", "E11.9", "HBQK002", "mmol/L", "10*3/uL", "3400930000000", "20240315", "19790328",
        "PETIT", "ROSE", "LN", "CIM10", "urn:oid:1.2.250.1.213", "F", "", "8001234568",
        "180012345670", "a8001234567f", "1790329999013", "GOF", "BREST",
    ],
)  # fmt: skip
def test_codes_and_values_pass(patient: Identity, value: str) -> None:
    named = Identity(
        family_names=(*patient.family_names, "Petit"),
        given_names=(*patient.given_names, "Rose"),
        birth_dates=patient.birth_dates,
        towns=patient.towns,
        numbers=patient.numbers,
    )
    assert cell_leaks(value, named) == []


def test_the_scan_imports_nothing_of_the_layers() -> None:
    folder = Path(entrepot.text.__file__).parent
    imported = set()
    for name in ("leak_scan", "leak_patterns"):
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("entrepot"):
                imported.add(node.module)
    assert imported == {
        "entrepot.resources",
        "entrepot.text.identity",
        "entrepot.text.leak_patterns",
    }
