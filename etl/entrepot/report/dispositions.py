"""What a reason means, in French and English, and what can be done about it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from entrepot.resources import data_file

FILE = "mappings/dispositions.csv"
PARENT = "parent:"  # the gate removed the row that this one hangs on


class Stage(StrEnum):
    """Where a record or a row was held."""

    LANDING = "landing"
    REGISTER = "register"
    DOOR = "door"
    GATE = "gate"


@dataclass(frozen=True)
class Meaning:
    """A reason in words, and the stage that gives it."""

    stage: str
    french: str
    english: str


_NEXT_BY_REASON = {
    "format_not_supported": "entrepot quarantine replay --reason format_not_supported, then"
    " entrepot run: what can be read today is cut into records.",
    "event_not_mapped": "Add a mapping for this event to the site's mappings/ folder; the next run"
    " takes the record up.",
    "subject_unknown": "Nothing: every run tries again. If it stays, ask the source for the"
    " patient's identity message.",
    "key_of_two_persons": "Nothing here: both persons' records go on when the source merges them"
    " or corrects one.",
    "record_too_large": "Only a digest was kept. Have the sender cut it and send it again.",
    "residual_identifier": "Read it in the identifying zone (show --content), then mend the text"
    " lists of the site's mappings/text folder; the next run takes the record up.",
}
_NEXT_BY_STAGE = {
    Stage.LANDING: "Have the sender mend the file and send it again; the good file is a record of"
    " its own.",
    Stage.REGISTER: "Have the sender mend the message and send it again. After a change of"
    " mappings or site.yaml the next run takes the record up by itself.",
    Stage.DOOR: "Have the sender mend the message and send it again. After a change of mappings"
    " or site.yaml the next run takes the record up by itself.",
    Stage.GATE: "Look the check up in quality/checks and mend the mapping, the concept list or the"
    " source; the next run judges the rows anew.",
}


class Meanings:
    """The reasons of dispositions.csv and the gate's checks, a site's overlays included."""

    def __init__(self, overlays: Iterable[Path] = ()) -> None:
        from entrepot.quality.checks import load_checks

        roots = tuple(overlays)
        with data_file(FILE, roots).open(encoding="utf-8", newline="") as file:
            self._known = {
                line["code"]: Meaning(line["stage"], line["meaning_fr"], line["meaning_en"])
                for line in csv.DictReader(file)
            }
        self._checks = {
            check.id: Meaning(Stage.GATE, check.meaning_fr, check.meaning_en)
            for check in load_checks(roots).checks.values()
        }

    def of(self, reason: str) -> Meaning:
        """The meaning of a reason or of a check id (`family.table.field`, `parent:…`)."""
        if reason in self._known:
            return self._known[reason]
        family = reason.removeprefix(PARENT).partition(".")[0]
        found = self._checks.get(family, Meaning("", "", ""))
        if not reason.startswith(PARENT):
            return found
        return Meaning(
            found.stage,
            f"La ligne dont celle-ci dépend est en quarantaine : {found.french}",
            f"The row that this one hangs on is in quarantine: {found.english}",
        )

    def knows(self, reason: str) -> bool:
        """Whether a record or row can have this reason."""
        family = reason.removeprefix(PARENT).partition(".")[0]
        return reason in self._known or family in self._checks


def what_next(reason: str, stage: str) -> str:
    """What the operator can do about it; empty for what is not held."""
    by_stage = {str(held): text for held, text in _NEXT_BY_STAGE.items()}
    return _NEXT_BY_REASON.get(reason, by_stage.get(stage, ""))
