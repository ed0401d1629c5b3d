"""Composes the road: register → door → map → gate → publish. The command line calls this function.

The warehouse is a pure function of landing, mappings, vocabulary, keys, registers and `as_of`;
a run that is killed anywhere is repeated by the same command and ends in the same warehouse.
"""

from __future__ import annotations

from entrepot.config import Site
from entrepot.engine import engine_of
from entrepot.lock import site_lock
from entrepot.road import loading, pseudonymising
from entrepot.road.inputs import Inputs
from entrepot.road.results import Progress, RunResult, silent

__all__ = ["Progress", "RunResult", "run"]


def run(site: Site, progress: Progress = silent, engine: str = "embedded") -> RunResult:
    """Takes everything pending down the road.

    Args:
        engine: `embedded` or `spark`; the release is the same.

    Raises:
        ConfigurationError: key, mapping, check, vocabulary or register is not fit to run; nothing
            was written.
        SiteBusyError: another run holds the site.
    """
    with site_lock(site), Inputs.of(site, progress) as inputs, engine_of(engine, site) as chosen:
        pseudonymising.register(inputs)
        if pseudonymising.door(inputs, chosen).due:
            loading.map_(inputs, chosen)
            verdict = loading.gate(inputs, chosen)
            if verdict is not None and not verdict.passed:
                return loading.blocked(inputs, verdict)
        return loading.publish(inputs)
