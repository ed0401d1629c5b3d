"""Times of the hospital: local civil time of Europe/Paris, written as HL7 writes them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
START = dt.datetime(2024, 1, 2, 8, 0)
END = dt.datetime(2025, 12, 20, 18, 0)
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def stamp(when: dt.datetime) -> str:
    """HL7 DTM to the second, without offset."""
    return when.strftime("%Y%m%d%H%M%S")


def minute(when: dt.datetime) -> str:
    """HL7 DTM to the minute."""
    return when.strftime("%Y%m%d%H%M")


def day(when: dt.datetime) -> str:
    """HL7 DTM to the day."""
    return when.strftime("%Y%m%d")


def with_offset(when: dt.datetime) -> str:
    """HL7 DTM with the offset of Paris at that time: +0100 or +0200."""
    return when.replace(tzinfo=PARIS).strftime("%Y%m%d%H%M%S%z")


def in_utc(when: dt.datetime) -> str:
    """HL7 DTM of the same instant, stated in UTC with the offset +0000."""
    return when.replace(tzinfo=PARIS).astimezone(dt.UTC).strftime("%Y%m%d%H%M%S%z")


def instant(when: dt.datetime, style: str = "local") -> str:
    """ISO 8601 with the offset of Paris at that time, or in UTC with `Z` when `style` is utc."""
    zoned = when.replace(tzinfo=PARIS)
    if style == "utc":
        return zoned.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return zoned.isoformat(timespec="seconds")


def settled(when: dt.datetime) -> dt.datetime:
    """`when`, moved out of the two hours a year that do not exist or exist twice."""
    zoned = when.replace(tzinfo=PARIS)
    if zoned.utcoffset() != zoned.replace(fold=1).utcoffset():
        return when + dt.timedelta(hours=2)
    return when


def monday(when: dt.datetime) -> dt.date:
    """First day of the week of `when`: it names the file."""
    return when.date() - dt.timedelta(days=when.weekday())


def spoken(when: dt.date) -> str:
    """`3 février 2024`, as a letter says it."""
    first = "er" if when.day == 1 else ""
    return f"{when.day}{first} {MONTHS[when.month - 1]} {when.year}"
