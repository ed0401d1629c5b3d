"""A site with a few letters written by hand, and its readers."""

from __future__ import annotations

from pathlib import Path

import yaml

from entrepot.config import CONFIG_NAME, Site
from faults.hand_made import message, pid, pv1
from roads import feed, new_site, travel

READERS = ("marc.roy", "ines.roux")
PATIENT = "CASTELNAU"
# What a reader would call a miss: no engine can know it; after a sign of two UTF-16 units.
MISSED = "la fille du sonneur de cloches du bourg"
PHRASE = f"Etat général bon 🙂. Vit seule, connue comme {MISSED}."
NAMED = f"Madame {PATIENT} revient pour le suivi de sa bronchite. Kaliémie 4,1 mmol/l. "
LETTERS = 8
LAST = (
    "Cher confrère,~~Je vous remercie de m'avoir confié Madame Anne CASTELNAU, née le 12/04/1953,"
    " demeurant 14 rue des Tanneurs, 29180 LOCRONAN (IPP 90003, tél. 02 98 55 01 42).~~"
    "Motif : dyspnée d'effort stade II depuis janvier 2024.~"
    "Antécédents : HTA, maladie de Parkinson, fracture du col fémoral droit en 2019.~"
    "Traitement : LEVODOPA 100 mg x3/j, BISOPROLOL 2,5 mg/j.~~"
    "Examen : TA 128/76 mmHg, FC 71/min, SpO2 94 % en air ambiant."
    " Râles crépitants des deux bases.~"
    "Biologie du 02/03/2024 : NT-proBNP 1 240 ng/l, kaliémie 4,1 mmol/l, créatinine 88 µmol/l.~~"
    "Sa fille, institutrice à l'école du bourg, l'accompagne à chaque consultation.~~"
    "Conclusion : décompensation cardiaque modérée. FUROSEMIDE 40 mg/j, contrôle dans 15 jours.~~"
    "Bien confraternellement,~Dr Hélène PRIGENT, cardiologie"
)
SHOWN = "institutrice à l'école du bourg"  # what the manual's reader marks in it
BARE = "Auscultation claire, tension 12/7, poids stable. Poursuite du traitement habituel. "


def build(folder: Path) -> Site:
    """Letters of one patient; every fourth names nobody, the first holds the phrase."""
    site = new_site(folder / "site")
    feed(site, "letters.hl7", b"".join(letter(n) for n in range(LETTERS)), source="letters")
    assert travel(site).published
    path = site.root / CONFIG_NAME
    people = {name: {"profiles": ["reader"]} for name in READERS}
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**stated, "people": people}), encoding="utf-8")
    return Site.open(site.root)


def letter(number: int) -> bytes:
    """One letter about the patient of IPP 90003, born on 12 April 1953."""
    at = f"202403{number + 1:02d}101500"
    text = (BARE if number % 4 == 1 else NAMED) * (number % 3 * 9 + 1)
    text += PHRASE if number == 0 else ""
    text = LAST if number == LETTERS - 1 else text
    return message(
        "MDM^T02^MDM_T02", f"L{number}", at,
        pid("90003", "19530412", PATIENT, "790003"), pv1("790003", "20240301080000"),
        f"TXA|1|11488-4|TEXT|{at}|||||||||D{number}^DPI|||||LA",
        f"OBX|1|TX|11488-4^Compte rendu^LN||{text}||||||F|||{at}",
    )  # fmt: skip
