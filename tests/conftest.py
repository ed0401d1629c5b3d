"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """Test material that nobody of this project wrote; it lies beside a checkout or nowhere."""
    folder = Path(os.environ.get("ENTREPOT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared test material is not on this machine (ENTREPOT_SHARED)")
    return folder
