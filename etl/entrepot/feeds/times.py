"""When a record was stated, in local civil time and in UTC."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from entrepot.errors import RecordFault
from entrepot.feeds.document import Document, Places
from entrepot.feeds.hl7v2.values import instant, timestamp

_WRITTEN = re.compile(r"(\d{4})(\d{2})?(\d{2})?(?:(\d{2})(\d{2})(\d{2})?)?(?:\.\d+)?([+-]\d{4})?")


def written(text: str) -> str:
    """A DTM text as people write it (`2024-09-03 15:30`): a value that is a date is no number."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return text
    year, month, day, hour, minute, second, _ = match.groups()
    date = "-".join(part for part in (year, month, day) if part)
    return f"{date} {':'.join(part for part in (hour, minute, second) if part)}".strip()


def stated_at(
    document: Document, places: Places, zone: ZoneInfo, received_at: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """When the sender stated the document: local civil time, and UTC.

    Dates of the warehouse are local; versions are ordered by UTC, because an hour of October
    is told twice. A FHIR resource without `meta.lastUpdated` was stated when it was received.

    Args:
        received_at: UTC, naive.

    Raises:
        RecordFault: no time where the format requires one, or the first that is there is
            impossible.
    """
    for text, position in document.stated():
        if not text:
            continue
        try:
            moment, _ = timestamp(text, zone)
            utc = instant(text, zone)
        except RecordFault as fault:
            raise RecordFault(fault.reason, position) from None
        if moment is not None and utc is not None:
            return moment, utc
    if places.undated:
        raise RecordFault(places.undated, places.time)
    local = received_at.replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
    return local, received_at
