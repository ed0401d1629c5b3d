"""Who must be nowhere: ids and keys of opposed and erased persons and of their records."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, or_, select

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.keys import Keyring
from entrepot.register.registers import STUDY
from entrepot.register.snapshot import Snapshot
from entrepot.register.tables import erased_record
from entrepot.register.withdrawn import withdrawn_persons

OPPOSED = "opposed_patient"


@dataclass(frozen=True)
class Gone:
    """What the proof looks for.

    Args:
        persons: `person_id` of the core.
        keys: keys of persons and of records, hexadecimal.
        refused: study id -> `person_id` of the core who opposed to that study.
    """

    persons: frozenset[int]
    keys: frozenset[str]
    refused: dict[str, frozenset[int]]


def read_gone(site: Site, engine: Engine, keyring: Keyring) -> Gone:
    """As the registers have it now.

    Raises:
        ConfigurationError: the list of erasures is damaged.
    """
    with engine.connect() as connection:
        everywhere = withdrawn_persons(site, keyring, connection)
        snapshot = Snapshot(connection, keyring, site.config.register_)
        people = snapshot.persons.values()
        studies = {scope.partition(":")[2] for person in people for scope in person.refused}
        refused = {
            study: frozenset(withdrawn_persons(site, keyring, connection, study))
            for study in studies
        }
        records = select(derivation.c.record_key).where(
            or_(
                derivation.c.reason == OPPOSED,
                derivation.c.record_id.in_(select(erased_record.c.record_id)),
            )
        )
        keys = set(connection.scalars(records))
    keys |= {key for person in people if person.withdrawn for key in person.keys}
    return Gone(frozenset(everywhere), frozenset(keys), refused)


def study_scope(study: str) -> str:
    """The scope of an opposition to one study."""
    return f"{STUDY}:{study}"
