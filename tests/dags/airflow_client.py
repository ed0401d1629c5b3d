"""Airflow's REST API as one of its users."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from entrepot.airflow_demo import Standalone

Found = TypeVar("Found")
ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}


@dataclass(frozen=True)
class User:
    """One logged-in user."""

    url: str
    name: str
    token: str

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of a call below /api/v2."""
        return call(method, f"{self.url}/api/v2{path}", body, self.token)

    def get(self, path: str) -> Any:
        """JSON of what must be there."""
        status, found = self.ask("GET", path)
        assert status == 200, (path, status, found)
        return found

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """Runs of a DAG, oldest first."""
        return list(self.get(f"/dags/{dag}/dagRuns?order_by=id&limit=100")["dag_runs"])

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """Task instances of a run, by task."""
        found = self.get(f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances?limit=100")
        return {one["task_id"]: one for one in found["task_instances"]}

    def states(self, dag: str, run: str) -> dict[str, str]:
        """State by task."""
        return {name: str(one["state"]) for name, one in self.tasks(dag, run).items()}


def call(method: str, url: str, body: object = None, token: str = "") -> tuple[int, Any]:
    """Status and JSON (or text) of a call; 0 when nobody answers."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    try:
        asked = Request(url, data, headers, method=method)  # noqa: S310 - our own server
        with urlopen(asked, timeout=30) as answer:  # noqa: S310
            status, text = answer.status, answer.read().decode()
    except HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def login(airflow: Standalone, name: str) -> User:
    """Logs in with the generated password."""
    password = json.loads(airflow.passwords.read_text())[name]
    status, found = call(
        "POST", f"{airflow.url}/auth/token", {"username": name, "password": password}
    )
    assert status == 201, (status, found)
    return User(airflow.url, name, found["access_token"])


def wait(what: str, look: Callable[[], Found | None], seconds: float, every: float = 0.5) -> Found:
    """What `look` finds first; fails when it finds nothing in time."""
    end = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(every)
    return found


def ended(states: Iterable[str]) -> bool:
    """Whether all of them are final."""
    return set(states) <= ENDED
