"""Register and door over a site's opened inputs, and the order that they leave for the load."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from entrepot import __version__
from entrepot.audit import Action
from entrepot.engine import Engine
from entrepot.keys import PERSON
from entrepot.order import LoadOrder, hash_files, is_due, write_order
from entrepot.resources import data_files
from entrepot.road.inputs import Inputs
from entrepot.road.results import Counted

if TYPE_CHECKING:
    from entrepot.register.snapshot import Snapshot


def register(inputs: Inputs) -> Counted:
    """See `stages.register`."""
    from entrepot.register.registering import register_all

    inputs.require()
    inputs.audit.append(Action.RUN_STARTED, {"software": __version__})
    register_all(
        inputs.site, inputs.database, inputs.keyring, inputs.mappings, inputs.counter("register")
    )
    return Counted("register", True, {"records": inputs.received})


def door(inputs: Inputs, engine: Engine) -> Counted:
    """See `stages.door`."""
    from entrepot.door.derivation import DoorPass
    from entrepot.register.snapshot import Snapshot

    inputs.require()
    with inputs.database.connect() as connection:
        snapshot = Snapshot(connection, inputs.keyring, inputs.site.config.register_)
    workers = inputs.site.config.workers or os.cpu_count() or 1
    door = DoorPass(inputs.site, inputs.database, inputs.keyring, inputs.mappings, engine.derive)
    generation = door.run(snapshot, _door_fingerprint(inputs), workers, inputs.counter("door"))
    order = _order(inputs, generation, snapshot)
    write_order(inputs.site, order)
    return Counted("door", is_due(inputs.site, order), dict(order.staged))


def _order(inputs: Inputs, generation: int, snapshot: Snapshot) -> LoadOrder:
    from entrepot.publication import published_inputs, waivers
    from entrepot.report.accounting import staged_counts

    opposed = sorted(
        inputs.keyring.number(PERSON, 53, "id", person.person_key)
        for person in snapshot.persons.values()
        if person.opposed
    )
    with inputs.database.connect() as connection:
        as_of = _as_of(inputs, connection)
        return LoadOrder(
            generation, as_of, tuple(opposed), staged_counts(connection), waivers(connection),
            published_inputs(connection),
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
    lists = hash_files(data_files("mappings/text", "*", inputs.site.overlays))
    return hashlib.sha256(f"{rules!r}{lists}".encode()).hexdigest()
