"""Named values of the zone that change in the same transaction as what they speak of."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from entrepot.landing.database import zone_setting


def read_setting(connection: Connection, key: str) -> str | None:
    """The value, None before it was ever written."""
    value: str | None = connection.scalar(
        select(zone_setting.c.value).where(zone_setting.c.key == key)
    )
    return value


def write_setting(connection: Connection, key: str, value: str) -> None:
    """Sets the value within the caller's transaction."""
    connection.execute(delete(zone_setting).where(zone_setting.c.key == key))
    connection.execute(insert(zone_setting).values(key=key, value=value))
