"""Serving a review's page in this process, and the texts that its readers see."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from entrepot.config import Site
from entrepot.keys import site_keyring
from entrepot.review.sample import Sample
from entrepot.review.server import ReviewServer
from entrepot.review.serving import open_server
from roads import query


@contextmanager
def served(site: Site, sample: Sample, reader: str) -> Iterator[ReviewServer]:
    """The page of a reader, from another thread."""
    with open_server(site, site_keyring(site), sample.review, reader) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def notes(site: Site) -> dict[int, str]:
    """The published texts by note_id."""
    return {int(i): str(t) for i, t in query(site, "SELECT note_id, note_text FROM note")}
