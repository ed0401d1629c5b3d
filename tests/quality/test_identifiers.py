"""What counts as an identifier left in a text, and what a hospital writes every day instead.

NIR after INSEE's description (sex, year, month, département, commune, order, key); telephone
numbers after the French numbering plan.
"""

from __future__ import annotations

import duckdb
import pytest

from entrepot.quality.plan import Plan

pytestmark = pytest.mark.core

IDENTIFIERS = {
    "nir": [
        "180057512345678",
        "1800575123456",
        "1 80 05 75 123 456 78",
        "NIR:2 85 12 2A 004 123",
        "(285022B00412345)",
        "1 80 05 75 123 456 78",
        "INS 7.80.42.99.123.456.78.",
    ],
    "email": ["jean.dupont@chu-lille.fr", "Contact : <secretariat+hdj@ap-hm.fr>."],
    "phone": [
        "0612345678",
        "tél.0612345678",
        "06 12 34 56 78",
        "06 12 34 56 78",
        "01.42.34.56.78",
        "01-42-34-56-78",
        "03/20/44/59/62",
        "+33 6 12 34 56 78",
        "+33 (0)6 12 34 56 78",
        "0033612345678",
    ],
    "long_number": ["8001234567", "Dossier 00123456.", "10101234567"],
}
ORDINARY = [
    "Vu le 05.01.2024 10h30, sorti le 07/01/2024",
    "le 05 01 2024 à 10 15",
    "TA 120/80, pouls 72, SpO2 98 %",
    "CRP 12,5 mg/L ; plaquettes 250 000 /mm3",
    "E11.9 HBQK389 14749-6 3400930000120",
    "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "12345678901234567890123456789ab0",
    "[NOM_1] né en [DATE_1], [TEL_1]",
    "Rp : amoxicilline 1 g x 3/j pendant 7 j",
    "10*9/L",
]


def _found(plan: Plan, rule: str, field: str, text: str) -> bool:
    item = plan.by_id[f"{rule}.{field}"]
    condition = item.check.violated.replace("t.{field}", "$1")
    return bool(duckdb.execute(f"SELECT {condition}", [text]).fetchall()[0][0])


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in IDENTIFIERS.items() for text in texts]
)
def test_an_identifier_is_found_within_a_text(plan: Plan, rule: str, text: str) -> None:
    for around in ("{}", "Patient {} suivi", "a\n{}\nb"):
        assert _found(plan, rule, "note.note_title", around.format(text))


@pytest.mark.parametrize("text", ORDINARY)
@pytest.mark.parametrize("rule", ["nir", "email", "phone"])
def test_clinical_writing_is_left_alone(plan: Plan, rule: str, text: str) -> None:
    assert not _found(plan, rule, "note.note_text", text)


def test_codes_and_compact_dates_may_be_long(plan: Plan) -> None:
    """SNOMED CT extension codes have 15 digits, and a text may say 20240105."""
    assert "long_number.condition_occurrence.condition_source_value" not in plan.by_id
    assert "nir.condition_occurrence.condition_source_value" not in plan.by_id
    assert "long_number.note.note_text" not in plan.by_id
