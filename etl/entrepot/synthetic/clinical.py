"""Clinical lists of the synthetic hospital: what can be measured, diagnosed, done and given.

Codes are those of the French feeds: LOINC, CIM-10 as PMSI writes it (no dot, ATIH extensions),
CCAM, UCD and CIP (numbers of the hospital's own range, no marketed product), ATC. Labels are
worded for this file.
"""

from __future__ import annotations

from typing import NamedTuple


class Lab(NamedTuple):
    """One analysis: its codes, its usual range and how a laboratory prints it."""

    loinc: str  # empty: the laboratory has only its own code
    local: str
    label: str
    panel: str
    value_type: str  # OBX-2
    unit: str
    decimals: int
    low: str
    high: str
    mean: float
    spread: float
    texts: tuple[str, ...] = ()  # values of ST and CWE results
    other_unit: str = ""  # a second unit, in use on one automaton
    other_factor: int = 1  # value in other_unit = value * factor


class Diagnosis(NamedTuple):
    """One CIM-10 code and the settings in which it is met."""

    code: str
    label: str
    settings: frozenset[str]  # emergency medicine surgery cancer maternity chronic symptom…
    youngest: int  # age in years from which it is met
    sex: str = ""


class Act(NamedTuple):
    """One CCAM act; activity 4 is the anaesthetist's."""

    code: str
    label: str
    settings: frozenset[str]
    anaesthesia: bool = False
    sex: str = ""
    adults: bool = False  # not done to children


class Drug(NamedTuple):
    """One product of the formulary."""

    code: str
    system: str  # UCD, CIP or ATC
    label: str
    substance: str
    atc: str
    dose: str
    unit: str
    route: str  # HL7 table 0162
    per_day: int


class Vaccine(NamedTuple):
    """One vaccine; `cvx` travels as alternate code."""

    code: str
    system: str
    label: str
    cvx: str
    dose: str


PANELS: dict[str, tuple[str, str]] = {  # panel -> LOINC code, label
    "NFS": ("58410-2", "Numération formule sanguine"),
    "IONO": ("24326-1", "Ionogramme sanguin"),
    "RENAL": ("24362-6", "Bilan rénal"),
    "HEPAT": ("24325-3", "Bilan hépatique"),
    "GLYC": ("", "Bilan glycémique"),
    "INFL": ("", "Bilan inflammatoire"),
    "LIPID": ("24331-1", "Bilan lipidique"),
    "COAG": ("", "Hémostase"),
    "HORM": ("", "Hormonologie"),
    "URINE": ("", "Bandelette urinaire"),
    "BACT": ("", "Bactériologie"),
    "VIRO": ("", "Virologie"),
}

_Q = "NM"
LABS: tuple[Lab, ...] = (
    Lab("718-7", "HB", "Hémoglobine", "NFS", _Q, "g/dL", 1, "12.0", "16.0", 13.1, 1.9),
    Lab("6690-2", "GB", "Leucocytes", "NFS", _Q, "G/L", 2, "4.00", "10.00", 7.6, 2.6, (), "/mm3",
        1000),
    Lab("789-8", "GR", "Hématies", "NFS", _Q, "T/L", 2, "4.00", "5.70", 4.5, 0.5),
    Lab("4544-3", "HTE", "Hématocrite", "NFS", _Q, "%", 1, "36.0", "50.0", 40.2, 4.3),
    Lab("787-2", "VGM", "Volume globulaire moyen", "NFS", _Q, "fL", 0, "80", "100", 90.0, 5.0),
    Lab("777-3", "PLQ", "Plaquettes", "NFS", _Q, "G/L", 0, "150", "400", 245.0, 70.0),
    Lab("751-8", "PNN", "Polynucléaires neutrophiles", "NFS", _Q, "G/L", 2, "1.80", "7.50", 4.6,
        1.9),
    Lab("731-0", "LYM", "Lymphocytes", "NFS", _Q, "G/L", 2, "1.00", "4.00", 1.9, 0.6),
    Lab("2951-2", "NA", "Sodium", "IONO", _Q, "mmol/L", 0, "136", "145", 139.5, 3.1),
    Lab("2823-3", "K", "Potassium", "IONO", _Q, "mmol/L", 1, "3.5", "5.1", 4.2, 0.5),
    Lab("2075-0", "CL", "Chlore", "IONO", _Q, "mmol/L", 0, "98", "107", 102.5, 3.0),
    Lab("2028-9", "CO2", "CO2 total", "IONO", _Q, "mmol/L", 0, "22", "29", 25.4, 2.4),
    Lab("17861-6", "CA", "Calcium", "IONO", _Q, "mg/L", 0, "86", "103", 94.0, 4.5),
    Lab("14682-9", "CREAM", "Créatinine", "RENAL", _Q, "µmol/L", 0, "45", "104", 82.0, 26.0),
    Lab("2160-0", "CREA", "Créatinine", "RENAL", _Q, "mg/L", 1, "5.1", "11.8", 9.3, 2.9),
    Lab("77147-7", "DFG", "DFG estimé", "RENAL", "SN", "mL/min/1,73m²", 0, "90", "", 78.0, 22.0),
    Lab("22664-7", "UREE", "Urée", "RENAL", _Q, "mmol/L", 1, "2.5", "7.5", 6.1, 2.2),
    Lab("1742-6", "ALAT", "ALAT", "HEPAT", _Q, "UI/L", 0, "", "41", 27.0, 14.0),
    Lab("1920-8", "ASAT", "ASAT", "HEPAT", _Q, "UI/L", 0, "", "40", 26.0, 12.0),
    Lab("6768-6", "PAL", "Phosphatases alcalines", "HEPAT", _Q, "UI/L", 0, "35", "105", 74.0, 22.0),
    Lab("1975-2", "BILT", "Bilirubine totale", "HEPAT", _Q, "mg/L", 1, "", "12.0", 6.8, 3.0),
    Lab("2532-0", "LDH", "LDH", "HEPAT", _Q, "UI/L", 0, "135", "250", 195.0, 40.0),
    Lab("1751-7", "ALB", "Albumine", "HEPAT", _Q, "g/L", 1, "35.0", "52.0", 40.5, 4.4),
    Lab("2345-7", "GLU", "Glucose", "GLYC", _Q, "g/L", 2, "0.70", "1.10", 0.98, 0.22),
    Lab("4548-4", "HBA1C", "HbA1c", "GLYC", _Q, "%", 1, "4.0", "6.0", 6.0, 1.0),
    Lab("1988-5", "CRP", "Protéine C réactive", "INFL", "SN", "mg/L", 1, "", "5.0", 18.0, 24.0),
    Lab("33959-8", "PCT", "Procalcitonine", "INFL", "SN", "µg/L", 2, "", "0.50", 0.3, 0.4),
    Lab("2276-4", "FERR", "Ferritine", "INFL", _Q, "µg/L", 0, "15", "200", 110.0, 50.0),
    Lab("2093-3", "CHOL", "Cholestérol total", "LIPID", _Q, "g/L", 2, "", "2.00", 1.95, 0.35),
    Lab("2085-9", "HDL", "Cholestérol HDL", "LIPID", _Q, "g/L", 2, "0.40", "", 0.52, 0.12),
    Lab("2571-8", "TG", "Triglycérides", "LIPID", _Q, "g/L", 2, "", "1.50", 1.18, 0.42),
    Lab("6301-6", "INR", "INR", "COAG", _Q, "", 2, "", "1.20", 1.06, 0.12),
    Lab("48065-7", "DDIM", "D-dimères", "COAG", "SN", "µg/L", 0, "", "500", 410.0, 260.0),
    Lab("3016-3", "TSH", "TSH", "HORM", "SN", "mUI/L", 2, "0.27", "4.20", 1.9, 0.9),
    Lab("2857-1", "PSA", "PSA total", "HORM", "SN", "µg/L", 2, "", "4.00", 1.4, 1.1),
    Lab("20454-5", "UPRO", "Protéines urinaires", "URINE", "ST", "", 0, "", "", 0, 0,
        ("négatif", "négatif", "traces", "positif")),
    Lab("5802-4", "UNIT", "Nitrites urinaires", "URINE", "ST", "", 0, "", "", 0, 0,
        ("négatif", "négatif", "négatif", "positif")),
    Lab("600-7", "HEMOC", "Hémoculture", "BACT", "CWE", "", 0, "", "", 0, 0,
        ("ESCCOL^Escherichia coli", "STAAUR^Staphylococcus aureus", "NEGATI^Culture stérile")),
    Lab("80382-5", "GRIPA", "Antigène grippe A", "VIRO", "CWE", "", 0, "", "", 0, 0,
        ("NEGATI^négatif", "NEGATI^négatif", "POSITI^positif")),
    Lab("", "IHEMO", "Indice d'hémolyse", "IONO", _Q, "", 0, "", "50", 12.0, 9.0),
)  # fmt: skip


def _s(*settings: str) -> frozenset[str]:
    return frozenset(settings)


DIAGNOSES: tuple[Diagnosis, ...] = (
    Diagnosis("I10", "Hypertension artérielle essentielle", _s("chronic"), 30),
    Diagnosis(
        "E1198", "Diabète de type 2 non insulinotraité", _s("chronic"), 30
    ),  # extension of E11.9
    Diagnosis(
        "I2190", "Infarctus du myocarde, prise en charge initiale", _s("emergency", "medicine"), 40
    ),
    Diagnosis("I509", "Insuffisance cardiaque", _s("emergency", "medicine", "chronic"), 40),
    Diagnosis("I489", "Fibrillation ou flutter auriculaire", _s("medicine", "chronic"), 40),
    Diagnosis("J189", "Pneumopathie", _s("emergency", "medicine"), 0),
    Diagnosis("J459", "Asthme", _s("emergency", "medicine", "chronic"), 3),
    Diagnosis("J439", "Emphysème pulmonaire", _s("chronic"), 40),
    Diagnosis("I64", "Accident vasculaire cérébral", _s("emergency", "medicine"), 35),
    Diagnosis("G309", "Maladie d'Alzheimer", _s("chronic"), 60),
    Diagnosis("K37", "Appendicite", _s("surgery", "emergency"), 5),
    Diagnosis("N390", "Infection urinaire", _s("emergency", "medicine"), 2),
    Diagnosis("K802", "Calcul de la vésicule biliaire", _s("surgery"), 18),
    Diagnosis("C509", "Cancer du sein", _s("cancer"), 30, "F"),
    Diagnosis("C189", "Cancer du côlon", _s("cancer"), 35),
    Diagnosis("C189+8", "Cancer du côlon, autre", _s("cancer"), 35),  # ATIH extension with "+"
    Diagnosis("C785", "Métastase du gros intestin", _s("cancer"), 35),
    Diagnosis("N183", "Maladie rénale chronique, stade 3", _s("chronic"), 18),
    Diagnosis("N184", "Maladie rénale chronique, stade 4", _s("chronic"), 18),
    Diagnosis("N185", "Maladie rénale chronique, stade 5", _s("dialysis"), 18),
    Diagnosis("D649", "Anémie", _s("chronic", "medicine"), 0),
    Diagnosis("E785", "Hyperlipidémie", _s("chronic"), 30),
    Diagnosis("M069", "Polyarthrite rhumatoïde", _s("chronic", "medicine"), 18),
    Diagnosis("M819", "Ostéoporose", _s("chronic"), 50),
    Diagnosis("M179", "Gonarthrose", _s("surgery"), 50),
    Diagnosis("M169", "Coxarthrose", _s("surgery"), 50),
    Diagnosis("H259", "Cataracte sénile", _s("surgery"), 55),
    Diagnosis("F329", "Épisode dépressif", _s("chronic", "medicine"), 18),
    Diagnosis("R060", "Dyspnée", _s("symptom", "emergency"), 0),
    Diagnosis("R509", "Fièvre", _s("symptom", "emergency"), 0),
    Diagnosis("R51", "Céphalée", _s("symptom", "emergency"), 5),
    Diagnosis("U0710", "COVID-19, forme respiratoire", _s("medicine", "emergency"), 0),
    Diagnosis("S934", "Entorse de la cheville", _s("emergency"), 8),
    Diagnosis("A419", "Sepsis", _s("medicine", "emergency"), 0),
    Diagnosis("J209", "Bronchite aiguë", _s("emergency"), 0),
    Diagnosis("I269", "Embolie pulmonaire", _s("medicine", "emergency"), 18),
    Diagnosis("J960", "Insuffisance respiratoire aiguë", _s("medicine"), 18),
    Diagnosis("E039", "Hypothyroïdie", _s("chronic"), 18),
    Diagnosis("M109", "Goutte", _s("chronic"), 18),
    Diagnosis("I252", "Antécédent d'infarctus du myocarde", _s("chronic"), 45),
    Diagnosis("O149", "Prééclampsie", _s("maternity"), 15, "F"),
    Diagnosis("O800", "Accouchement spontané par le sommet", _s("delivery"), 15, "F"),
    Diagnosis("Z380", "Enfant unique né à l'hôpital", _s("birth"), 0),
    Diagnosis("Z383", "Jumeaux nés à l'hôpital", _s("twin"), 0),
    Diagnosis("Z511", "Séance de chimiothérapie", _s("chemotherapy"), 0),
    Diagnosis("Z491", "Séance de dialyse", _s("haemodialysis"), 0),
    Diagnosis("Z515", "Soins palliatifs", _s("palliative"), 0),
)

ACTS: tuple[Act, ...] = (
    Act("DEQP003", "Électrocardiogramme, 12 dérivations", _s("emergency", "medicine", "clinic")),
    Act("ZBQK002", "Radiographie du thorax", _s("emergency", "medicine", "clinic")),
    Act("HHFA001", "Appendicectomie par incision iliaque", _s("appendix"), True),
    Act("HHFA016", "Appendicectomie par coelioscopie", _s("appendix"), True),
    Act("HMFC004", "Cholécystectomie par coelioscopie", _s("gallbladder"), True),
    Act("HHQE002", "Coloscopie totale", _s("clinic", "cancer"), True, adults=True),
    Act("DZQM006", "Échographie cardiaque transthoracique", _s("medicine", "clinic")),
    Act("NEKA020", "Prothèse totale de hanche", _s("hip"), True),
    Act("NFKA007", "Prothèse du genou à trois compartiments", _s("knee"), True),
    Act("JVJF004", "Séance d'hémodialyse", _s("haemodialysis")),
    Act("DDAF006", "Dilatation coronaire avec endoprothèse", _s("coronary")),
    Act("JQGD010", "Accouchement par voie naturelle", _s("delivery"), False, "F"),
    Act("QZJA002", "Suture d'une petite plaie", _s("emergency")),
    Act("GLLD015", "Ventilation mécanique, par 24 heures", _s("intensive")),
    Act("ACQK001", "Scanner du crâne sans injection", _s("emergency", "medicine")),
    Act("QEQK001", "Mammographie bilatérale", _s("clinic", "cancer"), False, "F", True),
    Act("BFGA004", "Chirurgie de la cataracte", _s("eye"), True),
    Act("YYYY600", "Supplément d'archivage numérique", _s("clinic")),
)

DRUGS: tuple[Drug, ...] = (
    Drug("3400899900011", "UCD", "PARACETAMOL 1 G CPR", "paracétamol", "N02BE01", "1", "g", "PO",
        3),
    Drug("3400899900028", "UCD", "ASPIRINE 75 MG PDR", "aspirine", "B01AC06", "75", "mg", "PO", 1),
    Drug("3400899900035", "UCD", "AMOXICILLINE 1 G INJ", "amoxicilline", "J01CA04", "1", "g",
        "IV", 3),
    Drug("3400899900042", "UCD", "CEFTRIAXONE 1 G INJ", "ceftriaxone", "J01DD04", "1", "g", "IV",
        1),
    Drug("3400899900059", "UCD", "MORPHINE 10 MG INJ", "morphine", "N02AA01", "10", "mg", "SC", 4),
    Drug("3400899900066", "UCD", "AMLODIPINE 5 MG GEL", "amlodipine", "C08CA01", "5", "mg", "PO",
        1),
    Drug("3400899900073", "UCD", "RAMIPRIL 5 MG CPR", "ramipril", "C09AA05", "5", "mg", "PO", 1),
    Drug("3400899900080", "UCD", "ATORVASTATINE 40 MG", "atorvastatine", "C10AA05", "40", "mg",
        "PO", 1),
    Drug("3400899900097", "UCD", "CLOPIDOGREL 75 MG", "clopidogrel", "B01AC04", "75", "mg", "PO",
        1),
    Drug("3400899900103", "UCD", "AMIODARONE 200 MG", "amiodarone", "C01BD01", "200", "mg", "PO",
        1),
    Drug("3400899900110", "UCD", "DIGOXINE 0,25 MG", "digoxine", "C01AA05", "0.25", "mg", "PO", 1),
    Drug("3400999900133", "CIP", "LEVOTHYROXINE 75 UG", "lévothyroxine", "H03AA01", "75", "µg",
        "PO", 1),
    Drug("3400999900140", "CIP", "PREDNISONE 20 MG CPR", "prednisone", "H02AB07", "20", "mg",
        "PO", 2),
    Drug("3400899900158", "UCD", "ONDANSETRON 8 MG INJ", "ondansétron", "A04AA01", "8", "mg",
        "IV", 2),
    Drug("3400899900165", "UCD", "IBUPROFENE 400 MG CPR", "ibuprofène", "M01AE01", "400", "mg",
        "PO", 3),
    Drug("3400899900172", "UCD", "SALBUTAMOL 5 MG AERO", "salbutamol", "R03AC02", "5", "mg",
        "IH", 3),
    Drug("3400899900189", "UCD", "MIDAZOLAM 5 MG INJ", "midazolam", "N05CD08", "2.5", "mg", "IV",
        1),
    Drug("3400899900196", "UCD", "HEPARINE 5000 UI INJ", "héparine", "B01AB01", "5000", "UI",
        "SC", 2),
    Drug("3400899900202", "UCD", "METHOTREXATE 50 MG INJ", "méthotrexate", "L01BA01", "50", "mg",
        "IV", 1),
    Drug("J01CR02", "ATC", "AMOX AC CLAV 1 G SACH", "amoxicilline et acide clavulanique",
        "J01CR02", "1", "g", "PO", 3),
    Drug("B01AA03", "ATC", "WARFARINE 5 MG CPR", "warfarine", "B01AA03", "5", "mg", "PO", 1),
    Drug("3400899900226", "UCD", "PHLOROGLUCINOL 80 MG", "phloroglucinol", "A03AX12", "80", "mg",
        "PO", 3),
)  # fmt: skip

VACCINES: tuple[Vaccine, ...] = (
    Vaccine("J07BB02", "ATC", "Vaccin grippal inactivé", "140", "0.5"),
    Vaccine("J07AL01", "ATC", "Vaccin pneumococcique polyosidique", "33", "0.5"),
    Vaccine("J07AM51", "ATC", "Vaccin diphtérie-tétanos", "113", "0.5"),
)
