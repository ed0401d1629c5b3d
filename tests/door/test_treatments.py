"""Generalisation and civil time, against the rules of the post and of the calendar."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from entrepot.door.civil_time import AMBIGUOUS, MOVED, NONEXISTENT, moment
from entrepot.door.treatments import departement

pytestmark = pytest.mark.core

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("postcode", "code"),
    [
        ("45000", "45"),
        ("01000", "01"),
        ("97400", "974"),  # La Réunion
        ("98800", "988"),  # Nouvelle-Calédonie
        ("20000", "2A"),  # Ajaccio
        ("20190", "2A"),
        ("20200", "2B"),  # Bastia
        ("20600", "2B"),
        ("4500", ""),
        ("AB100", ""),
        ("٤٥٠٠٠", ""),  # digits of another script are no French postcode
    ],
)
def test_departement(postcode: str, code: str) -> None:
    assert departement(postcode) == code


@pytest.mark.parametrize(
    ("text", "local", "notice"),
    [
        ("20240331023000", dt.datetime(2024, 3, 31, 2, 30), NONEXISTENT),
        ("20241027023000", dt.datetime(2024, 10, 27, 2, 30), AMBIGUOUS),
        ("20241027023000+0100", dt.datetime(2024, 10, 27, 2, 30), ""),
        ("20240101233000-0400", dt.datetime(2024, 1, 2, 4, 30), MOVED),
        ("20240101103000", dt.datetime(2024, 1, 1, 10, 30), ""),
        ("20240331", dt.datetime(2024, 3, 31), ""),
    ],
)
def test_civil_time(text: str, local: dt.datetime, notice: str) -> None:
    value, _, told = moment(text, PARIS)
    assert (value, told) == (local, notice)
