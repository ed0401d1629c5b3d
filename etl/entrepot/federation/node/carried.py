"""Without a line: questions come as files, answers leave as files; the envelopes are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from entrepot.durable import create_private
from entrepot.errors import ConfigurationError
from entrepot.federation.canonical import MAX_BYTES
from entrepot.federation.envelopes import Envelope
from entrepot.federation.node.intake import Taken, receive
from entrepot.federation.node.opened import Node
from entrepot.federation.node.outbox import Leaving, send
from entrepot.federation.node.papers import take_revocation
from entrepot.federation.wire import MAX_SENT, RESULTS, Task

_REVOCATION = b'"entrepot/federation/revocation"'


def take_files(node: Node, paths: list[Path]) -> list[Taken]:
    """Takes envelopes (or tasks with a transcript) from files and folders of files.

    Returns:
        What became of each question; revocations are taken without a word.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    found = []
    for path in _files(paths):
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_SENT else b""
        except OSError as error:
            raise ConfigurationError(
                f"cannot be read ({error.strerror})", where=str(path)
            ) from None
        data = data.strip()
        if _REVOCATION in data[:MAX_BYTES] and take_revocation(node, _text(data)):
            continue
        task = _task(data)
        found.append(receive(node, task.envelope, task.transcript) if task else receive(node, data))
    return found


def give_files(node: Node, folder: Path) -> list[Path]:
    """Writes what may leave now, one envelope a file, for their owner alone; returns the files.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    written: list[Path] = []

    def write(leaving: Leaving) -> str:
        data = leaving.envelope.encode()
        kind = "answer" if leaving.path == RESULTS else "notice"
        path = folder / f"{kind}-{hashlib.sha256(data).hexdigest()[:16]}.json"
        if not path.exists():
            create_private(path, data)
        written.append(path)
        return ""

    try:
        folder.mkdir(parents=True, exist_ok=True)
        send(node, write)
    except OSError as error:
        raise ConfigurationError(
            f"the folder cannot be written ({error.strerror})", where=str(folder)
        ) from None
    return written


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.json")) if path.is_dir() else [path]


def _task(data: bytes) -> Task | None:
    """A task of the wire in a file: an envelope with the transcript that it needs."""
    try:
        return Task.model_validate_json(data)
    except ValidationError:
        return None


def _text(data: bytes) -> str:
    try:
        return Envelope.model_validate_json(data).text()
    except ValidationError:
        return ""
