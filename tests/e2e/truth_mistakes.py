"""Seeded mistakes: what a hand could get wrong in a mapping, one at a time.

Each is an exact replacement in shipped files (written into a site's overlay), another setting of
the site, or another function of the door. A mistake whose text is no longer in the shipped file is
itself a fault of the test: it must be seeded anew.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from entrepot.door import record, treatments
from entrepot.feeds import readers
from entrepot.feeds.extract import NULL
from entrepot.feeds.hl7v2.values import timestamp
from entrepot.resources import data_files

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Args:
        name: what goes wrong.
        edits: (file below mappings, with * for several; text; text instead).
        settings: (text of site.yaml, text instead).
        patch: replaces a function.
    """

    name: str
    edits: tuple[tuple[str, str, str], ...] = ()
    settings: tuple[str, str] | None = None
    patch: Patch | None = None

    @property
    def at_the_door(self) -> bool:
        """Whether records must be derived again, or only tables."""
        touched = any(path.startswith("hl7v2/") for path, _, _ in self.edits)
        return touched or self.settings is not None or self.patch is not None

    def write(self, root: Path) -> None:
        """Writes the mistake into the overlay of a site.

        Raises:
            LookupError: a file, or the text to replace, is not there.
        """
        for pattern, old, new in self.edits:
            folder, _, name = pattern.rpartition("/")
            found = 0
            for path in data_files(f"mappings/{folder}", name, (root,)):
                text = path.read_text(encoding="utf-8")
                if old in text:
                    target = root / "mappings" / folder / path.name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(text.replace(old, new), encoding="utf-8")
                    found += 1
            if not found:
                raise LookupError(f"{self.name}: {old!r} is not in mappings/{pattern}")
        if self.settings is not None:
            path = root / "site.yaml"
            text = path.read_text(encoding="utf-8")
            if self.settings[0] not in text:
                raise LookupError(f"{self.name}: {self.settings[0]!r} is not in site.yaml")
            path.write_text(text.replace(*self.settings), encoding="utf-8")


def _edit(name: str, path: str, old: str, new: str) -> Mistake:
    return Mistake(name, ((path, old, new),))


def _absent_deletes(patch: pytest.MonkeyPatch) -> None:
    def cells(self: Any, row: Any, *rest: Any) -> Any:
        if row.mapping.mode == "patch":
            row.values = {name: text or NULL for name, text in row.values.items()}
        return shipped(self, row, *rest)

    shipped = treatments.Treatments.cells
    patch.setattr(treatments.Treatments, "cells", cells)


def _null_is_absent(patch: pytest.MonkeyPatch) -> None:
    def cells(self: Any, row: Any, *rest: Any) -> Any:
        row.values = {name: "" if text == NULL else text for name, text in row.values.items()}
        return shipped(self, row, *rest)

    shipped = treatments.Treatments.cells
    patch.setattr(treatments.Treatments, "cells", cells)


def _order_of_arrival(patch: pytest.MonkeyPatch) -> None:
    def version(self: Any, raw: Any, context: Any) -> str:
        return f"{context.task.record_id:012d}"

    patch.setattr(record.Door, "_version", version)


def _order_of_civil_time(patch: pytest.MonkeyPatch) -> None:
    def version(self: Any, raw: Any, context: Any) -> str:
        return f"{context.stated.replace(tzinfo=None):%Y%m%d%H%M%S%f}|{context.content_key}"

    patch.setattr(record.Door, "_version", version)


def _comma_dropped(patch: pytest.MonkeyPatch) -> None:
    shipped = readers.decimal
    patch.setattr(readers, "decimal", lambda text: shipped(text.replace(",", "")))


def _offset_ignored(patch: pytest.MonkeyPatch) -> None:
    shipped = treatments.moment
    without = re.compile(r"[+-]\d{4}$")
    patch.setattr(treatments, "moment", lambda text, zone: shipped(without.sub("", text), zone))


def _birth_is_an_instant(patch: pytest.MonkeyPatch) -> None:
    def stated_date(text: str) -> tuple[dt.date | None, str]:
        value, precision = timestamp(text, ZoneInfo("Europe/Paris"))
        return (value.date() if value else None), precision

    patch.setattr(treatments, "stated_date", stated_date)


MISTAKES: tuple[Mistake, ...] = (
    # movements and stays
    _edit("a cancelled movement stays", "hl7v2/movement.yaml", "CANCEL: delete", "CANCEL: correct"),
    _edit("an unknown ZBE-4 is an INSERT", "hl7v2/movement.yaml", '"quarantine:zbe4_unknown"', "keep"),
    _edit("ZBE-8 before ZBE-7", "hl7v2/movement.yaml", "[ZBE-7.10, ZBE-8.10,", "[ZBE-8.10, ZBE-7.10,"),
    _edit("PV1-3 before ZBE-7", "hl7v2/movement.yaml", "[ZBE-7.10, ZBE-8.10, PV1-3.1]", "[PV1-3.1, ZBE-7.10]"),
    _edit("Z99 changes no movement", "hl7v2/movement.yaml", ", ADT^Z99]", "]"),
    _edit("PV1-19 is the key of the stay", "hl7v2/*.yaml", "PID-18.1, PV1-19.1", "PV1-19.1, PID-18.1"),
    _edit("A11 cancels nothing", "hl7v2/stay_admission.yaml", "ADT^A11, ", ""),
    _edit("A13 cancels nothing", "hl7v2/stay_cancel_discharge.yaml", "clear: [end_at, exit_code]", "clear: []"),
    _edit("Z99 cancels no admission", "hl7v2/stay_z99_cancel_admission.yaml", "ZBE-6: [A01,", "ZBE-6: [A99,"),
    _edit("a leave (A21) ends the stay", "hl7v2/stay_discharge.yaml", "[ADT^A03]", "[ADT^A03, ADT^A21]"),
    _edit("a leave ends the unit stay", "omop/visit_detail.sql", "'A14', 'A21', 'A22',", "'A14',"),
    Mistake(
        "a pre-admission is realised",
        (
            ("hl7v2/stay_admission.yaml", "A05: planned", "A05: realised"),
            ("concepts/visit_class.csv", "P,false,0", "P,true,9201"),
        ),
    ),
    _edit("a consultation is planned", "hl7v2/stay_admission.yaml", "A04: realised", "A04: planned"),
    _edit("emergency and admission stay apart", "omop/visit.sql", "INTERVAL 24 HOUR", "INTERVAL 0 HOUR"),
    _edit("emergency joins any later admission", "omop/visit.sql", "INTERVAL 24 HOUR", "INTERVAL 48 HOUR"),
    _edit("the emergency leg is forgotten (262)", "omop/visit.sql", "s.ever_emergency = 1 OR ", ""),
    _edit("an open stay ends as it begins", "omop/visit.sql", "greatest(p.as_of, s.start_at)", "s.start_at"),
    # order and versions
    _edit("the first version wins", "omop/current.sql", "ORDER BY version DESC", "ORDER BY version"),
    _edit("the first stated attribute holds", "omop/macros.sql", "arg_max(", "arg_min("),
    Mistake("the order of arrival counts, not MSH-7", patch=_order_of_arrival),
    Mistake("the order is that of the clock on the wall", patch=_order_of_civil_time),
    Mistake("an absent field deletes", patch=_absent_deletes),
    Mistake("a null deletes nothing", patch=_null_is_absent),
    # persons
    _edit("a merge (A40) joins nobody", "hl7v2/link_merge.yaml", '"ADT^A40", ', ""),
    _edit("a new number (A47) joins nobody", "hl7v2/link_merge.yaml", '"ADT^A47", ', ""),
    _edit("an unlink (A37) parts nobody", "hl7v2/unlink_pair.yaml", "ADT^A37", "ADT^A99"),
    _edit("an unknown month of birth is January", "omop/person.sql", "p.birth_month AS", "coalesce(p.birth_month, 1) AS"),
    _edit("exit mode 9 is no death", "omop/death.sql", "coalesce(p.death_at, x.end_at)", "p.death_at"),
    _edit("PID-29 is no death", "hl7v2/patient.yaml", "path: PID-29,", "path: PID-35,"),
    _edit("the place of birth is the home", "hl7v2/patient.yaml", '["PID-11[7=H].5", "PID-11[7=P].5", "PID-11[7=].5"]', "PID-11.5"),
    Mistake("a birth date is an instant", patch=_birth_is_an_instant),
    _edit("a person without a year of birth is loaded", "omop/person.sql", "WHERE p.birth_year IS NOT NULL", "WHERE true"),
    _edit("PMSI modes of ZFM are not read", "hl7v2/*.yaml", "[ZFM-2, PV1-36]", "[PV1-36]"),
    # results
    _edit("OBR-7 before OBX-14", "hl7v2/result.yaml", "[OBX-14, OBR-7,", "[OBR-7, OBX-14,"),
    _edit("the sub-id is no part of the key", "hl7v2/result.yaml", "OBX-3.1, OBX-4]\n", "OBX-3.1]\n"),
    _edit("PV1-19 never stands for the NDA", "hl7v2/result.yaml", "[PID-18.1, PV1-19.1]", "[PID-18.1]"),
    _edit("words have no concept", "concepts/source_to_concept_map.csv", "négatif,0,ENTREPOT_TEXT", "negatif.,0,ENTREPOT_TEXT"),
    Mistake("UTC for local time", settings=("timezone: Europe/Paris", "timezone: UTC")),
    Mistake("the offset of a time is cut off", patch=_offset_ignored),
    _edit("G/L is grams per litre", "concepts/units.csv", "G/L,10*9/L,9444", "G/L,g/L,8636"),
    _edit("T/L is lost", "concepts/units.csv", "T/L,10*12/L,8734", "T/L,,0"),
    Mistake("the decimal comma is dropped", patch=_comma_dropped),
    _edit("the comparator is dropped", "omop/measurement.sql", "  e.operator_concept_id,", "  NULL::INTEGER AS operator_concept_id,"),
    _edit("a preliminary result is final", "hl7v2/result.yaml", "P: preliminary", "P: final"),
    Mistake(
        "deleted and withdrawn results stay",
        (
            ("hl7v2/result.yaml", "D: delete, W: delete", "D: correct, W: correct"),
            ("hl7v2/result.yaml", "D: deleted, W: deleted", "D: final, W: final"),
        ),
    ),
    _edit("the first coding speaks, mapped or not", "omop/event_resolved.sql", "WHEN second.mapped THEN", "WHEN false THEN"),
    # diagnoses and acts
    _edit("DP and DAS are swapped", "hl7v2/diagnosis.yaml", "DP: DP, DR: DR, DAS: DAS", "DP: DAS, DR: DR, DAS: DP"),
    _edit("DG1-6 is not read", "hl7v2/diagnosis.yaml", "DG1-15, DG1-6]", "DG1-15]"),
    _edit("the related diagnosis is dropped", "omop/condition_occurrence.sql", "WHERE e.cdm_table", "WHERE coalesce(e.rank_code, '') <> 'DR' AND e.cdm_table"),
    _edit("a code with two targets gives one row", "concepts/fan_out.csv", "Condition,all", "Condition,lowest"),
    _edit("ATIH extensions find no parent", "omop/concept_resolution.sql", "asked.vocabulary_id IN ('CIM10', 'ICD10')", "asked.vocabulary_id IN ('none')"),
    _edit("a recoded diagnosis is a second one", "hl7v2/diagnosis.yaml", "[DG1-20.1, DG1-3.1]", "DG1-3.1"),
    _edit("the activity of an act is dropped", "hl7v2/act.yaml", "activity_code: {path: \"PR1-16[1].1\", treatment: keep}", "activity_code: {path: \"PR1-16[9].1\", treatment: keep}"),
    _edit("the time of an act is its day", "omop/procedure_occurrence.sql", "e.event_at AS procedure_datetime", "CAST(day_of(e.event_at) AS TIMESTAMP) AS procedure_datetime"),
    _edit("a deleted act stays", "hl7v2/act.yaml", "D: delete", "D: correct"),
    # drugs and letters
    _edit("refused doses were given", "hl7v2/administration.yaml", "RE: not_done", "RE: final"),
    _edit("a dose taken back stays", "hl7v2/administration.yaml", "D: delete", "D: correct"),
    _edit("a cancelled prescription stays", "hl7v2/prescription.yaml", "CA: delete", "CA: correct"),
    _edit("each ingredient has the whole quantity", "omop/drug_exposure.sql", "CASE WHEN e.ordinal = 0 THEN e.quantity END", "e.quantity"),
    _edit("a prescription ends as it begins", "omop/drug_exposure.sql", "INTERVAL 29 DAY", "INTERVAL 0 DAY"),
    _edit("a replaced letter stays", "hl7v2/letter_replaced.yaml", "[MDM^T10]", "[MDM^T99]"),
    Mistake(
        "a withdrawn letter stays",
        (
            ("hl7v2/letter_cancelled.yaml", "action: delete", "action: upsert"),
            ("hl7v2/letter_cancelled.yaml", "[TXA-12.1]", "[TXA-1, TXA-12.1]"),
        ),
    ),
    _edit("a letter is its first line", "hl7v2/letter.yaml", "collapse: text", "# collapse: text"),
)  # fmt: skip
