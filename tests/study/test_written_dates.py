"""Dates of notes, rewritten as they were written; expectations counted on a calendar by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.study.texts import mask_dates
from entrepot.study.written_dates import shift_written

pytestmark = pytest.mark.core

NOTE = dt.date(2024, 3, 15)


@pytest.mark.parametrize(
    ("written", "nine_weeks_earlier"),
    [
        ("03/03/2024", "31/12/2023"),
        ("3/3/24", "31/12/23"),
        ("03.03.2024", "31.12.2023"),
        ("03 / 03 / 2024", "31 / 12 / 2023"),
        ("2024-03-03", "2023-12-31"),
        ("20240303", "20231231"),
        ("20240303101500", "20231231101500"),
        ("03032024", "31122023"),
        ("3 mars 2024", "31 décembre 2023"),
        ("1er mars 2024", "29 décembre 2023"),
        ("4 mars 2024", "1 janvier 2024"),
        ("01 MARS 2024", "29 DÉCEMBRE 2023"),
        ("15 févr. 2024", "14 déc. 2023"),
        ("15 fevrier 2024", "14 decembre 2023"),
        ("29 février 2024", "28 décembre 2023"),
        ("mars 2024", "décembre 2023"),
        ("Mars 2024", "Décembre 2023"),
        ("03/2024", "12/2023"),
        ("2024", "2023"),
        ("12/03", "09/01"),
        ("le 3 mars", None),  # the article is not of the span
        ("31/02/2024", None),
        ("12 brumaire", None),
    ],
)
def test_a_date_keeps_its_form(written: str, nine_weeks_earlier: str | None) -> None:
    assert shift_written(written, 63, NOTE) == nine_weeks_earlier


def test_a_date_after_the_end_of_the_space_is_not_shown() -> None:
    assert shift_written("03/03/2024", 63, NOTE, dt.date(2023, 12, 31)) is None
    assert shift_written("03/03/2024", 63, NOTE, dt.date(2024, 1, 1)) == "31/12/2023"


@given(day=st.dates(dt.date(1995, 1, 1), dt.date(2090, 12, 31)), weeks=st.integers(9, 60))
def test_weekday_and_interval_stay(day: dt.date, weeks: int) -> None:
    moved = shift_written(f"{day:%d/%m/%Y}", 7 * weeks, day)
    assert moved is not None
    shown = dt.datetime.strptime(moved, "%d/%m/%Y").date()
    assert (day - shown).days == 7 * weeks
    assert shown.weekday() == day.weekday()


@given(year=st.integers(1990, 2080), month=st.integers(1, 12), weeks=st.integers(9, 60))
def test_a_partial_date_is_shifted_then_cut(year: int, month: int, weeks: int) -> None:
    first = dt.date(year, month, 1)
    moved = shift_written(f"{month:02d}/{year}", 7 * weeks, first)
    assert moved == (first - dt.timedelta(weeks=weeks)).strftime("%m/%Y")


def test_short_texts_lose_their_dates() -> None:
    assert mask_dates("prélevé le 03/03/2024 à jeun") == "prélevé le [DATE] à jeun"
    assert mask_dates("718-7") == "718-7"
    assert mask_dates("Staphylococcus aureus") == "Staphylococcus aureus"
