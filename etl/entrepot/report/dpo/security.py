"""Section 11: what protects the identifying zone, looked at now and not claimed.

Modes of its files, whether what lies on the disk can be read without the key, the age of backups.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from entrepot.keys import ENVIRONMENT
from entrepot.landing.database import metadata
from entrepot.landing.keyed import REKEY, Sealed
from entrepot.report.dpo.disclosure import rounded
from entrepot.report.dpo.evidence import Evidence
from entrepot.report.dpo.zone_files import Place, open_to_others

# Of random bytes 24 in a row are printable once in 10¹⁰ places; of a message nearly all are.
_READABLE = re.compile(rb"[\x20-\x7e\t\r\n]{24}")
_READ_BYTES = 1 << 20  # of each segment
_SEGMENTS = 16
_ROWS = 200  # of each sealed column


@dataclass(frozen=True)
class SealedPlace:
    """Pieces looked at, and those with text that anybody can read, rounded; expected 0.

    Args:
        name: `landing`, or table and column of the zone's database.
    """

    name: str
    looked_at: int | str
    readable: int | str


@dataclass(frozen=True)
class BackupState:
    """Files of the backup folder; empty dates: none.

    Args:
        stated: the site says where its backups lie.
        too_old: kept longer than `keep_days`.
    """

    stated: bool
    files: int
    newest_on: str
    oldest_on: str
    keep_days: int
    too_old: int
    open_to_others: int


@dataclass(frozen=True)
class Security:
    """Section 11, without the keys.

    Args:
        accounts_apart: the two zones belong to different accounts of the machine.
        inside_research: the identifying zone lies below the research zone; expected false.
        key_from: `command`, `environment` or `file`.
    """

    database: str
    key_from: str
    accounts_apart: bool
    inside_research: bool
    places: tuple[Place, ...]
    sealed: tuple[SealedPlace, ...]
    backups: BackupState

    @property
    def private(self) -> bool:
        """No file of the zone is open to other accounts."""
        return not any(place.open_to_others for place in self.places)

    @property
    def ciphered(self) -> bool:
        """Nothing that should be ciphertext can be read."""
        return not any(place.readable for place in self.sealed)


def security(evidence: Evidence) -> Security:
    """Everything looked at as the account that writes the report."""
    site = evidence.site
    zone, research = site.identifying.resolve(), site.research.resolve()
    return Security(
        evidence.zone.dialect.name,
        _key_from(evidence),
        zone.stat().st_uid != research.stat().st_uid,
        zone.is_relative_to(research),
        evidence.places,
        (_landing(evidence), *_columns(evidence)),
        _backups(evidence),
    )


def _key_from(evidence: Evidence) -> str:
    if os.environ.get(ENVIRONMENT) is not None:
        return "environment"
    return "command" if evidence.site.config.key_command else "file"


def _landing(evidence: Evidence) -> SealedPlace:
    """The beginning of the newest segments, as bytes of the disk."""
    paths = sorted(evidence.site.segments.glob("*.segment"))[-_SEGMENTS:]
    found = []
    for path in paths:
        with path.open("rb") as file:
            found.append(file.read(_READ_BYTES))
    return _place("landing", found)


def _columns(evidence: Evidence) -> Iterator[SealedPlace]:
    """Columns that the zone's tables declare sealed."""
    there = set(sa.inspect(evidence.zone).get_table_names())
    for table in metadata.sorted_tables:
        for column in table.columns if table.name in there else ():
            if isinstance(column.info.get(REKEY), Sealed) or column.name == "sealed":
                query = sa.select(column).where(column.is_not(None)).limit(_ROWS)
                values = [bytes(value) for value in evidence.zone.scalars(query)]
                yield _place(f"{table.name}.{column.name}", values)


def _place(name: str, pieces: list[bytes]) -> SealedPlace:
    """Rounded: a line of a register is a person's."""
    return SealedPlace(name, rounded(len(pieces)), rounded(sum(map(_readable, pieces))))


def _readable(data: bytes) -> bool:
    return _READABLE.search(data) is not None


def _backups(evidence: Evidence) -> BackupState:
    stated = evidence.site.config.retention.backups
    if stated is None:
        return BackupState(False, 0, "", "", 0, 0, 0)
    folder = evidence.site.path(stated.folder)
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    days = sorted(dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC) for path in files)
    limit = evidence.now - dt.timedelta(days=stated.keep_days)
    return BackupState(
        True,
        len(files),
        days[-1].date().isoformat() if days else "",
        days[0].date().isoformat() if days else "",
        stated.keep_days,
        sum(day < limit for day in days),
        open_to_others(files, evidence.site.root),
    )
