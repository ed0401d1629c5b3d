"""Loaders of open-data files, on small files in the columns that each publisher prints.

INSEE: nat2022.csv and v_commune_2024.csv (dictionaries of these files). La Poste: base officielle
des codes postaux. FINESS: `structureet` lines of the etalab extraction, which has no titles.
Annuaire santé: PS_LibreAcces_Personne_activite. BDPM: CIS_bdpm.txt and CIS_COMPO_bdpm.txt, tabs,
Latin-1, no titles.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from entrepot.errors import ConfigurationError
from entrepot.text import NOBODY, Scrubber, lists_version
from entrepot.text.safe_lists import site_lists

pytestmark = pytest.mark.core

FILES = {
    "nat2022.csv": "sexe;preusuel;annais;nombre\n"
    "1;_PRENOMS_RARES;1900;1250\n2;EZNAELLE;2015;40\n2;EZNAELLE;2016;25\n1;QZYR;2019;3\n",
    "v_commune_2024.csv": "TYPECOM,COM,REG,DEP,CTCD,ARR,TNCC,NCC,NCCENR,LIBELLE,CAN,COMPARENT\n"
    'COM,01001,84,01,01D,012,5,"VIELLEROCHE","Vielleroche","Vielleroche",0108,\n'
    'COMD,01015,84,01,01D,011,1,"ARBEN","Arben","Arben",,01015\n',
    "019HexaSmal.csv": "#Code_commune_INSEE;Nom_de_la_commune;Code_postal;"
    "Libellé_d_acheminement;Ligne_5\n01004;TREFFONVAL;01500;TREFFONVAL;\n",
    "etalab-cs1100507-stock-20240110.csv": "finess;etalab;93;2024-01-10\n"
    "structureet;010000024;010780054;CH DE FLORVAUX;CENTRE HOSPITALIER DE FLORVAUX;;;;;\n"
    "geolocalisation;010000024;870215.7;6571590.5;;\n",
    "PS_LibreAcces_Personne_activite_202401.txt": "Type d'identifiant PP|Identifiant PP|"
    "Identification nationale PP|Code civilité d'exercice|Libellé civilité d'exercice|"
    "Code civilité|Libellé civilité|Nom d'exercice|Prénom d'exercice\n"
    "8|10000000001|810000000001|DR|Docteur|M|Monsieur|TREVALAEC|ALDEMAR\n",
    "CIS_bdpm.txt": "60002283\tZORVAPTAN 50 mg, comprimé\tcomprimé\torale\tAutorisation active\n",
    "CIS_COMPO_bdpm.txt": "60002283\tcomprimé\t00000\tZORVAPTANE\t50 mg\tun comprimé\tSA\t1\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site's folder of lists."""
    made = tmp_path_factory.mktemp("lists")
    for name, content in FILES.items():
        encoding = "latin-1" if name.startswith("CIS") else "utf-8"
        (made / name).write_bytes(content.encode(encoding))
    return made


def test_each_file_fills_its_list(folder: Path) -> None:
    found = site_lists(folder, ())
    assert found.first_names == {"eznaelle", "aldemar"}  # three bearers name no list (INSEE: rare)
    assert found.surnames == {"trevalaec"}
    assert found.communes == {"vielleroche", "treffonval"}  # COMD is a former commune
    assert found.institutions == {"ch de florvaux"}
    assert found.drugs == {"zorvaptan", "zorvaptane"}


def test_a_site_s_names_are_masked_and_its_drugs_stay(folder: Path) -> None:
    scrubber = Scrubber(lists=folder)
    text = "Traitée par zorvaptane, ZORVAPTAN le soir. Eznaëlle revient de Vielleroche."
    found = scrubber.find(text, NOBODY)
    assert [(text[s.start : s.end], s.label, s.layer) for s in found] == [
        ("Eznaëlle", "PRENOM", "gazetteer"),
        ("Vielleroche", "VILLE", "gazetteer"),
    ]


def test_without_them_the_drug_is_an_unknown_word(scrubber: Scrubber) -> None:
    assert scrubber.scrub("Prend ZORVAQTIS le soir.", NOBODY).text == "Prend [NOM_1] le soir."


def test_a_changed_list_changes_the_version(folder: Path, tmp_path: Path) -> None:
    shipped, with_site = lists_version(), lists_version(lists=folder)
    assert len({shipped, with_site, lists_version(lists=folder)}) == 2
    overlay = tmp_path / "mappings" / "text"
    overlay.mkdir(parents=True)
    (overlay / "drugs.csv").write_text("drug\nzorvaptan\n", encoding="utf-8")
    assert lists_version((tmp_path,)) not in (shipped, with_site)
    (folder / "words.txt").write_text("tarfouille\n", encoding="utf-8")
    try:
        assert lists_version(lists=folder) != with_site
    finally:
        (folder / "words.txt").unlink()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("patients.csv", "nom\nX\n", "none of the lists"),
        ("nat2022.csv", "sexe,preusuel\n1,JEAN\n", "preusuel"),
    ],
)
def test_a_file_that_is_not_the_publisher_s_is_refused(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    """Read as something else it would mask nothing, without a word."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said):
        site_lists(tmp_path, ())


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        Scrubber(lists=tmp_path / "none").find("RAS", NOBODY)
