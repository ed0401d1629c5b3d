"""Layer 2: identifiers that their format gives away, and numbers that are none."""

from __future__ import annotations

import pytest
from annotated import check

from entrepot.text import NOBODY, Scrubber

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "text",
    [
        # NIR: sex, year, month, department, commune, order, key (décret 2019-341; INSEE)
        "NIR <SECU>179032900412345</SECU>",
        "NIR <SECU>1 79 03 29 004 123 45</SECU>",
        "NIR <SECU>1790329004123</SECU>",
        "<SECU>2 79 03 2A 004 123 45</SECU> Corse du Sud",
        "<SECU>279032B004123</SECU> Haute-Corse",
        "<SECU>1 79 20 29 004 123</SECU> mois inconnu",
        "<SECU>1 79 62 29 004 123</SECU> mois inconnu",
        "<SECU>2 79 03 97 104 123</SECU> outre-mer",
        "<SECU>2 79 03 99 352 123</SECU> née à l'étranger",
        "<SECU>7 79 03 29 004 123</SECU> numéro provisoire",
        "<SECU>1 79 03 29 004 123 clé 99</SECU>",
        "<SECU>1 7 9 0 3 2 9 0 0 4 1 2 3</SECU>",
        "tél <TEL>06 12 34 56 78</TEL> ou <TEL>02-98-00-11-22</TEL>",
        "<TEL>+33 (0)6 12 34 56 78</TEL>",
        "vu le <DATE>05/03/2024</DATE> <TEL>06 12 34 56 78</TEL>",
        "<TEL>06/12/34/56/78</TEL>",
        "<TEL>0033 6.12.34.56.78</TEL>",
        "<TEL>+41 22 345 67 89</TEL>",
        "<TEL>0800 123 456</TEL>",
        "<MAIL>jean.dupont@exemple.fr</MAIL>",
        "<MAIL>jean.dupont @ exemple.fr</MAIL>",
        "<MAIL>jean (at) exemple.fr</MAIL>",
        "voir <URL>https://exemple.fr/dossier?id=12</URL>.",
        "voir <URL>www.exemple.org</URL>, merci",
        "serveur <AUTRE_ID>192.168.10.24</AUTRE_ID>",
        "poste <AUTRE_ID>fe80::1ff:fe23:4567:890a</AUTRE_ID>",
        "<AUTRE_ID>FR76 3000 6000 0112 3456 7890 189</AUTRE_ID>",
        "immatriculée <AUTRE_ID>AB-123-CD</AUTRE_ID>",
        "SIRET <AUTRE_ID>267 500 452 00011</AUTRE_ID>",
        "RPPS <AUTRE_ID>10101234567</AUTRE_ID>",
        "<AUTRE_ID>10 101 234 567</AUTRE_ID>",
        "ADELI <AUTRE_ID>291234567</AUTRE_ID>",
        "FINESS <AUTRE_ID>290000017</AUTRE_ID>",
        "tube <AUTRE_ID>4501234</AUTRE_ID> reçu",
        "tube <AUTRE_ID>4 5 0 1 2 3 4</AUTRE_ID> reçu",
    ],
)
def test_identifiers(scrubber: Scrubber, text: str) -> None:
    check(scrubber, text, NOBODY)


@pytest.mark.parametrize(
    "text",
    [
        "plaquettes 250000/mm3, leucocytes 12000 /mm3",
        "héparine 500000 UI par jour",
        "ferritine 1234567 ng/mL",
        "charge virale 1250000 copies/mL",
        "ratio 0,123456 et 1234567,8",
        "NFS : 12 11 10 9, TA 120 80, pouls 75",
        "constantes 120 80 75 98 16 37 12 14",
        "pression à 12:30:45 puis 13:00:00",
        "code HBQK002, E11.9, LOINC 2345-7",
        "score 7/10 puis 15/15",
        "dose de 1 250 000 UI",
    ],
)
def test_measures_and_codes_stay(scrubber: Scrubber, text: str) -> None:
    check(scrubber, text, NOBODY)


@pytest.mark.parametrize(
    "text",
    [
        "le <DATE>12/03/2024</DATE> puis le <DATE>13.03.24</DATE>",
        "<DATE>12/03/2020</DATE> <DATE>14/05/2021</DATE> <DATE>15/06/2021</DATE>",
        "le <DATE>2024-03-15</DATE>",
        "le <DATE>20240315</DATE> et le <DATE>20261102</DATE>",  # compact, 2024 and later
        "le <DATE>15032024</DATE>",
        "le <DATE>202403151430</DATE>",
        "le <DATE>3 mars</DATE>. Il va bien",
        "le <DATE>1er mars 2024</DATE>",
        "en <DATE>mars 2024</DATE>",
        "depuis <DATE>2015</DATE>",
        "le <DATE>12/03</DATE>",
        "opéré le <DATE>12 févr. 2024</DATE>",
    ],
)
def test_dates_are_kept(scrubber: Scrubber, text: str) -> None:
    check(scrubber, text, NOBODY)


def test_impossible_dates_are_none(scrubber: Scrubber) -> None:
    check(scrubber, "le 42/13/2024, ratio 32/45/99", NOBODY)
