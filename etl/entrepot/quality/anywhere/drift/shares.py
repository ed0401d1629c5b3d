"""What the rows hold: fields that went empty, concepts that persons have or no longer have."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.omop.cdm import Table
from entrepot.quality.anywhere.drift.pair import Pair, Share, finding, standard_error
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.settings import Drift, Limit

CATEGORICAL = (
    "person.gender_concept_id", "visit_occurrence.visit_concept_id",
    "condition_occurrence.condition_concept_id", "condition_occurrence.condition_type_concept_id",
    "procedure_occurrence.procedure_concept_id", "drug_exposure.drug_concept_id",
    "drug_exposure.drug_type_concept_id", "measurement.measurement_concept_id",
    "measurement.unit_concept_id", "observation.observation_concept_id",
)  # fmt: skip


def share_findings(pair: Pair, limits: Drift) -> Iterator[Finding]:
    """Every comparison of shares that both can answer."""
    for table in pair.cdm:
        if table.schema == "CDM" and pair.has(table.name):
            yield from _emptier(pair, limits.emptier, table)
    for place in CATEGORICAL:
        table_name, _, field = place.partition(".")
        if pair.has(table_name, field, "person_id"):
            yield from _categories(pair, limits.categories, table_name, field)


def _emptier(pair: Pair, limit: Limit, table: Table) -> Iterator[Finding]:
    known = [field for field in table.fields if pair.has(table.name, field.name)]
    asked = [
        *((f.name, "emptier", f'count(CASE WHEN "{f.name}" IS NULL THEN 1 END)')
          for f in known if not f.required),
        *((f.name, "unmapped", f'count(CASE WHEN "{f.name}" = 0 THEN 1 END)')
          for f in known if f.name.endswith("_concept_id")),
    ]  # fmt: skip
    if not asked:
        return
    whose = "count(DISTINCT person_id)" if pair.has(table.name, "person_id") else "count(*)"
    columns = ", ".join(sql for _, _, sql in asked)
    both = pair.both(f"SELECT {whose}, count(*), {columns} FROM cdm.{table.name}")
    if both is None or not both[0][0][1] or not both[1][0][1]:
        return
    people = (int(both[0][0][0]), int(both[1][0][0]))
    for n, (name, kind, _) in enumerate(asked):
        new, old = (Share(rows[0][2 + n], rows[0][1]) for rows in both)
        risen = new.percent - old.percent
        failed = risen > limit.points and (
            risen > limit.errors * standard_error((new, old), people)
        )
        yield finding(
            kind, limit, table.name, name, (new.part, new.whole), failed,
            f"{new.percent:.1f} %, {old.percent:.1f} % before",
        )  # fmt: skip


def _categories(pair: Pair, limit: Limit, table: str, field: str) -> Iterator[Finding]:
    both = pair.both(
        f"SELECT {field}, count(DISTINCT person_id) FROM cdm.{table}"
        f" WHERE {field} IS NOT NULL GROUP BY {field}"
    )
    if both is None:
        return
    new, old = ({int(r[0]): int(r[1]) for r in rows} for rows in both)
    wanted = sorted({**new, **old}, key=lambda c: -max(new.get(c, 0), old.get(c, 0)))
    moved = []
    for concept in wanted[: limit.top]:
        shares = (
            Share(new.get(concept, 0), pair.persons[0]),
            Share(old.get(concept, 0), pair.persons[1]),
        )
        change = abs(shares[0].percent - shares[1].percent)
        if change > limit.points and change > limit.errors * standard_error(shares, pair.persons):
            moved.append(concept)
    counts = (float(len(moved)), float(len(wanted[: limit.top])))
    reason = f"concepts {', '.join(map(str, moved[:10]))}" if moved else ""
    yield finding("categories", limit, table, field, counts, bool(moved), reason)
