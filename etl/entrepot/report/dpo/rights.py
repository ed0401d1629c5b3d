"""Section 8: oppositions, opt-outs, erasures, informations, how long they took, and the proof."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from entrepot.register.erasure_log import ErasureLog
from entrepot.register.registers import OPPOSITION, OPTOUT
from entrepot.register.rights_facts import RightsFacts, facts
from entrepot.report.dpo.disclosure import SMALLEST, Cell, Disclosure
from entrepot.report.dpo.evidence import Evidence
from entrepot.report.dpo.proof import QUERY, Proof, proofs

OPPOSED = "opposed_patient"
REGISTERS = (OPPOSITION, OPTOUT)
STATES = ("standing", "withdrawn", "ended")
SCOPES = ("all", "study")
ONE_MONTH = 30  # RGPD 12(3), in whole days


@dataclass(frozen=True)
class Register:
    """One register of refusals.

    Args:
        by_holder: entered for a minor by a holder of parental authority.
        required: a run is refused when nobody confirmed the register for `max_age_days`.
    """

    name: str
    total: Cell
    states: dict[str, Cell]
    scopes: dict[str, Cell]
    channels: dict[str, Cell]
    by_holder: Cell
    confirmed_on: str
    age_days: int
    max_age_days: int
    required: bool


@dataclass(frozen=True)
class Delay:
    """Days between two events; no median under 11 of them.

    Args:
        late: that took more than a month.
    """

    name: str
    median_days: int
    late: Cell


@dataclass(frozen=True)
class Rights:
    """Section 8.

    Args:
        retained: persons whose data ended by retention.
        waiting: entered since the last release: the next one applies them.
        informed_due: persons of age to be informed again, by what a holder of authority did.
    """

    registers: tuple[Register, ...]
    without_person: Cell
    persons_opposed: Cell
    records_excluded: Cell
    waiting: Cell
    erasures: Cell
    erasures_lifted: Cell
    erased_records: Cell
    retained: Cell
    access_reports: Cell
    informations: Cell
    informed_due: dict[str, Cell]
    query: str
    proofs: tuple[Proof, ...]
    delays: tuple[Delay, ...]

    @property
    def applied(self) -> bool:
        """Whether no row of an opposed or erased person is anywhere."""
        return not any(proof.rows for proof in self.proofs)


def rights(evidence: Evidence) -> Rights:
    """The registers against the release, the staging and the register of identities."""
    today = evidence.now.astimezone(evidence.site.zone).date()
    found = facts(evidence.site, evidence.zone, evidence.keyring, today)
    count = evidence.disclosure.count
    registers = tuple(_register(evidence, found, name) for name in REGISTERS)
    persons = count(len(evidence.snapshot.persons), "persons")
    opposed = count(sum(one.opposed for one in evidence.snapshot.persons.values()))
    evidence.disclosure.within(opposed, persons)
    erased = [one for line in ErasureLog(evidence.site, evidence.keyring).lines()
              if not line.before for one in line.persons]  # fmt: skip
    return Rights(
        registers,
        count(evidence.counted.oppositions_without_person),
        opposed,
        count(_excluded(evidence), ("excluded", OPPOSED)),
        count(found.waiting),
        count(found.erasures),
        count(found.lifted),
        count(found.erased_records),
        count(found.retained),
        count(found.access_reports),
        count(sum(found.informations.values())),
        {kind: count(number) for kind, number in sorted(found.due.items())},
        QUERY,
        tuple(proofs(evidence, erased)),
        tuple(
            _delay(evidence, name, days)
            for name, days in (
                ("recorded", found.recorded_days), ("applied", found.applied_days),
                ("erased", found.erasure_days),
            )
        ),
    )  # fmt: skip


def _register(evidence: Evidence, found: RightsFacts, name: str) -> Register:
    """Its lines by state, by scope and by channel are three times the same total."""
    disclosure, config = evidence.disclosure, evidence.site.config
    states = _cells(disclosure, STATES, _by(found.oppositions, name, 2))
    scopes = _cells(disclosure, SCOPES, _by(found.oppositions, name, 1))
    channels = {
        channel: disclosure.count(number)
        for (register, channel), number in sorted(found.by_channel.items())
        if register == name
    }
    for parts in (states, scopes, channels):
        total = disclosure.sum(list(parts.values()), ("register", name))
    holder = disclosure.part(found.by_holder.get(name, 0), total)
    confirmed = found.confirmed_on.get(name, "")
    age = (evidence.now.date() - dt.date.fromisoformat(confirmed)).days if confirmed else -1
    first = name == OPPOSITION
    return Register(
        name, total, states, scopes, channels, holder, confirmed, age,
        config.oppositions.max_age_days if first else config.rights.optout_max_age_days,
        config.oppositions.required if first else config.rights.optout_required,
    )  # fmt: skip


def _cells(disclosure: Disclosure, names: tuple[str, ...], found: Counter[str]) -> dict[str, Cell]:
    return {name: disclosure.count(found[name]) for name in names}


def _by(counts: Mapping[tuple[str, str, str], int], register: str, place: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, number in counts.items():
        if key[0] == register:
            found[key[place]] += number
    return found


def _excluded(evidence: Evidence) -> int:
    excluded = evidence.counted.excluded.items()
    return sum(count for (_, reason), count in excluded if reason == OPPOSED)


def _delay(evidence: Evidence, name: str, days: tuple[int, ...]) -> Delay:
    late = evidence.disclosure.count(sum(one > ONE_MONTH for one in days))
    return Delay(name, round(median(days)) if len(days) >= SMALLEST else -1, late)
