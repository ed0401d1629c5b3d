"""The procedure: a request, two signatures of others, a look within a window; each step logged.

Controls 9 and 14 (SEC-REI-1 to 5; RGPD 33-34). Whatever is refused is logged as well. The identity
leaves a function only after the log's line for it is on the disk.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import sqlalchemy as sa

from entrepot.audit import Action, AuditLog
from entrepot.audit.actions import Facts
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.landing.access import require_reason
from entrepot.landing.database import write_transaction
from entrepot.people import Person, person, sign, verify
from entrepot.register.freshness import require_fresh
from entrepot.reidentification import requests, tables
from entrepot.reidentification.clock import Clock, tell, utc_now
from entrepot.reidentification.judging import Judge, Standing, note_execution
from entrepot.reidentification.motives import Motive, load_motives
from entrepot.reidentification.refusals import Refusal
from entrepot.reidentification.requests import (
    EXECUTE,
    REQUEST,
    Asked,
    Decision,
    Request,
    Signer,
    decisions,
)
from entrepot.reidentification.subjects import Disclosure, Subjects
from entrepot.reidentification.tables import LABEL

_ID = re.compile(r"R-[0-9a-f]{12}")


class Procedure:
    """The acts on one site's requests."""

    def __init__(
        self, site: Site, keyring: Keyring, engine: sa.Engine,
        clock: Clock = utc_now,
    ) -> None:  # fmt: skip
        self._site, self._keyring, self._engine, self._clock = site, keyring, engine, clock
        self._log = AuditLog(site, keyring)
        self.motives = load_motives(site)
        self._judge = Judge(site, keyring, self.motives)

    def request(self, asked: Asked, signer: Signer) -> Request:
        """Enters a signed request.

        Raises:
            Refusal: the motive, the profile, the persons or the time are not what is allowed.
            ConfigurationError: no reason, or the opposition register is stale.
        """
        reason = require_reason(asked.reason)
        with self._act("", signer.name, asked.motive) as (connection, now):
            motive = self._motive(asked.motive)
            by = self._entitled(signer.name, motive.requesters)
            draft = Request(
                f"R-{secrets.token_hex(6)}", asked.motive, by.name, asked.study,
                *self._persons(connection, asked, motive), reason, now, _until(asked, motive, now),
                secrets.token_hex(32),
            )  # fmt: skip
            payload = draft.payload(REQUEST)
            made = replace(draft, signature=_signature(by, signer, payload))
            self._tell(connection, Action.REIDENTIFICATION_REQUESTED, made, by.name)
            requests.save(connection, self._keyring, made)
            return made

    def decide(self, request_id: str, signer: Signer, *, approved: bool) -> Request:
        """Approves or refuses a request; whoever asked may take it back, never approve it.

        Raises:
            Refusal: no profile for it, the requester, a second time, the wrong key, too late, or
                the request is not what its requester signed.
        """
        with self._act(request_id, signer.name) as (connection, now):
            found = self._open(connection, request_id, now)
            own = signer.name == found.requester and not approved
            allowed = () if own else self.motives.approvals
            by = self._entitled(signer.name, allowed)
            self._judge.require_other(connection, found, by, approved=approved)
            profiles = ",".join(sorted(by.profiles))
            draft = Decision(request_id, by.name, approved, profiles, by.public_key, now, "")
            payload = draft.payload(found)
            made = replace(draft, signature=_signature(by, signer, payload))
            action = (
                Action.REIDENTIFICATION_APPROVED if approved else Action.REIDENTIFICATION_REFUSED
            )
            self._tell(connection, action, found, by.name, "" if approved else "decided")
            connection.execute(sa.insert(tables.decision).values(vars(made)))
            return found

    def execute(self, request_id: str, signer: Signer) -> Disclosure:
        """The persons' identities, for the requester, within the window; logged before they return.

        Raises:
            Refusal: any rule that does not hold at this moment.
        """
        with self._act(request_id, signer.name) as (connection, now):
            found = self._open(connection, request_id, now)
            motive = self._motive(found.motive)
            if signer.name != found.requester:
                raise Refusal("not_the_requester")
            by = self._entitled(signer.name, motive.requesters)
            end = self._judge.require_window(connection, found, now)
            require_fresh(connection, self._site.config)
            subjects = Subjects(self._site, connection, self._keyring)
            if not motive.opposed:
                subjects.require_unopposed(found.persons, found.study)
            shown = subjects.identified(found.persons, found.given, motive.shows)
            if not shown:
                raise Refusal("unknown_person")
            payload = found.payload(EXECUTE, at=now.isoformat())
            row = {"request_id": request_id, "executed_at": now, "persons": len(shown)}
            signature = _signature(by, signer, payload)
            self._tell(connection, Action.REIDENTIFIED, found, by.name)
            note_execution(connection, {**row, "signature": signature})
        return Disclosure(found, end, tuple(shown))

    def standing(self) -> list[Standing]:
        """Every request and how it stands now, oldest first."""
        with write_transaction(self._engine) as connection:
            now = tell(connection, self._site, self._keyring, self._clock)
            every = requests.read_all(connection, self._keyring)
            return [self._standing(connection, one, now) for one in every]

    def _standing(self, connection: sa.Connection, one: Request, now: dt.datetime) -> Standing:
        made = decisions(connection, one.request_id)
        end = None
        try:
            self._judge.require_genuine(requests.read(connection, self._keyring, one.request_id))
            end = self._judge.window_end(connection, one)
            self._judge.require_open(connection, one, now)
            if end is not None and now > end:
                state = "expired"
            elif requests.executions(connection, one.request_id):
                state = "executed"
            else:
                state = "approved" if end is not None else "requested"
        except Refusal as refusal:
            state = refusal.code
        return Standing(one, state, tuple(made), end)

    def _persons(
        self, connection: sa.Connection, asked: Asked, motive: Motive
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The core's ids, ascending, and the numbers that were given for them."""
        require_fresh(connection, self._site.config)
        given = sorted(set(asked.numbers))
        if not given:
            raise Refusal("unknown_person")
        if (len(given) > 1 or asked.several) and not motive.several:
            raise Refusal("several_persons")
        subjects = Subjects(self._site, connection, self._keyring)
        known = [(core, n) for n in given if (core := subjects.core_id(n, asked.study)) is not None]
        # Of a breach pack those who are left are told; of one person there must be one.
        if not known or (len(known) < len(given) and not motive.several):
            raise Refusal("unknown_person", "of the study" if asked.study else "")
        pairs = sorted(known)
        if not motive.opposed:
            subjects.require_unopposed([core for core, _ in pairs], asked.study)
        return tuple(core for core, _ in pairs), tuple(number for _, number in pairs)

    def _open(self, connection: sa.Connection, request_id: str, now: dt.datetime) -> Request:
        """A request on which something can still be done."""
        found = requests.read(connection, self._keyring, request_id)
        self._judge.require_genuine(found)
        self._judge.require_open(connection, found, now)
        return found

    def _motive(self, name: str) -> Motive:
        motive = self.motives.motives.get(name)
        if motive is None:
            raise Refusal("unknown_motive")
        if not motive.allowed:
            raise Refusal("motive_not_allowed")
        return motive

    def _entitled(self, name: str, profiles: Sequence[str]) -> Person:
        try:
            return person(self._site, name, *profiles)
        except ConfigurationError:
            raise Refusal("not_entitled") from None

    def _tell(
        self, connection: sa.Connection, action: Action, about: Request, by: str, reason: str = ""
    ) -> None:
        one = about.persons[0] if len(about.persons) == 1 else None
        facts: Facts = {
            "request": about.request_id, "by": by, "motive": about.motive, "study": about.study,
            "persons": len(about.persons), "until": about.until.isoformat(), "reason": reason,
            "person": self._keyring.keyed(LABEL, "log", str(one))[:12] if one else "",
        }  # fmt: skip
        self._log.append(action, facts, connection)

    @contextmanager
    def _act(
        self, request_id: str, by: str, motive: str = ""
    ) -> Iterator[tuple[sa.Connection, dt.datetime]]:
        """One transaction at the time that the clock tells; a refusal is logged after it."""
        try:
            with write_transaction(self._engine) as connection:
                yield connection, tell(connection, self._site, self._keyring, self._clock)
        except Refusal as refusal:
            known = {
                "request": request_id if _ID.fullmatch(request_id) else "",
                "by": by if by in self._site.config.people else "?",
                "motive": motive if motive in self.motives.motives else "?" if motive else "",
            }
            facts: dict[str, str] = {**known, "reason": refusal.code}
            self._log.append(Action.REIDENTIFICATION_REFUSED, facts)
            raise


def _until(asked: Asked, motive: Motive, now: dt.datetime) -> dt.datetime:
    longest = now + dt.timedelta(days=motive.valid_days)
    if asked.until is None:
        return longest
    until = asked.until.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)
    if until > longest:
        raise Refusal("too_long", f"{motive.valid_days} days at most")
    if until <= now:
        raise Refusal("expired")
    return until


def _signature(by: Person, signer: Signer, payload: dict[str, object]) -> str:
    """Signed with the file's key and checked against the key that the site names."""
    signature = sign(signer.key, payload)
    try:
        verify(by, payload, signature)
    except ConfigurationError:
        raise Refusal("not_signed") from None
    return signature
