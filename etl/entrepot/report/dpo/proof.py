"""Section 8: the query that proves that opposed and erased persons are nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from entrepot.keys import PERSON
from entrepot.omop.cdm import load_cdm
from entrepot.register import tables
from entrepot.report.dpo.disclosure import rounded
from entrepot.report.dpo.evidence import Evidence
from entrepot.staging.kinds import KINDS

PERSON_BITS = 53
QUERY = "SELECT count(*) FROM TABLE WHERE person_id IN (SELECT person_id FROM opposed)"
NUMBERS = "register.identifier"


@dataclass(frozen=True)
class Proof:
    """Rows of opposed or erased persons in one table, rounded; expected 0."""

    place: str
    rows: int | str


def proofs(evidence: Evidence, erased: Iterable[int]) -> list[Proof]:
    """Every table that has a person, of the release and of the staging, and the register.

    Args:
        erased: `person_id` that the list of erasures holds.
    """
    opposed = [person for person in evidence.snapshot.persons.values() if person.opposed]
    ids = {evidence.keyring.number(PERSON, PERSON_BITS, "id", one.person_key) for one in opposed}
    found = [(place, rows) for place, rows in _rows(evidence, ids | set(erased))]
    return [Proof(place, rounded(rows)) for place, rows in found]


def _rows(evidence: Evidence, ids: set[int]) -> Iterator[tuple[str, int]]:
    listed = ",".join(map(str, sorted(ids))) or "NULL"
    opposed = f"(SELECT unnest([{listed}]::BIGINT[]) AS person_id)"
    for table in load_cdm():
        if "person_id" in table.columns and evidence.release is not None:
            place = f"cdm.{table.name}"
            yield place, evidence.number(_query(place, opposed))
    for kind in KINDS.values():
        if kind.personal:
            rows = evidence.staged(kind.name, _query("staged", opposed))
            yield f"staging.{kind.name}", int(rows[0][0]) if rows else 0
    yield NUMBERS, _numbers(evidence)


def _query(table: str, opposed: str) -> str:
    return QUERY.replace("TABLE", table).replace("FROM opposed", f"FROM {opposed}")


def _numbers(evidence: Evidence) -> int:
    """Numbers of persons erased for ever that the register holds."""
    erased = select(tables.erasure.c.hmac).where(tables.erasure.c.before.is_(None))
    query = select(func.count()).where(tables.identifier.c.hmac.in_(erased))
    return int(evidence.zone.scalar(query) or 0)
