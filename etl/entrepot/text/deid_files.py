"""`deid` over a whole file: chunks of lines to a pool of processes, answers in the order given.

Memory stays flat: a bounded number of chunks is under way. Nothing that is incomplete bears the
name of an output: both files are written beside it and renamed when the last line is done.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import chain, islice
from multiprocessing import connection, get_context
from pathlib import Path
from typing import IO, BinaryIO

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.text.deid_lines import MAX_CHARACTERS, Answer, LineFault, Totals, answer
from entrepot.text.engine import Scrubber

CHUNK_LINES, CHUNK_BYTES = 100, 400_000
IN_PROCESS_CHUNKS = 4  # starting a worker imports the text engine: 2.7 s
MAX_LINE = 6 * MAX_CHARACTERS + 1_000_000  # a character is at most six bytes of JSON, `\u00e9`

Chunk = tuple[int, list[bytes]]


def deidentify(
    source: BinaryIO,
    spans: Path,
    masked: Path | None,
    *,
    folder: Path | None,
    workers: int,
    tell: Callable[[int], None] = lambda _: None,
) -> Totals:
    """Reads every line of `source`; writes `spans` and `masked` when all went well, else neither.

    Args:
        source: lines `{"id", "text", "record"?}`.
        spans: receives `{"id", "spans"}` per line.
        masked: receives `{"id", "text"}` per line; text null where the leak scan stopped it.
        folder: the site whose lists and recognisers are used; None: the shipped lists.
        workers: processes; small inputs need none.
        tell: called with the number of documents done.

    Raises:
        ConfigurationError: a line that cannot be read, or an output that cannot be written.
    """
    totals = Totals()
    with ExitStack() as stack:
        files = [stack.enter_context(_complete(path)) for path in (spans, masked) if path]
        try:
            for one in _answers(_chunks(source), folder, masked is not None, workers):
                for file, lines in zip(files, (one.spans, one.masked), strict=False):
                    file.write(lines)
                totals.add(one.totals)
                tell(totals.documents)
        except LineFault as fault:
            raise ConfigurationError(
                fault.what,
                where=f"line {fault.line}",
                remedy="mend or leave out this line; nothing was written",
            ) from None
        except BrokenProcessPool:
            raise ConfigurationError(
                "a worker process was ended from outside; nothing was written",
                remedy="it may have lacked memory: try --workers 1",
            ) from None
    return totals


@contextmanager
def _complete(path: Path) -> Iterator[IO[str]]:
    """A file that takes its name when the block ends well, and is removed when it does not."""
    try:
        handle, name = tempfile.mkstemp(prefix=".deid-", suffix=".part", dir=path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write here ({error.strerror})", where=str(path.parent)
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _chunks(source: BinaryIO) -> Iterator[Chunk]:
    """(number of the first line, lines), of about equal work."""
    lines: list[bytes] = []
    size = 0
    number = first = 1
    while line := source.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise LineFault(number, f"over {MAX_LINE} bytes")
        lines.append(line)
        size += len(line)
        number += 1
        if len(lines) >= CHUNK_LINES or size >= CHUNK_BYTES:
            yield first, lines
            lines, size, first = [], 0, number
    if lines:
        yield first, lines


def _answers(
    chunks: Iterator[Chunk], folder: Path | None, masked: bool, workers: int
) -> Iterator[Answer]:
    head = list(islice(chunks, IN_PROCESS_CHUNKS + 1))
    if workers <= 1 or len(head) <= IN_PROCESS_CHUNKS:
        yield from (_work(folder, masked, *chunk) for chunk in chain(head, chunks))
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _end_with_parent) as pool:
        waiting: deque[Future[Answer]] = deque()
        try:
            for chunk in chain(head, chunks):
                waiting.append(pool.submit(_work, folder, masked, *chunk))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


@cache
def engine_of(folder: Path | None) -> Scrubber:
    """The engine of a site as its door uses it; without a site that of the shipped lists."""
    return Scrubber() if folder is None else Scrubber.of(Site.open(folder).config.text)


def _end_with_parent() -> None:
    """A worker ends with the process that started it, even a killed one: it holds texts."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _work(folder: Path | None, masked: bool, first: int, lines: list[bytes]) -> Answer:
    return answer(engine_of(folder), first, lines, masked)
