"""A coordinator as a process of its own, as `entrepot coordinator serve` runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ENTREPOT = (sys.executable, "-c", "from entrepot.cli import main; main()")


@dataclass(frozen=True)
class Serving:
    """Addresses of a coordinator that answers, and its process."""

    nodes: str
    pages: str
    process: subprocess.Popen[str]


@contextmanager
def serving(folder: Path) -> Iterator[Serving]:
    """Ends it with SIGTERM, as an operator would, and checks that it ends cleanly."""
    command = [*ENTREPOT, "coordinator", "serve", "--folder", str(folder), "--json"]
    process = start(command)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"the coordinator did not start: {process.communicate()[1]}"
        urls = json.loads(line)
        yield Serving(urls["nodes"], urls["pages"], process)
    finally:
        process.terminate()
        told = process.communicate(timeout=30)[1]
        assert process.returncode == 0, told
        assert "Traceback" not in told, told


def start(command: list[str]) -> subprocess.Popen[str]:
    """A process with its own output, which the caller ends."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
