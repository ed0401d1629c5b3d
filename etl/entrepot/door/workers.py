"""Derives batches of records, in this process or in a pool; rows come back as Arrow tables.

Workers get the root key over the pool's pipe and keep it in memory; a batch of one person's records
opens that person's identity once.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import connection, get_context

import pyarrow as pa

from entrepot.config import SiteConfig
from entrepot.door.record import Derived, Door, Task
from entrepot.feeds.feeds import FeedMappings, Feeds
from entrepot.keys import Keyring
from entrepot.staging.kinds import KINDS
from entrepot.text import Scrubber

IN_PROCESS_BELOW = 400  # starting a worker imports the text engine: 2.7 s


@dataclass(frozen=True, slots=True)
class Outcome:
    """A record's disposition, without its rows.

    Args:
        unread: names of elements that no mapping reads, by line.
        attachments: documents that were decoded and scrubbed.
        masked: `LABEL:layer` -> maskings in texts other than documents.
    """

    record_id: int
    person_key: str
    disposition: str
    reason: str
    position: str
    kinds: dict[str, int]
    notices: tuple[tuple[str, str], ...]
    unread: str = ""
    attachments: int = 0
    masked: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Kind -> rows of a batch, and each record's outcome."""

    tables: dict[str, pa.Table]
    outcomes: list[Outcome]


Derive = Callable[
    [Iterable[list[Task]], int, SiteConfig, Keyring, FeedMappings, int], Iterator[BatchResult]
]
_door: Door | None = None


def derive_all(
    batches: Iterable[list[Task]],
    count: int,
    config: SiteConfig,
    keyring: Keyring,
    mappings: FeedMappings,
    workers: int,
) -> Iterator[BatchResult]:
    """Every batch derived, in the order given.

    Args:
        count: number of records in all, to choose between this process and a pool.
    """
    if workers <= 1 or count < IN_PROCESS_BELOW:
        _start(config, keyring, mappings)
        yield from map(_derive_batch, batches)
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn"), _start_worker, (config, keyring, mappings)
    ) as pool:
        yield from pool.map(_derive_batch, batches)


def open_door(config: SiteConfig, keyring: Keyring, mappings: FeedMappings) -> Door:
    """A door with its text engine; a process needs one, for all its batches."""
    return Door(config, keyring, Feeds(mappings), Scrubber.of(config.text))


def _start_worker(config: SiteConfig, keyring: Keyring, mappings: FeedMappings) -> None:
    """A worker ends with the process that started it, even a killed one: it holds the root key.

    By itself it would wait for ever, because it keeps the writing end of its own queue open.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _start(config, keyring, mappings)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _start(config: SiteConfig, keyring: Keyring, mappings: FeedMappings) -> None:
    global _door  # noqa: PLW0603 - one door per process: compiling it per batch would cost more than the batch
    _door = open_door(config, keyring, mappings)


def _derive_batch(tasks: list[Task]) -> BatchResult:
    assert _door is not None  # noqa: S101 - set by the pool's initialiser
    return derive_batch(_door, tasks)


def derive_batch(door: Door, tasks: list[Task]) -> BatchResult:
    """The batch's records through the door."""
    gc.disable()  # rows are many small dicts: the collector would walk them again and again
    try:
        derived = [(task, door.derive(task)) for task in tasks]
    finally:
        gc.enable()
    return BatchResult(_tables(one for _, one in derived), [_outcome(t, d) for t, d in derived])


def _outcome(task: Task, derived: Derived) -> Outcome:
    return Outcome(
        derived.record_id,
        task.person_key,
        derived.disposition,
        derived.reason,
        derived.position,
        {kind: len(rows) for kind, rows in derived.rows.items() if rows},
        tuple(sorted(set(derived.notices))),
        "\n".join(sorted(derived.unread)),
        derived.attachments,
        dict(sorted(derived.masked.items())),
    )


def _tables(derived: Iterable[Derived]) -> dict[str, pa.Table]:
    rows: dict[str, list[dict[str, object]]] = {}
    for one in derived:
        for kind, found in one.rows.items():
            rows.setdefault(kind, []).extend(found)
    return {
        kind: pa.Table.from_pylist(found, schema=KINDS[kind].schema) for kind, found in rows.items()
    }
