"""One run at a time per site: a lock that the operating system frees when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from entrepot.config import Site
from entrepot.errors import SiteBusyError

LOCK = ".run.lock"


@contextmanager
def site_lock(site: Site) -> Iterator[None]:
    """Held while a stage, a run, an ingest or a replay works on the site.

    Raises:
        SiteBusyError: another process holds it.
    """
    descriptor = os.open(site.root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SiteBusyError(
            "another run works on this site", where=str(site.root), remedy="wait until it ends"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
