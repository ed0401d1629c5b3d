"""Opens a reader's page: who may read, and the log's line of it before anything is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.people import person
from entrepot.review.forgetting import forget_missing
from entrepot.review.sample import folder
from entrepot.review.server import ReviewServer
from entrepot.review.session import Session

READER = "reader"


@contextmanager
def open_server(
    site: Site, keyring: Keyring, review: str, reader: str, port: int = 0, *,
    adjudicate: bool = False,
) -> Iterator[ReviewServer]:  # fmt: skip
    """A server that listens, for a reader whom the site names; the caller runs it.

    A text may hold an identifier that was missed, so the consultation is logged as one of content.

    Raises:
        ConfigurationError: no such review, nobody of this name with the profile `reader`, no
            document (on which readers differ), or the port is taken.
        EntrepotError: the log cannot be written; nothing is shown.
    """
    forget_missing(site)
    name = person(site, reader, READER).name
    session = Session(site, folder(site, review), name, adjudicate=adjudicate)
    if not session.documents:
        raise ConfigurationError("there is nothing to read", where=review)
    with ReviewServer(session, port) as server:
        facts = {"record": f"review {review}", "why": f"review by {reader}"}
        AuditLog(site, keyring).append(Action.CONTENT_READ, facts)
        yield server
