"""Seeded mistakes (`tests/cases/golden/mistakes.yaml`, `tests/properties/mistakes.yaml`) and how
each is put into a site.

A mistake whose text is no longer in the shipped file is a fault of the list: seed it anew.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
import yaml

from e2e.truth_road import pseudonymise
from entrepot.config import Site
from entrepot.door import record, treatments
from entrepot.door.civil_time import moment
from entrepot.feeds.cda import statements
from entrepot.feeds.document import NULL
from entrepot.feeds.fhir.document import FhirDocument
from entrepot.feeds.hl7v2 import embedded, readers
from entrepot.feeds.hl7v2.values import decimal, timestamp
from entrepot.register.registration import Registrar
from entrepot.resources import data_files

Outcome = TypeVar("Outcome")
DOOR = ("hl7v2/", "fhir/", "cda/", "facts.yaml")  # what the derivation of a record depends on
FILE = Path(__file__).resolve().parent.parent / "cases" / "golden" / "mistakes.yaml"


@dataclass(frozen=True)
class Edit:
    """A text of a file below `mappings` (* for several files), and what stands there instead."""

    file: str
    text: str
    instead: str


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Args:
        name: what goes wrong.
        settings: text of site.yaml and what stands there instead.
        patch: name of the function below that replaces a function.
    """

    name: str
    edits: tuple[Edit, ...] = ()
    settings: tuple[str, str] | None = None
    patch: str = ""

    @property
    def at_the_door(self) -> bool:
        """Whether records must be derived again, or only tables."""
        touched = any(edit.file.startswith(DOOR) for edit in self.edits)
        return touched or self.settings is not None or self.patch != ""

    def write(self, root: Path) -> None:
        """Writes the mistake into the overlay of a site.

        Raises:
            LookupError: a file, or the text to replace, is not there.
        """
        for edit in self.edits:
            folder, _, name = edit.file.rpartition("/")
            paths = data_files(f"mappings/{folder}".rstrip("/"), name, (root,))
            changed = [path for path in paths if edit.text in path.read_text(encoding="utf-8")]
            if not changed:
                raise LookupError(f"{self.name}: {edit.text!r} is not in mappings/{edit.file}")
            for path in changed:
                target = root / "mappings" / folder / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                _replace(path, edit.text, edit.instead, target)
        if self.settings is not None:
            _replace(root / "site.yaml", *self.settings, root / "site.yaml")

    def put(self, patch: pytest.MonkeyPatch) -> None:
        """Replaces the function, if the mistake is one of code."""
        if self.patch:
            PATCHES[self.patch](patch)


def outcome(
    mistake: Mistake, landed: Site, staging: Path, folder: Path, patch: pytest.MonkeyPatch,
    judge: Callable[[Site, Path, tuple[Path, ...]], Outcome],
) -> Outcome:  # fmt: skip
    """What a judge says with the mistake made.

    Args:
        landed: a site whose records no one has derived.
        staging: what register and door make of it without a mistake.
        judge: of a site, its staging and the overlays of its mappings.
    """
    if not mistake.at_the_door:
        mistake.write(folder)
        return judge(landed, staging, (folder,))
    shutil.copytree(landed.root, folder / "site")
    mistake.write(folder / "site")
    mistake.put(patch)
    site = Site.open(folder / "site")
    return judge(site, pseudonymise(site), site.overlays)


def mistakes(file: Path = FILE) -> list[Mistake]:
    """Every mistake of a list."""
    found = []
    for line in yaml.safe_load(file.read_text(encoding="utf-8")):
        settings = line.get("settings")
        found.append(
            Mistake(
                line["name"],
                tuple(Edit(**edit) for edit in line.get("edits", ())),
                (settings["text"], settings["instead"]) if settings else None,
                line.get("patch", ""),
            )
        )
    return found


def _replace(path: Path, text: str, instead: str, target: Path) -> None:
    content = path.read_text(encoding="utf-8")
    if text not in content:
        raise LookupError(f"{text!r} is not in {path.name}")
    target.write_text(content.replace(text, instead), encoding="utf-8")


def _values_become(change: Callable[[Any], dict[str, str]], patch: pytest.MonkeyPatch) -> None:
    shipped = treatments.Treatments.cells

    def cells(self: Any, row: Any, *rest: Any) -> Any:
        row.values = change(row)
        return shipped(self, row, *rest)

    patch.setattr(treatments.Treatments, "cells", cells)


def _absent_deletes(patch: pytest.MonkeyPatch) -> None:
    def change(row: Any) -> dict[str, str]:
        deleting = row.mapping.mode == "patch"
        return {name: text or (NULL if deleting else "") for name, text in row.values.items()}

    _values_become(change, patch)


def _null_is_absent(patch: pytest.MonkeyPatch) -> None:
    def change(row: Any) -> dict[str, str]:
        return {name: "" if text == NULL else text for name, text in row.values.items()}

    _values_become(change, patch)


def _order_of_arrival(patch: pytest.MonkeyPatch) -> None:
    def version(self: Any, raw: Any, context: Any) -> str:
        return f"{context.task.record_id:012d}"

    patch.setattr(record.Door, "_version", version)


def _order_of_civil_time(patch: pytest.MonkeyPatch) -> None:
    def version(self: Any, raw: Any, context: Any) -> str:
        return f"{context.stated:%Y%m%d%H%M%S%f}|{context.content_key}"

    patch.setattr(record.Door, "_version", version)


def _comma_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(readers, "decimal", lambda text: decimal(text.replace(",", "")))


def _offset_ignored(patch: pytest.MonkeyPatch) -> None:
    offset = re.compile(r"[+-]\d{4}$")
    patch.setattr(treatments, "moment", lambda text, zone: moment(offset.sub("", text), zone))


def _birth_is_an_instant(patch: pytest.MonkeyPatch) -> None:
    def stated_date(text: str) -> tuple[dt.date | None, str]:
        value, precision = timestamp(text, ZoneInfo("Europe/Paris"))
        return (value.date() if value else None), precision

    patch.setattr(treatments, "stated_date", stated_date)


def _of(row: Any, name: str) -> bool:
    events = row.mapping.events
    return name == ("cda" if any(event.startswith("CDA") for event in events) else "fhir")


def _bounds_swapped(name: str, patch: pytest.MonkeyPatch) -> None:
    def change(row: Any) -> dict[str, str]:
        low, high = (row.values.get(f"range_{side}", "") for side in ("low", "high"))
        swapped = {"range_low": high, "range_high": low} if _of(row, name) and low + high else {}
        return {**row.values, **swapped}

    _values_become(change, patch)


def _comparator_ignored(name: str, patch: pytest.MonkeyPatch) -> None:
    def change(row: Any) -> dict[str, str]:
        return {**row.values, **({"operator": ""} if _of(row, name) else {})}

    _values_become(change, patch)


def _attribute_unseen(name: str, patch: pytest.MonkeyPatch) -> None:
    shipped = statements._state

    def state(element: Any, *rest: Any) -> str:
        element.attrib.pop(name, None)
        return shipped(element, *rest)

    patch.setattr(statements, "_state", state)


def _unfinished_stands(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(statements, "_ENDED", {*statements._ENDED, "aborted"})


def _the_last_to_arrive_speaks(patch: pytest.MonkeyPatch) -> None:
    shipped = Registrar._order

    def order(self: Any, result: Any, *rest: Any) -> None:
        shipped(self, result, *rest)
        result.of.order = f"{result.record_id:012d}"

    patch.setattr(Registrar, "_order", order)


def _deletions_name_nothing(patch: pytest.MonkeyPatch) -> None:
    shipped = vars(FhirDocument)["own_reference"].fget

    def own_reference(self: FhirDocument) -> str:
        return "" if self.root is None else str(shipped(self))

    patch.setattr(FhirDocument, "own_reference", property(own_reference))


PATCHES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "absent_deletes": _absent_deletes,
    "null_is_absent": _null_is_absent,
    "order_of_arrival": _order_of_arrival,
    "order_of_civil_time": _order_of_civil_time,
    "comma_dropped": _comma_dropped,
    "offset_ignored": _offset_ignored,
    "birth_is_an_instant": _birth_is_an_instant,
    "fhir_bounds_swapped": functools.partial(_bounds_swapped, "fhir"),
    "cda_bounds_swapped": functools.partial(_bounds_swapped, "cda"),
    "fhir_comparator_ignored": functools.partial(_comparator_ignored, "fhir"),
    "cda_comparator_ignored": functools.partial(_comparator_ignored, "cda"),
    "negation_unseen": functools.partial(_attribute_unseen, "negationInd"),
    "mood_unseen": functools.partial(_attribute_unseen, "moodCode"),
    "unfinished_stands": _unfinished_stands,
    "the_last_to_arrive_speaks": _the_last_to_arrive_speaks,
    "deletions_name_nothing": _deletions_name_nothing,
    "stay_ids_are_numbers": lambda patch: patch.setattr(record, "name_stay", lambda *_: None),
    "deleted_attachment_stands": lambda patch: patch.setattr(embedded, "_WITHDRAWN", set()),
    "cancelled_report_stands": lambda patch: patch.setattr(embedded, "_CANCELLED", set()),
}
