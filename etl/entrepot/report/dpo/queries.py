"""Section 9: questions of federated studies, as the audit log tells them; no count of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from entrepot.audit import Action, Entry
from entrepot.report.dpo.evidence import Evidence

# The last of these acts says how a question stands.
_STATES = {
    Action.QUERY_RECEIVED: "received",
    Action.QUERY_APPROVED: "approved",
    Action.QUERY_REFUSED: "refused",
    Action.QUERY_ANSWERED: "answered",
    Action.ANSWER_RELEASED: "released",
}
STATES = tuple(_STATES.values())


@dataclass(frozen=True)
class FederatedStudy:
    """A study card that the steward accepted; `ended_on` is empty while it is answered."""

    study: str
    card: str
    basis: str
    mode: str
    by: str
    accepted_on: str
    ended_on: str
    release: str


@dataclass(frozen=True)
class FederatedQuery:
    """One question.

    Args:
        query: the hash that the node's log and the coordinator call it by, its first 16.
        by: who let or refused it; empty: the study's mode.
        code: of a refusal.
        cells, withheld: figures of its answers, and those of them that were not told.
        repeated: figures that repeated the count of a near group; many in a row sound the node out.
        register: version of the register of oppositions that the last answer left out, first 16.
    """

    query: str
    study: str
    basis: str
    researcher: str
    analysis: str
    received_on: str
    state: str
    by: str
    code: str
    cells: int
    withheld: int
    repeated: int
    register: str


@dataclass(frozen=True)
class Federation:
    """What a network of warehouses asked of this one.

    Args:
        unread: envelopes refused before their papers could be believed, by code.
    """

    studies: tuple[FederatedStudy, ...]
    queries: tuple[FederatedQuery, ...]
    unread: dict[str, int]


def federation(evidence: Evidence) -> Federation:
    """Every study and every question of the log."""
    return told(evidence.entries)


def told(entries: Iterable[Entry]) -> Federation:
    """As `federation`, of given entries."""
    studies: dict[str, dict[str, Any]] = {}
    queries: dict[str, dict[str, Any]] = {}
    unread: dict[str, int] = {}
    for entry in entries:
        if entry.action in (Action.CARD_ACCEPTED, Action.CARD_ENDED):
            _study(studies, entry)
        elif entry.action in _STATES:
            _query(queries, unread, entry)
    return Federation(
        tuple(FederatedStudy(**one) for one in studies.values()),
        tuple(FederatedQuery(**one) for one in queries.values()),
        dict(sorted(unread.items())),
    )


def _study(studies: dict[str, dict[str, Any]], entry: Entry) -> None:
    facts, day = entry.facts, entry.at[:10]
    if entry.action == Action.CARD_ENDED:
        studies.get(facts["card"], {})["ended_on"] = day
        return
    studies[facts["card"]] = {
        "study": facts["study"], "card": facts["card"][:16], "basis": facts["basis"],
        "mode": facts["mode"], "by": facts["by"], "accepted_on": day, "ended_on": "",
        "release": facts["release"],
    }  # fmt: skip


def _query(queries: dict[str, dict[str, Any]], unread: dict[str, int], entry: Entry) -> None:
    facts, name = entry.facts, entry.facts["query"]
    if entry.action == Action.QUERY_RECEIVED:
        queries[name] = {
            "query": name[:16], "study": facts["study"], "basis": facts["basis"],
            "researcher": facts["researcher"], "analysis": facts["analysis"],
            "received_on": entry.at[:10], "state": "received", "by": "", "code": "", "cells": 0,
            "withheld": 0, "repeated": 0, "register": "",
        }  # fmt: skip
        return
    if name not in queries or facts.get("code") == "replayed":
        unread[facts["code"]] = unread.get(facts["code"], 0) + 1
        return
    one = queries[name]
    one["state"] = _STATES[Action(entry.action)]
    one["by"], one["code"] = facts.get("by", one["by"]), facts.get("code", "")
    if entry.action == Action.QUERY_ANSWERED:
        one["cells"] += facts["cells"]
        one["withheld"] += facts["withheld"]
        one["repeated"] += facts.get("repeated", 0)  # not in a log's oldest entries
        one["register"] = facts["register"][:16]
