"""A rotation that is killed before any of its writes, resumed, killed again and resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from entrepot.errors import ConfigurationError
from entrepot.rekeying import resume, rotate
from entrepot.rekeying.rotation import State
from entrepot.synthetic.generate import generate
from properties.stages import Sites
from rekeying.zone_at_rest import DPO, fed

pytestmark = pytest.mark.integration
HERE = Path(__file__).parent


def test_killed_before_each_write(tmp_path: Path) -> None:
    generate(1, 3, tmp_path / "hospital", formats=("hl7v2",))
    site = fed(Sites(tmp_path), tmp_path / "hospital")
    rotate(site, DPO, "the first", lambda *_: None)
    done = subprocess.run(
        [sys.executable, HERE / "kill_rotation.py", site.root, tmp_path / "killed"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert set(found) >= {"none", *(set(State) - {State.DONE})}  # every state was met
    assert sum(found.values()) >= 20


def test_nothing_to_resume(tmp_path: Path) -> None:
    site = Sites(tmp_path).new()
    with pytest.raises(ConfigurationError, match="no rotation was interrupted"):
        resume(site, lambda *_: None)
