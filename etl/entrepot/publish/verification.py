"""Computes the hashes of a release anew and compares them with those it states of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from entrepot.config import Publish
from entrepot.errors import ConfigurationError
from entrepot.publish.canonical import table_hashes
from entrepot.publish.ddl import DEFAULT_SCHEMA
from entrepot.publish.release import read_release
from entrepot.publish.warehouse import open_warehouse


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found.

    Args:
        hashes: SHA-256 of the canonical dump as it is now, by CDM table.
        stated: the same as of the publication.
    """

    hashes: Mapping[str, str]
    stated: Mapping[str, str]

    @property
    def changed(self) -> list[str]:
        """Tables that are not what was published."""
        return sorted(name for name in self.hashes if self.hashes[name] != self.stated.get(name))


def verify_database(database: str, schema: str = DEFAULT_SCHEMA) -> Verified:
    """Verifies the release at a PostgreSQL URL, or in a DuckDB file.

    Args:
        database: SQLAlchemy or libpq URL, `${NAME}` in it being taken from the environment; or the
            path of a file.
        schema: of the CDM; only PostgreSQL has a choice.

    Raises:
        ConfigurationError: there is no release, or its tables are not those of the CDM v5.4.
        EntrepotError: it cannot be opened.
    """
    if "://" not in database and not database.startswith("${"):
        return verify_file(Path(database))
    from entrepot.publish.postgres import hash_postgres

    try:
        settings = Publish.model_validate({"url": database, "schema": schema})
    except ValidationError:
        raise ConfigurationError("not the name of a schema", where="--schema") from None
    return Verified(*hash_postgres(settings))


def verify_file(path: Path) -> Verified:
    """Verifies a published DuckDB file.

    Raises:
        as `verify_database`.
    """
    release = read_release(path)
    connection = open_warehouse(path)
    try:
        return Verified(table_hashes(connection), release.hashes if release else {})
    finally:
        connection.close()
