"""Where identities are written: the identifying zone alone, for their owner, for a while."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Collection
from pathlib import Path

import sqlalchemy as sa

from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.keys import Keyring
from entrepot.landing.database import private_folder
from entrepot.reidentification import requests, tables
from entrepot.reidentification.subjects import Disclosure

FOLDER = "reidentified"


def folder(site: Site) -> Path:
    """Files of identities, one for each executed request."""
    return site.identifying / FOLDER


def write(site: Site, shown: Disclosure) -> Path:
    """Writes the persons of an execution; an earlier file of the same request is replaced.

    Raises:
        EntrepotError: the file cannot be written.
    """
    path = folder(site) / f"{shown.request.request_id}.json"
    document = {
        "request": shown.request.request_id,
        "motive": shown.request.motive,
        "until": shown.until.isoformat(),
        "missing": len(shown.request.persons) - len(shown.persons),
        "persons": [{"given": one.given, **one.identity} for one in shown.persons],
    }
    try:
        private_folder(folder(site))
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=1)
    except OSError as error:
        raise EntrepotError(
            f"the file cannot be written ({error.strerror})", where=str(folder(site)),
            remedy="mend it and execute again within the window",
        ) from None  # fmt: skip
    return path


def end(site: Site, now: dt.datetime) -> int:
    """Removes the files whose window has ended; returns how many."""
    ended = 0
    for path in sorted(folder(site).glob("R-*.json")):
        try:
            until = dt.datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["until"])
        except (ValueError, KeyError, TypeError):
            until = dt.datetime.min
        if until < now:
            path.unlink()
            ended += 1
    return ended


def forget(
    site: Site, connection: sa.Connection, keyring: Keyring, person_ids: Collection[int]
) -> int:
    """Removes what an erased person left here: files, and the sealed rows that name them.

    The request's line stays, with its motive, times and signatures; nobody can act on it again.

    Returns:
        Requests that named one of the persons.
    """
    if not sa.inspect(connection).has_table(tables.request.name):
        return 0  # nothing was ever requested
    gone = set(person_ids)
    found = [one for one in requests.read_all(connection, keyring) if gone & set(one.persons)]
    for one in found:
        (folder(site) / f"{one.request_id}.json").unlink(missing_ok=True)
        row = tables.request.c.request_id == one.request_id
        connection.execute(sa.update(tables.request).where(row).values(sealed=b""))
    return len(found)
