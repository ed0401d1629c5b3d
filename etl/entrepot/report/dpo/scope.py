"""Section 2: what this load and all loads took in, and in which versions of everything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from entrepot.door.tables import derivation
from entrepot.landing.tables import record
from entrepot.publication import gate_hold
from entrepot.register.tables import registration
from entrepot.report.accounting import DERIVED_TABLES, MAPPED_TABLES, rows
from entrepot.report.dispositions import Meanings
from entrepot.report.dpo.disclosure import Cell, Disclosure
from entrepot.report.dpo.evidence import Evidence

# The table whose rows are those of a kind, one for one or nearly.
TABLE_OF = {
    "patient": "person", "stay": "visit_occurrence", "movement": "visit_detail", "document": "note",
}  # fmt: skip
DISPOSITIONS = ("duplicates", "pending", "published", "quarantined", "excluded")
ROW_DISPOSITIONS = (
    "superseded", "duplicate_of", "deleted", "excluded", "quarantined", "mapped",
)  # fmt: skip


@dataclass(frozen=True)
class Feed:
    """The record equation of one source, and what of it this load derived."""

    source: str
    format: str
    counts: dict[str, Cell]  # received and DISPOSITIONS
    load: dict[str, Cell]  # published, quarantined, excluded


@dataclass(frozen=True)
class Reason:
    """Records held or excluded for one reason."""

    disposition: str
    reason: str
    meaning_fr: str
    meaning_en: str
    records: Cell


@dataclass(frozen=True)
class KindRows:
    """The row equation of one staging kind."""

    kind: str
    counts: dict[str, Cell]  # staged and ROW_DISPOSITIONS


@dataclass(frozen=True)
class Publication:
    """One load of the log."""

    at: str
    release: str
    as_of: str
    by: str


@dataclass(frozen=True)
class Scope:
    """Section 2, without the versions."""

    release: str
    as_of: str
    first_month: str
    last_month: str
    received_from: str
    received_to: str
    feeds: tuple[Feed, ...]
    records_balanced: bool
    reasons: tuple[Reason, ...]
    rows: tuple[KindRows, ...]
    tables: dict[str, Cell]
    total_rows: Cell
    mapped: Cell
    fan_out: Cell
    derived: Cell
    rows_balanced: bool
    publications: tuple[Publication, ...]


def scope(evidence: Evidence) -> Scope:
    """Both equations, by source and by kind."""
    from entrepot.publish.release import read_release

    release = read_release(evidence.site.warehouse)
    months, received = _period(evidence)
    counted = evidence.counted
    balance = _Balance(evidence)
    last = evidence.publications[-1].facts if evidence.publications else {}
    return Scope(
        release.release_id if release else "",
        str(last.get("as_of") or "")[:10],
        *months,
        *received,
        tuple(_feeds(evidence)),
        counted.balanced,
        tuple(_reasons(evidence)),
        balance.kinds,
        balance.tables,
        balance.total,
        balance.mapped,
        balance.fan_out,
        balance.derived,
        balance.balanced,
        tuple(
            Publication(e.at[:19], str(e.facts.get("release", "")),
                        str(e.facts.get("as_of", ""))[:10], e.account)
            for e in evidence.publications
        ),
    )  # fmt: skip


def _period(evidence: Evidence) -> tuple[tuple[str, str], tuple[str, str]]:
    """Months of the messages (a day could be one patient's), days of their receipt."""
    stated = (
        select(func.min(registration.c.stated_at), func.max(registration.c.stated_at))
        .join(derivation, derivation.c.record_id == registration.c.record_id)
        .where(derivation.c.disposition == "staged")
    )
    first, last = evidence.zone.execute(stated).one()
    begun, ended = evidence.zone.execute(
        select(func.min(record.c.received_at), func.max(record.c.received_at))
    ).one()
    months = tuple(f"{one:%Y-%m}" if one else "" for one in (first, last))
    days = tuple(f"{one:%Y-%m-%d}" if one else "" for one in (begun, ended))
    return (months[0], months[1]), (days[0], days[1])


def _feeds(evidence: Evidence) -> list[Feed]:
    disclosure, counted = evidence.disclosure, evidence.counted
    loads = _load_counts(evidence)
    formats = {name: source.format for name, source in evidence.site.config.sources.items()}
    feeds = []
    for name, counts in sorted(counted.sources.items()):
        values = counts.as_dict()
        cells = {one: disclosure.count(values[one], (name, one)) for one in DISPOSITIONS}
        received = disclosure.sum(list(cells.values()), (name, "received"))
        load = {}
        for one in DISPOSITIONS[2:]:
            load[one] = disclosure.load(min(loads[name, one], values[one]), cells[one])
        feeds.append(Feed(name, formats.get(name, ""), {"received": received, **cells}, load))
    return feeds


def _load_counts(evidence: Evidence) -> Counter[tuple[str, str]]:
    """(source, disposition) -> records that the last load derived."""
    span = evidence.generations
    query = (
        select(record.c.source, derivation.c.disposition, gate_hold.c.check_id, func.count())
        .select_from(
            record.join(derivation, derivation.c.record_id == record.c.record_id).outerjoin(
                gate_hold, gate_hold.c.record_id == record.c.record_id
            )
        )
        .where(derivation.c.generation.between(span.start, span.stop - 1))
        .group_by(record.c.source, derivation.c.disposition, gate_hold.c.check_id)
    )
    found: Counter[tuple[str, str]] = Counter()
    for source, disposition, check, count in evidence.zone.execute(query):
        held = disposition == "quarantined" or check is not None
        told = "quarantined" if held else {"staged": "published"}.get(disposition, "excluded")
        found[source, told] += count
    return found


def _reasons(evidence: Evidence) -> list[Reason]:
    """By reason, all sources together; each source's total is printed beside."""
    disclosure, counted = evidence.disclosure, evidence.counted
    meanings = Meanings(evidence.site.overlays)
    found = []
    for disposition, counter in (
        ("quarantined", counted.quarantined), ("excluded", counted.excluded),
    ):  # fmt: skip
        by_reason: Counter[str] = Counter()
        for (_, reason), count in counter.items():
            by_reason[reason] += count
        cells = {
            reason: disclosure.count(count, (disposition, reason))
            for reason, count in sorted(by_reason.items())
        }
        # All reasons and all sources are one total: neither list gives away the other's small ones.
        total = disclosure.sum(list(cells.values()), (disposition, "total"))
        sources = [
            disclosure.count(c.as_dict()[disposition], (name, disposition))
            for name, c in counted.sources.items()
        ]
        if sources and sum(cell.value for cell in sources) == total.value:
            disclosure.sum(sources, (disposition, "total"))
        for reason, cell in cells.items():
            meaning = meanings.of(reason)
            found.append(Reason(disposition, reason, meaning.french, meaning.english, cell))
    return found


class _Balance:
    """The row equations of the release."""

    def __init__(self, evidence: Evidence) -> None:
        disclosure, site = evidence.disclosure, evidence.site
        found = rows(site.warehouse) if site.warehouse.is_file() else None
        self.kinds: tuple[KindRows, ...] = ()
        self.tables: dict[str, Cell] = {}
        if found is None:
            self.total = self.mapped = self.fan_out = self.derived = Cell(0)
            self.balanced = True
            return
        self.tables = {
            name: disclosure.count(found.tables[name], _named(name))
            for name in (*MAPPED_TABLES, *DERIVED_TABLES)
        }
        kinds = [self._kind(disclosure, kind, c) for kind, c in sorted(found.staged.items())]
        self.kinds = tuple(kinds)
        self.mapped = disclosure.sum([kind.counts["mapped"] for kind in kinds])
        self.fan_out = disclosure.count(found.fan_out)
        self.derived = disclosure.sum([self.tables[name] for name in DERIVED_TABLES])
        self.total = disclosure.sum([self.mapped, self.fan_out, self.derived], "rows")
        self.balanced = found.balanced
        if found.balanced:
            disclosure.sum(list(self.tables.values()), "rows")

    def _kind(self, disclosure: Disclosure, kind: str, counter: Counter[str]) -> KindRows:
        """What is mapped is a table's rows too: both are told, or neither."""
        cells = {one: disclosure.count(counter[one]) for one in ROW_DISPOSITIONS}
        table = self.tables.get(TABLE_OF.get(kind, ""))
        if table is not None and table.value <= counter["mapped"]:
            cells["mapped"] = disclosure.whole(counter["mapped"], table)
        elif table is not None:
            cells["mapped"] = disclosure.part(counter["mapped"], table)
        staged = disclosure.sum(list(cells.values()), ("staged", kind, counter.total()))
        return KindRows(kind, {"staged": staged, **cells})


def _named(table: str) -> object:
    """Persons are counted in several sections."""
    return "published" if table == "person" else ("table", table)
