"""`airflow standalone` on a site: its environment, its processes, its end.

Airflow's own folder lies in the research zone, so that whoever scans that zone for identifiers
scans its logs and its database too.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.resources import data_folder

_STARTED_WITHIN = 240.0  # seconds; 25 on a laptop, more on two busy cores
_ENDED_WITHIN = 15.0


def free_port(wanted: int = 0) -> int:
    """`wanted`, or with 0 any port that nobody listens on now.

    Raises:
        ConfigurationError: somebody listens there: their answers would be taken for ours.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise ConfigurationError(
                f"port {wanted} cannot be used ({error.strerror})", remedy="PORT=0 finds a free one"
            ) from None
        port: int = probe.getsockname()[1]
        return port


def environment(site: Site, port: int) -> dict[str, str]:
    """Environment variables of an Airflow that knows nothing but this site.

    No example DAGs, no telemetry, nothing of `~/airflow`; secrets are new at each start.
    """
    home = site.research / "airflow"
    dags = data_folder("dags")
    settings = site.config.airflow
    roles = {
        **dict.fromkeys(settings.researchers, "viewer"),
        **dict.fromkeys((*settings.stewards, *settings.dpos), "user"),
        **dict.fromkeys(settings.engineers, "op"),
    }
    own = {
        "CORE__DAGS_FOLDER": dags,
        "CORE__PLUGINS_FOLDER": dags / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 4,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{u}:{r}" for u, r in roles.items()),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / "passwords.json",
        "API__HOST": "127.0.0.1",
        "API__PORT": port,
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__WORKERS": 1,
        "API__SECRET_KEY": secrets.token_hex(32),
        "API_AUTH__JWT_SECRET": secrets.token_hex(64),
        # By default a writer gives up after 5 s: on busy processors an answer was refused (500).
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=60",
        "LOGGING__BASE_LOG_FOLDER": home / "logs",
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return {
        **kept,
        **{f"AIRFLOW__{name}": str(value) for name, value in own.items()},
        "AIRFLOW_HOME": str(home),
        "ENTREPOT_SITE": str(site.root),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
    }


class Standalone:
    """`airflow standalone` on a site, in a session of its own; a context manager.

    Raises:
        ConfigurationError: Airflow is not installed.
        EntrepotError: it did not start in time, or ended.
    """

    def __init__(self, site: Site, port: int = 0, extra: Mapping[str, str] | None = None) -> None:
        if importlib.util.find_spec("airflow") is None:
            raise ConfigurationError(
                "Airflow is not installed", remedy="pip install 'entrepot[airflow]'"
            )
        self.port = free_port(port)
        self.environment = {**environment(site, self.port), **(extra or {})}
        self.home = Path(self.environment["AIRFLOW_HOME"])
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def passwords(self) -> Path:
        """JSON: user -> password."""
        return self.home / "passwords.json"

    def __enter__(self) -> Standalone:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.home / "standalone.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "standalone"], env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, umask=0o077,
            )  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait(self) -> None:
        end = time.monotonic() + _STARTED_WITHIN
        while not self.healthy():
            if not self.running or time.monotonic() > end:
                raise EntrepotError(
                    "Airflow did not start", where=str(self.home / "standalone.log"),
                    remedy="read the end of this log",
                )  # fmt: skip
            time.sleep(0.5)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def healthy(self) -> bool:
        """Whether API server, scheduler, triggerer and DAG processor all report health."""
        try:
            with urlopen(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310
                told: dict[str, dict[str, Any] | None] = json.load(answer)
        except (URLError, OSError, ValueError):
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((told.get(part) or {}).get("status") == "healthy" for part in parts)

    def stop(self) -> None:
        """Ends every process of the session: children outlive the parent that is asked to end."""
        if self._process is None:
            return
        leader = self._process.pid
        with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C: at once
            self._ask_to_end(leader)
        for process in _session(leader):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _ask_to_end(self, leader: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGTERM)
        end = time.monotonic() + _ENDED_WITHIN
        while (self.running or _session(leader)) and time.monotonic() < end:
            time.sleep(0.1)


def _session(leader: int) -> list[int]:
    """Living processes of the session; where there is no /proc, none is seen."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with contextlib.suppress(OSError, ValueError):
            state = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and os.getsid(int(name)) == leader:
                found.append(int(name))
    return found
