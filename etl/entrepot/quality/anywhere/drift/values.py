"""What is measured and mapped: distributions of values, concepts of source values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from entrepot.omop.cdm import Table
from entrepot.quality.anywhere.drift.pair import Pair, Share, finding, standard_error
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.settings import Drift, Limit
from entrepot.quality.database import Row
from entrepot.quality.spread import EVENT_TABLES

Place = tuple[int, int]
Values = dict[Place, dict[float, int]]
People = dict[Place, tuple[int, int]]


def value_findings(pair: Pair, limits: Drift) -> Iterator[Finding]:
    """Every comparison of values and mappings that both can answer."""
    yield from _values(pair, limits)
    for table in pair.cdm:
        if table.name in EVENT_TABLES:
            yield from _remapped(pair, limits.remapped, table)


def _values(pair: Pair, limits: Drift) -> Iterator[Finding]:
    limit = limits.values
    if not pair.has("measurement", "measurement_concept_id", "unit_concept_id",
                     "value_as_number", "person_id"):  # fmt: skip
        return
    both = pair.both(
        "SELECT measurement_concept_id, coalesce(unit_concept_id, 0), value_as_number,"
        " count(*), count(DISTINCT person_id) FROM cdm.measurement WHERE value_as_number"
        " IS NOT NULL AND measurement_concept_id <> 0 GROUP BY 1, 2, 3"
    )
    who = pair.both(
        "SELECT measurement_concept_id, coalesce(unit_concept_id, 0), count(*),"
        " count(DISTINCT person_id) FROM cdm.measurement WHERE value_as_number IS NOT NULL"
        " AND measurement_concept_id <> 0 GROUP BY 1, 2"
    )
    if both is None or who is None:
        return
    new, old = (_by_place(rows) for rows in both)
    people = [{(r[0], r[1]): (int(r[2]), int(r[3])) for r in rows} for rows in who]
    enough = [
        place for place in new.keys() & old.keys()
        if min(p[place][0] for p in people) >= limit.rows
        and min(p[place][1] for p in people) >= limit.persons
    ]  # fmt: skip
    moved = []
    for place in sorted(enough):
        n, m = (p[place][1] for p in people)
        least = max(limit.distance, limit.errors * 0.5 * math.sqrt((n + m) / (n * m)))
        if distance(new[place], old[place]) > least:
            moved.append(str(place[0]))
    yield _constant(limits.constant, enough, (new, old), people)
    yield finding(
        "values", limit, "measurement", "value_as_number",
        (float(len(moved)), float(len(enough))), bool(moved),
        f"concepts {', '.join(moved[:10])}" if moved else "",
    )  # fmt: skip


def _constant(
    limit: Limit, places: list[Place], values: tuple[Values, Values], people: list[People]
) -> Finding:
    """Measurements one of whose values is told far more often than before."""
    moved = []
    for place in sorted(places):
        totals = [sum(one[place].values()) for one in values]
        value, n = max(values[0][place].items(), key=lambda item: (item[1], -item[0]))
        shares = Share(n, totals[0]), Share(values[1][place].get(value, 0), totals[1])
        risen = shares[0].percent - shares[1].percent
        persons = people[0][place][1], people[1][place][1]
        if risen > max(limit.points, limit.errors * standard_error(shares, persons)):
            moved.append(str(place[0]))
    counts = (float(len(moved)), float(len(places)))
    reason = f"concepts {', '.join(moved[:10])}" if moved else ""
    return finding("constant", limit, "measurement", "value_as_number", counts, bool(moved), reason)


def _remapped(pair: Pair, limit: Limit, table: Table) -> Iterator[Finding]:
    for name in table.columns:
        source = name.removesuffix("_concept_id") + "_source_value"
        if not name.endswith("_concept_id") or not pair.has(table.name, name, source):
            continue
        both = pair.both(
            f"SELECT {source}, {name}, count(*) FROM cdm.{table.name}"
            f" WHERE {source} IS NOT NULL AND {name} IS NOT NULL GROUP BY 1, 2"
        )
        if both is None:
            continue
        usual = _usual(both[1])
        known = [(source_value, concept, int(n)) for source_value, concept, n in both[0]
                 if source_value in usual]  # fmt: skip
        other = sum(n for value, concept, n in known if usual[value] != concept)
        rows = sum(n for _, _, n in known)
        failed = other > max(limit.rows, limit.percent * rows / 100) or _one_moved(
            limit, known, usual
        )
        counts = (float(other), float(rows))
        yield finding("remapped", limit, table.name, name, counts, failed, "")


def _one_moved(
    limit: Limit, known: list[tuple[object, object, int]], usual: Mapping[object, object]
) -> bool:
    """Whether one source value alone has moved, which may be few of the table's rows."""
    rows: dict[object, list[int]] = {}
    for value, concept, n in known:
        counts = rows.setdefault(value, [0, 0])
        counts[0] += n if usual[value] != concept else 0
        counts[1] += n
    return any(other > max(limit.rows, limit.points * n / 100) for other, n in rows.values())


def _by_place(rows: list[Row]) -> Values:
    found: Values = {}
    for concept, unit, value, n, _ in rows:
        found.setdefault((concept, unit), {})[float(value)] = int(n)
    return found


def distance(new: Mapping[float, int], old: Mapping[float, int]) -> float:
    """Kolmogorov-Smirnov distance of two distributions given as counts of values."""
    totals = sum(new.values()), sum(old.values())
    worst = below_new = below_old = 0.0
    for value in sorted({*new, *old}):
        below_new += new.get(value, 0) / totals[0]
        below_old += old.get(value, 0) / totals[1]
        worst = max(worst, abs(below_new - below_old))
    return worst


def _usual(rows: list[Row]) -> dict[object, object]:
    """The concept that nine tenths of a source value's rows had."""
    by_source: dict[object, list[tuple[int, object]]] = {}
    for source, concept, n in rows:
        by_source.setdefault(source, []).append((int(n), concept))
    usual = {}
    for source, concepts in by_source.items():
        most = max(concepts, key=lambda one: one[0])
        if most[0] >= 0.9 * sum(n for n, _ in concepts):
            usual[source] = most[1]
    return usual
