"""kill -9 in the middle of `erase`: the same command ends in the same state, the intent first."""

from __future__ import annotations

import importlib
import os
import random
from pathlib import Path

import pytest

from entrepot.config import Site
from entrepot.register.erasure_log import ErasureLog
from entrepot.register.erasures import rebuild_if_due
from entrepot.rights.erasing import erase
from entrepot.road.inputs import Inputs
from faults.kill_trials import MODULES, finish, kill_at, last_words
from properties.stages import derive
from rights.scanned import contents, found
from rights.small_hospital import MOTHER, Case, Hospital, number
from roads import hashes, keyring

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("rights")]

TRIALS, SEED = 3, 2026
WHO = number(MOTHER)


def _start(root: Path) -> int:
    """A child that erases; 0 when the proof is clean."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        log = os.open(root.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = 0 if erase(Site.open(root), WHO, "c.moreau", "demande").proof.clean else 3
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
    finally:
        os._exit(code)


def test_a_killed_erasure_is_finished_by_the_next_run(published: Hospital, case: Case) -> None:
    """Killed at points spread over what an undisturbed one costs."""
    for name in MODULES:
        importlib.import_module(name)
    chance, asked = random.Random(SEED), 0
    for trial in range(TRIALS):
        site = published.copy()
        child = _start(site.root)
        if not kill_at(child, case.cpu * (trial + chance.random()) / TRIALS):
            assert finish(child) == 0, last_words(site.root)
        listed = bool(ErasureLog(site, keyring(site)).lines())
        asked += listed
        ended = derive(site)
        if not listed:
            assert ended.hashes == hashes(published.site)
            continue
        with Inputs.of(site) as inputs:
            rebuild_if_due(inputs.database)
        assert ended.hashes == hashes(case.site), last_words(site.root)
        assert found(site.identifying, case.traces.zone) == {}
        assert not any(WHO.value.encode() in content for content in contents(site))
    assert asked
