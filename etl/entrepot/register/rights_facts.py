"""What the DPO's report says of rights: counts and days, of nobody.

Small counts are not suppressed here: the report's own register of sums does it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from entrepot.audit import Action, Entry, read_entries
from entrepot.config import Site
from entrepot.keys import Keyring, site_keyring
from entrepot.register.erasure_log import ERASE, LIFT, RETAIN, ErasureLog
from entrepot.register.freshness import confirmed_at
from entrepot.register.minors import due
from entrepot.register.registers import load_registers
from entrepot.register.snapshot import Snapshot
from entrepot.register.tables import erased_record, information, opposition

STANDING, WITHDRAWN, ENDED = "standing", "withdrawn", "ended"


@dataclass(frozen=True)
class RightsFacts:
    """Section 8 of the report, as counts.

    Args:
        oppositions: (register, scope, state) -> lines; scope is `all` or `study`, state standing,
            withdrawn or ended (its last day is over).
        by_channel: (register, channel) -> lines.
        by_holder: register -> lines that a holder of parental authority caused.
        recorded_days: from the person's word to the register, one number a line.
        applied_days: from the register to the next release, one number a line that has one.
        waiting: lines entered after the last release.
        erasures: persons erased and not taken up again; `lifted`: taken up again.
        erased_records: ledger lines whose content is gone, retention included.
        retained: persons whose retention ended.
        erasure_days: from an erasure to the next release.
        informations: (channel, notice) -> lines.
        due: kind of line -> persons of age (or of unknown age) to be informed again.
        confirmed_on: register -> ISO date, empty when it never was.
    """

    oppositions: dict[tuple[str, str, str], int]
    by_channel: dict[tuple[str, str], int]
    by_holder: dict[str, int]
    recorded_days: tuple[int, ...]
    applied_days: tuple[int, ...]
    waiting: int
    erasures: int
    lifted: int
    erased_records: int
    retained: int
    erasure_days: tuple[int, ...]
    informations: dict[tuple[str, str], int]
    due: dict[str, int]
    confirmed_on: dict[str, str]
    access_reports: int
    retention_years: int


def facts(
    site: Site, connection: Connection, keyring: Keyring | None = None,
    today: dt.date | None = None,
) -> RightsFacts:  # fmt: skip
    """The facts as the registers, the list of erasures and the audit log have them now.

    Raises:
        ConfigurationError: no key, or the list of erasures is damaged.
    """
    keys = keyring or site_keyring(site)
    entries = list(read_entries(site, keys))
    releases = [_moment(one) for one in entries if one.action == Action.PUBLISHED]
    lines = connection.execute(select(opposition)).all()
    erasures = ErasureLog(site, keys).lines()
    erased = [line for line in erasures if line.act == ERASE]
    delays = [_days_until(line.recorded_at, releases) for line in lines]
    asked = [dt.datetime.fromisoformat(line.at).replace(tzinfo=None) for line in erased]
    snapshot = Snapshot(connection, keys, site.config.register_)
    day = today or dt.datetime.now(site.zone).date()
    waiting = due(connection, keys, site.config, snapshot, day)
    informed = connection.execute(select(information.c.channel, information.c.notice))
    lifted = sum(line.act == LIFT for line in erasures)
    return RightsFacts(
        Counter((line.register, line.scope.partition(":")[0], _state(line)) for line in lines),
        Counter((line.register, line.channel) for line in lines),
        Counter(line.register for line in lines if line.by_holder),
        tuple((line.recorded_at.date() - line.opposed_on).days for line in lines),
        tuple(days for days in delays if days is not None),
        sum(days is None for days in delays),
        len(erased) - lifted,
        lifted,
        connection.scalar(select(func.count()).select_from(erased_record)) or 0,
        sum(len(line.persons) or 1 for line in erasures if line.act == RETAIN),
        tuple(days for one in asked if (days := _days_until(one, releases)) is not None),
        Counter((row.channel, row.notice) for row in informed),
        Counter(one.kind for one in waiting),
        _confirmed(connection, site),
        sum(one.action == Action.ACCESS_REPORTED for one in entries),
        site.config.retention.years,
    )


def _confirmed(connection: Connection, site: Site) -> dict[str, str]:
    found = {}
    for register in load_registers(site.overlays).registers:
        moment = confirmed_at(connection, register)
        found[register] = moment.date().isoformat() if moment else ""
    return found


def _state(line: object) -> str:
    withdrawn, until = getattr(line, "withdrawn_on", None), getattr(line, "until", None)
    if withdrawn is None:
        return STANDING
    return ENDED if until is not None and withdrawn == until else WITHDRAWN


def _moment(entry: Entry) -> dt.datetime:
    return dt.datetime.fromisoformat(entry.at).replace(tzinfo=None)


def _days_until(moment: dt.datetime, releases: Iterable[dt.datetime]) -> int | None:
    after = next((release for release in releases if release >= moment), None)
    return None if after is None else (after - moment).days
