"""`entrepot node run`: asks for work, lets answers leave, and keeps asking while it computes."""

from __future__ import annotations

import fcntl
import logging
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from entrepot.errors import SiteBusyError
from entrepot.federation.node.answering import answer_due
from entrepot.federation.node.intake import receive
from entrepot.federation.node.line import Line, LineError
from entrepot.federation.node.opened import Node
from entrepot.federation.node.outbox import send, state_head
from entrepot.federation.node.papers import take_revocation
from entrepot.federation.node.policies import in_force
from entrepot.federation.node.releasing import release_due
from entrepot.federation.node.selftest import check_compiler
from entrepot.federation.node.upkeep import keep_up

_LONGEST_PAUSE = 600.0  # seconds between two tries of a coordinator that does not answer

log = logging.getLogger("entrepot.node")


def start(node: Node) -> str:
    """What has to hold before a node answers anything; returns the compiler's version.

    Raises:
        ConfigurationError: the compiler gives other rows than are known, or the policy was not
            agreed by two persons.
        EntrepotError: the audit log is not whole.
    """
    version = check_compiler()
    in_force(node)
    state_head(node)
    keep_up(node, again=True)
    return version


def step(node: Node) -> int:
    """Answers what is approved and lets go what is due, once, without a line; returns answers."""
    answer_due(node)
    return release_due(node)


def serve(node: Node, stop: threading.Event) -> None:
    """Runs until `stop` is set.

    Questions are computed beside the calls: a coordinator that counts them learns nothing of how
    long a question took.

    Raises:
        ConfigurationError, EntrepotError: as `start`.
    """
    start(node)
    seconds = node.site.config.federation.poll_seconds
    failures, working = 0, None
    with _alone(node), Line(node) as line, ThreadPoolExecutor(1) as workers:
        while not stop.is_set():
            working = _worked(node, workers, working)
            try:
                release_due(node)
                _exchange(node, line, int(seconds))
                failures = 0
            except LineError as error:
                failures += 1
                log.warning("%s", error.what)
            stop.wait(pause(seconds, failures))


def pause(seconds: float, failures: int) -> float:
    """Seconds until the next call: jittered, so that nodes do not call together.

    After failures twice as long each time, up to ten minutes.
    """
    longest = min(seconds * float(2 ** min(failures, 16)), max(_LONGEST_PAUSE, seconds))
    share = random.uniform(0.5, 1.0) if failures else random.uniform(0.05, 0.25)  # noqa: S311
    return longest * share


def _worked(node: Node, workers: ThreadPoolExecutor, working: Future[int] | None) -> Future[int]:
    """The computation under way, or the next one.

    Raises:
        EntrepotError: the last one found policy or log not in order.
    """
    if working is not None and not working.done():
        return working
    if working is not None:
        working.result()
    return workers.submit(_work, node)


def _work(node: Node) -> int:
    keep_up(node)
    return answer_due(node)


def _exchange(node: Node, line: Line, wait: int) -> None:
    """Brings what is due before it waits, and again what came of the wait."""
    state_head(node)
    send(node, line.carry)
    found = line.tasks(wait)
    for revocation in found.revocations:
        take_revocation(node, revocation)
    for task in found.tasks:
        receive(node, task.envelope, task.transcript)
    send(node, line.carry)


@contextmanager
def _alone(node: Node) -> Iterator[None]:
    """One service a node; the lock goes with its process.

    Raises:
        SiteBusyError: another one runs.
    """
    descriptor = os.open(node.place.folder / ".run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SiteBusyError("this node runs already", where=node.name) from None
    finally:
        os.close(descriptor)
