"""Every keyed cell of the zone's database under the new root key, as its column's rule says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import (
    Connection,
    Integer,
    LargeBinary,
    Table,
    and_,
    delete,
    inspect,
    select,
    update,
)

from entrepot.errors import EntrepotError
from entrepot.keys import SEPARATOR, Keyring
from entrepot.landing.keyed import REKEY, Carried, Hashed, Rederived, Rule, Sealed
from entrepot.register.tables import erased_record
from entrepot.rekeying.tables import APART, undeclared, zone_tables

_PAGE = 1000
Line = dict[str, Any]


@dataclass(frozen=True)
class Roots:
    """The two root keys of a rotation."""

    old: Keyring
    new: Keyring


def require_known(connection: Connection) -> None:
    """Refuses a database with cells of which nobody says what a rotation does to them.

    Raises:
        EntrepotError: names the first table or column.
    """
    tables = zone_tables()
    there = set(inspect(connection).get_table_names())
    unknown = sorted(there - set(tables.tables) - APART) + undeclared(tables)
    if unknown:
        raise EntrepotError(
            "the zone's database holds what this version cannot re-key",
            where=unknown[0],
            remedy="use the version of entrepot that wrote it, or drop a table that is not its own",
        )


def retained_labels() -> list[str]:
    """Labels of digests that are kept without what they were made of, sorted."""
    found = set()
    for table in zone_tables().sorted_tables:
        for rule in _rules(table).values():
            if isinstance(rule, Carried | Hashed):
                found.add(rule.label)
    return sorted(found)


def recode(connection: Connection, roots: Roots) -> None:
    """Rewrites every keyed cell, and removes the rows that register and door make again.

    Raises:
        EntrepotError: a cell does not open under the old root; the caller rolls back.
    """
    tables = zone_tables().sorted_tables
    for table in reversed(tables):
        if isinstance(table.info.get(REKEY), Rederived):
            _remove_rederived(connection, table)
    for table in tables:
        rules = _rules(table)
        for line in _lines(connection, table) if rules else ():
            own = and_(*(column == line[column.name] for column in table.primary_key))
            changed = _recoded(table, line, rules, roots)
            if changed:
                connection.execute(update(table).where(own).values(changed))


def check(connection: Connection, keyring: Keyring) -> None:
    """Opens every sealed cell.

    Raises:
        EntrepotError: one does not open; names its table.
    """
    for table in zone_tables().sorted_tables:
        rules = _rules(table)
        if any(isinstance(rule, Sealed) for rule in rules.values()):
            for line in _lines(connection, table):
                _opened(table, line, rules, keyring)


def _remove_rederived(connection: Connection, table: Table) -> None:
    rules = _rules(table)
    if not rules or "record_id" not in table.c:
        connection.execute(delete(table))
        return
    erased = select(erased_record.c.record_id)
    connection.execute(delete(table).where(table.c.record_id.not_in(erased)))
    others = [c for c in table.c if isinstance(c.type, LargeBinary) and c.name not in rules]
    if others:
        connection.execute(update(table).values(dict.fromkeys(others)))


def _rules(table: Table) -> dict[str, Rule]:
    """Column -> rule, of the rows that stay."""
    stated = {column.name: column.info.get(REKEY) for column in table.columns}
    kinds = (Sealed, Hashed, Carried)
    return {name: rule for name, rule in stated.items() if isinstance(rule, kinds)}


def _lines(connection: Connection, table: Table) -> Iterator[Line]:
    """The rows, read whole (lists of rights are short) or by pages of a number that only grows."""
    keys = list(table.primary_key)
    query = select(table).order_by(*keys)
    if len(keys) != 1 or not isinstance(keys[0].type, Integer):
        yield from map(dict, connection.execute(query).mappings().all())
        return
    last = None
    while True:
        page = query if last is None else query.where(keys[0] > last)
        lines = [dict(one) for one in connection.execute(page.limit(_PAGE)).mappings()]
        yield from lines
        if len(lines) < _PAGE:
            return
        last = lines[-1][keys[0].name]


def _recoded(table: Table, line: Line, rules: Mapping[str, Rule], roots: Roots) -> dict[str, Any]:
    plain = _opened(table, line, rules, roots.old)
    changed: dict[str, Any] = {}
    for name, rule in rules.items():
        if isinstance(rule, Sealed) or line[name] is None:
            continue
        if isinstance(rule, Hashed) and rule.of in plain:
            of, text = plain[rule.of], isinstance(line[name], str)
            made: Callable[..., str | bytes] = roots.new.keyed if text else roots.new.digest
            changed[name] = made(rule.label, *rule.prefix, of)
        elif isinstance(rule, Carried | Hashed):  # of what is gone the digest alone is left
            changed[name] = roots.new.carry(rule.label, line[name])
    for name, content in plain.items():
        rule = rules[name]
        if isinstance(rule, Sealed):
            context = _context({**line, **changed}, rule)
            changed[name] = roots.new.seal(rule.label, content, context)
    return changed


def _opened(
    table: Table, line: Line, rules: Mapping[str, Rule], keyring: Keyring
) -> dict[str, bytes]:
    """Plain texts of the sealed cells; an empty cell holds nothing any more."""
    try:
        return {
            name: keyring.unseal(rule.label, line[name], _context(line, rule))
            for name, rule in rules.items()
            if isinstance(rule, Sealed) and line[name]
        }
    except (InvalidTag, ValueError):
        raise EntrepotError(
            "a row of the zone's database does not open under its root key",
            where=table.name,
            remedy="restore the database from its backup; no key was changed or destroyed",
        ) from None


def _context(line: Line, rule: Sealed) -> bytes:
    if isinstance(rule.context, bytes):
        return rule.context
    cells = (line[name] for name in rule.context)
    return SEPARATOR.join(c if isinstance(c, bytes) else str(c).encode() for c in cells)
