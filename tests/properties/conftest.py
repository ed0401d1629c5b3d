"""Sites and messages that the property tests share."""

from __future__ import annotations

import pytest

from properties.stages import Sites


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """Empty sites with one root key."""
    return Sites(tmp_path_factory.mktemp("sites"))
