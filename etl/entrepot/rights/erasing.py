"""`entrepot erase`: a person leaves both zones wholly (RGPD 17; control 11).

The line in the list of erasures is the act: once it is on the disk, every run takes the person out
of whatever it finds, a restored backup included. What follows here is such a run, and the proof.
Killed anywhere, the same command, or the next run, ends in the same state.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.keys import Keyring, site_keyring
from entrepot.landing.access import require_reason
from entrepot.landing.database import write_transaction
from entrepot.lock import site_lock
from entrepot.people import person as named_person
from entrepot.register.erased import hmacs
from entrepot.register.erasure_log import ERASE, LIFT, ErasureLog
from entrepot.register.erasures import active, forget_addresses
from entrepot.register.oppositions import fingerprint
from entrepot.register.person import Identifier
from entrepot.register.tables import erased_record, erasure
from entrepot.rights.proof import Proof, prove
from entrepot.rights.target import find_target
from entrepot.road.inputs import Inputs
from entrepot.road.results import Progress, silent
from entrepot.run import run

DPO = "dpo"
ASKED, DONE, LIFTED = "asked", "done", "lifted"


@dataclass(frozen=True)
class Erased:
    """What an erasure did.

    Args:
        person: fingerprint of the number, as the audit log has it.
        records: ledger lines without content, of all erasures of this number.
        published: whether the release in place was made without the person.
        proof: of all withdrawn persons, this one among them.
    """

    person: str
    records: int
    published: bool
    proof: Proof


def erase(
    site: Site, number: Identifier, by: str, reason: str, progress: Progress = silent
) -> Erased:
    """Erases the person of a number; a second call only repeats run and proof.

    Raises:
        ConfigurationError: nobody has this number, or `by` is no data protection officer.
        SiteBusyError: a run works on the site.
    """
    why = require_reason(reason)
    named_person(site, by, DPO)
    keyring = site_keyring(site)
    log = AuditLog(site, keyring)
    hmac = number.hmac(keyring)
    person = fingerprint(keyring, hmac)
    with site_lock(site), Inputs.of(site) as inputs:
        erasures = ErasureLog(site, keyring)
        if _listed(erasures, keyring, number) is None:
            target = find_target(inputs, hmac)
            log.append(Action.ERASED, {"person": person, "by": by, "reason": why, "step": ASKED})
            erasures.append(ERASE, target.numbers, target.persons, target.records)
    result = run(site, progress)
    with Inputs.of(site) as inputs:
        proof = prove(site, inputs.database, keyring)
        records = _erased_records(inputs, hmacs(keyring, number))
    log.append(
        Action.ERASED,
        {"person": person, "by": by, "reason": why, "step": DONE, "records": records,
         "rows": proof.rows, "proof": proof.fingerprint},
    )  # fmt: skip
    return Erased(person, records, result.passed, proof)


def _listed(erasures: ErasureLog, keyring: Keyring, number: Identifier) -> int | None:
    """The line of the list by which a number is refused; None when it is not."""
    known = active(erasures.lines())
    found = (known[one][0] for one in hmacs(keyring, number) if one in known)
    return next(found, None)


def _erased_records(inputs: Inputs, numbers: Collection[bytes]) -> int:
    """Ledger lines that the erasure of this number took."""
    lines = select(erasure.c.sequence).where(erasure.c.hmac.in_(numbers))
    query = select(func.count()).where(erased_record.c.sequence.in_(lines))
    with inputs.database.connect() as connection:
        return int(connection.scalar(query) or 0)


def lift(site: Site, number: Identifier, by: str, reason: str) -> bool:
    """Lets records of an erased person in again; what was destroyed stays destroyed.

    Their former deliveries can be sent again: each counts as a new record.

    Raises:
        ConfigurationError: `by` is no data protection officer.
    """
    why = require_reason(reason)
    named_person(site, by, DPO)
    keyring = site_keyring(site)
    hmac = number.hmac(keyring)
    erasures = ErasureLog(site, keyring)
    with site_lock(site), Inputs.of(site) as inputs:
        sequence = _listed(erasures, keyring, number)
        if sequence is None:
            return False
        known = active(erasures.lines())
        numbers = [one.hex() for one, (line, _) in known.items() if line == sequence]
        facts = {"person": fingerprint(keyring, hmac), "by": by, "reason": why, "step": LIFTED}
        AuditLog(site, keyring).append(Action.ERASED, facts)
        erasures.append(LIFT, tuple(numbers))
        with write_transaction(inputs.database) as connection:
            forget_addresses(connection, keyring, sequence)
    return True
