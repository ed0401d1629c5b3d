"""Runs the road on copies of a site, each killed (SIGKILL) at one point of its own, then repeated.

    python kill_trials.py SITE FOLDER TRIALS SEED

`FOLDER/reference` is the copy that nobody disturbed, `FOLDER/trial-NN` the others,
`FOLDER/killed-NN` how trial NN's research zone stood at the kill. Prints one JSON line per trial.
Everything is imported once; a child per run is forked before any connection is open.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from entrepot.config import Site
from entrepot.run import run

MODULES = (
    "duckdb", "great_expectations", "presidio_analyzer", "entrepot.door.derivation",
    "entrepot.load", "entrepot.publication", "entrepot.publish.release",
    "entrepot.quality.validation", "entrepot.register.registering", "entrepot.register.snapshot",
    "entrepot.report.run_report", "entrepot.text",
)  # fmt: skip
TICKS = os.sysconf("SC_CLK_TCK")
TRIES = 4


def start(folder: Path) -> int:
    """A child that takes the site down the road; its exit code is the command's, 99 for a bug."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = run(Site.open(folder)).exit_code
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
    finally:
        os._exit(code)


def spent(child: int) -> float:
    """CPU seconds that the child has used, also when it has ended and nobody has waited for it."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def finish(child: int) -> int:
    """The exit code of a child that is let run."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def ended(child: int) -> bool:
    """Whether the child has ended; it stays to be waited for."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def kill_at(child: int, seconds: float) -> bool:
    """Kills the child once it has used so much CPU; False: it ended before, to be waited for."""
    while spent(child) < seconds:
        if ended(child):
            return False
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    return finish(child) == -signal.SIGKILL


def strike(prepared: Path, site: Path, part: float, whole: float) -> tuple[bool, float]:
    """Kills a run at `part` of what a run costs (`whole`, CPU s); whether it struck, and the cost.

    What a run costs is known from those that came to their end. It is not the same twice (5.9 and
    3.5 s were seen, the first of them on a busy machine), so one that ends before it can be killed
    gives the cost, and a new copy is tried.
    """
    for _ in range(TRIES):
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(prepared, site)
        child = start(site)
        if kill_at(child, part * whole):
            return True, whole
        whole = min(whole, spent(child))
        finish(child)
    return False, whole


def main(prepared: Path, folder: Path, trials: int, seed: int) -> None:
    """The reference first: what it costs says where the others are killed."""
    for name in MODULES:
        importlib.import_module(name)
    reference = folder / "reference"
    shutil.copytree(prepared, reference)
    child = start(reference)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    whole = spent(child)
    code = finish(child)
    tell({"trial": "reference", "exit": code, "cpu": round(whole, 2), "log": last_words(reference)})
    chance = random.Random(seed)
    for number in range(trials):
        site = folder / f"trial-{number:02d}"
        part = (number + chance.random()) / trials
        killed, whole = strike(prepared, site, part, whole)
        stood = state(site)
        shutil.copytree(site / "research", folder / f"killed-{number:02d}")
        again = finish(start(site))
        at = round(part * whole, 2)
        line = {"trial": site.name, "at": at, "killed": killed, "exit": again, **stood}
        tell({**line, "log": last_words(site)})


def state(site: Path) -> dict[str, object]:
    """Where the kill struck, by what lies there."""
    generations = [path.name for path in (site / "research" / "staging").glob("[0-9]*")]
    candidate = (site / "research" / "work" / "candidate.duckdb").is_file()
    return {"generation": int(max(generations)), "candidate": candidate}


def last_words(site: Path) -> str:
    """The end of what the children said: why one ended with 99."""
    log = site.with_suffix(".log")
    return log.read_text(errors="replace")[-400:] if log.is_file() else ""


def tell(line: dict[str, object]) -> None:
    """One line for the test that waits."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
