"""Section 13: deviations that the report finds by itself, with the action that it proposes.

Which there are, their thresholds and their words are data: `quality/dpo/deviations.yaml`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from entrepot.errors import ConfigurationError
from entrepot.report.dpo.plan import Plan, untold
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

if TYPE_CHECKING:
    from entrepot.report.dpo.facts import Sections

FILE = "quality/dpo/deviations.yaml"
LEVELS = ("critical", "major", "minor")


class Meaning(BaseModel):
    """One deviation in words; `control` 0: none of the controls' list."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    section: Annotated[int, Field(ge=1, le=13)]
    control: Annotated[int, Field(ge=0, le=15)]
    level: Literal["critical", "major", "minor"]
    fr: str
    en: str
    action_fr: str
    action_en: str


class Thresholds(BaseModel):
    """Beyond what a figure is a deviation."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    aipd_days: int
    root_key_days: int
    review_days: int
    review_documents: int
    review_leak_permille: int
    full_permille: int
    recall_permille: int
    backup_days: int
    notice_hours: int


class DeviationSpec(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    thresholds: Thresholds
    deviations: dict[str, Meaning]


@dataclass(frozen=True)
class Deviation:
    """What is not as it should be.

    Args:
        accepted_by, accepted_until: who accepts it for now; empty: nobody.
        answered: ids of actions that are to end it.
    """

    code: str
    section: int
    control: int
    level: str
    meaning_fr: str
    meaning_en: str
    action_fr: str
    action_en: str
    accepted_by: str
    accepted_until: str
    answered: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What the conditions look at."""

    sections: Sections
    plan: Plan
    limits: Thresholds
    now: dt.datetime

    def days_since(self, day: str) -> int:
        """Days from an ISO date to the report."""
        return (self.now.date() - dt.date.fromisoformat(day)).days


def read_spec(overlays: tuple[Path, ...]) -> DeviationSpec:
    """The deviations of a site.

    Raises:
        ConfigurationError: a key that there is not, or a deviation that nothing finds.
    """
    path = data_file(FILE, overlays)
    spec = read_yaml(path, DeviationSpec)
    for code in spec.deviations:
        if code not in CONDITIONS:
            raise ConfigurationError(
                f"deviations.{code}: nothing finds this deviation", where=str(path),
                remedy=f"one of {', '.join(CONDITIONS)}",
            )  # fmt: skip
    return spec


def deviations(
    sections: Sections, plan: Plan, spec: DeviationSpec, now: dt.datetime
) -> list[Deviation]:
    """The worst first; one whose file leaves it out is not looked for."""
    found = Found(sections, plan, spec.thresholds, now)
    told = [
        _deviation(code, meaning, plan, now.date())
        for code, meaning in spec.deviations.items()
        if CONDITIONS[code](found)
    ]
    return sorted(told, key=lambda one: (LEVELS.index(one.level), one.section))


def _deviation(code: str, meaning: Meaning, plan: Plan, today: dt.date) -> Deviation:
    accepted = next(
        (one for one in plan.accepted if one.deviation == code and one.until >= today), None
    )
    return Deviation(
        code, meaning.section, meaning.control, meaning.level, meaning.fr, meaning.en,
        meaning.action_fr, meaning.action_en,
        accepted.by if accepted else "", accepted.until.isoformat() if accepted else "",
        tuple(one.id for one in plan.actions if one.answers == code and not one.dropped),
    )  # fmt: skip


def _not_stated(f: Found) -> bool:
    stated = f.sections.processing
    return not all(
        (stated.controller, stated.dpo, stated.register_entry, stated.legal_basis,
         stated.aipd_version)
    )  # fmt: skip


def _aipd_old(f: Found) -> bool:
    day = f.sections.processing.aipd_date
    return bool(day) and f.days_since(day) > f.limits.aipd_days


def _not_balanced(f: Found) -> bool:
    return not (f.sections.scope.records_balanced and f.sections.scope.rows_balanced)


def _fixed_set_low(f: Found) -> bool:
    measured = f.sections.measured.fixed[-1].without
    low = measured.recall.value < f.limits.recall_permille
    return low or measured.full.value < f.limits.full_permille


def _fixed_set_worse(f: Found) -> bool:
    """Beyond what chance gives: the interval of the former measure."""
    fixed = f.sections.measured.fixed
    return len(fixed) > 1 and fixed[-1].without.recall.value < fixed[-2].without.recall.low


def _review_old(f: Found) -> bool:
    readings = f.sections.measured.readings
    if not readings:
        return False
    last = readings[-1]
    return not last.current or f.days_since(last.read_on) > f.limits.review_days


def _review_missing(f: Found) -> bool:
    """Also one that nobody finished, or of fewer documents than bound anything."""
    return not any(
        one.complete and one.documents.value >= f.limits.review_documents
        for one in f.sections.measured.readings
    )


def _review_leaks(f: Found) -> bool:
    readings = f.sections.measured.readings
    return bool(readings) and readings[-1].leaking.high > f.limits.review_leak_permille


def _register_stale(f: Found) -> bool:
    opposition, *others = f.sections.rights.registers
    kept = [opposition, *(one for one in others if one.required or one.total.value)]
    return not opposition.required or any(
        one.age_days < 0 or one.age_days > one.max_age_days for one in kept
    )


def _profiles_missing(f: Found) -> bool:
    """Two persons, since one approval of each profile by different persons is asked for."""
    profiles = f.sections.trail.profiles
    officers, stewards = set(profiles["dpo"]), set(profiles["steward"])
    return not officers or not stewards or len(officers | stewards) < 2


def _backup_old(f: Found) -> bool:
    backups = f.sections.security.backups
    if not backups.stated:
        return False
    return not backups.newest_on or f.days_since(backups.newest_on) > f.limits.backup_days


CONDITIONS: Mapping[str, Callable[[Found], bool]] = {
    "processing_not_stated": _not_stated,
    "aipd_old": _aipd_old,
    "not_balanced": _not_balanced,
    "collision": lambda f: any(one.collisions for one in f.sections.persons.keys),
    "fixed_set_low": _fixed_set_low,
    "fixed_set_worse": _fixed_set_worse,
    "review_missing": _review_missing,
    "review_old": _review_old,
    "review_leaks": _review_leaks,
    "leak_in_release": lambda f: any(one.remaining for one in f.sections.risk.scans),
    "register_stale": _register_stale,
    "opposition_not_applied": lambda f: not f.sections.rights.applied,
    "rights_late": lambda f: any(one.late.value for one in f.sections.rights.delays),
    "log_broken": lambda f: not f.sections.trail.intact,
    "waiver_used": lambda f: bool(f.sections.trail.waivers),
    "profiles_missing": _profiles_missing,
    "study_expired": lambda f: any(one.expired for one in f.sections.studies),
    "reidentified_alone": lambda f: not f.sections.requests.by_two,
    "key_old": lambda f: f.sections.roots.age_days > f.limits.root_key_days,
    "escrow_missing": lambda f: not f.sections.roots.escrowed,
    "zone_open": lambda f: not f.sections.security.private,
    "zone_readable": lambda f: not f.sections.security.ciphered,
    "backups_not_stated": lambda f: not f.sections.security.backups.stated,
    "backup_old": _backup_old,
    "backup_kept": lambda f: bool(f.sections.security.backups.too_old),
    "retention_due": lambda f: bool(f.sections.retention.due.value),
    "breach_not_told": lambda f: bool(untold(f.plan, f.limits.notice_hours, f.now)),
    "action_late": lambda f: any(
        not one.done_on and not one.dropped and one.due < f.now.date() for one in f.plan.actions
    ),
}
