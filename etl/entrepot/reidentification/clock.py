"""The time of an act, from a clock that must not have been set back."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable

import sqlalchemy as sa

from entrepot.audit import read_entries
from entrepot.config import Site
from entrepot.keys import Keyring
from entrepot.landing.settings import read_setting, write_setting
from entrepot.reidentification.refusals import Refusal

_SEEN = "reidentification_clock"
_STEP = dt.timedelta(minutes=2)  # what a time server may set a clock back by

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Naive UTC, whole seconds."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


def tell(connection: sa.Connection, site: Site, keyring: Keyring, clock: Clock) -> dt.datetime:
    """What the clock says, noted in the zone.

    Raises:
        Refusal: it stands before the last act that the zone or the audit log has seen, so that a
            window which ended would open again.
    """
    now = clock()
    last = deque(read_entries(site, keyring), maxlen=1)
    seen = [dt.datetime.fromisoformat(entry.at).replace(tzinfo=None) for entry in last]
    noted = read_setting(connection, _SEEN)
    seen += [dt.datetime.fromisoformat(noted)] if noted else []
    latest = max(seen, default=now)
    if now < latest - _STEP:
        raise Refusal("clock_moved_back")
    write_setting(connection, _SEEN, max(now, latest).isoformat())
    return now
