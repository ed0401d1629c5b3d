"""What a worker of Spark runs: opens a sealed batch, takes its records through the door.

The worker gets the root key from where the site keeps it (environment, key command or key file of
its own machine); Spark carries sealed batches in and pseudonymised rows out.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from entrepot.config import SiteConfig
from entrepot.door.workers import BatchResult, derive_batch, open_door
from entrepot.errors import EntrepotError
from entrepot.feeds.feeds import FeedMappings
from entrepot.keys import BATCH, Keyring, load_keyring

if TYPE_CHECKING:
    from entrepot.door.record import Door, Task

SEALED = pa.schema([("number", pa.int64()), ("sealed", pa.binary())])
ANSWER = pa.schema([("number", pa.int64()), ("part", pa.string()), ("content", pa.binary())])
ANSWER_DDL = "number bigint, part string, content binary"
# Parts of an answer besides the staging kinds, whose content is their rows as an Arrow stream.
OUTCOMES, FAILURE = "outcomes", "failure"

Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class DoorInputs:
    """All that the door depends on besides its records; no secret.

    Args:
        key_file, key_command: where this machine finds the root key, see `load_keyring`.
    """

    config: SiteConfig
    mappings: FeedMappings
    key_file: str
    key_command: str

    def pickled(self) -> bytes:
        """As workers get it, with every batch: a function of Spark carries its own inputs."""
        return pickle.dumps(self)


@dataclass(frozen=True)
class _Opened:
    """One process's door, kept from batch to batch: opening it costs 3 s."""

    digest: bytes
    keyring: Keyring
    door: Door


_opened: _Opened | None = None


def seal(keyring: Keyring, number: int, tasks: list[Task]) -> bytes:
    """The batch as Spark may see it; its number is authenticated with it."""
    return keyring.seal(BATCH, pickle.dumps(tasks), str(number).encode())


def door_function(pickled: bytes) -> Callable[[Batches], Batches]:
    """The function that `mapInArrow` runs: SEALED in, ANSWER out.

    Args:
        pickled: `DoorInputs`.
    """

    def derive(batches: Batches) -> Batches:
        from entrepot.engine.spark.worker import answers

        return answers(pickled, batches)

    return derive


def answers(pickled: bytes, batches: Iterable[pa.RecordBatch]) -> Batches:
    """ANSWER batches, one per sealed batch."""
    for batch in batches:
        for line in batch.to_pylist():
            yield _answer(pickled, line["number"], line["sealed"])


def _answer(pickled: bytes, number: int, sealed: bytes) -> pa.RecordBatch:
    """The parts of the answer; a fault becomes a part of its own.

    An exception would do too, but Spark repeats the task four times and writes the message, which
    may quote a record, to its logs.
    """
    try:
        parts = dict(_parts(_derived(pickled, number, sealed)))
    except EntrepotError as error:
        told = {"what": error.what, "where": error.where, "remedy": error.remedy}
        parts = {FAILURE: msgspec.json.encode(told)}
    except Exception as error:  # told by type and place alone
        told = {"what": f"the door failed ({type(error).__name__})", "where": _place(error)}
        parts = {FAILURE: msgspec.json.encode(told)}
    lines = [{"number": number, "part": part, "content": parts[part]} for part in parts]
    return pa.RecordBatch.from_pylist(lines, schema=ANSWER)


def _derived(pickled: bytes, number: int, sealed: bytes) -> BatchResult:
    from cryptography.exceptions import InvalidTag

    opened = _open(pickled)
    try:
        plain = opened.keyring.unseal(BATCH, sealed, str(number).encode())
    except InvalidTag:
        raise EntrepotError(
            "a worker holds another root key than the driver",
            where=os.uname().nodename,
            remedy="give every worker the key of the site: key file, key_command or environment",
        ) from None
    tasks: list[Task] = pickle.loads(plain)  # noqa: S301 - authenticated by the root key
    return derive_batch(opened.door, tasks)


def _open(pickled: bytes) -> _Opened:
    global _opened  # noqa: PLW0603 - one door per process, see `_Opened`
    digest = hashlib.sha256(pickled).digest()
    if _opened is None or _opened.digest != digest:
        inputs: DoorInputs = pickle.loads(pickled)  # noqa: S301 - the driver's own function
        keyring = load_keyring(Path(inputs.key_file), inputs.key_command)
        _opened = _Opened(digest, keyring, open_door(inputs.config, keyring, inputs.mappings))
    return _opened


def _parts(result: BatchResult) -> Iterator[tuple[str, bytes]]:
    yield OUTCOMES, msgspec.json.encode(result.outcomes)
    for kind, rows in result.tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows)
        yield kind, sink.getvalue().to_pybytes()


def _place(error: Exception) -> str:
    """File and line of our own code where it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "entrepot" in frame.filename] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
