"""Section 5: what the text engine found, by entity and by layer, and what it could not read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import product

from sqlalchemy import func, select

from entrepot.door.tables import derivation, reading
from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence
from entrepot.text.spans import (
    CONTEXT,
    FORMATS,
    GAZETTEER,
    KNOWN,
    LABELS,
    MODEL,
    PROPAGATION,
    SAFE,
    SITE,
)

LAYERS = (KNOWN, FORMATS, CONTEXT, GAZETTEER, SAFE, MODEL, PROPAGATION, SITE)
MASKED = tuple(sorted(LABELS - {"DATE"}))  # ordinary dates are true in the core: not masked


@dataclass(frozen=True)
class Found:
    """Maskings of one entity type, by the layer that found it."""

    label: str
    layers: dict[str, Cell]
    total: Cell
    load: Cell


@dataclass(frozen=True)
class Texts:
    """Section 5.

    Args:
        documents: staged rows of documents; `_load` of the last load alone.
        untouched: documents with a text in which nothing was found.
        found: in documents; by_layer: their sums.
        elsewhere: in other texts (comments of results, labels, instructions), by layer.
        attachments: read (decoded and scrubbed); unreadable: their records are in quarantine.
    """

    documents: Cell
    documents_load: Cell
    untouched: Cell
    untouched_load: Cell
    found: tuple[Found, ...]
    by_layer: dict[str, Cell]
    all_found: Cell
    elsewhere: dict[str, Cell]
    attachments: Cell
    unreadable: Cell


def texts(evidence: Evidence) -> Texts:
    """Counts of the staged documents, and of what the door noted of other texts."""
    disclosure = evidence.disclosure
    every, load = _Counted(), _Counted()
    new = "true" if evidence.first_load else "record_key IN (SELECT key FROM load_key)"
    rows = evidence.staged(
        "document",
        f"SELECT {new}, entities, length(coalesce(text, '')) > 0, count(*) FROM staged"
        " GROUP BY ALL",
    )
    for in_load, entities, filled, count in rows:
        every.add(entities, filled, count)
        if in_load:
            load.add(entities, filled, count)
    cells = {
        pair: disclosure.count(every.found[pair]) for pair in product(MASKED, LAYERS)
    }  # fmt: skip
    found = tuple(_found(evidence, label, cells, load) for label in MASKED)
    by_layer = {
        layer: disclosure.sum([cells[label, layer] for label in MASKED]) for layer in LAYERS
    }
    all_found = disclosure.sum([one.total for one in found], "maskings")
    disclosure.sum(list(by_layer.values()), "maskings")
    documents = disclosure.count(
        every.documents, ("staged", "document", every.documents), wanted=True
    )
    untouched = disclosure.part(every.untouched, documents)
    documents_load = disclosure.load(load.documents, documents)
    untouched_load = disclosure.load(load.untouched, untouched)
    disclosure.within(untouched_load, documents_load)
    elsewhere, attachments = _elsewhere(evidence)
    return Texts(
        documents, documents_load, untouched, untouched_load, found, by_layer, all_found,
        {layer: disclosure.count(elsewhere[layer]) for layer in LAYERS},
        disclosure.count(attachments), disclosure.count(_unreadable(evidence)),
    )  # fmt: skip


class _Counted:
    """Documents and maskings of one span of loads."""

    def __init__(self) -> None:
        self.documents = self.untouched = 0
        self.found: Counter[tuple[str, str]] = Counter()

    def add(self, entities: str | None, filled: bool, count: int) -> None:
        stated: dict[str, int] = json.loads(entities or "{}")
        self.documents += count
        self.untouched += count if filled and not stated else 0
        for name, number in stated.items():
            label, _, layer = name.partition(":")
            self.found[label, layer] += number * count


def _found(
    evidence: Evidence, label: str, cells: dict[tuple[str, str], Cell], load: _Counted
) -> Found:
    disclosure = evidence.disclosure
    layers = {layer: cells[label, layer] for layer in LAYERS}
    total = disclosure.sum(list(layers.values()))
    now = disclosure.load(sum(load.found[label, layer] for layer in LAYERS), total)
    return Found(label, layers, total, now)


def _elsewhere(evidence: Evidence) -> tuple[Counter[str], int]:
    """Maskings by layer, and attachments read, as the door noted them record by record."""
    found: Counter[str] = Counter()
    attachments = 0
    query = (
        select(reading.c.masked, reading.c.attachments, func.count())
        .join(derivation, derivation.c.record_id == reading.c.record_id)
        .where(derivation.c.disposition == "staged")
        .group_by(reading.c.masked, reading.c.attachments)
    )
    for masked, read, count in evidence.zone.execute(query):
        attachments += read * count
        for name, number in json.loads(masked).items():
            found[name.partition(":")[2]] += number * count
    return found, attachments


def _unreadable(evidence: Evidence) -> int:
    query = (
        select(func.count())
        .select_from(derivation)
        .where(
            derivation.c.disposition == "quarantined",
            derivation.c.reason == "attachment_unreadable",
        )
    )
    return int(evidence.zone.scalar(query) or 0)
