"""Section 13: incidents, actions and accepted deviations, as the DPO keeps them for the report.

The site's `report/actions.yaml`, whose texts are printed. They name no patient: a text with
something shaped like an identifier, or a name after a title, refuses the report.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.report.dpo.disclosure import Cell, Disclosure
from entrepot.text import NOBODY, Scrubber, leaks
from entrepot.text.spans import CONTEXT, FORMATS
from entrepot.yaml_files import read_yaml

FILE = Path("report") / "actions.yaml"
_SHAPED = frozenset(("NOM", "PRENOM", "SECU", "IPP", "NDA", "TEL", "MAIL", "ADRESSE"))
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Incident(_Strict):
    """Something that went wrong with personal data.

    Args:
        breach: a personal data breach (RGPD 4(12)), to be told within 72 hours (33).
        persons: concerned; 1 to 10 is not printed.
    """

    id: Key
    found_at: dt.datetime
    ended_on: dt.date | None = None
    kind: Literal["disclosure", "access", "loss", "change", "unavailable", "other"]
    breach: bool = False
    persons: Annotated[int, Field(ge=0)] = 0
    authority_told_at: dt.datetime | None = None
    persons_told_on: dt.date | None = None
    text: Text

    @model_validator(mode="after")
    def _in_order(self) -> Incident:
        """Local times: one with a zone and one without could not be compared."""
        found, told = self.found_at, self.authority_told_at
        if told is not None and (told.tzinfo is None) != (found.tzinfo is None):
            raise ValueError("both times with a zone, or both without")
        for later in (told.date() if told else None, self.ended_on, self.persons_told_on):
            if later is not None and later < found.date():
                raise ValueError("it ends, and is told, after it was found")
        return self


class Step(_Strict):
    """An action that was decided.

    Args:
        answers: id of an incident or code of a deviation; empty: neither.
    """

    id: Key
    answers: str = ""
    text: Text
    owner: str = ""
    decided_on: dt.date
    due: dt.date
    done_on: dt.date | None = None
    dropped: str = ""  # why it will not be done

    @model_validator(mode="after")
    def _one_end(self) -> Step:
        if self.done_on and self.dropped:
            raise ValueError("an action is done or dropped, not both")
        return self


class Accepted(_Strict):
    """A deviation that a named person accepts for a while."""

    deviation: str
    by: Annotated[str, Field(min_length=1)]
    until: dt.date
    why: Text


class Plan(_Strict):
    """The whole of `report/actions.yaml`."""

    incidents: tuple[Incident, ...] = ()
    actions: tuple[Step, ...] = ()
    accepted: tuple[Accepted, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Plan:
        names = [one.id for one in self.incidents] + [one.id for one in self.actions]
        if len(set(names)) < len(names):
            raise ValueError("an id stands twice")
        return self


@dataclass(frozen=True)
class IncidentFact:
    """An incident as printed; `told_hours`: from its discovery to the authority, -1 not told."""

    id: str
    kind: str
    found_on: str
    ended_on: str
    breach: bool
    persons: Cell
    told_hours: int
    persons_told_on: str
    text: str


@dataclass(frozen=True)
class ActionFact:
    """An action as printed; `state`: open, late, done, dropped."""

    id: str
    answers: str
    text: str
    owner: str
    due: str
    state: str


def read_plan(site: Site) -> Plan:
    """The site's incidents and actions; none when there is no file.

    Raises:
        ConfigurationError: a key or a value that it does not know, or a text with an identifier.
    """
    path = site.root / FILE
    if not path.is_file():
        return Plan()
    plan = read_yaml(path, Plan)
    texts = [(one.id, one.text) for one in plan.incidents]
    texts += [(one.id, f"{one.text}\n{one.dropped}") for one in plan.actions]
    texts += [(one.deviation, one.why) for one in plan.accepted]
    _refuse_identifiers(path, texts)
    return plan


def incidents(plan: Plan, disclosure: Disclosure) -> tuple[IncidentFact, ...]:
    """The newest first."""
    found = sorted(plan.incidents, key=lambda one: one.found_at.isoformat(), reverse=True)
    return tuple(
        IncidentFact(
            one.id, one.kind, one.found_at.date().isoformat(), _day(one.ended_on), one.breach,
            disclosure.count(one.persons), _told_hours(one), _day(one.persons_told_on), one.text,
        )
        for one in found
    )  # fmt: skip


def actions(plan: Plan, today: dt.date) -> tuple[ActionFact, ...]:
    """By due date, what is open first."""
    found = [
        ActionFact(one.id, one.answers, one.text, one.owner, _day(one.due), _state(one, today))
        for one in plan.actions
    ]
    return tuple(sorted(found, key=lambda one: (one.state in ("done", "dropped"), one.due, one.id)))


def untold(plan: Plan, hours: int, now: dt.datetime) -> list[str]:
    """Breaches that were told to the authority too late, or not yet and too late by now."""
    found = []
    for one in plan.incidents:
        told = one.authority_told_at or now.replace(tzinfo=one.found_at.tzinfo)
        if one.breach and told - one.found_at > dt.timedelta(hours=hours):
            found.append(one.id)
    return found


def _state(one: Step, today: dt.date) -> str:
    if one.done_on:
        return "done"
    if one.dropped:
        return "dropped"
    return "late" if one.due < today else "open"


def _told_hours(one: Incident) -> int:
    if one.authority_told_at is None:
        return -1
    return int((one.authority_told_at - one.found_at).total_seconds() // 3600)


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""


def _refuse_identifiers(path: Path, texts: list[tuple[str, str]]) -> None:
    scrubber = Scrubber()
    for name, text in texts:
        found = scrubber.find(text, NOBODY)
        shaped = any(one.label in _SHAPED and one.layer in (FORMATS, CONTEXT) for one in found)
        if shaped or leaks(text, NOBODY):
            raise ConfigurationError(
                f"the text of {name} names somebody, or holds an identifier", where=str(path),
                remedy="tell what happened without names, numbers, addresses or telephones",
            )  # fmt: skip
