"""The registers of opposition, opt-out and information: closed sets, terms, minors, freshness."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from entrepot.config import Oppositions, Rights, Site, SiteConfig
from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.landing.database import create_tables, write_transaction, zone_engine
from entrepot.register import freshness, oppositions
from entrepot.register.information import Informed, import_informations, inform, informations
from entrepot.register.minors import due
from entrepot.register.person import Identifier
from entrepot.register.registers import Stated, load_registers
from entrepot.register.rights_facts import facts
from entrepot.register.snapshot import Snapshot
from entrepot.register.store import opened_number
from entrepot.register.tables import opposition

pytestmark = pytest.mark.core

KEYS = Keyring(bytes(range(32)))
ANNE = Identifier("1.2.250.1.999.1", "00910091", "")
PAUL = Identifier("1.2.250.1.999.1", "00920092", "")
DAY = dt.date(2026, 3, 1)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site", SiteConfig())


@pytest.fixture
def zone(site: Site) -> Iterator[sa.Connection]:
    engine = zone_engine(site)
    try:
        create_tables(engine)
        with write_transaction(engine) as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("register", "scope", "channel"),
    [
        ("optout", "study:s1", "desk"),  # EHDS 71: from secondary use as a whole
        ("opposition", "text", "desk"),
        ("opposition", "study", "desk"),
        ("opposition", "study:../x", "desk"),
        ("dmp", "all", "desk"),  # ZFA is no register of ours
        ("opposition", "all", "pigeon"),
    ],
)
def test_what_is_not_of_the_closed_sets_is_refused(register: str, scope: str, channel: str) -> None:
    with pytest.raises(ConfigurationError):
        load_registers().check(register, scope, channel)


def test_the_registers_stand_apart(zone: sa.Connection) -> None:
    """An opt-out that is withdrawn leaves the opposition where it is."""
    assert oppositions.add(zone, KEYS, ANNE, DAY, "desk")
    assert oppositions.add(zone, KEYS, ANNE, DAY, "portal", Stated("optout"))
    assert not oppositions.add(zone, KEYS, ANNE, DAY, "portal", Stated("optout"))
    assert oppositions.withdraw(zone, KEYS, ANNE, DAY, "optout") == 1
    assert oppositions.opposed_numbers(zone) == {ANNE.hmac(KEYS)}
    assert oppositions.withdraw(zone, KEYS, ANNE, DAY) == 1
    assert oppositions.opposed_numbers(zone) == set()


def test_an_opposition_to_a_study_is_of_that_study(zone: sa.Connection) -> None:
    oppositions.add(zone, KEYS, ANNE, DAY, "desk", Stated(scope="study:s1"))
    assert oppositions.opposed_numbers(zone) == set()
    assert oppositions.opposed_numbers(zone, "study:s1") == {ANNE.hmac(KEYS)}
    assert oppositions.withdraw(zone, KEYS, ANNE, DAY, scope="study:s2") == 0


def test_an_opposition_for_a_time_ends_after_its_last_day(zone: sa.Connection) -> None:
    oppositions.add(zone, KEYS, ANNE, DAY, "desk", Stated(until=DAY))
    assert oppositions.end_expired(zone, KEYS, DAY) == []
    assert len(oppositions.end_expired(zone, KEYS, DAY + dt.timedelta(days=1))) == 1
    (line,) = oppositions.listing(zone, KEYS)
    assert line.withdrawn_on == line.until == DAY


def test_a_file_states_scope_term_and_minority(
    zone: sa.Connection, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "o.csv"
    file.write_text(
        "authority,ipp,opposed_on,withdrawn_on,scope,until,by_holder,born_on\n"
        "1.2.250.1.999.1,00910091,2026-03-01,,study:s1,2027-01-01,oui,2010-02-28\n"
    )
    assert oppositions.import_csv(zone, KEYS, file, site) == 1
    row = zone.execute(sa.select(opposition)).one()
    assert (row.scope, row.until, row.by_holder) == ("study:s1", dt.date(2027, 1, 1), True)
    assert opened_number(KEYS, row) == ("1.2.250.1.999.1", "00910091")
    file.write_text("authority,ipp,opposed_on,withdrawn_on,scope\n1.2,0091,2026-03-01,,text\n")
    with pytest.raises(ConfigurationError, match=r"o\.csv:2"):
        oppositions.import_csv(zone, KEYS, file, site)


def test_no_run_without_a_fresh_optout_register_where_it_is_required(
    zone: sa.Connection,
) -> None:
    config = SiteConfig(
        oppositions=Oppositions(required=False), rights=Rights(optout_required=True)
    )
    with pytest.raises(ConfigurationError, match="opt-out register was never confirmed"):
        freshness.require_fresh(zone, config)
    oppositions.confirm(zone)  # the other register is no answer
    with pytest.raises(ConfigurationError, match="--register optout"):
        freshness.require_fresh(zone, config)
    oppositions.confirm(zone, "optout")
    freshness.require_fresh(zone, config)


def test_who_comes_of_age_is_due_until_informed(zone: sa.Connection, site: Site) -> None:
    """LIL 70: opposed by a parent at 15, of age on the day of 18, born on a leap day on 1 March."""
    born = {ANNE: dt.date(2008, 2, 29), PAUL: dt.date(2010, 6, 1)}
    for who, day in born.items():
        stated = Stated(by_holder=True, born_on=day)
        oppositions.add(zone, KEYS, who, dt.date(2023, 5, 1), "desk", stated)
    look = _due(zone, site)
    assert look(dt.date(2026, 2, 28)) == []
    assert look(dt.date(2026, 3, 1)) == [("opposition", 1)]
    assert look(dt.date(2028, 6, 1)) == [("opposition", 1), ("opposition", 2)]
    inform(zone, KEYS, site, Informed(ANNE, dt.date(2026, 2, 1), "letter", "v2"))
    assert look(dt.date(2026, 3, 1)) == [("opposition", 1)]  # told as a minor: told again
    inform(zone, KEYS, site, Informed(ANNE, dt.date(2026, 3, 2), "letter", "v2"))
    assert look(dt.date(2026, 3, 3)) == []


def _due(zone: sa.Connection, site: Site) -> Callable[[dt.date], list[tuple[str, int]]]:
    def look(today: dt.date) -> list[tuple[str, int]]:
        snapshot = Snapshot(zone, KEYS, site.config.register_)
        return [(d.kind, d.line) for d in due(zone, KEYS, site.config, snapshot, today)]

    return look


def test_a_minor_whose_birth_nobody_stated_is_not_forgotten(
    zone: sa.Connection, site: Site
) -> None:
    inform(zone, KEYS, site, Informed(ANNE, DAY, "consultation", "v1", to_holder=True))
    assert _due(zone, site)(DAY) == [("information", 1)]


def test_informations_come_from_a_file(zone: sa.Connection, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "i.csv"
    file.write_text(
        "authority,ipp,informed_on,channel,notice\n1.2.3,0091,2026-03-01,letter,2026-03\n"
        "1.2.3,0092,2026-03-01,portal,2026-03\n"
    )
    assert import_informations(zone, KEYS, site, file) == 2
    assert import_informations(zone, KEYS, site, file) == 2
    assert [(i.channel, i.notice) for i in informations(zone, KEYS)] == [
        ("letter", "2026-03"), ("portal", "2026-03"),
    ]  # fmt: skip
    file.write_text("authority,ipp,informed_on,channel,notice\n1.2.3,0091,2026-03-01,letter,\n")
    with pytest.raises(ConfigurationError, match=r"i\.csv:2"):
        import_informations(zone, KEYS, site, file)


def test_the_facts_are_counts(zone: sa.Connection, site: Site) -> None:
    oppositions.add(zone, KEYS, ANNE, DAY, "desk")
    oppositions.add(zone, KEYS, PAUL, DAY, "letter", Stated(scope="study:s1", until=DAY))
    oppositions.end_expired(zone, KEYS, DAY + dt.timedelta(days=1))
    told = facts(site, zone, KEYS, DAY)
    assert told.oppositions == {
        ("opposition", "all", "standing"): 1, ("opposition", "study", "ended"): 1,
    }  # fmt: skip
    assert told.by_channel == {("opposition", "desk"): 1, ("opposition", "letter"): 1}
    assert (told.erasures, told.waiting, told.retention_years) == (0, 2, 20)
    assert "0091" not in repr(told)
