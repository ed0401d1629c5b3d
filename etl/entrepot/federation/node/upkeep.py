"""What a node does once a day and at each start, questions or not: nobody stays who has left."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from entrepot.federation.node.exclusions import exclusions
from entrepot.federation.node.opened import Node, stamp, write_setting
from entrepot.federation.node.papers import held_cards, let_go
from entrepot.federation.node.tables import nonce, refusal, transaction
from entrepot.publish.frozen import read_frozen, take_out

_DAY = "upkeep_day"


def keep_up(node: Node, *, again: bool = False) -> int:
    """Releases without a study go, persons who opposed or were erased leave the others' files.

    Args:
        again: also when it was done today.

    Returns:
        Persons taken out, of all files.

    Raises:
        EntrepotError: a file cannot be written anew; the node must not go on.
    """
    day = node.now().date().isoformat()
    if not again and node.read(_DAY) == day:
        return 0
    let_go(node)
    releases = {one.release for one in held_cards(node) if not one.ended}
    gone = exclusions(node.site, node.keyring, "").persons if releases else frozenset()
    taken = sum(_take_out(node, release, gone) for release in sorted(releases))
    with transaction(node.engine) as connection:
        over = stamp(node.now() - dt.timedelta(days=1))
        connection.execute(sa.delete(nonce).where(nonce.c.not_after < over))
        connection.execute(sa.delete(refusal).where(refusal.c.day < day))
        write_setting(connection, _DAY, day)
    return taken


def _take_out(node: Node, release: str, gone: frozenset[int]) -> int:
    config = node.site.config.federation
    if loader := config.url.get_secret_value():
        from entrepot.federation.node.postgres import delete_persons

        delete_persons(loader, release, gone)
    frozen = read_frozen(node.site, release)
    return take_out(frozen, gone, config.memory_limit) if frozen and gone else 0
