"""Section 8: oppositions, the proof that they are applied, and how long that took."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select

from entrepot.keys import PERSON
from entrepot.landing.settings import read_setting
from entrepot.omop.cdm import load_cdm
from entrepot.register import tables
from entrepot.register.oppositions import CONFIRMED
from entrepot.report.dpo.disclosure import SMALLEST, Cell
from entrepot.report.dpo.evidence import Evidence
from entrepot.staging.kinds import KINDS

PERSON_BITS = 53
OPPOSED = "opposed_patient"
PROOF = "SELECT count(*) FROM TABLE WHERE person_id IN (SELECT person_id FROM opposed)"


@dataclass(frozen=True)
class Proof:
    """Rows of opposed persons in one table; expected 0."""

    place: str
    rows: int


@dataclass(frozen=True)
class Delay:
    """Days between two events of oppositions; None under 11 oppositions."""

    name: str
    oppositions: Cell
    median_days: int | None
    longest_days: int | None


@dataclass(frozen=True)
class Rights:
    """Section 8."""

    total: Cell
    standing: Cell
    withdrawn: Cell
    by_channel: dict[str, Cell]
    without_person: Cell
    persons_opposed: Cell
    records_excluded: Cell
    query: str
    proofs: tuple[Proof, ...]
    delays: tuple[Delay, ...]
    confirmed_on: str
    max_age_days: int

    @property
    def applied(self) -> bool:
        """Whether no row of an opposed person is anywhere."""
        return not any(proof.rows for proof in self.proofs)


@dataclass(frozen=True)
class _Line:
    opposed_on: dt.date
    withdrawn_on: dt.date | None
    channel: str
    recorded_at: dt.datetime


def rights(evidence: Evidence) -> Rights:
    """The register of oppositions against the release and the staging."""
    disclosure = evidence.disclosure
    table = tables.opposition.c
    columns = (table.opposed_on, table.withdrawn_on, table.channel, table.recorded_at)
    lines = [_Line(*row) for row in evidence.zone.execute(select(*columns))]
    channels = Counter(line.channel for line in lines)
    standing = disclosure.count(sum(line.withdrawn_on is None for line in lines))
    withdrawn = disclosure.count(sum(line.withdrawn_on is not None for line in lines))
    total = disclosure.sum([standing, withdrawn], "oppositions")
    by_channel = {name: disclosure.count(count) for name, count in sorted(channels.items())}
    disclosure.sum(list(by_channel.values()), "oppositions")
    without = disclosure.count(evidence.counted.oppositions_without_person)
    disclosure.within(without, standing)
    opposed = [person for person in evidence.snapshot.persons.values() if person.opposed]
    known = disclosure.count(len(evidence.snapshot.persons), "persons")
    persons_opposed = disclosure.count(len(opposed))
    disclosure.within(persons_opposed, known)
    ids = {evidence.keyring.number(PERSON, PERSON_BITS, "id", one.person_key) for one in opposed}
    return Rights(
        total, standing, withdrawn, by_channel, without, persons_opposed,
        disclosure.count(_excluded(evidence), ("excluded", OPPOSED)),
        PROOF, tuple(_proofs(evidence, ids)), tuple(_delays(evidence, lines)),
        (read_setting(evidence.zone, CONFIRMED) or "")[:10],
        evidence.site.config.oppositions.max_age_days,
    )  # fmt: skip


def _excluded(evidence: Evidence) -> int:
    excluded = evidence.counted.excluded.items()
    return sum(count for (_, reason), count in excluded if reason == OPPOSED)


def _proofs(evidence: Evidence, ids: set[int]) -> list[Proof]:
    """Every table that has a person, of the release and of the staging."""
    listed = ",".join(map(str, sorted(ids))) or "NULL"
    opposed = f"(SELECT unnest([{listed}]::BIGINT[]) AS person_id)"
    found = []
    for table in load_cdm():
        if "person_id" in table.columns and evidence.release is not None:
            found.append(
                Proof(f"cdm.{table.name}", evidence.number(_proof(f"cdm.{table.name}", opposed)))
            )
    for kind in KINDS.values():
        if kind.personal:
            rows = evidence.staged(kind.name, _proof("staged", opposed))
            found.append(Proof(f"staging.{kind.name}", int(rows[0][0]) if rows else 0))
    return found


def _proof(table: str, opposed: str) -> str:
    return PROOF.replace("TABLE", table).replace("FROM opposed", f"FROM {opposed}")


def _delays(evidence: Evidence, lines: list[_Line]) -> list[Delay]:
    """From the patient's word to the register, and from there to the next release."""
    told = [(line.recorded_at.date() - line.opposed_on).days for line in lines]
    releases = sorted(
        dt.datetime.fromisoformat(entry.at).replace(tzinfo=None) for entry in evidence.publications
    )
    applied = []
    for line in lines:
        after = next((moment for moment in releases if moment >= line.recorded_at), None)
        if after is not None:
            applied.append((after - line.recorded_at).days)
    return [_delay(evidence, "recorded", told), _delay(evidence, "applied", applied)]


def _delay(evidence: Evidence, name: str, days: list[int]) -> Delay:
    cell = evidence.disclosure.count(len(days))
    if len(days) < SMALLEST:  # a longest delay of few is one person's
        return Delay(name, cell, None, None)
    return Delay(name, cell, round(median(days)), max(days))
