"""The strict verdict on a database: the gate's own checks, presence and types, and drift."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from entrepot.omop.cdm import Field
from entrepot.quality.anywhere.counting import Columns, Counted, PlanCounts
from entrepot.quality.anywhere.drift import Pair, drift_findings
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.same_rows import SameRows
from entrepot.quality.anywhere.settings import load_settings
from entrepot.quality.anywhere.stopped import stopped_findings
from entrepot.quality.anywhere.written import admits_other, is_no
from entrepot.quality.checks import Action, Scope
from entrepot.quality.database import Database, QueryError
from entrepot.quality.inputs import GateInputs
from entrepot.quality.plan import PlannedCheck, build_plan, row_key
from entrepot.quality.spread import EVENT_TABLES

_CUT = "the vocabulary holds none of the values: it was cut down to the concepts in use"
_CUSTOM = "sites record it in their own way: without a release before, it is only told"
_KNOWN = "as often as in the release before"
MANY = 0.15
"""Share of a small table that is more than the few rows which every table may have."""


@dataclass(frozen=True)
class QuarantineLine:
    """A row that violates a check which lists its rows."""

    table: str
    key: object
    check_id: str
    reason: str


@dataclass(frozen=True)
class Judgement:
    """Everything that the checks say of a database."""

    findings: tuple[Finding, ...]
    quarantine: tuple[QuarantineLine, ...]
    not_compared: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Nothing blocks."""
        return not any(one.blocks for one in self.findings)


class Judging:
    """One judgement of one database.

    Args:
        inputs: `as_of` and the opposed persons.
        baseline: the release before.
        overlays: site folders whose `quality/` files come first.
        baseline_counts: of an earlier judgement against the same baseline, not asked anew.
    """

    def __init__(
        self, database: Database, inputs: GateInputs, baseline: Database | None = None,
        overlays: Iterable[Path] = (), baseline_counts: Mapping[str, Counted] | None = None,
    ) -> None:  # fmt: skip
        roots = tuple(overlays)
        self._database, self._inputs, self._baseline = database, inputs, baseline
        self._asked_before = baseline_counts
        self._plan, self._settings = build_plan(roots, anywhere=True), load_settings(roots)
        self._columns = database.columns()
        self._baseline_columns = baseline.columns() if baseline is not None else {}
        self._counting = self._counts(database, self._columns)

    def _counts(self, database: Database, columns: Columns) -> PlanCounts:
        return PlanCounts(self._plan, database, columns, self._inputs, self._settings.tables)

    def judge(self) -> Judgement:
        """Asks everything once."""
        findings = [*self._presence(), *self._datatypes(), *self._of_plan()]
        findings += stopped_findings(self._database, self._columns, self._settings.stopped)
        skipped: tuple[str, ...] = ()
        if self._baseline is not None:
            compared, skipped = self._compare(self._baseline)
            findings += compared
        return Judgement(tuple(findings), tuple(self._rows(findings)), skipped)

    @property
    def asked(self) -> tuple[PlannedCheck, ...]:
        """Checks of the plan that the database has the columns for: each must be answered."""
        return self._counting.plan.checks

    def _presence(self) -> Iterator[Finding]:
        for table in self._plan.cdm:
            known = self._columns.get(table.name)
            if table.schema != "CDM":
                if table.name == "concept":
                    yield self._vocabulary(known)
                continue
            needed = table.name in self._settings.tables
            if known is None:
                yield _absent("cdmTable", table.name, "", needed)
                continue
            for field in table.fields:
                if field.name not in known:
                    yield _absent("cdmField", table.name, field.name, field.required or needed)

    def _vocabulary(self, known: object) -> Finding:
        rows = 0
        if known is not None:
            rows = int(self._database.rows("SELECT count(*) FROM cdm.concept")[0][0])
        return Finding(
            "entrepot_vocabulary_concept", "concept", "", "completeness", "fatal", Action.BLOCK,
            int(not rows), 1, 0, not rows, meaning_fr="Le vocabulaire n'est pas chargé.",
            meaning_en="The vocabulary is not loaded.",
        )  # fmt: skip

    def _datatypes(self) -> Iterator[Finding]:
        for table in self._plan.cdm:
            for field in table.fields:
                kind = self._columns.get(table.name, {}).get(field.name, "")
                if table.schema == "CDM" and kind and admits_other(field, kind):
                    yield self._datatype(field)

    def _datatype(self, field: Field) -> Finding:
        """Values that are none of the field's; a whole number in a decimal type is an integer."""
        try:
            violated, rows = self._database.rows(
                f"SELECT count(CASE WHEN {is_no(field)} THEN 1 END), count(*)"
                f" FROM cdm.{field.table}"
            )[0]
        except QueryError:
            violated, rows = 1, 1
        return Finding(
            f"field_cdmdatatype_{field.table}_{field.name}", field.table, field.name,
            "conformance", "fatal", Action.BLOCK, int(violated), int(rows), 0, bool(violated),
            meaning_fr="Un champ contient autre chose que son type (nombre ou date).",
            meaning_en="A field holds something else than its type (number or date).",
        )  # fmt: skip

    def _of_plan(self) -> Iterator[Finding]:
        known = self.baseline_counts
        for check_id, count in self._counting.counts().items():
            item = self._counting.plan.by_id[check_id]
            yield self._finding(item, count, known.get(check_id))

    @cached_property
    def baseline_counts(self) -> Mapping[str, Counted]:
        """The plan's checks over the release before; nothing without one."""
        if self._asked_before is not None or self._baseline is None:
            return self._asked_before or {}
        return self._counts(self._baseline, self._baseline_columns).counts()

    def _finding(self, item: PlannedCheck, count: Counted, before: Counted | None) -> Finding:
        violated, rows = count.violated or 0, count.denominator or 0
        percent = float(item.threshold.percent)
        action = item.check.elsewhere or item.check.action
        least = self._settings.rows if item.threshold.rows else 0
        allowed = max(least, percent * rows / 100)
        if rows and violated >= MANY * rows:
            allowed = min(allowed, max(percent * rows / 100, 1))
        reason = ""
        if before is not None and before.violated and before.denominator:
            share = self._known_share(before.violated / before.denominator)
            if violated > allowed and violated <= share * rows + least:
                allowed, reason = violated, _KNOWN
        if violated > allowed and self._is_cut(item, violated, rows):
            action, reason = Action.WARN, _CUT
        custom = item.check.custom is not None and violated >= item.check.custom * rows
        if violated > allowed and custom and before is None:
            action, reason = Action.WARN, _CUSTOM
        return Finding(
            dqd_id(item), item.table, item.field, item.check.category.value,
            item.check.severity.value, action, violated, rows, percent, violated > allowed,
            count.error, item.check_id, item.check.meaning_fr, item.check.meaning_en, reason,
            allowed,
        )  # fmt: skip

    def _known_share(self, share: float) -> float:
        """The share that is as before: by a factor, and by four standard errors over persons."""
        people = min(self._persons)
        error = math.sqrt(share * (1 - share) * 2 / people) if people else 0.0
        return max(self._settings.drift.known_share * share, share + 4 * error)

    @cached_property
    def _persons(self) -> tuple[int, ...]:
        both = [self._database, self._baseline] if self._baseline else [self._database]
        try:
            return tuple(int(one.rows("SELECT count(*) FROM cdm.person")[0][0]) for one in both)
        except QueryError:
            return (0,)

    def _is_cut(self, item: PlannedCheck, violated: int, rows: int) -> bool:
        """Every value is unknown, and the field is not what the row is about."""
        is_concept = item.values.get("target_table") == "concept"
        if not self._settings.cut_vocabulary or item.check.id != "reference" or not is_concept:
            return False
        subject = item.table.removesuffix("_occurrence").removesuffix("_exposure")
        about = item.table in EVENT_TABLES and item.field == f"{subject}_concept_id"
        return not about and violated >= 0.5 * rows

    def _compare(self, baseline: Database) -> tuple[list[Finding], tuple[str, ...]]:
        columns = (self._columns, self._baseline_columns)
        limits = self._settings.drift
        pair = Pair(self._plan.cdm, self._database, baseline, columns)
        found = list(drift_findings(pair, limits))
        unanswered = tuple(pair.unanswered)
        if not self._database.beside(baseline):
            return found, (*unanswered, "vanished", "changed")
        rows = SameRows(self._plan.cdm, self._database, limits, columns)
        if not rows.same_persons():
            return found, (*unanswered, "vanished", "changed")
        return [*found, *rows.findings()], unanswered

    def _rows(self, findings: Iterable[Finding]) -> Iterator[QuarantineLine]:
        """Rows that violate; what is only told, or is how this database was made, lists none."""
        told = list(findings)
        yield from self._wrong_types(one for one in told if "_cdmdatatype_" in one.check_id)
        listed = {
            one.key: one for one in told
            if one.key and one.violated and one.action is not Action.WARN and not one.reason
        }  # fmt: skip
        names = self._counting.plan.by_id
        wanted = [key for key in listed if names[key].check.scope is Scope.ROW]
        for check_id, table, key in self._counting.violating(wanted):
            yield QuarantineLine(table, key, listed[check_id].check_id, names[check_id].check.name)

    def _wrong_types(self, findings: Iterable[Finding]) -> Iterator[QuarantineLine]:
        for one in findings:
            table = self._plan.cdm.table(one.table)
            key = row_key(table)
            if not (one.violated and key in self._columns[one.table]):
                continue
            field = next(field for field in table.fields if field.name == one.field)
            try:
                rows = self._database.rows(
                    f"SELECT DISTINCT {key} FROM cdm.{one.table} WHERE {is_no(field)}"
                )
            except QueryError:
                continue
            for (value,) in rows:
                yield QuarantineLine(one.table, value, one.check_id, f"Not of type {field.kind}")


def dqd_id(item: PlannedCheck) -> str:
    """The check's id as DQD spells it, or ours where DQD has no such check."""
    if item.check.dqd and item.field:
        return f"field_{item.check.dqd}_{item.table}_{item.field}".lower()
    if item.check.dqd:
        return f"table_{item.check.dqd}_{item.table}".lower()
    return "entrepot_" + item.check_id.replace(".", "_")


def stated_as_of(database: Database) -> dt.date | None:
    """The newest day that CDM_SOURCE states for the source or the release; None without one."""
    columns = database.columns().get("cdm_source", {})
    stated: list[dt.date] = []
    for name in ("source_release_date", "cdm_release_date"):
        if name in columns:
            try:
                rows = database.rows(f"SELECT max({name}) FROM cdm.cdm_source")
            except QueryError:
                continue
            stated += [value for (value,) in rows if isinstance(value, dt.date)]
    return max((d.date() if isinstance(d, dt.datetime) else d for d in stated), default=None)


def _absent(name: str, table: str, field: str, needed: bool) -> Finding:
    level = "field" if field else "table"
    parts = [part for part in (level, name, table, field) if part]
    return Finding(
        "_".join(parts).lower(), table, field, "conformance", "fatal",
        Action.BLOCK if needed else Action.WARN, 1, 1, 0, True,
        meaning_fr="Une table ou un champ du CDM manque.",
        meaning_en="A table or a field of the CDM is missing.",
    )  # fmt: skip
