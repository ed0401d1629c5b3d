"""Local civil time: told when a time does not exist, exists twice or moves to another day."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from entrepot.feeds.hl7v2.values import stated_date, timestamp

NONEXISTENT = "local_time_nonexistent"
AMBIGUOUS = "local_time_ambiguous"
MOVED = "date_moved_by_offset"

_OFFSET = re.compile(r"\d{10,}(?:\.\d+)?[+-]\d{4}")
_INSTANTS = {"hour", "minute", "second"}


@lru_cache(maxsize=8192)
def moment(text: str, zone: ZoneInfo) -> tuple[dt.datetime | None, str, str]:
    """Local civil time, its precision, and a notice code or ''.

    Raises:
        RecordFault: `impossible_date`.
    """
    value, precision = timestamp(text, zone)
    if value is None or precision not in _INSTANTS:
        return value, precision, ""
    if _OFFSET.match(text):
        return value, precision, MOVED if stated_date(text)[0] != value.date() else ""
    return value, precision, _odd_hour(value, zone)


def _odd_hour(value: dt.datetime, zone: ZoneInfo) -> str:
    """The hour that a change to summer time skips, or the one that winter time repeats."""
    first = value.replace(tzinfo=zone)
    if first.utcoffset() == value.replace(tzinfo=zone, fold=1).utcoffset():
        return ""
    there_and_back = first.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None)
    return AMBIGUOUS if there_and_back == value else NONEXISTENT
