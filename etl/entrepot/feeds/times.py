"""When a record was stated, in local civil time and in UTC."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from entrepot.errors import RecordFault
from entrepot.feeds.document import Document, Places
from entrepot.feeds.hl7v2.values import instant, timestamp


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
