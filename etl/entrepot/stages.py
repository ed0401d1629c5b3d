"""The stages of the road, each callable by itself: what DAGs and the command line compose.

Every stage takes the site's lock, may be repeated, and leaves what the next one reads: register and
door the staging generation and the load's order, map a candidate, the gate its verdict.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.engine import engine_of
from entrepot.lock import site_lock
from entrepot.road import loading, pseudonymising
from entrepot.road.inputs import Inputs
from entrepot.road.results import Counted, Progress, RunResult, silent

if TYPE_CHECKING:
    from entrepot.quality.gate import Verdict


def register(site: Site, progress: Progress = silent) -> Counted:
    """Every landed record that is not registered yet.

    Raises:
        ConfigurationError: key, mapping, check, vocabulary or register is not fit to run; nothing
            was written.
        SiteBusyError: another run holds the site.
    """
    with site_lock(site), Inputs.of(site, progress) as inputs:
        return pseudonymising.register(inputs)


def door(site: Site, engine: str = "embedded", progress: Progress = silent) -> Counted:
    """Parses and pseudonymises every record whose derivation changed; writes the load's order.

    Raises:
        as `register`.
    """
    with site_lock(site), Inputs.of(site, progress) as inputs, engine_of(engine, site) as chosen:
        return pseudonymising.door(inputs, chosen)


def map_(site: Site, engine: str = "embedded", progress: Progress = silent) -> Counted:
    """Builds the candidate release, when the release in place has other inputs.

    Raises:
        ConfigurationError: the door has not run, or a mapping's SQL is refused.
    """
    with site_lock(site), Inputs.of(site, progress) as inputs, engine_of(engine, site) as chosen:
        return loading.map_(inputs, chosen)


def gate(site: Site, engine: str = "embedded", progress: Progress = silent) -> Verdict | None:
    """Judges the candidate; None when no load is due.

    A candidate that is missing, stale or half judged by a killed gate is built anew first.
    """
    with site_lock(site), Inputs.of(site, progress) as inputs, engine_of(engine, site) as chosen:
        verdict = loading.gate(inputs, chosen)
        if verdict is not None and not verdict.passed:
            loading.blocked(inputs, verdict)
        return verdict


def publish(site: Site, progress: Progress = silent) -> RunResult:
    """Publishes the candidate that the gate passed, and writes the run report.

    Raises:
        ConfigurationError: the gate has passed no candidate of the inputs as they are.
    """
    with site_lock(site), Inputs.of(site, progress) as inputs:
        return loading.publish(inputs)


def waive(site: Site, by: str, reason: str, until: dt.date | None = None) -> list[str]:
    """A named person lets the checks pass that block the load, as far as they fail now.

    Args:
        by: the person's name, as the approval recorded it.
        until: last day of `as_of` for which it holds; by default 30 days after this load's.

    Returns:
        The check ids. The next map, gate and publish make the load with them.

    Raises:
        ConfigurationError: no load is blocked, or name or reason is missing.
        GateBlockedError: one of the checks may be waived by no one.
    """
    with site_lock(site), Inputs.of(site) as inputs:
        return loading.waive(inputs, by.strip(), reason.strip(), until)


def waive_signed(
    site: Site, steward: str, key: Path, reason: str, until: dt.date | None = None
) -> list[str]:
    """As `waive`, by a steward whom `site.yaml` names and who holds the key that it names.

    Raises:
        ConfigurationError: besides those of `waive`: no steward of this name, or another key.
    """
    from entrepot.people import ACT, person, sign, verify

    stated = {ACT: "waive", "by": steward, "reason": reason, "until": str(until or "")}
    verify(person(site, steward, "steward"), stated, sign(key, stated))
    return waive(site, steward, reason, until)
