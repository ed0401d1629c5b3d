"""The door as a Spark job: sealed batches out, outcomes and staged rows back, slice by slice."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from entrepot.door.workers import BatchResult, Outcome
from entrepot.engine.spark.session import told
from entrepot.engine.spark.worker import (
    ANSWER_DDL,
    FAILURE,
    OUTCOMES,
    SEALED,
    DoorInputs,
    door_function,
    seal,
)
from entrepot.errors import EntrepotError
from entrepot.keys import Keyring

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from entrepot.door.record import Task

# A slice is one Spark job: enough for every core, and small enough for the driver's memory, which
# holds the slice in work and the one being sealed.
BATCHES_PER_CORE = 8
MOST_BYTES = 64 * 1024 * 1024

Sealed = list[tuple[int, bytes]]


def derive(
    session: SparkSession, batches: Iterable[list[Task]], keyring: Keyring, inputs: DoorInputs
) -> Iterator[BatchResult]:
    """Every batch through the door on Spark's workers, in the order given.

    Raises:
        EntrepotError: a worker has no key or another one, or a job failed for good.
    """
    function = inputs.pickled()
    cores = session.sparkContext.defaultParallelism
    with ThreadPoolExecutor(1) as pool:
        pending: Future[list[BatchResult]] | None = None
        for part in _slices(_sealed(batches, keyring), cores * BATCHES_PER_CORE):
            following = pool.submit(_run, session, part, function)
            if pending is not None:
                yield from pending.result()
            pending = following
        if pending is not None:
            yield from pending.result()


def frame(session: SparkSession, part: Sealed, function: bytes) -> DataFrame:
    """One slice as a data frame: its plan is the sealed batches and a MapInArrow."""
    rows = pa.table([[n for n, _ in part], [content for _, content in part]], schema=SEALED)
    with warnings.catch_warnings(action="ignore"):  # PySpark on pandas 3, which is not used here
        return session.createDataFrame(rows).mapInArrow(door_function(function), ANSWER_DDL)


def _sealed(batches: Iterable[list[Task]], keyring: Keyring) -> Iterator[tuple[int, bytes]]:
    for number, tasks in enumerate(batches):
        yield number, seal(keyring, number, tasks)


def _slices(sealed: Iterable[tuple[int, bytes]], most: int) -> Iterator[Sealed]:
    part: Sealed = []
    size = 0
    for number, content in sealed:
        if part and (len(part) >= most or size + len(content) > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append((number, content))
        size += len(content)
    if part:
        yield part


def _run(session: SparkSession, part: Sealed, function: bytes) -> list[BatchResult]:
    with told("the door on Spark"):
        answered = frame(session, part, function).toArrow().to_pylist()
    found: dict[int, dict[str, bytes]] = defaultdict(dict)
    for line in answered:
        found[line["number"]][line["part"]] = line["content"]
    return [_result(found[number]) for number, _ in part]


def _result(parts: dict[str, bytes]) -> BatchResult:
    if FAILURE in parts:
        fault: dict[str, Any] = msgspec.json.decode(parts[FAILURE])
        raise EntrepotError(fault.pop("what"), **fault)
    outcomes = msgspec.json.decode(parts.pop(OUTCOMES), type=list[Outcome])
    return BatchResult({kind: _rows(content) for kind, content in parts.items()}, outcomes)


def _rows(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()
