"""UCUM codes of the units that the laboratory and the pharmacy write in French."""

from __future__ import annotations

UCUM = {
    "G/L": "10*9/L",
    "T/L": "10*12/L",
    "UI": "[IU]",
    "UI/L": "[IU]/L",
    "mUI/L": "m[IU]/L",
    "mL/min/1,73m²": "mL/min/{1.73_m2}",
    "µg": "ug",
    "µg/L": "ug/L",
    "µmol/L": "umol/L",
}


def ucum(unit: str) -> str:
    """The UCUM code of a unit as written; most are the same."""
    return UCUM.get(unit, unit)
