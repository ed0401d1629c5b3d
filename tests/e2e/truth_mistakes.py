"""Seeded mistakes (`tests/cases/golden/mistakes.yaml`) and how each is put into a site.

A mistake whose text is no longer in the shipped file is a fault of the list: seed it anew.
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
import yaml

from entrepot.door import record, treatments
from entrepot.door.civil_time import moment
from entrepot.feeds import readers
from entrepot.feeds.extract import NULL
from entrepot.feeds.hl7v2.values import decimal, timestamp
from entrepot.resources import data_files

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
        touched = any(edit.file.startswith("hl7v2/") for edit in self.edits)
        return touched or self.settings is not None or self.patch != ""

    def write(self, root: Path) -> None:
        """Writes the mistake into the overlay of a site.

        Raises:
            LookupError: a file, or the text to replace, is not there.
        """
        for edit in self.edits:
            folder, _, name = edit.file.rpartition("/")
            paths = data_files(f"mappings/{folder}", name, (root,))
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


def mistakes() -> list[Mistake]:
    """Every mistake of the list."""
    found = []
    for line in yaml.safe_load(FILE.read_text(encoding="utf-8")):
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


PATCHES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "absent_deletes": _absent_deletes,
    "null_is_absent": _null_is_absent,
    "order_of_arrival": _order_of_arrival,
    "order_of_civil_time": _order_of_civil_time,
    "comma_dropped": _comma_dropped,
    "offset_ignored": _offset_ignored,
    "birth_is_an_instant": _birth_is_an_instant,
}
