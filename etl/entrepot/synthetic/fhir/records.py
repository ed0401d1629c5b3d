"""Every FHIR record of one patient: versions in order, Bundles filled, some late."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from random import Random

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.fhir import (
    claims,
    encounters,
    letters,
    medications,
    mishaps,
    observations,
    patients,
)
from entrepot.synthetic.fhir.bundles import companions
from entrepot.synthetic.fhir.resource import Resource

IDENTITIES = (patients, encounters)
CLINICAL = (observations, claims, medications, letters)


def resources(chart: Chart, told: Chart) -> list[Resource]:
    """The records of one patient in the order of arrival.

    Args:
        chart: the whole chart, for identities and stays.
        told: the chart that holds only the facts which this format tells.
    """
    found = [new for writer in IDENTITIES for new in writer.messages(chart)]
    found += [new for writer in CLINICAL for new in writer.messages(told)]
    found += companions(chart, found)
    found += mishaps.bad(chart)
    found.sort(key=lambda new: (new.sent, new.bundle, new.kind, new.key, new.facts))
    versions: Counter[str] = Counter()
    last: dict[str, Resource] = {}
    for number, new in enumerate(found, 1):
        new.id = f"{chart.person.id}-f{number:04d}"
        versions[new.control_id] += bool(new.key)
        new.version = max(1, versions[new.control_id])
        if new.key:
            last[new.control_id] = new
    for new in found:
        if new.key and last[new.control_id] is not new:
            new.marks["superseded"] = True
    _delay(found, stream(chart.seed, chart.person.index, "fhir mishaps"))
    return sorted(found, key=lambda new: (new.arrival, new.id))


def _delay(found: list[Resource], rng: Random) -> None:
    """One export in fifty is late; a Bundle arrives whole, with its last entry."""
    for new in found:
        if rng.random() < 0.02:
            new.arrival += dt.timedelta(minutes=rng.randint(60, 20_000))
            new.marks["late"] = True
    last: dict[str, dt.datetime] = {}
    late: set[str] = set()
    for new in found:
        last[new.bundle] = max(new.arrival, last.get(new.bundle, new.arrival))
        if "late" in new.marks:
            late.add(new.bundle)
    for new in found:
        if new.bundle:
            new.arrival = last[new.bundle]
            if new.bundle in late:
                new.marks["late"] = True
