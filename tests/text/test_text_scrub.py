"""Layer 8 and the whole: tags, birth years, kept dates, and the traps of the reference."""

from __future__ import annotations

from datetime import date

import pytest

from entrepot.text import NOBODY, Identity, Scrubber, leaks, merge

pytestmark = pytest.mark.core


def test_tags_are_consistent_within_the_document(scrubber: Scrubber, patient: Identity) -> None:
    text = "M. Le Goff voit Mme DURAND. LEGOFF et Durand se quittent."
    assert scrubber.scrub(text, patient).text == (
        "M. [NOM_1] voit Mme [NOM_2]. [NOM_1] et [NOM_2] se quittent."
    )


def test_birth_dates_become_a_year(scrubber: Scrubber, patient: Identity) -> None:
    text = "né le 28.03.79, soit le 28 mars, DDN 19790328. Son père né le 12/05/1950."
    assert scrubber.scrub(text, patient).text == (
        "né le [1979], soit le [1979], DDN [1979]. Son père né le [1950]."
    )


def test_two_digits_of_an_unknown_person_give_no_year(scrubber: Scrubber) -> None:
    """`12/05/25` is a child's or a centenarian's."""
    assert scrubber.scrub("né le 12/05/25", NOBODY).text == "né le [DATE_NAISSANCE_1]"


def test_dates_are_kept_and_their_places_given(scrubber: Scrubber, patient: Identity) -> None:
    scrubbed = scrubber.scrub(
        "M. LE GOFF, né le 28/03/1979, opéré le 12/03/2024 puis le 3 avril 2024.", patient
    )
    kept = [scrubbed.text[start:end] for start, end in scrubbed.date_spans]
    assert kept == ["12/03/2024", "3 avril 2024"]
    assert scrubbed.entities == {"DATE_NAISSANCE:known": 1, "NOM:known": 1}


def test_scrubbing_twice_changes_nothing(scrubber: Scrubber, patient: Identity) -> None:
    once = scrubber.scrub("Dr Durand, M. LE GOFF né le 28 mars, IPP 8001234567", patient).text
    assert scrubber.scrub(once, patient).text == once


def test_new_tags_follow_those_of_the_text(scrubber: Scrubber) -> None:
    assert scrubber.scrub("[NOM_3] et M. DURAND", NOBODY).text == "[NOM_3] et M. [NOM_4]"


@pytest.mark.parametrize("text", ["", " \n\t ", "RAS."])
def test_nothing_to_do(scrubber: Scrubber, patient: Identity, text: str) -> None:
    scrubbed = scrubber.scrub(text, patient)
    assert (scrubbed.text, scrubbed.date_spans, scrubbed.entities) == (text, [], {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a ligature grows when folded, a combining accent vanishes
        ("œdème œsophagien de M. LE GOFF, œil", "œdème œsophagien de M. [NOM_1], œil"),
        ("ﬁbrose chez Le Goﬀ, ﬁn", "ﬁbrose chez [NOM_1], ﬁn"),
        ("Groß: e\u0301te\u0301, Maëlys", "Groß: e\u0301te\u0301, [NOM_1]"),
        ("vu Mae\u0308lys hier", "vu [NOM_1] hier"),
        ("vu Sole\u0300ne", "vu [NOM_1]"),
        ("vu Le\u00a0Goff et Le\u2011Goff", "vu [NOM_1] et [NOM_1]"),
        ("vu Ker\u00advella", "vu [NOM_1]"),
        ("IPP ８００１２３４５６７", "IPP [IPP_1]"),
        ("vu MAËLYS / MAELYS", "vu [NOM_1] / [NOM_1]"),
    ],
)
def test_characters_that_grow_or_vanish(
    scrubber: Scrubber, patient: Identity, text: str, expected: str
) -> None:
    assert scrubber.scrub(text, patient).text == expected


def test_twins(scrubber: Scrubber) -> None:
    """The twin is a relative of the record; both given names go, and each keeps its tag."""
    twin = Identity(family_names=("Moreau",), given_names=("Zoé",), relatives=("MOREAU Léa",))
    out = scrubber.scrub("Zoé (J1) et Léa (J2) MOREAU. Zoé tète mieux que LEA.", twin).text
    assert out == "[PRENOM_1] (J1) et [NOM_1] (J2) [NOM_2]. [PRENOM_1] tète mieux que [NOM_1]."


def test_two_patients_of_the_same_name(scrubber: Scrubber) -> None:
    """Nothing tells them apart in a text: both go."""
    one = Identity(family_names=("Moreau",), given_names=("Zoé",))
    assert "oreau" not in scrubber.scrub("Mme Moreau Zoé, homonyme de Paul Moreau", one).text


def test_a_name_met_only_after_a_merge(scrubber: Scrubber) -> None:
    """A merged record brings the other record's names: the union of identities scrubs both."""
    text = "suivi de Kervella puis Abgrall"
    one, other = Identity(family_names=("Kervella",)), Identity(family_names=("Abgrall",))
    assert scrubber.scrub(text, merge([one, other])).text == "suivi de [NOM_1] puis [NOM_2]"
    assert merge([one, other]) == merge([other, one, one])


def test_file_names_and_mails(scrubber: Scrubber, patient: Identity) -> None:
    out = scrubber.scrub("CR_KERVELLA_1979.pdf à jean.kervella@exemple.fr", patient).text
    assert out == "CR_[NOM_1]_1979.pdf à [MAIL_1]"


def test_a_person_born_today(scrubber: Scrubber) -> None:
    """A newborn's birth date is masked wherever it stands, also as the date of an act."""
    newborn = Identity(birth_dates=(date(2024, 3, 15),))
    out = scrubber.scrub("né le 15/03/2024, vu le 15/03/2024 et le 16/03/2024", newborn)
    assert out.text == "né le [2024], vu le [2024] et le 16/03/2024"
    assert len(out.date_spans) == 1


def test_a_long_letter(scrubber: Scrubber, patient: Identity) -> None:
    letter = (
        "Docteur Solène PRIGENT\nService de cardiologie\n\nBrest, le 12 mars 2024\n\n"
        "Cher confrère,\nVotre patient M. LEGOFF Jean Baptiste, né le 28.03.79 (IPP 8001 234 567), "
        "demeurant 12 BIS RUE DE L'EGLISE 29200 BREST CEDEX 2, tél. +33 6 12 34 56 78, a été "
        "hospitalisé le 10/03/2024 pour une douleur thoracique. Maladie de Parkinson connue. "
        "ECG normal, troponine 12 ng/L, plaquettes 250000/mm3.\nJ.-B. Le Gof rentre ce jour ; "
        "sa fille Maëlys est prévenue.\n\nBien confraternellement,\nDr S. PRIGENT\n"
        "Copie : Dr Kervern"
    )
    scrubbed = scrubber.scrub(letter, patient)
    assert leaks(scrubbed.text, patient) == []
    for kept in ("Parkinson", "troponine 12 ng/L", "plaquettes 250000/mm3", "ECG normal"):
        assert kept in scrubbed.text
    for gone in ("Gof", "GOFF", "Kervern", "PRIGENT", "8001", "EGLISE", "Maëlys", "Brest"):
        assert gone not in scrubbed.text
    kept_dates = [scrubbed.text[a:b] for a, b in scrubbed.date_spans]
    assert kept_dates == ["12 mars 2024", "10/03/2024"]
