"""Register and door over a site's opened inputs, and the order that they leave for the load."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from entrepot import __version__
from entrepot.audit import Action
from entrepot.engine import Engine
from entrepot.order import LoadOrder, is_due, write_order
from entrepot.road.inputs import Inputs
from entrepot.road.results import Counted
from entrepot.text import lists_version

if TYPE_CHECKING:
    from entrepot.register.snapshot import Snapshot


def register(inputs: Inputs) -> Counted:
    """See `stages.register`."""
    from entrepot.register.registering import register_all

    inputs.require()
    inputs.audit.append(Action.RUN_STARTED, {"software": __version__})
    _end_expired(inputs)
    register_all(
        inputs.site, inputs.database, inputs.keyring, inputs.mappings, inputs.counter("register")
    )
    return Counted("register", True, {"records": inputs.received})


def _end_expired(inputs: Inputs) -> None:
    """Oppositions that were said for a time end in the register, never by an implied clock."""
    from entrepot.landing.database import write_transaction
    from entrepot.register.oppositions import end_expired

    today = dt.datetime.now(inputs.site.zone).date()
    with write_transaction(inputs.database) as connection:
        for person in end_expired(connection, inputs.keyring, today):
            facts = {"person": person, "channel": "until"}
            inputs.audit.append(Action.OPPOSITION_WITHDRAWN, facts, connection)


def door(inputs: Inputs, engine: Engine) -> Counted:
    """See `stages.door`."""
    from entrepot.door.derivation import DoorPass
    from entrepot.register.erasures import rebuild_if_due
    from entrepot.register.snapshot import Snapshot
    from entrepot.register.withdrawn import withdrawn_ids

    inputs.require()
    with inputs.database.connect() as connection:
        snapshot = Snapshot(connection, inputs.keyring, inputs.site.config.register_)
    withdrawn = withdrawn_ids(inputs.site, inputs.keyring, snapshot)
    _keep_spaces_clean(inputs, snapshot, withdrawn)
    _forget_identified(inputs)
    workers = inputs.site.config.workers or os.cpu_count() or 1
    door = DoorPass(inputs.site, inputs.database, inputs.keyring, inputs.mappings, engine.derive)
    generation = door.run(snapshot, _door_fingerprint(inputs), workers, inputs.counter("door"))
    order = _order(inputs, generation, withdrawn)
    write_order(inputs.site, order)
    rebuild_if_due(inputs.database)
    return Counted("door", is_due(inputs.site, order), dict(order.staged))


def _keep_spaces_clean(inputs: Inputs, snapshot: Snapshot, withdrawn: AbstractSet[int]) -> None:
    """Expired study spaces go, and whoever opposed leaves the others; else the run stops here.

    So do releases that are kept for federated questions.
    """
    from entrepot.publish.frozen import withdraw
    from entrepot.study.life import expire
    from entrepot.study.withdrawal import apply_rights

    expire(inputs.site, inputs.keyring)
    apply_rights(inputs.site, inputs.keyring, snapshot)
    withdraw(inputs.site, withdrawn)


def _forget_identified(inputs: Inputs) -> None:
    """What re-identifications noted of erased persons goes with them."""
    from entrepot.landing.database import write_transaction
    from entrepot.register.erasure_log import ErasureLog
    from entrepot.register.erasures import erased_persons
    from entrepot.reidentification import forget

    if gone := erased_persons(ErasureLog(inputs.site, inputs.keyring).lines()):
        with write_transaction(inputs.database) as connection:
            forget(inputs.site, connection, inputs.keyring, gone)


def _order(inputs: Inputs, generation: int, withdrawn: AbstractSet[int]) -> LoadOrder:
    from entrepot.publication import published_inputs, waivers
    from entrepot.report.accounting import staged_counts
    from entrepot.road.fed import feeds

    with inputs.database.connect() as connection:
        as_of = _as_of(inputs, connection)
        return LoadOrder(
            generation, as_of, tuple(sorted(withdrawn)), staged_counts(connection),
            waivers(connection), published_inputs(connection), feeds(connection),
        )  # fmt: skip


def _as_of(inputs: Inputs, connection: Connection) -> dt.datetime | None:
    """The configured date, else the latest message time of the staged records.

    When the last person opposed, nothing is staged and the release becomes empty.
    """
    from entrepot.door.tables import derivation
    from entrepot.register.tables import registration

    config = inputs.site.config
    if config.as_of is not None:
        return config.as_of.replace(tzinfo=None)
    latest: dt.datetime | None = connection.scalar(
        select(func.max(registration.c.stated_at))
        .join(derivation, derivation.c.record_id == registration.c.record_id)
        .where(derivation.c.disposition == "staged")
    )
    if latest is None and inputs.site.warehouse.is_file():
        return dt.datetime.combine(config.data_start, dt.time())
    return latest


def _door_fingerprint(inputs: Inputs) -> str:
    config = inputs.site.config
    rules = (__version__, inputs.mappings.fingerprint, config.sources, config.timezone)
    text = config.text
    model = text.model.folder if text.model is not None else None
    lists = lists_version(text.overlays, text.lists, model)
    return hashlib.sha256(f"{rules!r}{lists}".encode()).hexdigest()
