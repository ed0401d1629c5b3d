"""Without a line to a node: its questions leave as files, its answers come back as files.

The envelopes are those of the line, so that whoever carries them can change nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from entrepot.durable import create_private
from entrepot.errors import ConfigurationError
from entrepot.federation.coordinator.calls import Call, CallFault
from entrepot.federation.coordinator.exchange import take_answer, take_notice, tasks_for
from entrepot.federation.coordinator.registry import find_node, nodes
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.envelopes import AnswerEnvelope, read_envelope
from entrepot.federation.refusals import Refused
from entrepot.federation.wire import MAX_SENT


@dataclass(frozen=True)
class Taken:
    """What became of a file: empty `code` when it was taken."""

    file: str
    node: str
    code: str


def give_files(coordinator: Coordinator, name: str, folder: Path, now: dt.datetime) -> list[Path]:
    """Writes what waits for a node: questions of which it has said nothing yet, revocations.

    Raises:
        ConfigurationError: no such node, a revoked one, or the folder cannot be written.
    """
    found = find_node(coordinator, name)
    if found.revoked:
        raise ConfigurationError("this node is revoked", where=name)
    waiting = tasks_for(Call(coordinator, found, now))
    contents = {
        **{f"question-{one.task[:16]}-{len(one.transcript)}.json": one.model_dump_json()
           for one in waiting.tasks},
        **{f"revocation-{read_envelope(text).body_hash[:16]}.json": text
           for text in waiting.revocations},
    }  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in contents.items():
            if not (folder / file).exists():
                create_private(folder / file, content)
    except OSError as error:
        raise ConfigurationError(
            f"the folder cannot be written ({error.strerror})", where=str(folder)
        ) from None
    return [folder / file for file in contents]


def take_files(coordinator: Coordinator, paths: Sequence[Path], now: dt.datetime) -> list[Taken]:
    """Takes what nodes signed, from files and folders of files; refusals are logged.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    return [_take(coordinator, path, now) for path in _files(paths)]


def _take(coordinator: Coordinator, path: Path, now: dt.datetime) -> Taken:
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_SENT else b""
        text = data.decode("utf-8", "replace").strip()
        envelope = read_envelope(text, MAX_SENT)
    except OSError as error:
        raise ConfigurationError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except Refused as refused:
        return Taken(path.name, "", str(refused.code))
    named = str(envelope.body.get("node"))
    sender = next((one for one in nodes(coordinator) if one.name == named), None)
    if sender is None or sender.revoked:
        return Taken(path.name, "", "revoked" if sender else "unknown")
    answer = envelope.body.get("act") == AnswerEnvelope.model_fields["act"].default
    try:
        (take_answer if answer else take_notice)(Call(coordinator, sender, now), text)
    except CallFault as fault:
        return Taken(path.name, sender.name, fault.code)
    return Taken(path.name, sender.name, "")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.json")) if path.is_dir() else [path]
