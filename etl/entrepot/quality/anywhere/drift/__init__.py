"""What has changed since the release before, as far as two databases tell without their feeds.

Drift blocks or warns and never chooses rows (DESIGN 8). Standard errors are over persons, because
the rows of one person are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from entrepot.quality.anywhere.drift.pair import Pair
from entrepot.quality.anywhere.drift.shares import share_findings
from entrepot.quality.anywhere.drift.values import value_findings
from entrepot.quality.anywhere.drift.volume import volume_findings
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.settings import Drift

__all__ = ["Pair", "drift_findings"]


def drift_findings(pair: Pair, limits: Drift) -> Iterator[Finding]:
    """Every comparison that both databases can answer; none where one holds no person."""
    persons = pair.both("SELECT count(*) FROM cdm.person")
    if persons is None or not persons[0][0][0] or not persons[1][0][0]:
        return
    counted = replace(pair, persons=(int(persons[0][0][0]), int(persons[1][0][0])))
    yield from volume_findings(counted, limits)
    yield from share_findings(counted, limits)
    yield from value_findings(counted, limits)
