"""Applies the list of erasures to the identifying zone; every run does so before it registers.

Each page is one transaction and finds what is left to do by itself, so that a killed run goes on.
The rows of the research zone go with the door pass that follows: the records are excluded now.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    Engine,
    TableClause,
    column,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    table,
    update,
)

from entrepot.config import Site
from entrepot.keys import LANDING, Keyring
from entrepot.landing.database import rebuild, write_transaction
from entrepot.landing.ledger import erase_keys
from entrepot.landing.settings import read_setting, write_setting
from entrepot.landing.tables import record
from entrepot.register import tables
from entrepot.register.erased import ERASED, RETENTION_ENDED, stripped
from entrepot.register.erasure_log import ERASE, LIFT, RETAIN, Erasure, ErasureLog
from entrepot.register.shared_records import Found, find_shared, forget_shared
from entrepot.register.store import forget, store

REBUILD_DUE = "rebuild_due"
_PAGE = 500
# `derivation` tells the door which staged rows go, in the pass that follows.
_STAYING = frozenset({"record", "data_key", "derivation", "registration", "erased_record"})


@dataclass(frozen=True)
class Applied:
    """What an application did.

    Args:
        records: whose content was destroyed.
        parted: of others, to be registered again without the number of an erased person.
    """

    records: int
    parted: frozenset[int]


def apply_erasures(site: Site, engine: Engine, keyring: Keyring) -> Applied:
    """Destroys what the list names and is still there.

    Raises:
        ConfigurationError: the list is damaged or older than what was noted.
    """
    lines = ErasureLog(site, keyring).lines()
    with write_transaction(engine) as connection:
        _mirror(connection, lines)
        found = _named(connection, lines) | _of_subjects(connection)
        shared = find_shared(connection, keyring, site)
    for page in _pages(found):
        with write_transaction(engine) as connection:
            strip(connection, keyring, page)
    if not lines:
        return Applied(0, frozenset())
    whole = {one: why for one, why in shared.whole.items() if one not in found}
    with write_transaction(engine) as connection:  # at once: half of it would leave some joined
        strip(connection, keyring, whole)
        again = forget_shared(connection, shared, found)
        _forget_numbers(connection)
    return Applied(len(found) + len(whole), again)


def strip(connection: Connection, keyring: Keyring, page: Found) -> None:
    """Destroys the content of these records and all that the register keeps of them."""
    ids = sorted(page)
    erase_keys(connection, ids)
    forget(connection, ids)
    for hanging in _hanging(connection):
        connection.execute(delete(hanging).where(hanging.c.record_id.in_(ids)))
    store(connection, keyring, [stripped(one, page[one][1]) for one in ids])
    mark(connection, page)


def _hanging(connection: Connection) -> list[TableClause]:
    """Every table of the zone that says something of a record besides that it was there."""
    inspector = inspect(connection)
    named = (name for name in inspector.get_table_names() if name not in _STAYING)
    return [
        table(name, column("record_id"))
        for name in named
        if any(one["name"] == "record_id" for one in inspector.get_columns(name))
    ]


def mark(connection: Connection, page: Found) -> None:
    """Notes which records an erasure took, and that the database has to be written anew."""
    if not page:
        return
    lines = [{"record_id": one, "sequence": page[one][0]} for one in sorted(page)]
    connection.execute(insert(tables.erased_record), lines)
    write_setting(connection, REBUILD_DUE, "1")


def rebuild_if_due(engine: Engine) -> bool:
    """Writes the database anew after an erasure; a killed one is done by the next run.

    Raises:
        EntrepotError: another process reads the database.
    """
    with engine.connect() as connection:
        due = read_setting(connection, REBUILD_DUE) == "1"
    if due:
        rebuild(engine)
        with write_transaction(engine) as connection:
            write_setting(connection, REBUILD_DUE, "0")
    return due


def forget_addresses(connection: Connection, keyring: Keyring, sequence: int) -> None:
    """The tombstones of a lifted erasure answer no delivery any more: the same bytes sent again
    are a new record.
    """
    of_it = select(tables.erased_record.c.record_id).where(
        tables.erased_record.c.sequence == sequence
    )
    rows = connection.execute(
        select(record.c.record_id, record.c.address).where(record.c.record_id.in_(of_it))
    ).all()
    for row in rows:
        address = keyring.digest(LANDING, "lifted", row.address, str(row.record_id))
        connection.execute(
            update(record).where(record.c.record_id == row.record_id).values(address=address)
        )


def erased_persons(lines: Iterable[Erasure]) -> set[int]:
    """`person_id` of persons who were erased for ever and not taken up again."""
    gone: dict[int, int] = {}
    by_number: dict[str, list[Erasure]] = defaultdict(list)
    for line in lines:
        if line.act == ERASE:
            gone |= dict.fromkeys(line.persons, line.sequence)
            for number in line.numbers:
                by_number[number].append(line)
        elif line.act == LIFT:
            for former in (one for number in line.numbers for one in by_number[number]):
                for person in former.persons:
                    gone.pop(person, None)
    return set(gone)


def active(lines: Iterable[Erasure]) -> dict[bytes, tuple[int, dt.datetime | None]]:
    """HMAC of each number that is refused -> (line, before which time; None for ever)."""
    found: dict[bytes, tuple[int, dt.datetime | None]] = {}
    for line in lines:
        for number in map(bytes.fromhex, line.numbers):
            if line.act == ERASE:
                found[number] = (line.sequence, None)
            elif line.act == LIFT:
                found.pop(number, None)
            elif line.act == RETAIN and found.get(number, (0, dt.datetime.min))[1] is not None:
                found[number] = (line.sequence, dt.datetime.fromisoformat(line.before))
    return found


def _mirror(connection: Connection, lines: list[Erasure]) -> None:
    """The database's copy of the list, which a restored backup does not have."""
    list_ = tables.erasure
    wanted = active(lines)
    there = {
        row.hmac: (row.sequence, row.before) for row in connection.execute(select(list_))
    }  # fmt: skip
    if there == wanted:
        return
    connection.execute(delete(list_))
    rows = [{"hmac": h, "sequence": s, "before": b} for h, (s, b) in sorted(wanted.items())]
    if rows:
        connection.execute(insert(list_), rows)


def _of_subjects(connection: Connection) -> Found:
    """Records whose subject is erased, as far as they were stated before the erasure's limit."""
    registration, erasure = tables.registration.c, tables.erasure.c
    done = tables.erased_record
    stated = func.coalesce(registration.stated_at, record.c.received_at)
    query = (
        select(registration.record_id, erasure.sequence, erasure.before)
        .join(tables.erasure, registration.subject == erasure.hmac)
        .join(record, record.c.record_id == registration.record_id)
        .outerjoin(done, done.c.record_id == registration.record_id)
        .where(done.c.record_id.is_(None))
        .where(or_(erasure.before.is_(None), stated < erasure.before))
    )
    return {
        row.record_id: (row.sequence, ERASED if row.before is None else RETENTION_ENDED)
        for row in connection.execute(query)
    }


def _named(connection: Connection, lines: list[Erasure]) -> Found:
    """Records without a subject that an erasure names by their address."""
    found: Found = {}
    for line in lines:
        reason = RETENTION_ENDED if line.act == RETAIN else ERASED
        for start in range(0, len(line.records), _PAGE):
            page = [bytes.fromhex(one) for one in line.records[start : start + _PAGE]]
            query = (
                select(record.c.record_id)
                .outerjoin(
                    tables.erased_record,
                    tables.erased_record.c.record_id == record.c.record_id,
                )
                .where(record.c.address.in_(page), tables.erased_record.c.record_id.is_(None))
            )
            for record_id in connection.scalars(query):
                found[record_id] = (line.sequence, reason)
    return found


def _forget_numbers(connection: Connection) -> None:
    """Numbers that no record states any more, and the ciphertext of the registers' lines."""
    erased = select(tables.erasure.c.hmac)
    linked = select(tables.link.c.left).union(select(tables.link.c.right))
    subjects = select(tables.registration.c.subject).where(
        tables.registration.c.subject.is_not(None)
    )
    for known in (tables.identifier, tables.spelling):
        hmac = known.c.hmac
        gone = (hmac.in_(erased), hmac.not_in(linked), hmac.not_in(subjects))
        connection.execute(delete(known).where(*gone))
    for lines in (tables.opposition, tables.information):
        chosen = lines.c.identifier.in_(erased) & (lines.c.sealed != b"")
        connection.execute(update(lines).where(chosen).values(sealed=b"", born=None))


def _pages(found: Found) -> Iterator[Found]:
    ids = sorted(found)
    for start in range(0, len(ids), _PAGE):
        yield {one: found[one] for one in ids[start : start + _PAGE]}
