"""Layer 1: every way to write a known identifier, from the reference on pseudonymisation."""

from __future__ import annotations

from datetime import date

import pytest
from annotated import check

from entrepot.text import Identity, Scrubber

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "text",
    [
        "vu <NOM>Le Goff</NOM> ce jour",
        "vu <NOM>LE GOFF</NOM> ce jour",
        "vu <NOM>Le-Goff</NOM> ce jour",
        "vu <NOM>LEGOFF</NOM> ce jour",
        "vu <NOM>LeGoff</NOM> ce jour",
        "vu <NOM>le goff</NOM> ce jour",
        "vu <NOM>legoff</NOM> ce jour",
        "vu <NOM>Le\nGoff</NOM> ce jour",
        "vu <NOM>KER-\nVELLA</NOM> ce jour",
        "vu <NOM>Goff</NOM> ce jour",
        "M.<NOM>LEGOFF</NOM>",
        "<NOM>MKERVELLA</NOM>",
        "Mr<NOM>Kervella</NOM>",
        "vu <NOM>KERVELLA</NOM><PRENOM>Jean</PRENOM> ce jour",
        "compte-rendu_<NOM>KERVELLA</NOM>_<PRENOM>Jean-Baptiste</PRENOM>.pdf",
        "<NOM>Le Goff</NOM> <PRENOM>Jean Baptiste</PRENOM>",
        "<PRENOM>JEAN-BAPTISTE</PRENOM> <NOM>LE GOFF</NOM>",
        "<PRENOM>Jeanbaptiste</PRENOM> <NOM>LE GOFF</NOM>",
        "<PRENOM>J</PRENOM>.-<PRENOM>B</PRENOM>. <NOM>LE GOFF</NOM>",
        "<PRENOM>JB</PRENOM> <NOM>KERVELLA</NOM>",
        "<NOM>KERVELLA</NOM> <PRENOM>J</PRENOM>.",
        "<PRENOM>J</PRENOM>. dit aller mieux",
        "sa fille <*>Maëlys</*> est présente",
        "vu par Solène".replace("Solène", "<NOM>Solène</NOM>"),
        "revu par <NOM>PRIGENT</NOM>",
    ],
)
def test_names(scrubber: Scrubber, patient: Identity, text: str) -> None:
    check(scrubber, text, patient)


@pytest.mark.parametrize(
    "text",
    [
        "vu <NOM>K E R V E L L A</NOM> ce jour",
        "<NOM>Q U I L L É V É R É - T R O B R I A N T</NOM>",
        "Mme <NOM>Q U I L L É V É R É</NOM>   <PRENOM>M A Ë L W E N N</PRENOM>, 40 ans",
    ],
)
def test_a_heading_written_letter_by_letter(scrubber: Scrubber, text: str) -> None:
    names = Identity(("Kervella", "Quillévéré-Trobriant", "Quillévéré"), ("Maëlwenn",))
    check(scrubber, text, names)


@pytest.mark.parametrize(
    "text",
    [
        "vu <NOM>Kervela</NOM> ce jour",  # dropped letter
        "vu <NOM>Kervellla</NOM> ce jour",  # added
        "vu <NOM>Kervelka</NOM> ce jour",  # replaced
        "vu <NOM>Kervlela</NOM> ce jour",  # dropped and swapped: two errors from eight letters
        "vu <NOM>Le Gof</NOM> ce jour",
        "vu <PRENOM>Jean-Batiste</PRENOM> ce jour",
        "vu <PRENOM>Baptsite</PRENOM> ce jour",
        "vu à <VILLE>Brets</VILLE> ce jour",
    ],
)
def test_typing_errors(scrubber: Scrubber, patient: Identity, text: str) -> None:
    check(scrubber, text, patient)


def test_typing_errors_spare_short_names_and_ordinary_words(scrubber: Scrubber) -> None:
    """Names under five letters and ordinary words have too many neighbours."""
    check(scrubber, "La Peau et le matin, sans Roue.", Identity(family_names=("Roux", "Marin")))


@pytest.mark.parametrize(
    "text",
    [
        "le <DATE_NAISSANCE>28/03/1979</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>28.03.79</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>28-3-1979</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>28 mars 1979</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>28 MARS 1979</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>28 mars</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>1979-03-28</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>19790328</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>28031979</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>280379</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>2 8 / 0 3 / 1 9 7 9</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>2 8 0 3 1 9 7 9</DATE_NAISSANCE>",
        "le <DATE_NAISSANCE>28 / 03 / 1979</DATE_NAISSANCE>",
    ],
)
def test_birth_date(scrubber: Scrubber, patient: Identity, text: str) -> None:
    check(scrubber, text, patient)


@pytest.mark.parametrize(
    "text",
    [
        "au <TEL>0612345678</TEL>",
        "au <TEL>06.12.34.56.78</TEL>",
        "au <TEL>06-12-34-56-78</TEL>",
        "au <TEL>+33 6 12 34 56 78</TEL>",
        "au <TEL>+33 (0)6 12 34 56 78</TEL>",
        "au <TEL>0033612345678</TEL>",
        "au <TEL>02 98 00 11 22</TEL>",
        "au <TEL>06 123 456 78</TEL>",
        "IPP <IPP>8001234567</IPP>",
        "vu <IPP>8001 234 567</IPP>",
        "vu <IPP>8001-234-567</IPP>",
        "vu <NDA>24AB00127</NDA>",
        "vu <NDA>24-AB-00127</NDA>",
        "vu <SECU>1 79 03 29 999 012 45</SECU>",
        "vu <SECU>1790329999012</SECU>",
        "à <MAIL>JB.LeGoff@Exemple.fr</MAIL>",
        "habite <ADRESSE>12 bis rue de l'Église</ADRESSE>",
        "habite <ADRESSE>12 BIS, RUE DE L'EGLISE</ADRESSE>",
        "habite <ADRESSE>rue de l’Église</ADRESSE>",
        "habite <ADRESSE>12 bis r. de l'église</ADRESSE>",
        "à <ZIP>29200</ZIP> <VILLE>BREST CEDEX 2</VILLE>",
        "à <VILLE>Brest</VILLE>",
        "RPPS <*>10101234567</*>",
    ],
)
def test_numbers_and_places(scrubber: Scrubber, patient: Identity, text: str) -> None:
    check(scrubber, text, patient)


def test_a_postcode_that_counts_cells_stays(scrubber: Scrubber, patient: Identity) -> None:
    check(scrubber, "plaquettes à 29200 /mm3", patient)


COMMON = Identity(family_names=("Petit", "Blanc", "Marchand"), given_names=("Rose", "Claire"))


@pytest.mark.parametrize(
    "text",
    [
        "Un petit nodule blanc, peau rose, urines claires.",
        "Le marchand de matériel passera.",
        "Mme <NOM>Petit</NOM> va mieux.",
        "Mme <NOM>petit</NOM> va mieux.",
        "vu <NOM>PETIT</NOM> ce jour",
        "appel de <PRENOM>Rose</PRENOM> hier",
        "<PRENOM>Rose</PRENOM> dit aller mieux.",
        "vu <PRENOM>rose</PRENOM> <NOM>petit</NOM> ce jour",
        "<NOM>PETIT</NOM> <PRENOM>claire</PRENOM>",
        "Prénom : <PRENOM>rose</PRENOM>",
    ],
)
def test_a_patient_named_like_a_word(scrubber: Scrubber, text: str) -> None:
    check(scrubber, text, COMMON)


@pytest.mark.parametrize(
    "text",
    [
        "Maladie de <NOM>Parkinson</NOM> connue.",
        "<NOM>PARKINSON</NOM> <PRENOM>Tours</PRENOM>",
    ],
)
def test_a_patient_named_like_a_disease(scrubber: Scrubber, text: str) -> None:
    """An eponym stays unless it is this patient's name; then it is masked, in doubt."""
    named = Identity(family_names=("Parkinson",), given_names=("Tours",), towns=("Tours",))
    check(scrubber, text, named)
    if "Maladie" in text:
        check(scrubber, "Maladie de Parkinson connue, trois tours.", Identity(towns=("Tours",)))


def test_short_and_grammatical_names(scrubber: Scrubber) -> None:
    """`Le` and `An` are names and articles: masked beside a name, never by themselves."""
    who = Identity(family_names=("Le",), given_names=("Thi An",))
    check(scrubber, "Le patient a un an. LE 12, RAS.", who)
    check(scrubber, "Mme <NOM>LE</NOM> <PRENOM>Thi An</PRENOM> va bien", who)


def test_an_initial_is_not_a_germ(scrubber: Scrubber) -> None:
    who = Identity(given_names=("Étienne",))
    check(scrubber, "ECBU à E. coli, carence en vitamine E. Poursuite.", who)
    check(scrubber, "<PRENOM>E</PRENOM>. va mieux", who)


def test_partial_birth_date(scrubber: Scrubber) -> None:
    who = Identity(partial_birth_dates=("1979-03",))
    check(scrubber, "en <DATE_NAISSANCE>mars 1979</DATE_NAISSANCE>", who)


def test_another_date_is_kept(scrubber: Scrubber, patient: Identity) -> None:
    check(scrubber, "le <DATE>28/04/1979</DATE> et <DATE>20240315</DATE>", patient)


def test_every_format_of_a_birth_date_is_the_same_day(scrubber: Scrubber) -> None:
    """The first of a month is also written `1er`; a foreign system writes the month first."""
    who = Identity(birth_dates=(date(1950, 5, 1),))
    check(scrubber, "le <DATE_NAISSANCE>1er mai 1950</DATE_NAISSANCE>", who)
    check(scrubber, "le <DATE_NAISSANCE>05/01/1950</DATE_NAISSANCE>", who)
