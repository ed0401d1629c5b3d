"""Typed values: HL7 v2.5 2.A (DTM, NM, SN), 7.4.2.7, and French usage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.values import (
    StructuredNumber,
    decimal,
    range_limits,
    stated_date,
    structured_number,
    timestamp,
)

pytestmark = pytest.mark.core

PARIS = ZoneInfo("Europe/Paris")
REUNION = ZoneInfo("Indian/Reunion")


@pytest.mark.parametrize(
    ("text", "value", "precision"),
    [
        ("1979", datetime(1979, 1, 1), "year"),
        ("197903", datetime(1979, 3, 1), "month"),
        ("19790328", datetime(1979, 3, 28), "day"),
        ("1979032810", datetime(1979, 3, 28, 10), "hour"),
        ("197903281030", datetime(1979, 3, 28, 10, 30), "minute"),
        ("20240101103000", datetime(2024, 1, 1, 10, 30), "second"),
        ("20240101103000.1", datetime(2024, 1, 1, 10, 30, 0, 100000), "second"),
        ("20240101103000.1234", datetime(2024, 1, 1, 10, 30, 0, 123400), "second"),
        ("20240101103000.123456", datetime(2024, 1, 1, 10, 30, 0, 123456), "second"),
        ("20240101103000^S", datetime(2024, 1, 1, 10, 30), "second"),
        (" 20240229 ", datetime(2024, 2, 29), "day"),
        ("19790000", datetime(1979, 1, 1), "year"),
        ("19790300", datetime(1979, 3, 1), "month"),
        ("197900", datetime(1979, 1, 1), "year"),
        ("19790000000000", datetime(1979, 1, 1), "year"),
        ("20240101103000+0100", datetime(2024, 1, 1, 10, 30), "second"),
        ("20240701103000+0100", datetime(2024, 7, 1, 11, 30), "second"),
        ("20240101233000-0400", datetime(2024, 1, 2, 4, 30), "second"),
        ("202401011030-0000", datetime(2024, 1, 1, 11, 30), "minute"),
        ("20240101+0400", datetime(2024, 1, 1), "day"),
        ("19790000+0100", datetime(1979, 1, 1), "year"),
        ("20240331023000", datetime(2024, 3, 31, 2, 30), "second"),
        ("20241027023000", datetime(2024, 10, 27, 2, 30), "second"),
        ("20241027023000+0200", datetime(2024, 10, 27, 2, 30), "second"),
        ("20241027023000+0100", datetime(2024, 10, 27, 2, 30), "second"),
    ],
)
def test_timestamp(text: str, value: datetime, precision: str) -> None:
    found, stated = timestamp(text, PARIS)
    assert (found, stated) == (value, precision)
    assert found is not None
    assert found.tzinfo is None


def test_timestamp_is_the_site_s_civil_time() -> None:
    assert timestamp("20240101103000Z"[:14] + "+0000", REUNION)[0] == datetime(2024, 1, 1, 14, 30)
    assert timestamp("20240101103000", REUNION)[0] == datetime(2024, 1, 1, 10, 30)


@pytest.mark.parametrize("text", ["", "  ", '""'])
def test_no_time(text: str) -> None:
    assert timestamp(text, PARIS) == (None, "")
    assert stated_date(text) == (None, "")


@pytest.mark.parametrize(
    ("text", "value", "precision"),
    [
        ("19850101000000+0700", date(1985, 1, 1), "day"),
        ("19850101235959-1100", date(1985, 1, 1), "day"),
        ("19850101", date(1985, 1, 1), "day"),
        ("198503", date(1985, 3, 1), "month"),
        ("19790000", date(1979, 1, 1), "year"),
    ],
)
def test_date_is_the_stated_one_whatever_the_offset(text: str, value: date, precision: str) -> None:
    assert stated_date(text) == (value, precision)


@pytest.mark.parametrize(
    "text",
    ["19790230", "20230229", "19791301", "1979030", "197", "douze", "0000", "00000000", "09790101",
     "1979010125", "2024010124", "202401011060", "20240101103060", "20240101103000.", "19790012",
     "197900001030", "20240101103000.1234567", "2024-01-01", "20240101T1030", "20240101 1030",
     "20240101103000+1", "20240101103000+1500", "20240101103000+0160", "20240101103000.1-05000",
     "99991231235959-1200", "٢٠٢٤٠١٠١", "20240101Z", "19790000000000.5"],
)  # fmt: skip
def test_impossible_time(text: str) -> None:
    with pytest.raises(RecordFault) as fault:
        timestamp(text, PARIS)
    assert (fault.value.reason, fault.value.position) == ("impossible_date", "")
    if text != "99991231235959-1200":  # a date in itself, beyond the calendar at another offset
        with pytest.raises(RecordFault, match="impossible_date"):
            stated_date(text)


@settings(deadline=None)
@given(st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1)))
def test_any_civil_time_is_read_as_stated(value: datetime) -> None:
    stated = value.replace(microsecond=value.microsecond // 100 * 100)
    text = f"{stated:%Y%m%d%H%M%S}.{stated.microsecond // 100:04}".rjust(19, "0")
    assert timestamp(text, PARIS) == (stated, "second")


@settings(deadline=None)
@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)), st.integers(-720, 840))
def test_an_offset_keeps_the_instant(value: datetime, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    instant = value.replace(microsecond=0, tzinfo=UTC)
    found, _ = timestamp(f"{instant.astimezone(zone):%Y%m%d%H%M%S%z}", REUNION)
    assert found is not None
    assert found.replace(tzinfo=REUNION) == instant  # La Réunion has no summer time


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", "12"), ("-1.5", "-1.5"), ("+7", "7"), ("0", "0"), ("007", "7"), (".5", "0.5"),
     ("5.", "5"), ("1.50", "1.50"), ("-0", "0"), (" 12 ", "12"), ("9" * 28, "9" * 28),
     ("0.1234567890", "0.1234567890"), ("1.00000000000000", "1")],
)  # fmt: skip
def test_plain_number(text: str, value: str) -> None:
    assert decimal(text) == (Decimal(value), None, False)


@pytest.mark.parametrize(
    ("text", "value", "operator"),
    [
        ("0,5", "0.5", None),
        (",5", "0.5", None),
        ("1,234", "1.234", None),
        ("1 234,5", "1234.5", None),
        ("1\u00a0234,5", "1234.5", None),
        ("1\u202f234\u202f567,25", "1234567.25", None),
        ("12 345.5", "12345.5", None),
        ("-0,5", "-0.5", None),
        ("−0,5", "-0.5", None),
        ("1e3", "1000", None),
        ("1,5E-3", "0.0015", None),
        ("<0,5", "0.5", "<"),
        ("< 0.5", "0.5", "<"),
        ("<=12", "12", "<="),
        (">3", "3", ">"),
        (">=1 000", "1000", ">="),
        ("=4", "4", "="),
        ("≤4", "4", "<="),
        ("≥ 4", "4", ">="),
    ],
)
def test_normalised_number(text: str, value: str, operator: str | None) -> None:
    found, stated, normalised = decimal(text)
    assert (found, stated, normalised) == (Decimal(value), operator, True)
    assert found is not None
    assert found.as_tuple().exponent in range(-10, 1)


@pytest.mark.parametrize(
    "text",
    ["", '""', "douze", "-", ".", ",", "<", "<>5", "1,234,567", "1.234,5", "1,234.5", "12 34",
     "1 2345", "12 g", "5%", "1/2", "0x10", "1_000", "inf", "nan", "NaN", "-Infinity", "٣", "１２",
     "²", "9" * 29, "1e28", "0.12345678901", "1e-11", "1e99", "1e999", "12,", "--5", "1" * 5000,
     "1\n2"],
)  # fmt: skip
def test_no_number(text: str) -> None:
    assert decimal(text)[0] is None


def test_text_that_is_no_number_is_not_called_normalised() -> None:
    assert decimal("douze") == (None, None, False)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_bounded_number_or_none(text: str) -> None:
    value, operator, _ = decimal(text)
    assert operator in {None, "<", "<=", ">", ">=", "="}
    if value is not None:
        assert value.is_finite()
        assert abs(value) < Decimal(10) ** 28
        assert value == value.quantize(Decimal("1e-10")) or abs(value) >= 10**17
    range_limits(text)
    structured_number(text)


@settings(deadline=None)
@given(
    st.decimals(-(10**17), 10**17, allow_nan=False, allow_infinity=False, places=10),
    st.sampled_from([" ", "\u00a0", "\u202f"]),
)
def test_french_typography_round_trips(value: Decimal, space: str) -> None:
    typed = f"{value:,.10f}".replace(",", space).replace(".", ",")
    assert decimal(typed)[0] == value
    assert decimal(f"{value:.10f}") == (value, None, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">^10", (">", "10", None, None)),
        ("^1^:^128", (None, "1", ":", "128")),
        ("^2^-^4", (None, "2", "-", "4")),
        ("^2^+", (None, "2", "+", None)),
        ("<>^10", ("<>", "10", None, None)),
        ("=^0,5", ("=", "0.5", None, None)),
        ("^10", (None, "10", None, None)),
        ("^10^^", (None, "10", None, None)),
        (">10", (">", "10", None, None)),
        ("12", (None, "12", None, None)),
    ],
)
def test_structured_number(
    text: str, expected: tuple[str | None, str, str | None, str | None]
) -> None:
    comparator, first, separator, second = expected
    assert structured_number(text) == StructuredNumber(
        comparator, Decimal(first), separator, None if second is None else Decimal(second)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        '""',
        ">^",
        "^^-^4",
        "x^10",
        ">^>10",
        "^1^x^2",
        "^1^:^x",
        "^1^^2",
        "^1^:^2^3",
        "douze",
        "<<^1",
    ],
)
def test_no_structured_number(text: str) -> None:
    assert structured_number(text) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("12-16", "12", "16"),
        ("12 - 16", "12", "16"),
        ("12,0 – 16,5", "12.0", "16.5"),
        ("0,5-1,2", "0.5", "1.2"),
        ("0.5-1.2", "0.5", "1.2"),
        ("-3-5", "-3", "5"),
        ("-3--1", "-3", "-1"),
        ("-3 - -1", "-3", "-1"),
        ("1 000-2 000", "1000", "2000"),
        ("12 à 16", "12", "16"),
        ("5-5", "5", "5"),
        ("<5", None, "5"),
        ("<= 5", None, "5"),
        (">3", "3", None),
        (">=3", "3", None),
        ("≥ 3,5", "3.5", None),
    ],
)
def test_range(text: str, low: str | None, high: str | None) -> None:
    assert range_limits(text) == (
        None if low is None else Decimal(low),
        None if high is None else Decimal(high),
    )


@pytest.mark.parametrize(
    "text",
    ["", '""', "5", "=5", "16-12", "12-", "-", "12-16-20", "négatif", "12-16 g/L", "70_105", "a-b",
     "N: 12-16", "12..16", "9" * 29 + "-" + "9" * 30],
)  # fmt: skip
def test_no_range(text: str) -> None:
    assert range_limits(text) == (None, None)
