"""Codes and concepts of the second synthetic warehouse."""

from __future__ import annotations

# LOINC code, concept, unit, unit concept, middle, spread, reference range
LABS = [
    ("2160-0", 3016723, "mg/dL", 8840, 0.9, 0.15, 0.6, 1.2),
    ("2951-2", 3019550, "mmol/L", 8753, 139.0, 3.0, 136.0, 145.0),
    ("2823-3", 3023103, "mmol/L", 8753, 4.1, 0.4, 3.5, 5.0),
    ("718-7", 3000963, "g/dL", 8713, 13.5, 1.4, 12.0, 16.0),
    ("2345-7", 3004501, "mg/dL", 8840, 98.0, 14.0, 70.0, 110.0),
    ("1988-5", 3020460, "mg/L", 8751, 9.0, 5.0, 0.0, 5.0),
    ("6690-2", 3000905, "10*9/L", 9444, 7.2, 1.7, 4.0, 10.0),
    ("777-3", 3024929, "10*9/L", 9444, 245.0, 50.0, 150.0, 400.0),
    ("8480-6", 3004249, "mm[Hg]", 8876, 128.0, 14.0, None, None),
    ("8462-4", 3012888, "mm[Hg]", 8876, 76.0, 9.0, None, None),
    ("8867-4", 3027018, "/min", 8541, 76.0, 10.0, None, None),
    ("8310-5", 3020891, "Cel", 586323, 37.0, 0.4, None, None),
    ("29463-7", 3025315, "kg", 9529, 72.0, 11.0, None, None),
    ("8302-2", 3036277, "cm", 8582, 168.0, 8.0, None, None),
]
PROBLEMS = [
    ("J45.9", 317009), ("E11.9", 201826), ("I10", 320128), ("J20.9", 260139), ("J02.9", 4112343),
    ("I50.9", 316139), ("N18.9", 46271022), ("F32.9", 440383), ("K21.9", 318800),
]  # fmt: skip
SEXED = {"M": [("C61", 200962), ("N40", 198803)], "F": [("N94.6", 194696), ("N80.9", 433527)]}
DRUGS = [
    ("3400930000001", 1127433), ("3400930000002", 1112807), ("3400930000003", 1307863),
    ("3400930000004", 1308738), ("3400930000005", 914335),
]  # fmt: skip
ACTS = ("HHFA001", "DEQP003", "ZBQK002", "JQGD010", "EBQM001", "HGQD002")
TEXTS = [
    "Patient vu en consultation de suivi, état général conservé.",
    "Pas d'argument pour une récidive à l'examen clinique.",
    "Traitement habituel poursuivi sans modification.",
    "Douleur thoracique atypique, électrocardiogramme sans anomalie.",
    "Retour à domicile avec ordonnance et contrôle biologique dans un mois.",
    "Antécédents : hypertension artérielle, diabète équilibré.",
    "Auscultation pulmonaire libre, pas de signe de gravité.",
    "Bilan biologique rassurant, poursuite de la surveillance.",
]
_UNITS = {(row[3], row[2]) for row in LABS}
CONCEPTS = [
    (0, "No matching concept", "None", "Metadata", "Undefined", None),
    (8507, "M", "Gender", "Gender", "Gender", "S"),
    (8532, "F", "Gender", "Gender", "Gender", "S"),
    (9201, "IP", "Visit", "Visit", "Visit", "S"),
    (9202, "OP", "Visit", "Visit", "Visit", "S"),
    (9203, "ER", "Visit", "Visit", "Visit", "S"),
    (32817, "OMOP4976890", "Type Concept", "Type Concept", "Type Concept", "S"),
    (4180186, "297487008", "SNOMED", "Language", "Qualifier Value", "S"),
    (4275495, "365981007", "SNOMED", "Observation", "Clinical Finding", "S"),
    (756265, "CDM v5.4.0", "CDM", "Metadata", "CDM", "S"),
    *((unit_id, unit, "UCUM", "Unit", "Unit", "S") for unit_id, unit in sorted(_UNITS)),
    *((row[1], row[0], "LOINC", "Measurement", "Lab Test", "S") for row in LABS),
    *((concept, f"sct{concept}", "SNOMED", "Condition", "Clinical Finding", "S")
      for _, concept in [*PROBLEMS, *SEXED["M"], *SEXED["F"]]),
    *((concept, f"rx{concept}", "RxNorm", "Drug", "Ingredient", "S") for _, concept in DRUGS),
    # concepts that only faults use: of other domains, not standard, no longer valid
    (44818518, "I21", "ICD10CM", "Condition", "3-char billing code", None),
    (4013886, "old", "SNOMED", "Condition", "Clinical Finding", None),
    (4000609, "103693007", "SNOMED", "Procedure", "Procedure", "S"),
    (8753001, "xx", "SNOMED", "Observation", "Clinical Finding", "S"),
]  # fmt: skip
VOCABULARIES = [
    "None", "Gender", "Visit", "Type Concept", "SNOMED", "CDM", "UCUM", "LOINC", "RxNorm",
    "ICD10CM",
]  # fmt: skip
