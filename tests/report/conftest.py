"""Fixtures of the reports' tests."""

from __future__ import annotations

import pytest

from report.dpo_hospital import Hospital, build


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return build(tmp_path_factory.mktemp("dpo"))
