"""Layers 4 and 5 on persons of whom nothing is known, and the clinical words that must stay.

Names and towns are invented or common; sentences are written as French letters are.
"""

from __future__ import annotations

from datetime import date

import pytest
from annotated import check

from entrepot.text import NOBODY, Identity, Scrubber, leaks

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "text",
    [
        # given names and what stands beside them
        "Vu ce jour avec <PRENOM>Bérengère</PRENOM> <NOM>Trouillefort</NOM>, qui va mieux",
        "<NOM>KERAVAL</NOM> <PRENOM>SYLVIE</PRENOM>",
        "<PRENOM>Aimé</PRENOM> <NOM>Carnet</NOM> est sorti",
        "<NOM>Renard</NOM> <PRENOM>Monique</PRENOM> 3 mois",
        "<PRENOM>Marie</PRENOM> <NOM>Côte</NOM> va bien",
        "Interne <NOM>Poulenard</NOM> <PRENOM>J.R</PRENOM>.",
        "Patient <PRENOM>J.</PRENOM> <NOM>PETIT</NOM>, vu en consultation",
        "<NOM>SERRE</NOM> <PRENOM>P</PRENOM>.",
        "<NOM>Le Quintrec</NOM> <PRENOM>Louis</PRENOM>",
        "Le kiné <PRENOM>théodore</PRENOM> <NOM>kervandal</NOM> passera",
        "Sa voisine, avec <PRENOM>Rose</PRENOM>, appelle souvent",
        # default deny
        "Le courrier de <*>Trombinard</*> est arrivé",
        "(<*>Quidoncelle</*>)",
        # places
        "Revient de <VILLE>Trégastel</VILLE> ce matin",
        "Transféré à <HOPITAL>Lariboisière</HOPITAL> hier",
        "vit à <VILLE>Sens</VILLE> depuis",
        "Suivi à <VILLE>Nogent sur Marne</VILLE> puis à <VILLE>Nice</VILLE>",
        "au <HOPITAL>Centre de Santé des Glycines</HOPITAL>",
        "habite <ADRESSE>4-6 rue des Acacias, APPT 12</ADRESSE>, <ZIP>37000</ZIP> "
        "<VILLE>TOURS</VILLE>",
        # digit by digit, and what a NIR tells
        "<DATE>0 2 1 0 2 0 1 9</DATE>\nfin",
        "<DATE_NAISSANCE>1 2 0 5 1 9 7 8</DATE_NAISSANCE> <SECU>2 7 8 0 5 2 9 0 0 4 1 2 3</SECU>",
        "<TEL>00-22-24-41-23</TEL>",
        "<TEL>(33) 1 20 49 98 13</TEL>",
        "par téléphone au <TEL>04 09 56 98</TEL>",
        "étiquette <AUTRE_ID>28BG04493</AUTRE_ID>",
        # dates
        "né le <DATE_NAISSANCE>quinze septembre mille neuf cent soixante-cinq</DATE_NAISSANCE>",
        "en <DATE>07 2002</DATE>, puis <DATE>fin septembre</DATE>",
        "du <DATE>18</DATE> au <DATE>29/03/2020</DATE>",
        "Cure C3 <DATE>2/8</DATE>",
        "né le <DATE_NAISSANCE>22|8|1923</DATE_NAISSANCE>",
    ],
)
def test_masked(scrubber: Scrubber, text: str) -> None:
    check(scrubber, text, NOBODY)


@pytest.mark.parametrize(
    "text",
    [
        "Syndrome de Zollinger-Ellison, maladie de Rendu-Osler, score de Trouvaillon à 3",
        "Child-Pugh B8, Breslow 1,2 mm, Hinchey IIb, Mallampati 2, Barthel 85",
        "Cholangiopancréatographie, Pembrolizumab, Cytostéatonécrose",
        "ZYLOPRAMIDE 20 mg le matin, Doliprane, KARDEGIC, Spironolactone",
        "HTA, BPCO, FEVG 35 %, SAOS, DNID, AVK, ETT, TDM TAP, IRM",
        "Cordialement, Confraternellement, Histoire de la maladie, Conclusion",
        "Depuis 2/3 semaines, TA 12/8, 7 comprimés",
        "Alerte le jour de Noël. Un petit nodule blanc.",
        "CD20, HER2, T21, C10, Ki67",
        "Bilan à l'Hôpital de jour, retour en Bretagne, né en Algérie",
    ],
)
def test_clinical_words_stay(scrubber: Scrubber, text: str) -> None:
    kept = scrubber.scrub(text, NOBODY)
    assert kept.text == text
    assert kept.entities == {}


def test_a_class_says_how_strict(scrubber: Scrubber) -> None:
    """A label of a code system keeps what a letter loses: there an unknown word is a product."""
    text = "Trombinard 3 de Bérengère"
    by_class = {
        name: scrubber.scrub(text, NOBODY, name).text for name in ("letter", "short", "label")
    }
    assert by_class == {
        "letter": "[NOM_1] 3 de [PRENOM_1]",
        "short": "Trombinard 3 de [PRENOM_1]",
        "label": text,
    }


def test_spans_bear_their_layer(scrubber: Scrubber) -> None:
    out = scrubber.scrub("Vu par Trombinard. Patient : RAS. Bérengère sort. Quidoncelle", NOBODY)
    assert out.entities == {"NOM:context": 1, "NOM:safe": 1, "PRENOM:gazetteer": 1}


@pytest.mark.parametrize(
    ("family", "text", "expected"),
    [
        ("Doliprane", "M. DOLIPRANE prend du Doliprane", "M. [NOM_1] prend du [NOM_1]"),
        ("Foie", "Mme FOIE : le foie est normal", "Mme [NOM_1] : le foie est normal"),
        ("Crohn", "M. Crohn, maladie de Crohn", "M. [NOM_1], maladie de [NOM_1]"),
        ("Tours", "Mme TOURS fait deux tours", "Mme [NOM_1] fait deux tours"),
        ("Rose", "Mme ROSE, teint rose", "Mme [NOM_1], teint rose"),
        ("Ly", "Mme LY, M. Ly", "Mme [NOM_1], M. [NOM_1]"),
        ("Sédan", "vu Se\u0301dan, SEDAN et \u200fSedan", "vu [NOM_1], [NOM_1] et \u200f[NOM_1]"),
    ],
)
def test_a_patient_named_like_a_word(
    scrubber: Scrubber, family: str, text: str, expected: str
) -> None:
    """Drug, organ, disease, town, common word, two letters; combining and right-to-left marks."""
    identity = Identity(family_names=(family,), birth_dates=(date(1979, 3, 28),))
    out = scrubber.scrub(text, identity).text
    assert out.replace("\u200f", "") == expected.replace("\u200f", "")
    assert leaks(out, identity) == []
