"""Whether a request and its decisions hold at this moment: signatures, profiles, times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from entrepot.audit import Action, read_entries
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.people import Person, person, verify
from entrepot.reidentification import tables
from entrepot.reidentification.motives import Motives
from entrepot.reidentification.refusals import Refusal
from entrepot.reidentification.requests import REQUEST, Decision, Request, agreed_at, decisions

_TOLD = {Action.REIDENTIFICATION_APPROVED, Action.REIDENTIFICATION_REFUSED}


@dataclass(frozen=True)
class Standing:
    """A request as it stands.

    Args:
        state: requested, approved, executed; or why nothing can be done with it (`Refusal.code`).
        until: end of the execution window, once approved.
    """

    request: Request
    state: str
    decisions: tuple[Decision, ...]
    until: dt.datetime | None


class Judge:
    """Judges by today's people and motives: a profile that was taken away counts no more."""

    def __init__(self, site: Site, keyring: Keyring, motives: Motives) -> None:
        self._site, self._keyring, self._motives = site, keyring, motives

    def require_genuine(self, request: Request) -> None:
        """Refuses a request that is not what its requester signed.

        Raises:
            Refusal: changed since, or its requester is gone or has another key.
        """
        try:
            by = person(self._site, request.requester)
        except ConfigurationError:
            raise Refusal("not_entitled") from None
        if not _verifies(by, request.payload(REQUEST), request.signature):
            raise Refusal("changed")

    def require_other(
        self, connection: sa.Connection, request: Request, by: Person, *, approved: bool
    ) -> None:
        """Refuses an approval by the requester, or a second word of one person or one key.

        Raises:
            Refusal: says which.
        """
        asks = person(self._site, request.requester)
        if approved and by.name == asks.name:
            raise Refusal("requester_decides")
        if by.name != asks.name and by.public_key == asks.public_key:
            raise Refusal("requester_decides", "under another name")
        before = decisions(connection, request.request_id)
        if any(by.name == one.decided_by or by.public_key == one.public_key for one in before):
            raise Refusal("already_decided")

    def require_open(self, connection: sa.Connection, request: Request, now: dt.datetime) -> None:
        """Refuses a request that was refused or has expired.

        The audit log is asked too: a refusal deleted from the database still stands.

        Raises:
            Refusal: refused or expired.
        """
        table = [one for one in decisions(connection, request.request_id) if not one.approved]
        if table or "decided" in self._logged(request).values():
            raise Refusal("refused")
        if now > request.until:
            raise Refusal("expired")

    def require_window(
        self, connection: sa.Connection, request: Request, now: dt.datetime
    ) -> dt.datetime:
        """The window's end; refuses unless approvals of each profile needed hold, and it is open.

        Raises:
            Refusal: not approved, a decision that is not what was signed, or too late.
        """
        end = self.window_end(connection, request)
        if end is None:
            raise Refusal("not_approved")
        if now > end:
            raise Refusal("window_ended")
        return end

    def window_end(self, connection: sa.Connection, request: Request) -> dt.datetime | None:
        """When the execution window closes; None while approvals are missing.

        Raises:
            Refusal: an approval was changed, taken from another request, or is not in the log.
        """
        held: dict[str, tuple[dt.datetime, frozenset[str]]] = {}
        logged = self._logged(request)
        for one in decisions(connection, request.request_id):
            if one.decided_by not in logged or not self._genuine(one, request):
                raise Refusal("changed")
            try:
                by = person(self._site, one.decided_by)
            except ConfigurationError:
                continue  # gone: their word counts no more, like that of a profile taken away
            if by.name != request.requester and by.public_key == one.public_key:
                held[by.public_key] = (one.decided_at, by.profiles)
        agreed = agreed_at(held.values(), self._motives.approvals)
        if agreed is None:
            return None
        motive = self._motives.motives.get(request.motive)
        if motive is None:
            raise Refusal("unknown_motive")
        return min(request.until, agreed + dt.timedelta(hours=motive.window_hours))

    def _genuine(self, one: Decision, request: Request) -> bool:
        """Signed as stored, by the key that was theirs; today's key is compared apart."""
        by = Person(one.decided_by, frozenset(), one.public_key)
        return _verifies(by, one.payload(request), one.signature)

    def _logged(self, request: Request) -> dict[str, str]:
        """Who decided on the request, by the audit log: name -> reason."""
        return {
            str(entry.facts.get("by")): str(entry.facts.get("reason"))
            for entry in read_entries(self._site, self._keyring)
            if entry.action in _TOLD
            and entry.facts.get("request") == request.request_id
            and entry.facts.get("reason") in {"", "decided"}
        }


def note_execution(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """One line a look; two within one second are one."""
    table = tables.execution
    same = (table.c.request_id == row["request_id"]) & (table.c.executed_at == row["executed_at"])
    if connection.scalar(sa.select(table.c.persons).where(same)) is None:
        connection.execute(sa.insert(table).values(row))


def _verifies(by: Person, payload: Mapping[str, Any], signature: str) -> bool:
    try:
        verify(by, payload, signature)
    except ConfigurationError:
        return False
    return True
