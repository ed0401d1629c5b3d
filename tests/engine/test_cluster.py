"""A cluster of its own: a master and two workers; each worker is killed while it has work.

Connections are authenticated and encrypted by a secret that stands in spark-defaults.conf alone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from entrepot.config import CONFIG_NAME, Site
from entrepot.engine.spark.java import java_home
from entrepot.keys import ENVIRONMENT
from entrepot.report.scan import scan
from entrepot.synthetic import generate
from roads import feed_hospital, hashes, new_site, travel

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("spark")]

PATIENTS, SEED = 8, 1
WAIT_SECONDS = 240
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # nothing here runs for long


@dataclass
class Cluster:
    """Processes of Spark's standalone mode, on this machine."""

    folder: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def written(self) -> Path:
        """What its processes write: logs, and what executors leave."""
        return self.folder / "written"

    @property
    def environment(self) -> dict[str, str]:
        """What master, workers and driver are started with; no root key among it."""
        kept = {name: value for name, value in os.environ.items() if name != ENVIRONMENT}
        return kept | {
            "JAVA_HOME": str(java_home(self.folder / "java")),
            "SPARK_CONF_DIR": str(self.folder / "conf"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_JAVA_OPTS": QUICK,
        }

    def start(self, name: str, class_: str, *words: str) -> None:
        """A process in a group of its own."""
        import pyspark

        launcher = Path(pyspark.__path__[0]) / "bin" / "spark-class"
        with (self.written / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [launcher, f"org.apache.spark.deploy.{class_}", "--webui-port", "0", *words],
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def start_worker(self, name: str) -> None:
        """One core and half a gigabyte."""
        self.start(
            name, "worker.Worker", "--cores", "1", "--memory", "1g", "--host", "127.0.0.1",
            "--work-dir", str(self.written / name), f"spark://127.0.0.1:{self.port}",
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """SIGKILL to the worker and to every process that it started."""
        for pid in _with_children(self.processes[name].pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.processes[name].wait()

    def stop(self) -> None:
        """Ends what still runs, and only that."""
        for name, process in self.processes.items():
            if process.poll() is None:
                self.kill(name)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    conf = tmp_path / "cluster" / "conf"
    conf.mkdir(parents=True)
    (tmp_path / "cluster" / "written").mkdir()
    defaults = conf / "spark-defaults.conf"
    defaults.write_text(
        f"spark.authenticate true\nspark.authenticate.secret {secrets.token_hex(16)}\n"
        "spark.network.crypto.enabled true\n"
    )
    defaults.chmod(0o600)
    started = Cluster(tmp_path / "cluster", _free_port())
    started.start("master", "master.Master", "--host", "127.0.0.1", "--port", str(started.port))
    for name in ("first", "second"):
        started.start_worker(name)
    try:
        yield started
    finally:
        started.stop()


def test_a_run_ends_with_the_same_release_though_workers_are_killed(
    cluster: Cluster, tmp_path: Path
) -> None:
    generate(PATIENTS, SEED, tmp_path / "told", formats=("hl7v2",))
    site = new_site(tmp_path / "site")
    feed_hospital(site, tmp_path / "told")
    shutil.copytree(site.root, tmp_path / "embedded")
    expected = Site.open(tmp_path / "embedded")
    assert travel(expected).passed
    _on(site, cluster)
    run = subprocess.Popen(
        [Path(sys.executable).with_name("entrepot"), "run", "--engine", "spark", "--site",
         site.root],
        env=cluster.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    # At the door: a worker's Python has begun, so that it holds sealed batches.
    _until(lambda: _python_workers(cluster.processes["first"].pid), run, cluster)
    cluster.kill("first")
    cluster.start_worker("third")
    # In the relational steps: the second worker holds shuffled rows that others wait for.
    tables = site.work / "spark" / "tables" / "work"
    _until((tables / "current_event").is_dir, run, cluster)
    cluster.kill("second")
    said, complained = run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode in (0, 4), complained
    assert "Traceback" not in said + complained
    assert hashes(Site.open(site.root)) == hashes(expected)
    assert any((cluster.written / "third").glob("app-*"))
    report = scan(cluster.written, tmp_path / "told" / "truth")
    assert report.leaks == (), report.summary()


def _on(site: Site, cluster: Cluster) -> None:
    """Tells the site of the cluster."""
    path = site.root / CONFIG_NAME
    settings = (
        f"\nspark:\n  master: spark://127.0.0.1:{cluster.port}\n  conf:\n"
        "    spark.driver.host: 127.0.0.1\n    spark.executor.memory: 512m\n"
        f"    spark.sql.shuffle.partitions: 3\n    spark.driver.defaultJavaOptions: {QUICK}\n"
        f"    spark.executor.defaultJavaOptions: {QUICK}\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + settings, encoding="utf-8")


def _until(reached: Callable[[], object], run: subprocess.Popen[str], cluster: Cluster) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not reached():
        if run.poll() is not None or time.monotonic() > end:
            run.kill()
            said, complained = run.communicate()
            logs = {name: (cluster.written / f"{name}.log").read_text()[-800:] for name in
                    cluster.processes}  # fmt: skip
            pytest.fail(f"the run ended before: {said} {complained} {logs}")
        time.sleep(0.05)


def _python_workers(pid: int) -> bool:
    return any(b"pyspark.daemon" in _command(child) for child in _with_children(pid))


def _with_children(pid: int) -> list[int]:
    """The process and all that descend from it, by the system's own table."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
