"""Takes persons out of every open space, at once and physically (controls 10 and 11)."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.keys import Keyring
from entrepot.register.withdrawn import withdrawn_ids
from entrepot.study.keys import study_person_id
from entrepot.study.space import Facts, Space, open_spaces, spaces, workshop

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from entrepot.register.snapshot import Snapshot


def withdraw(site: Site, keyring: Keyring, person_ids: Collection[int]) -> int:
    """Removes persons of the core from every open study space; returns how many were in one.

    A DuckDB file is written anew without them, rows of PostgreSQL are deleted and their tables
    written anew; nobody else's row, id or date changes. A unit that falls below the smallest number
    of persons is left out from then on. A space of a former root key is emptied (`stale` in its
    facts) until it is refreshed.

    Args:
        person_ids: `person_id` of the core, of every number that ever stood for the person.

    Raises:
        EntrepotError: a space could not be cleaned; whoever called must not go on.
    """
    if not person_ids:
        return 0
    return sum(_withdraw(space, known, keyring, person_ids) for space, known in open_spaces(site))


def apply_rights(site: Site, keyring: Keyring, snapshot: Snapshot) -> int:
    """`withdraw` as the register stands: oppositions, to one study alone too, and erasures.

    The caller holds the site's lock: what lies in a workshop then was left by a killed build.

    Raises:
        EntrepotError: as `withdraw`.
    """
    shutil.rmtree(workshop(site), ignore_errors=True)
    for space in spaces(site):
        space.remove_leftovers()
    return sum(
        _withdraw(space, known, keyring, ids)
        for space, known in open_spaces(site)
        if (ids := withdrawn_ids(site, keyring, snapshot, space.study_id))
    )


def _withdraw(space: Space, known: Facts, keyring: Keyring, person_ids: Collection[int]) -> int:
    if known.get("stale"):
        return 0
    if known["key"] != keyring.fingerprint:
        _empty(space, known, keyring)
        return 0
    ids = {study_person_id(keyring, space.study_id, person) for person in person_ids}
    if known["target"] == "postgresql":
        from entrepot.study.server import delete_persons

        gone, rows = delete_persons(space, ids)
    else:
        gone, rows = _rewrite(space, ids)
    if gone:
        _note(space, known, keyring, gone, rows)
    return gone


def _empty(space: Space, known: Facts, keyring: Keyring) -> None:
    """Takes everybody out of a space of a former root key, until it is refreshed.

    Under a new root nobody would be found in it, and an opposed person would stay.
    """
    from entrepot.audit import Action, AuditLog

    stated = {"study": space.study_id, "persons": known["persons"], "rows": 0}
    AuditLog(space.site, keyring).append(
        Action.STUDY_WITHDRAWN, {**stated, "reason": "made under a former root key"}
    )
    if known["target"] == "postgresql":
        from entrepot.study.server import drop_space

        drop_space(space)
    space.file.unlink(missing_ok=True)
    space.write_facts({**known, "stale": True, "persons": 0, "tables": {}})


def _rewrite(space: Space, ids: Collection[int]) -> tuple[int, dict[str, int]]:
    """The persons found, and the rows of the file that took its place."""
    from entrepot.publish.warehouse import open_warehouse
    from entrepot.study.draft import opened
    from entrepot.study.finishing import finish
    from entrepot.study.life import replace_file

    if not space.file.exists():  # a crash came before it: there is nobody to take out
        return 0, {}
    found = open_warehouse(space.file)
    try:
        present = _present(found, ids)
    finally:
        found.close()
    if not present:
        return 0, {}
    config = space.site.config
    following = space.file.with_name(f".{space.file.name}.next")
    spill = space.spill
    following.unlink(missing_ok=True)
    try:
        with opened(spill, config.memory_limit) as connection:
            rows, _ = finish(
                connection, space.file, following, present, config.studies.smallest_unit
            )
        replace_file(following, space.file)
    finally:
        following.unlink(missing_ok=True)
        shutil.rmtree(spill, ignore_errors=True)
    return len(present), rows


def _present(space: DuckDBPyConnection, ids: Collection[int]) -> list[int]:
    found = space.execute(
        "SELECT person_id FROM cdm.person WHERE person_id IN (SELECT unnest(?::BIGINT[]))",
        [sorted(ids)],
    ).fetchall()
    return [int(person) for (person,) in found]


def _note(space: Space, known: Facts, keyring: Keyring, gone: int, rows: dict[str, int]) -> None:
    from entrepot.audit import Action, AuditLog

    told = {
        **known, "persons": rows.get("person", 0), "tables": rows,
        "withdrawn": known["withdrawn"] + gone,
    }  # fmt: skip
    AuditLog(space.site, keyring).append(
        Action.STUDY_WITHDRAWN,
        {"study": space.study_id, "persons": gone, "rows": sum(rows.values())},
    )
    space.write_facts(told)
