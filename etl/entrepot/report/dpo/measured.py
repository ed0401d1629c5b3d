"""Section 6: the text engine's measured quality: a fixed set, and what people of the site read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entrepot.config import Site
from entrepot.report.dpo import fixed_set
from entrepot.report.dpo.disclosure import Cell
from entrepot.report.dpo.evidence import Evidence
from entrepot.report.dpo.fixed_set import Measure
from entrepot.report.dpo.intervals import NONE, Share, share
from entrepot.review import ReviewResult, results
from entrepot.review.drawing import lists_version
from entrepot.text import Scrubber

KEPT = "deid_measures.json"  # in research/quality: shares of a set that is nobody's
MOST = 24  # measures kept: two years of monthly lists


@dataclass(frozen=True)
class FixedSet:
    """One measure of the fixed set, and the versions that it is of.

    Args:
        lists, software, texts: SHA-256, the first 16 characters.
    """

    measured_on: str
    lists: str
    software: str
    texts: str
    without: Measure
    known: Measure


@dataclass(frozen=True)
class Reading:
    """A sample of texts that people of the site read.

    Args:
        complete: two readers or more have read every document.
        misses: by label, of the whole sample.
        leaking: documents of the release with a miss, per mille, with exact bounds; `recall` of
            what must be hidden, `over_masked` of what was.
        current: of the lists in use now.
    """

    read_on: str
    lists: str
    readers: int
    complete: bool
    documents: Cell
    misses: dict[str, Cell]
    leaking: Share
    recall: Share
    over_masked: Share
    current: bool


@dataclass(frozen=True)
class Measured:
    """Section 6; the newest of each last."""

    fixed: tuple[FixedSet, ...]
    readings: tuple[Reading, ...]


def measured(evidence: Evidence, lists: str, software: str) -> Measured:
    """Measures the fixed set unless these very versions were measured before.

    Args:
        lists, software: SHA-256 of the text engine's lists and of the code.
    """
    return Measured(_fixed(evidence, lists, software), _readings(evidence))


def _fixed(evidence: Evidence, lists: str, software: str) -> tuple[FixedSet, ...]:
    site = evidence.site
    path = site.quality / KEPT
    kept = _kept(path)
    versions = (lists[:16], software[:16], fixed_set.fingerprint(site.overlays)[:16])
    same = [one for one in kept if (one.lists, one.software, one.texts) == versions]
    if not same:
        kept.append(_now(site, evidence.now.date().isoformat(), versions))
        _keep(path, kept[-MOST:])
    return tuple(one for one in kept if one.texts == versions[2])[-MOST:]


def _now(site: Site, day: str, versions: tuple[str, str, str]) -> FixedSet:
    texts, scrubber = fixed_set.read_set(site.overlays), Scrubber.of(site.config.text)
    without, known = (
        fixed_set.measure(texts, scrubber, identities=identities) for identities in (False, True)
    )
    return FixedSet(day, *versions, without, known)


def _kept(path: Path) -> list[FixedSet]:
    """Measures of earlier reports; a file that is damaged or of another version is made anew."""
    try:
        return [_one(stated) for stated in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _one(stated: dict[str, Any]) -> FixedSet:
    return FixedSet(
        stated["measured_on"], stated["lists"], stated["software"], stated["texts"],
        fixed_set.from_json(stated["without"]), fixed_set.from_json(stated["known"]),
    )  # fmt: skip


def _keep(path: Path, found: list[FixedSet]) -> None:
    stated = [
        {
            "measured_on": one.measured_on, "lists": one.lists, "software": one.software,
            "texts": one.texts, "without": fixed_set.as_json(one.without),
            "known": fixed_set.as_json(one.known),
        }
        for one in found
    ]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")


def _readings(evidence: Evidence) -> tuple[Reading, ...]:
    now = lists_version(evidence.site)
    return tuple(_reading(evidence, one, now) for one in results(evidence.site))


def _reading(evidence: Evidence, found: ReviewResult, lists: str) -> Reading:
    count = evidence.disclosure.count
    leaking, recall = found.leaking, found.overall.recall
    lows = [one for one in (recall.recall.low, recall.low_clustered) if one is not None]
    low = min(lows, default=None)  # also when the words of a document go together
    return Reading(
        found.ended_at[:10], found.lists, len(found.readers), found.complete,
        count(found.read),
        {label: count(number) for label, number in sorted(found.misses.items())},
        _outwards(leaking.estimate, leaking.low, leaking.high),
        _outwards(recall.recall.estimate, low, recall.recall.high),
        _outwards(found.overall.over_masked.estimate, found.overall.over_masked.low,
                  found.overall.over_masked.high),
        found.lists == lists,
    )  # fmt: skip


def _outwards(value: float | None, low: float | None, high: float | None) -> Share:
    if value is None or low is None or high is None:
        return NONE
    return share(value, low, high)
