"""What the DAG files share: the site, its assets, and how a task tells a fault.

A DAG file is parsed again and again, so nothing here imports a stage: tasks do, when they run.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import Asset, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from entrepot.config import Site
from entrepot.errors import (
    ConfigurationError,
    EntrepotError,
    GateBlockedError,
    SiteBusyError,
)

if TYPE_CHECKING:
    from entrepot.keys import Keyring

ENVIRONMENT = "ENTREPOT_SITE"
_TELL_EVERY = 10.0  # seconds between two lines of progress
_BUSY_PAUSE = 5.0
# A line per document of the text engine, and Great Expectations' surprise at Airflow beside it.
_CHATTY = ("presidio-analyzer", "great_expectations", "py4j", "pypdf")

log = logging.getLogger("entrepot.dags")
Result = TypeVar("Result")


def _site() -> Site:
    folder = os.environ.get(ENVIRONMENT)
    if not folder:
        raise ConfigurationError(
            "no site is named",
            where=f"environment variable {ENVIRONMENT}",
            remedy=f"start Airflow with {ENVIRONMENT}=/path/of/the/site",
        )
    return Site.open(Path(folder))


SITE = _site()
SETTINGS = SITE.config.airflow
DEFAULTS: dict[str, Any] = {
    "owner": SETTINGS.engineers[0] if SETTINGS.engineers else "engineer",
    "retries": SETTINGS.retries,
    "retry_delay": timedelta(seconds=SETTINGS.retry_seconds),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}


def asset(*parts: str) -> Asset:
    """`entrepot://SITE/landing/adt` and its kind."""
    path = "/".join((SITE.config.site, *parts))
    return Asset(name="_".join(parts), uri=f"entrepot://{path}", group="entrepot")


def landed(source: str) -> Asset:
    """Something new of this source lies in landing."""
    return asset("landing", source)


VOCABULARY = asset("vocabulary")
OPPOSITIONS = asset("oppositions")
WAREHOUSE = asset("warehouse")


def at(cron: str) -> CronTriggerTimetable:
    """A schedule in the site's civil time; a DAG that was just switched on looks at once."""
    return CronTriggerTimetable(cron, timezone=SITE.config.timezone, run_immediately=True)


def told(work: Callable[[], Result]) -> Result:
    """What `work` returns; its faults as Airflow's, without any value of the data.

    What a retry may mend (the site is busy, a disk refused, a bug that a crash explains) is tried
    again; what only a person can mend (configuration, the gate's verdict) fails at once.
    """
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
    fault: AirflowException
    try:
        with _own_main():
            return work()
    except (ConfigurationError, GateBlockedError) as error:
        fault = AirflowFailException(str(error))
    except EntrepotError as error:
        fault = AirflowException(str(error))
    except AirflowException as error:
        fault = error
    except Exception as error:  # its message may quote a value, and so may those it came from
        fault = AirflowException(_place(error))
    raise fault  # outside of the handlers: with no other exception attached to it


@contextmanager
def _own_main() -> Iterator[None]:
    """A stage's worker processes start without Airflow.

    They import the main module of the process that starts them. Airflow's wants its database, which
    it keeps from tasks: each worker died at once, and the pool waited for it for ever.
    """
    airflow = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = airflow


def _place(error: BaseException) -> str:
    """Class and line of a bug, as the command line tells it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"bug: {type(error).__name__} at {where}"


def patiently(work: Callable[[], Result], seconds: float = 900.0) -> Result:
    """`work` once the site is free: for a step that must not be asked of a person twice."""
    end = time.monotonic() + seconds
    while True:
        try:
            return work()
        except SiteBusyError:
            if time.monotonic() >= end:
                raise
            time.sleep(_BUSY_PAUSE)


def keyring() -> Keyring:
    """The site's keys; a task that calls this runs as the account that owns them."""
    from entrepot.keys import site_keyring

    return site_keyring(SITE)


def progress() -> Callable[[str, int, int], None]:
    """Tells a stage's counts to the task's log, not oftener than every ten seconds."""
    last = 0.0

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done >= total or now - last >= _TELL_EVERY:
            last = now
            log.info("%s: %d of %d", stage, done, total)

    return tell
