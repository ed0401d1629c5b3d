"""map, gate and publish over a site's opened inputs.

map and gate read no key and do not open the identifying zone's database; publishing is noted there
and in the audit log.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.audit.actions import MAX_ITEMS, Action
from entrepot.engine import Engine
from entrepot.errors import ConfigurationError, GateBlockedError
from entrepot.load import MAPPED, PASSED, Load
from entrepot.order import LoadOrder, Waiver, is_due, read_order, write_order
from entrepot.road.inputs import Inputs
from entrepot.road.results import Counted, RunResult

if TYPE_CHECKING:
    from entrepot.publish.release import Release
    from entrepot.quality.gate import Failure, Verdict

WAIVER_DAYS = 30
MAX_REASON = 500


def map_(inputs: Inputs, engine: Engine) -> Counted:
    """See `stages.map_`."""
    order = read_order(inputs.site)
    if not is_due(inputs.site, order):
        return Counted("map", False)
    Load(inputs.site, order).map_(engine.build, inputs.progress)
    return Counted("map", True)


def gate(inputs: Inputs, engine: Engine) -> Verdict | None:
    """See `stages.gate`."""
    from entrepot.quality.gate import read_verdict

    order = read_order(inputs.site)
    if not is_due(inputs.site, order):
        return None
    load = Load(inputs.site, order)
    if load.state == PASSED:
        return read_verdict(inputs.site.quality)
    if load.state != MAPPED:
        load.map_(engine.build, inputs.progress)
    return load.gate(inputs.progress)


def publish(inputs: Inputs) -> RunResult:
    """See `stages.publish`."""
    from entrepot.landing.database import write_transaction
    from entrepot.publication import record_publication
    from entrepot.publish.release import publish as publish_file
    from entrepot.quality.gate import read_verdict

    order = read_order(inputs.site)
    if not is_due(inputs.site, order):
        _bring_up(inputs)
        return _finish(inputs, order, None)
    load = Load(inputs.site, order)
    held = load.held()
    inputs.progress("publish", 0, 1)
    release = publish_file(
        load.candidate, inputs.site.warehouse, memory_limit=inputs.site.config.memory_limit,
        first=partial(_to_server, inputs),
    )  # fmt: skip
    with write_transaction(inputs.database) as connection:
        inputs.audit.append(Action.PUBLISHED, _published(inputs, order, release), connection)
        record_publication(connection, order.generation, load.inputs, held)
    write_order(inputs.site, dataclasses.replace(order, published=load.inputs))
    inputs.progress("publish", 1, 1)
    return _finish(inputs, order, read_verdict(inputs.site.quality))


def waive(inputs: Inputs, by: str, reason: str, until: dt.date | None) -> list[str]:
    """See `stages.waive`."""
    from entrepot.landing.database import write_transaction
    from entrepot.publication import add_waivers, waivers

    order = read_order(inputs.site)
    if not by or not reason or len(reason) > MAX_REASON or order.as_of is None:
        raise ConfigurationError(
            f"a waiver needs a name and a reason of 1 to {MAX_REASON} characters"
        )
    last = until or order.as_of.date() + dt.timedelta(days=WAIVER_DAYS)
    given = [
        Waiver(failure.check_id, failure.violated or 0, by, reason, last)
        for failure in _blocking(inputs)
    ]
    with write_transaction(inputs.database) as connection:
        inputs.audit.append(
            Action.WAIVED,
            {"by": by, "reason": reason, "until": str(last), "checks": _checks(given)}, connection,
        )  # fmt: skip
        add_waivers(connection, given)
        order = dataclasses.replace(order, waivers=waivers(connection))
    write_order(inputs.site, order)
    return [one.check_id for one in given]


def _to_server(inputs: Inputs, release: Path) -> None:
    """PostgreSQL holds the release before the file is renamed: a crash between the two leaves the
    load due, and the next run publishes the same content again."""
    config = inputs.site.config
    if not config.publish.url:
        return
    from entrepot.publish.postgres import publish_postgres

    publish_postgres(
        release, config.publish, memory_limit=config.memory_limit,
        progress=partial(inputs.progress, "postgres"),
    )  # fmt: skip


def _bring_up(inputs: Inputs) -> None:
    """A server that was named or restored since gets the release in place."""
    site, config = inputs.site, inputs.site.config
    if not config.publish.url or not site.warehouse.is_file():
        return
    from entrepot.publish.postgres import bring_up

    bring_up(site.warehouse, config.publish, memory_limit=config.memory_limit)


def blocked(inputs: Inputs, verdict: Verdict) -> RunResult:
    """Reports a load that the gate refused; withdrawn persons leave the former release anyway."""
    from entrepot.road.excising import excise

    order = read_order(inputs.site)
    excise(inputs, order, _to_server)
    return _finish(inputs, order, verdict)


def _finish(inputs: Inputs, order: LoadOrder, verdict: Verdict | None) -> RunResult:
    """Writes the run report; `verdict` is None when the release in place was up to date."""
    from entrepot.report.run_report import write_report
    from entrepot.review import forget_missing

    forget_missing(inputs.site)
    passed = verdict is None or verdict.passed
    failures = tuple(f"{f.check_id} {f.table}" for f in verdict.failures) if verdict else ()
    report = write_report(
        inputs.site, inputs.database, passed, order.as_of, failures, verdict, order.waivers
    )
    ended = {
        "verdict": "nothing_new" if verdict is None else "published" if passed else "blocked",
        "release": report.release_id, "generation": order.generation,
        "as_of": str(order.as_of or ""), "failures": _checks(verdict.failures if verdict else ()),
        "quarantined": report.quarantined,
    }  # fmt: skip
    inputs.audit.append(Action.RUN_ENDED, ended)
    return RunResult(
        passed, passed and order.as_of is not None, report.release_id, order.as_of,
        report.path, failures, report.quarantined,
    )  # fmt: skip


def _published(inputs: Inputs, order: LoadOrder, release: Release) -> dict[str, str | int]:
    server = inputs.site.config.publish.url
    return {
        "release": release.release_id, "generation": order.generation, "as_of": str(order.as_of),
        "target": "postgresql" if server else "duckdb", "rows": sum(release.rows.values()),
    }  # fmt: skip


def _checks(named: Iterable[Waiver | Failure]) -> list[str]:
    """Check ids for the audit log, which takes so many."""
    return sorted({one.check_id for one in named})[:MAX_ITEMS]


def _blocking(inputs: Inputs) -> list[Failure]:
    from entrepot.quality.gate import read_verdict, waivable
    from entrepot.quality.plan import build_plan

    verdict = read_verdict(inputs.site.quality)
    if verdict is None or verdict.passed:
        raise ConfigurationError("no load is blocked", where=str(inputs.site.root))
    plan = build_plan(inputs.site.overlays)
    fixed = [f.check_id for f in verdict.failures if not waivable(plan, f.check_id)]
    if fixed:
        raise GateBlockedError(
            f"no one may waive {', '.join(fixed[:5])}",
            where="research/quality/results.csv",
            remedy="mend what the check found, then run again",
        )
    return verdict.failures
