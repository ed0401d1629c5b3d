"""One spelling of what each format spells in its own way, so that told in any it is one row.

The truth is written as HL7 v2 says it. FHIR and CDA say the same with UCUM units, routes of EDQM,
v3-ActCode classes and a decimal point; nothing else of a row may depend on the format.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from truth_rows import COLUMNS, Row, Rows

# UCUM -> as the hospital's laboratory and pharmacy write it
UNITS = {
    "10*9/L": "G/L",
    "10*12/L": "T/L",
    "ug/L": "µg/L",
    "umol/L": "µmol/L",
    "ug": "µg",
    "[IU]": "UI",
    "[IU]/L": "UI/L",
    "m[IU]/L": "mUI/L",
    "mL/min/{1.73_m2}": "mL/min/1,73m²",
}
# EDQM -> HL7 0162
ROUTES = {
    "20053000": "PO", "20045000": "IV", "20066000": "SC", "20020000": "IH", "20035000": "IM",
}  # fmt: skip
# HL7 v2-0004 -> v3-ActCode; a séance is AMB there
CLASSES = {"I": "IMP", "O": "AMB", "R": "AMB", "E": "EMER"}
_NUMBER = re.compile(r"[<>]?\d+,\d+")


def _number(text: str) -> str:
    return text.replace(",", ".") if _NUMBER.fullmatch(text) else text


_SPELLING: dict[tuple[str, str], Callable[[str], str]] = {
    ("visit_occurrence", "class"): lambda text: CLASSES.get(text, text),
    ("visit_detail", "class"): lambda text: CLASSES.get(text, text),
    ("measurement", "unit_code"): lambda text: UNITS.get(text, text),
    ("measurement", "text"): _number,
    ("drug_exposure", "unit"): lambda text: UNITS.get(text, text),
    ("drug_exposure", "route_code"): lambda text: ROUTES.get(text, text),
}


def one_spelling(rows: Rows) -> Rows:
    """The same rows, whatever the format that told them."""
    return {table: _spelt(table, counter) for table, counter in rows.items()}


def _spelt(table: str, counter: Counter[Row]) -> Counter[Row]:
    spellings = [_SPELLING.get((table, column)) for column in COLUMNS[table]]
    found: Counter[Row] = Counter()
    for row, times in counter.items():
        pairs = zip(spellings, row, strict=True)
        found[tuple(spell(cell) if spell and cell else cell for spell, cell in pairs)] += times
    return found
