"""Section 9: study spaces, as their own facts tell them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence
from entrepot.study import facts

# Shares that a space states of itself, of its persons: alone by what is told of them (WP216).
LINKS = ("unique_by_concepts", "unique_by_concepts_and_intervals", "in_groups_under_11")


@dataclass(frozen=True)
class Space:
    """One study space.

    Args:
        persons: of a closed space, as it was.
        linkable: persons whom somebody with another space could tell apart, by what.
        expired: still open after its end.
    """

    id: str
    title: str
    status: str
    created_on: str
    refreshed_on: str
    expires_on: str
    closed_on: str
    target: str
    release: str
    approved_by: str
    tables: int
    persons: Cell
    linkable: dict[str, Cell]
    expired: bool


def studies(evidence: Evidence) -> tuple[Space, ...]:
    """Every space that was ever made, by id."""
    return tuple(_space(evidence, one) for one in facts(evidence.site))


def _space(evidence: Evidence, stated: dict[str, Any]) -> Space:
    status, expires = str(stated.get("status", "")), _day(stated, "expires")
    today = evidence.now.date().isoformat()
    approved = stated.get("approved_by") or ""
    persons = evidence.disclosure.count(int(stated.get("persons") or 0))
    return Space(
        str(stated.get("id", "")), str(stated.get("title", "")), status,
        _day(stated, "created"), _day(stated, "refreshed"), expires, _day(stated, "closed"),
        str(stated.get("target", "")), str(stated.get("release") or ""),
        ", ".join(approved) if isinstance(approved, list) else str(approved),
        len(stated.get("tables") or {}),
        persons, _linkable(evidence, stated, persons),
        status == "open" and bool(expires) and expires < today,
    )  # fmt: skip


def _linkable(evidence: Evidence, stated: dict[str, Any], persons: Cell) -> dict[str, Cell]:
    shares = stated.get("linkability") or {}
    found = {
        name: evidence.disclosure.count(round(float(shares[name]) * persons.value))
        for name in LINKS
        if name in shares
    }
    for one in found.values():
        evidence.disclosure.within(one, persons)
    return found


def _day(stated: dict[str, Any], name: str) -> str:
    return str(stated.get(name) or "")[:10]
