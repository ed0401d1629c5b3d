"""The plan of the shipped checks, and third-party material where the machine has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from entrepot.quality.plan import Plan, build_plan


@pytest.fixture(scope="session")
def plan() -> Plan:
    return build_plan()


@pytest.fixture(scope="session")
def dqd_reference() -> Path:
    """Synthea27Nj with the results of DataQualityDashboard 2.8.4."""
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    folder = Path(os.environ.get("ENTREPOT_SHARED", beside)) / "quality"
    if not (folder / "dqd_2.8.4_expected.csv").is_file():
        pytest.skip("the DQD reference results are not on this machine (ENTREPOT_SHARED)")
    return folder
