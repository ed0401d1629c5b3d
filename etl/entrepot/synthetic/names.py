"""Names, streets and towns of the synthetic patients. Every character is in ISO 8859-1."""

from __future__ import annotations

from typing import NamedTuple


class Town(NamedTuple):
    """A commune: name, postcode, INSEE code."""

    name: str
    postcode: str
    insee: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


SURNAMES = _words(
    "Martin, Bernard, Durand, Lefèvre, Moreau, Girard, Mercier, Bérard, Hervé, Gérard, Noël,"
    "Rousseau, Chevalier, François, Legendre, Garnier, Faure, Gautier, Perrin, Morel, Dumas,"
    "Fernandez, Da Silva, Dos Santos, Kowalski, Nguyen, Traoré, Haddad, Benali, Diallo, Cissé,"
    "Le Goff, Le Guen, Kerléo, de La Tour, d'Aubigné, du Plessis, Van den Berghe, Müller,"
    "Schneider, Lacroix, Besson, Guérin, Boucher, Aubert, Collet, Marie-Rose, Renard-Duval,"
    "Saint-Martin, Picard, Vidal, Barbier, Arnaud, Brun-Lévêque, Meunier, Delaunay, Thévenot,"
    "Châtelain, Prévost, Bénard, Léger, Rémond, Gomès, Yilmaz, O'Connor, Ménard, Joly-Caron"
)
SHORT_SURNAMES = _words("Ba, Li, Ho, Sy, Py, Ndiaye, Lê, Bo")
WORD_SURNAMES = _words(
    "Petit, Rose, Marchand, Blanc, Legrand, Boulanger, Fontaine, Rivière, Poisson, Berger,"
    "Moulin, Lebrun, Roux, Leblanc, Bras, Laforêt, Court, Vert, Bon, Jour"
)
MEDICAL_SURNAMES = _words("Kardégic, Crohn, Parkinson, Tanakan, Blumberg, Rate")
GIVEN_F = _words(
    "Jeanne, Zoé, Hélène, Françoise, Marie-Claire, Anne-Sophie, Chloé, Léa, Inès, Éloïse, Diane,"
    "Fatima, Aïcha, Maëlys, Thérèse, Geneviève, Monique, Sylvie, Agnès, Béatrice, Camille, Rose,"
    "Jasmine, Odile, Mélanie, Noémie, Yvette, Lucie, Nathalie, Solène, Mai, Linh, Awa, Ève"
)
GIVEN_M = _words(
    "Jean, Pierre, Jean-Pierre, François, Étienne, Gérard, Loïc, Noël, Rémi, Théo, Mathéo, Paul,"
    "Ahmed, Mohamed, Ibrahima, José, Luis, Jérôme, Cédric, Benoît, Camille, Marc-Antoine, Luc,"
    "Émile, Raphaël, Gaël, Hervé, Clément, Michel, André, Roger, Minh, Ali, Léo"
)
SECOND_GIVEN = _words("Marie, Louise, Anne, Paul, Joseph, Charles, Élise, Léon, Rachid, Simone")

TOWNS = tuple(
    Town(*line.split(";"))
    for line in _words(
        "Orléans;45000;45234, Olivet;45160;45232, Fleury-les-Aubrais;45400;45147,"
        "Saint-Jean-de-Braye;45800;45284, Gien;45500;45155, Montargis;45200;45208,"
        "Pithiviers;45300;45252, Beaugency;45190;45028, Blois;41000;41018, Tours;37000;37261,"
        "Chartres;28000;28085, Bourges;18000;18033, Vierzon;18100;18279, Châteauroux;36000;36044,"
        "Paris;75007;75107, Lyon;69003;69383, Nantes;44000;44109, Rennes;35000;35238"
    )
)
BIRTH_TOWNS = TOWNS + tuple(
    Town(*line.split(";"))
    for line in _words(
        "Lille;59000;59350, Strasbourg;67000;67482, Toulouse;31000;31555, Bordeaux;33000;33063,"
        "Montpellier;34000;34172, Nice;06000;06088, Dijon;21000;21231, Brest;29200;29019,"
        "Saint-Étienne;42000;42218, Nancy;54000;54395, La Rochelle;17000;17300,"
        "Fort-de-France;97200;97209, Saint-Denis;97400;97411"
    )
)
CORSICA = (Town("Ajaccio", "20000", "2A004"), Town("Bastia", "20200", "2B033"))
ABROAD = tuple(  # no postcode; 99 and INSEE's country code
    Town(*line.split(";"))
    for line in _words(
        "Alger;;99352, Casablanca;;99350, Tunis;;99351, Porto;;99139, Dakar;;99341, Turin;;99127"
    )
)
STREETS = _words(
    "rue de l'Église, avenue de la République, rue des Lilas, place du Martroi, quai Saint-Laurent,"
    "impasse des Roses, rue du Docteur Roux, boulevard Alexandre Martin, chemin du Moulin,"
    "allée des Érables, rue Jeanne d'Arc, rue Porte Saint-Jean, rue de Bourgogne,"
    "avenue de Verdun, route d'Olivet, rue Émile Zola, square Charles Péguy, lieu-dit Les Bordes"
)
MAIL_DOMAINS = ("example.org", "example.net", "courriel.example.com", "mail.example.org")
