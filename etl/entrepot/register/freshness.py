"""Freshness of the registers: a named person says that they are up to date, a run believes it for
some days. An unconfirmed register refuses a run, it changes no row (control 10: fail closed).
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection

from entrepot.config import SiteConfig
from entrepot.errors import ConfigurationError
from entrepot.landing.settings import read_setting, write_setting
from entrepot.register.registers import OPPOSITION, OPTOUT

CONFIRMED = "oppositions_confirmed_at"
OPTOUT_CONFIRMED = "optouts_confirmed_at"
_SETTINGS = {OPPOSITION: CONFIRMED, OPTOUT: OPTOUT_CONFIRMED}


def confirm(connection: Connection, register: str = OPPOSITION) -> None:
    """The register is up to date as of now."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    write_setting(connection, _SETTINGS[register], now.isoformat())


def confirmed_at(connection: Connection, register: str = OPPOSITION) -> dt.datetime | None:
    """When the register was last confirmed (UTC); None when it never was."""
    stated = read_setting(connection, _SETTINGS[register])
    return None if stated is None else dt.datetime.fromisoformat(stated)


def require_fresh(connection: Connection, config: SiteConfig) -> None:
    """Refuses a run on a register that nobody confirmed for as long as the site admits.

    Raises:
        ConfigurationError: says how old it is and which command confirms it.
    """
    if config.oppositions.required:
        days, where = config.oppositions.max_age_days, "oppositions.max_age_days"
        _require(connection, OPPOSITION, days, where, "opposition register")
    if config.rights.optout_required:
        days, where = config.rights.optout_max_age_days, "rights.optout_max_age_days"
        _require(connection, OPTOUT, days, where, "opt-out register")


def _require(connection: Connection, register: str, days: int, where: str, name: str) -> None:
    option = "" if register == OPPOSITION else f" --register {register}"
    remedy = f"entrepot oppose import FILE{option}, or entrepot oppose confirm{option}"
    confirmed = confirmed_at(connection, register)
    if confirmed is None:
        raise ConfigurationError(f"the {name} was never confirmed", remedy=remedy)
    age = dt.datetime.now(dt.UTC).replace(tzinfo=None) - confirmed
    if age > dt.timedelta(days=days):
        raise ConfigurationError(
            f"the {name} was last confirmed {age.days} days ago, more than {days}",
            where=f"site.yaml: {where}",
            remedy=remedy,
        )
