"""Layers 3 and 7: what the words around give away, and its other mentions."""

from __future__ import annotations

import pytest
from annotated import check

from entrepot.text import NOBODY, Scrubber

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "text",
    [
        "M. <NOM>DUPONT</NOM> va mieux",
        "M.<NOM>DUPONT</NOM> va mieux",
        "M <NOM>Dupont</NOM> va mieux",
        "Mme<NOM>DUPONT</NOM> va mieux",
        "Mme <NOM>D</NOM>. va mieux",
        "mme <NOM>dupont</NOM> va mieux",
        "MADAME <NOM>DUPONT</NOM> EST SORTIE",
        "Monsieur <PRENOM>Jean</PRENOM> <NOM>DUPONT</NOM> est venu",
        "Mlle <NOM>de La Tour</NOM> est venue",
        "Dr <PRENOM>J.-P</PRENOM>. <NOM>Durand</NOM>",
        "Monsieur le Docteur <NOM>Martin</NOM>",
        "Monsieur le Professeur <NOM>N'Diaye</NOM>",
        "Docteur <PRENOM>Hervé</PRENOM> <NOM>O''Connor</NOM> a signé",
        "Dr <NOM>O' Connor</NOM> a vu, Dr <NOM>O`Connor</NOM> aussi",
        "M. et Mme <NOM>LE GOFF</NOM> sont prévenus",
        "Drs <NOM>Durand</NOM>, <NOM>Lefort</NOM> et <NOM>Garnier</NOM>",
        "avec le Pr <PRENOM>Marc Antoine</PRENOM> <NOM>Bon</NOM>.\nBien à vous",
        "Professeur <PRENOM>Marc Antoine</PRENOM> <NOM>BON</NOM>.",
        "Dr <PRENOM>Paul</PRENOM> <NOM>Martin</NOM> Consultation du soir",
        "Maître <NOM>Blanc</NOM>, avocat",
        "Me <NOM>Garnier</NOM>, notaire",
        "Docteur\n<NOM>GARNIER</NOM>",
        "Mme <NOM>DUPONT</NOM> née <NOM>MARTIN</NOM>",
        "Mme <NOM>DUPONT</NOM>, épouse <NOM>MARTIN</NOM>",
        "née <NOM>Petit</NOM> le <DATE_NAISSANCE>28/03/1979</DATE_NAISSANCE>",
        "né le <DATE_NAISSANCE>28 mars 1979</DATE_NAISSANCE> à <VILLE>Nancy</VILLE>",
        "Né(e) le : <DATE_NAISSANCE>28.03.79</DATE_NAISSANCE>",
        "NE LE <DATE_NAISSANCE>28/03/1979</DATE_NAISSANCE>",
        "DDN : <DATE_NAISSANCE>28/03/1979</DATE_NAISSANCE>",
        "date de naissance <DATE_NAISSANCE>28-03-1979</DATE_NAISSANCE>",
        "Nom : <NOM>DUPONT</NOM>  Prénom : <PRENOM>Jean</PRENOM>",
        "Nom de naissance : <NOM>petiot</NOM>",
        "Patient : <NOM>Dupont</NOM>, 45 ans",
        "Signé : <NOM>Garnier</NOM>",
        "Chirurgien : <NOM>Garnier</NOM> Aide : <NOM>Lefort</NOM>",
        "Copie : <PRENOM>Paul</PRENOM> <NOM>GARNIER</NOM>, <NOM>Lefort</NOM>",
        "adressé par <NOM>Garnier</NOM> pour bilan",
        "bébé de <NOM>DUPONT</NOM> vu ce jour",
        "bébé de Mme <NOM>DUPONT</NOM>",
        "son fils <PRENOM>Kévin</PRENOM> et sa fille, <PRENOM>Zoé</PRENOM>, viennent",
        "son époux <*>Bertrand</*> est prévenu",
        "vu avec <PRENOM>Anaïs</PRENOM> <NOM>LEFORT</NOM> ce jour",
        "vu avec <NOM>LEFORT</NOM> <PRENOM>Anaïs</PRENOM> ce jour",
        "Cordialement,\n<PRENOM>Anaïs</PRENOM> <NOM>Lefort</NOM>",
        "IPP : <IPP>12345</IPP>",
        "N° de dossier : <NDA>4521/A</NDA>",
        "NDA n° <NDA>24 001 234</NDA>",
        "séjour <NDA>123456</NDA> du <DATE>12/03/2024</DATE>",
        "dossier <NDA>123456 </NDA>UI",
        "poste <TEL>4521</TEL>",
        "demeurant <ADRESSE>12 rue des Lilas</ADRESSE>, <ZIP>29200</ZIP> <VILLE>Brest</VILLE>",
        "habite <ADRESSE>3 ter av. du Général de Gaulle</ADRESSE>",
        "<ADRESSE>12, rue de la paix</ADRESSE> <ZIP>75002</ZIP> <VILLE>PARIS CEDEX 02</VILLE>",
        "domiciliée à <VILLE>Saint-Pierre-des-Corps</VILLE>",
        "<ZIP>37000</ZIP> <VILLE>Tours</VILLE>",
        "<VILLE>Brest</VILLE>, le <DATE>12 mars 2024</DATE>",
        "transféré de l'hôpital <HOPITAL>Saint-Louis</HOPITAL>",
        "suivi au <HOPITAL>CHU de Rennes</HOPITAL>",
    ],
)
def test_context(scrubber: Scrubber, text: str) -> None:
    check(scrubber, text, NOBODY)


@pytest.mark.parametrize(
    "text",
    [
        "Il ne prend rien, me dit-elle.",
        "Madame, Monsieur, cher confrère, Bien cordialement",
        "Le patient est vu par le cardiologue de l'hôpital de jour.",
        "Monsieur le Directeur, Docteur en médecine",
        "M. pneumoniae, E. coli et S. aureus",
        "Maladie de Parkinson, signe de Babinski, score de Glasgow",
        "Service de cardiologie, IRM cérébrale, ECG normal, TDM TAP",
        "Patient : homme de 45 ans. Objet : compte rendu.",
        "25000 Plaquettes, prise en place, deux voies",
        "5 allées et venues, place aux soins",
        "Chambre n° 12, J2, 3 fois par jour",
    ],
)
def test_ordinary_sentences_stay(scrubber: Scrubber, text: str) -> None:
    check(scrubber, text, NOBODY)


def test_propagation(scrubber: Scrubber) -> None:
    """What a title gave away is masked without its title too, in other spellings."""
    check(
        scrubber,
        "Dr <NOM>Lefort</NOM> absent. Avis de <NOM>LEFORT</NOM> demandé, "
        "IPP <IPP>45012</IPP>. Étiquette <IPP>45012</IPP>.",
        NOBODY,
    )


def test_an_eponym_after_a_title_is_not_spread(scrubber: Scrubber) -> None:
    check(scrubber, "Dr <NOM>Crohn</NOM> absent. Maladie de Crohn stable.", NOBODY)


def test_an_ordinary_name_is_spread_by_its_letter_case(scrubber: Scrubber) -> None:
    check(scrubber, "Dr <NOM>Petit</NOM> absent. Un petit nodule, vu par <NOM>PETIT</NOM>.", NOBODY)
