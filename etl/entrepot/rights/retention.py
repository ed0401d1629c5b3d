"""`entrepot retention purge`: what is over its term leaves (CNIL, référentiel EDS 7.2; control 12).

A person goes when no record of theirs was stated since the term. Unlike an erasure it looks back
only: who comes again later is a patient again, and what a restored backup brings back of the years
before goes at the next run. Backups, logs and access reports go by the age of their files.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import select

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.keys import site_keyring
from entrepot.landing.ledger import ERASED
from entrepot.landing.tables import data_key, record
from entrepot.lock import site_lock
from entrepot.people import person as named_person
from entrepot.register.erasure_log import RETAIN, ErasureLog
from entrepot.register.snapshot import Snapshot
from entrepot.register.tables import registration
from entrepot.rights.files import access_reports, old_backups, old_logs, remove
from entrepot.rights.proof import prove
from entrepot.rights.target import person_ids
from entrepot.road.inputs import Inputs
from entrepot.road.results import Progress, silent
from entrepot.run import run

DPO = "dpo"
EVIDENCE = "evidence"
_PERSONS_A_LINE = 200  # of the list of erasures: a line is read whole


@dataclass(frozen=True)
class Purged:
    """What a purge did, or would do: counts alone, as its evidence has them.

    Args:
        before: the term, local civil time: what was last stated earlier goes.
        records: of these persons, and of nobody, received before the term.
        sha256: of the proof; empty for a dry run.
    """

    before: str
    persons: int
    records: int
    backups: int
    logs: int
    reports: int
    dry_run: bool = False
    rows: int = 0
    sha256: str = ""
    published: bool = True

    @property
    def clean(self) -> bool:
        """Whether the proof found no row."""
        return not self.rows

    def as_dict(self) -> dict[str, Any]:
        """The evidence, JSON-able."""
        return asdict(self)


@dataclass
class _Over:
    """Who and what is over the term."""

    persons: list[tuple[set[bytes], tuple[int, ...]]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    records: int = 0


def purge(
    site: Site, by: str, on: dt.date | None = None, dry_run: bool = False,
    progress: Progress = silent,
) -> Purged:  # fmt: skip
    """Erases persons and unread content older than the term, and files over theirs.

    Args:
        on: the day of the purge; today when not given.

    Raises:
        ConfigurationError: `by` is no data protection officer.
        SiteBusyError: a run works on the site.
    """
    named_person(site, by, DPO)
    keyring = site_keyring(site)
    today = on or dt.datetime.now(site.zone).date()
    term = dt.datetime.combine(_years_before(today, site.config.retention.years), dt.time())
    files = [old_backups(site, today), old_logs(site, today), access_reports(site, today)]
    log = AuditLog(site, keyring)
    with site_lock(site), Inputs.of(site) as inputs:
        over = _over(inputs, term)
        backups, logs, reports = map(len, files)
        purged = Purged(
            term.isoformat(), len(over.persons), over.records, backups, logs, reports, dry_run
        )
        if dry_run:
            return purged
        log.append(Action.RETENTION_PURGED, _facts(by, purged))
        _list(ErasureLog(site, keyring), over, term)
        for paths in files:
            remove(paths)
    result = run(site, progress)
    with Inputs.of(site) as inputs:
        proof = prove(site, inputs.database, keyring)
    purged = replace(
        purged, rows=proof.rows, sha256=proof.fingerprint, published=result.passed
    )  # fmt: skip
    _write_evidence(site, purged)
    log.append(Action.RETENTION_PURGED, {**_facts(by, purged), "proof": proof.fingerprint})
    return purged


def retention_end(site: Site, last: dt.date) -> dt.date:
    """When the data of a person whose last activity is of that day are to go."""
    return _years_before(last, -site.config.retention.years)


def _years_before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # a 29 February
        return day.replace(year=day.year - years, day=28)


def _over(inputs: Inputs, term: dt.datetime) -> _Over:
    keyring, over = inputs.keyring, _Over()
    with inputs.database.connect() as connection:
        snapshot = Snapshot(connection, keyring, inputs.site.config.register_)
        last: dict[bytes, dt.datetime] = {}
        records: Counter[bytes] = Counter()
        for row, root in snapshot.attributed():
            records[root] += 1
            if row.stated_at is not None:
                last[root] = max(row.stated_at, last.get(root, row.stated_at))
        for root in sorted(root for root, moment in last.items() if moment < term):
            ids = person_ids(keyring, snapshot.persons[root].keys)
            over.persons.append((snapshot.numbers[root], ids))
            over.records += records[root]
        query = (
            select(record.c.address)
            .join(data_key, data_key.c.record_id == record.c.record_id)
            .outerjoin(registration, registration.c.record_id == record.c.record_id)
            .where(
                registration.c.subject.is_(None), record.c.received_at < term,
                data_key.c.wrapped_key != ERASED,
            )
        )  # fmt: skip
        over.addresses = [address.hex() for address in connection.scalars(query)]
    over.records += len(over.addresses)
    return over


def _list(erasures: ErasureLog, over: _Over, term: dt.datetime) -> None:
    """Durable before anything goes: what a killed purge left is done by the next run."""
    for start in range(0, len(over.persons), _PERSONS_A_LINE):
        page = over.persons[start : start + _PERSONS_A_LINE]
        numbers = tuple(number.hex() for known, _ in page for number in known)
        ids = tuple(one for _, known in page for one in known[:1])
        erasures.append(RETAIN, numbers, ids, before=term)
    if over.addresses:
        erasures.append(RETAIN, (), (), tuple(over.addresses), before=term)


def _facts(by: str, purged: Purged) -> dict[str, str | int]:
    return {
        "by": by, "before": purged.before, "persons": purged.persons,
        "records": purged.records, "backups": purged.backups,
    }  # fmt: skip


def _write_evidence(site: Site, purged: Purged) -> None:
    folder = site.identifying / EVIDENCE
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"retention-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}.json"
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(purged.as_dict(), file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
