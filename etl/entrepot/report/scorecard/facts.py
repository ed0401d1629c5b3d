"""What the scorecard shows, counted from one load's results and the loads before it.

Passes are counted over the checks that had something to check: DataQualityDashboard counts what is
not applicable as passed, so that an emptier database scores higher.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entrepot.quality.past import PastLoad
from entrepot.quality.results import ResultLine, Status, applicable

CATEGORIES = ("conformance", "completeness", "plausibility")
ABOVE = (Status.FAILED, Status.ERROR, Status.WARNED, Status.WAIVED)
"""Above its threshold, or not answered: worst first."""
_RANK = {status: rank for rank, status in enumerate((*ABOVE, Status.PASSED, Status.NOT_APPLICABLE))}
Line = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """The load that a scorecard is about.

    Args:
        title: the site, or the database.
        passed: whether nothing blocks.
        release: empty where nothing is published, None where nothing ever is.
    """

    title: str
    as_of: str
    passed: bool
    lines: Sequence[ResultLine]
    release: str | None = ""
    details: str = ""


def facts(judged: Judged, past: Sequence[PastLoad]) -> dict[str, Any]:
    """Everything on the page, JSON-able.

    Args:
        past: loads before this one, oldest first.
    """
    checks = [line for line in judged.lines if not line.source]
    before = past[-1].lines if past else []
    return {
        "title": judged.title, "as_of": judged.as_of, "passed": judged.passed,
        "release": judged.release, "details": judged.details,
        "totals": _counts(checks), "former": _counts(before) if past else None,
        "categories": _grouped(checks, lambda one: one.category, CATEGORIES),
        "tables": _grouped(checks, lambda one: one.table or "-"),
        "sources": _sources(judged.lines),
        "news": _news(checks, before) if past else None,
        "loads": [*(_load(one) for one in past), _current(judged, checks, past)],
        "above": _above(checks, past), "deviating": _deviating(checks),
        "checks": _listed(checks),
    }  # fmt: skip


def moment(as_of: dt.datetime) -> str:
    """To the minute; the day alone where no time was stated."""
    midnight = not (as_of.hour or as_of.minute)
    return as_of.date().isoformat() if midnight else as_of.isoformat(timespec="minutes")


def _counts(lines: Iterable[ResultLine]) -> dict[str, Any]:
    found = Counter(line.status for line in lines if not line.source)
    return _sums(found)


def _sums(found: Mapping[Status, int]) -> dict[str, Any]:
    """Checks by status; `rate` is tenths of a percent of the applicable ones, -1 for none."""
    number = {status.value: found.get(status, 0) for status in Status}
    able = sum(found.values()) - number["not_applicable"]
    # Rounded down: one failure among thousands must not read as 100 %.
    rate = 1000 * number["passed"] // able if able else -1
    return {"checks": sum(found.values()), "applicable": able, **number, "rate": rate}


def _grouped(
    lines: Iterable[ResultLine], key: Callable[[ResultLine], str], order: Sequence[str] = ()
) -> list[dict[str, Any]]:
    groups: dict[str, Counter[Status]] = {name: Counter() for name in order}
    for line in lines:
        groups.setdefault(key(line), Counter())[line.status] += 1
    names = [*order, *sorted(set(groups) - set(order))]
    return [{"name": name, **_sums(groups[name])} for name in names if groups[name]]


def _sources(lines: Iterable[ResultLine]) -> list[dict[str, Any]]:
    """Rows of each feed, and how many of them the gate took out."""
    rows: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for line in lines:
        if line.source:
            rows[line.source] += line.denominator or 0
            removed[line.source] += line.violated or 0
    return [{"name": name, "rows": rows[name], "quarantined": removed[name]}
            for name in sorted(rows)]  # fmt: skip


def _news(lines: Sequence[ResultLine], before: Iterable[ResultLine]) -> dict[str, Any]:
    """What changed since the load before: verdicts of single checks, and the list of checks."""
    known = {_key(one): one for one in before if not one.source}
    now = {_key(one) for one in lines}
    changed = [
        (line, known[_key(line)]) for line in lines
        if _key(line) in known and line.status is not known[_key(line)].status
    ]  # fmt: skip
    new = [line for line in lines if _key(line) not in known]
    return {
        "worse": [_change(*pair) for pair in changed if _worse(*pair)],
        "better": [_change(*pair) for pair in changed if _worse(pair[1], pair[0])],
        "more": [
            _change(line, known[_key(line)]) for line in lines
            if _key(line) in known and line.status is known[_key(line)].status
            and line.status in ABOVE and line.share > known[_key(line)].share
        ],
        "added": len(new), "added_above": [_line(one) for one in new if one.status in ABOVE],
        "gone": len(set(known) - now),
    }  # fmt: skip


def _worse(line: ResultLine, than: ResultLine) -> bool:
    """A check that begins or ends to apply is no change of quality, unless it fails."""
    if Status.NOT_APPLICABLE in (line.status, than.status):
        return line.status in ABOVE
    return _RANK[line.status] < _RANK[than.status]


def _key(line: ResultLine) -> tuple[str, str, str]:
    return line.check_id, line.table, line.field


def _change(line: ResultLine, before: ResultLine) -> dict[str, Any]:
    return {
        **_line(line), "status_before": before.status.value, "violated_before": before.violated,
        "denominator_before": before.denominator,
    }  # fmt: skip


def _line(line: ResultLine) -> dict[str, Any]:
    return {
        "check_id": line.check_id, "table": line.table, "field": line.field,
        "category": line.category, "severity": line.severity, "status": line.status.value,
        "violated": line.violated, "denominator": line.denominator, "threshold": line.threshold,
        "fr": line.meaning_fr, "en": line.meaning_en,
    }  # fmt: skip


def _load(past: PastLoad) -> dict[str, Any]:
    return {
        "number": past.number, "as_of": moment(past.as_of),
        "release": past.release_id, **_of_categories(past.counts),
    }  # fmt: skip


def _current(
    judged: Judged, checks: Sequence[ResultLine], past: Sequence[PastLoad]
) -> dict[str, Any]:
    counts = Counter((line.category, line.status) for line in checks)
    return {
        "number": past[-1].number + 1 if past else 1, "as_of": judged.as_of,
        "release": judged.release, **_of_categories(counts),
    }  # fmt: skip


def _of_categories(counts: Mapping[tuple[str, Status], int]) -> dict[str, Any]:
    whole: Counter[Status] = Counter()
    by_category: dict[str, Counter[Status]] = {name: Counter() for name in CATEGORIES}
    for (category, status), number in counts.items():
        whole[status] += number
        by_category.setdefault(category, Counter())[status] += number
    rates = {name: _sums(found)["rate"] for name, found in by_category.items()}
    return {**_sums(whole), "rates": rates}


def _above(lines: Sequence[ResultLine], past: Sequence[PastLoad]) -> list[Line]:
    """Checks above their threshold, worst first, each with its share in the loads before."""
    kept = [load for load in past if load.lines]
    shares = [{_key(one): one.share for one in load.lines} for load in kept]
    found = sorted(
        (one for one in lines if one.status in ABOVE),
        key=lambda one: (_RANK[one.status], -one.share, one.check_id),
    )
    return [
        {**_line(one),
         "trend": [*(found.get(_key(one)) for found in shares), one.share]}
        for one in found
    ]  # fmt: skip


def _deviating(lines: Iterable[ResultLine]) -> list[Line]:
    """Checks within their threshold that found rows all the same."""
    found = [one for one in lines if one.status is Status.PASSED and one.violated]
    return [_line(one) for one in sorted(found, key=lambda one: (-one.share, one.check_id))]


def _listed(lines: Iterable[ResultLine]) -> dict[str, list[Line]]:
    tables: dict[str, list[Line]] = {}
    for line in sorted(applicable(lines), key=lambda one: (_RANK[one.status], one.check_id)):
        tables.setdefault(line.table or "-", []).append(_line(line))
    return dict(sorted(tables.items()))
