"""The root key in escrow: shares of which any two of three restore it, one for each holder.

No share is written into the site's folder and no two into one folder: who reads one place reads one
share. Splitting and restoring are logged before they take place.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

from sqlalchemy import Engine, insert, select

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.durable import create_private
from entrepot.errors import ConfigurationError
from entrepot.former_roots import read_former
from entrepot.keys import Keyring, create_root, site_keyring
from entrepot.landing.database import (
    FINGERPRINT,
    check_keyring,
    create_tables,
    write_transaction,
    zone_engine,
    zone_setting,
)
from entrepot.lock import site_lock
from entrepot.people import person
from entrepot.rekeying import roots
from entrepot.rekeying.share import Share, cut, joined, text_of
from entrepot.rekeying.tables import escrow, zone_tables

SHARES, THRESHOLD = 3, 2  # reference on pseudonymisation, section 2
MOST_SHARES = 16
_SPLIT_BYTES = 4


def split(site: Site, by: str, shares: int = SHARES, threshold: int = THRESHOLD) -> list[Share]:
    """Shares of the site's root key, for their holders; they are kept nowhere here.

    Args:
        by: somebody with the profile `dpo`.

    Raises:
        ConfigurationError: not allowed, another root key than the zone's, or a threshold under 2
            or above the number of shares.
    """
    person(site, by, "dpo")
    if not 2 <= threshold <= shares <= MOST_SHARES:
        raise ConfigurationError(
            f"a key is split into at most {MOST_SHARES} shares, of which 2 or more restore it",
            where="--shares, --threshold",
        )
    name = os.urandom(_SPLIT_BYTES).hex()
    with site_lock(site), _zone(site) as engine:
        keyring = site_keyring(site)
        check_keyring(engine, keyring)
        made: dict[str, str | int] = {
            "split": name, "by": by, "shares": shares, "threshold": threshold,
            "fingerprint": keyring.fingerprint,
        }  # fmt: skip
        with write_transaction(engine) as connection:
            AuditLog(site, keyring).append(Action.ESCROW_SPLIT, made, connection)
            now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
            line = {**made, "version": keyring.version, "split_at": now}
            connection.execute(insert(escrow).values(line))
    return cut(keyring, site.config.site, name, shares, threshold)


def require_apart(site: Site, files: Sequence[Path]) -> None:
    """Refuses files that would put two shares, or a share and the data, in one place.

    Raises:
        ConfigurationError: a file is there already, in the site's folder, or beside another.
    """
    folders = [file.resolve().parent for file in files]
    for file, folder in zip(files, folders, strict=True):
        if file.exists():
            raise ConfigurationError("this file exists already", where=str(file))
        if not folder.is_dir():
            raise ConfigurationError("no such folder", where=str(folder))
        if folder == site.root or site.root in folder.parents:
            raise ConfigurationError(
                "a share has no place in the site that it opens", where=str(file),
                remedy="give a file on its holder's own medium",
            )  # fmt: skip
        if folders.count(folder) > 1:
            raise ConfigurationError(
                "two shares in one folder are one share too many", where=str(folder),
                remedy="one medium for each holder; without --to they are shown one at a time",
            )  # fmt: skip


def write_share(file: Path, share: Share) -> None:
    """Writes a holder's file, readable by its owner alone; never overwrites."""
    create_private(file, text_of(share))


def check(site: Site, shares: Sequence[Share]) -> Keyring:
    """The key that these shares restore, every choice of them: nothing is written.

    Raises:
        ConfigurationError: they restore no key, not the one of this zone, or one was altered.
    """
    keyring = joined(shares)
    for chosen in combinations(shares, shares[0].threshold):
        joined(chosen)
    with _zone(site) as engine:
        _require_of_zone(site, engine, keyring, shares[0])
    return keyring


def restore(site: Site, by: str, shares: Sequence[Share]) -> Keyring:
    """Writes the site's root key anew from shares; never in place of another.

    Args:
        by: somebody with the profile `dpo`.

    Raises:
        ConfigurationError: as `check`; or the site has its key, or takes it from a command.
    """
    person(site, by, "dpo")
    if not roots.has_file(site):
        raise ConfigurationError(
            "this site's key comes from a command or the environment", where="key_command",
            remedy="restore it there; or take key_command out of site.yaml first",
        )  # fmt: skip
    if site.root_key.exists():
        raise ConfigurationError(
            "the site has a root key, which is never overwritten", where=str(site.root_key),
            remedy="entrepot keys escrow-check tells whether the shares are of it",
        )  # fmt: skip
    with site_lock(site):
        keyring = check(site, shares)
        numbers = [str(one.number) for one in shares]
        facts = {"by": by, "split": shares[0].split, "shares": numbers,
                 "fingerprint": keyring.fingerprint}  # fmt: skip
        whole = Keyring(keyring.root(), read_former(roots.former_keys(site), keyring))
        AuditLog(site, whole).append(Action.ESCROW_RESTORED, facts)
        create_root(site.root_key, keyring.root())
    return keyring


def _require_of_zone(site: Site, engine: Engine, keyring: Keyring, share: Share) -> None:
    query = select(zone_setting.c.value).where(zone_setting.c.key == FINGERPRINT)
    with engine.connect() as connection:
        known = connection.scalar(query)
    if known is None:
        raise ConfigurationError(
            "the zone's database names no root key: these shares cannot be checked against it",
            where="site.yaml: database",
            remedy="restore the database of the identifying zone from its backup first",
        )
    if known != keyring.fingerprint or share.site != site.config.site:
        raise ConfigurationError(
            f"these shares are of site {share.site}, root key {keyring.fingerprint};"
            f" here is {site.config.site}, key {known}",
            remedy="take the shares of the last split: entrepot keys show",
        )


@contextmanager
def _zone(site: Site) -> Iterator[Engine]:
    zone_tables()
    engine = zone_engine(site)
    try:
        create_tables(engine)
        yield engine
    finally:
        engine.dispose()
