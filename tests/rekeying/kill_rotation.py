"""Rotates a site's key, its second, in child processes, each killed (SIGKILL) one write later.

    python kill_rotation.py MODEL FOLDER

A write is a commit of the database, or a call that syncs, renames, links or removes a file. After
every kill the site must refuse other commands, or be as it was; resumed (and killed once more on
the way) it must end whole under its new key. Prints one JSON line: how many kills found which
state. Exit 1 and a message when one of them did harm.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from children import in_child
from entrepot.audit import verify
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring, site_keyring
from entrepot.landing.database import check_keyring, zone_engine
from entrepot.rekeying import landed, resume, rotate
from rekeying.zone_at_rest import DPO, bytes_of, contents, rows

CALLS = ("fsync", "replace", "link", "unlink")
AGAIN = 4  # the resumed rotation is killed at one of its first writes
STEPS_AT_MOST = 200
BATCH = 40  # records a transaction: several batches of the few that there are


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def kill_before(write: int) -> None:
    """From now on this process is killed before its `write`-th write."""
    done = 0

    def count(*_: Any) -> None:
        nonlocal done
        done += 1
        if done == write:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            count()
            return call(*arguments, **named)

        return wrapped

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    sa.event.listen(sa.Engine, "commit", count)


def state(site: Site) -> str:
    """That of the site's second rotation; before it, `none`. Else other commands are refused."""
    found = rows(site, "SELECT state FROM key_rotation WHERE version = 3")
    said = str(found[0][0]) if found else "none"
    engine = zone_engine(site)
    try:
        check_keyring(engine, site_keyring(site))
        refused = False
    except ConfigurationError as error:
        refused = "has not ended" in str(error)
    finally:
        engine.dispose()
    assert refused == (said not in {"none", "done"}), f"{said}: the zone could be opened"
    return said


def finish(site: Site, step: int) -> None:
    """Goes on after the kill, is killed again, and goes on."""

    def again() -> None:
        kill_before(1 + step % AGAIN)
        go_on(site)

    in_child(again)
    go_on(site)


def go_on(site: Site) -> None:
    """What an operator does: resume, or rotate when nothing had begun."""
    said = state(site)
    if said == "none":
        rotate(site, DPO, "again", silent)
    elif said != "done":
        resume(site, silent)


def sound(site: Site, old: Keyring, read: dict[int, bytes]) -> None:
    """Whole under a new key, and nothing of the former one left."""
    new = site_keyring(site)
    assert new.fingerprint != old.fingerprint, "the key is the former one"
    assert contents(site, new) == read, "a record was lost"
    for identifier, sealed in rows(site, "SELECT identifier, sealed FROM opposition"):
        assert new.unseal("register/v1", sealed, identifier), "an opposition was lost"
    assert verify(site, new).intact, "the audit log is broken"
    names = {path.name for path in site.root_key.parent.iterdir()}
    assert names == {"root.key", "former.keys"}, f"left over: {sorted(names)}"
    left = bytes_of(site.identifying)
    assert old.root().hex().encode() not in left, "the former key is on the disk"
    assert state(site) == "done", "the rotation has not ended"


def one_kill(model: Path, folder: Path, step: int) -> str:
    """The state after a kill before the `step`-th write; `end` when the rotation got through."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder)
    site = Site.open(folder)
    old = site_keyring(site)
    read = contents(site, old)

    def rotate_and_die() -> None:
        kill_before(step)
        rotate(site, DPO, "yearly", silent)

    status = in_child(rotate_and_die)
    if os.WIFSIGNALED(status):
        said = state(site)
        finish(site, step)
    else:
        assert status == 0, "the rotation failed"
        said = "end"
    sound(site, old, read)
    return said


def main() -> int:
    """Exit code."""
    landed.BATCH_RECORDS = BATCH
    model, folder, found = Path(sys.argv[1]), Path(sys.argv[2]), Counter[str]()
    for step in range(1, STEPS_AT_MOST):
        try:
            said = one_kill(model, folder, step)
        except AssertionError as error:
            sys.stderr.write(f"killed before write {step}: {error}\n")
            return 1
        if said == "end":
            sys.stdout.write(json.dumps(found) + "\n")
            return 0
        found[said] += 1
    return 1


if __name__ == "__main__":
    sys.exit(main())
