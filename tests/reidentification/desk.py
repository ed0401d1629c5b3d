"""A site with five persons, the people who decide there, and a clock that the test sets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
import yaml

from entrepot.audit import Entry, read_entries
from entrepot.config import CONFIG_NAME, Site
from entrepot.keys import site_keyring
from entrepot.landing.database import zone_engine
from entrepot.people import create_key
from entrepot.reidentification.clock import utc_now
from entrepot.reidentification.procedure import Procedure
from entrepot.reidentification.requests import Asked, Signer
from faults.hand_made import admission
from review.letters import letter
from roads import feed, new_site, oppose, query, travel

PROFILES = {
    "lea.nguyen": ["researcher"], "claire.vigne": ["dpo"], "marc.roy": ["steward"],
    "paul.lam": ["dpo", "steward"], "ines.roux": ["engineer"], "anna.kern": ["steward"],
}  # fmt: skip
# birth year -> (IPP, name): the year is how the test finds the person in the warehouse
PERSONS = {
    1951: ("90001", "ARMENGAUD"), 1952: ("90002", "BRUNETIERE"), 1953: ("90003", "CASTELNAU"),
    1954: ("90004", "DESROUSSEAUX"), 1955: ("90005", "ESCOFFIER"),
}  # fmt: skip


def build(folder: Path) -> Site:
    """The site, its feed published once, with three letters about the person of 1953."""
    site = new_site(folder / "site")
    feed(site, "a.hl7", b"".join(
        admission(f"A{ipp}", ipp, f"7{ipp}", birth=f"{year}0412", name=name)
        for year, (ipp, name) in PERSONS.items()
    ))  # fmt: skip
    feed(site, "l.hl7", b"".join(letter(number) for number in range(3)), source="letters")
    assert travel(site).published
    keys = folder / "keys"
    keys.mkdir()
    public = {name: create_key(keys / f"{name}.pem") for name in PROFILES}
    name_people(site, {n: {"profiles": p, "public_key": public[n]} for n, p in PROFILES.items()})
    return Site.open(site.root)


def name_people(site: Site, people: dict[str, dict[str, object]]) -> None:
    """Writes the people into `site.yaml`."""
    path = site.root / CONFIG_NAME
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**stated, "people": people}), encoding="utf-8")


def oppose_one(site: Site, year: int) -> None:
    """The person of this birth year opposes reuse."""
    file = site.root.parent / "oppositions.csv"
    ipp = PERSONS[year][0]
    file.write_text(f"authority,ipp,opposed_on,withdrawn_on\n1.2.250.1.999.1,{ipp},2024-05-01,\n")
    oppose(site, file)


@dataclass
class Desk:
    """One site's procedure, at a time that the test sets."""

    site: Site
    late: dt.timedelta = field(default_factory=dt.timedelta)

    @contextmanager
    def procedure(self) -> Iterator[Procedure]:
        """Opened anew, as each command opens it."""
        site = Site.open(self.site.root)
        engine = zone_engine(site)
        try:
            yield Procedure(site, site_keyring(site), engine, lambda: utc_now() + self.late)
        finally:
            engine.dispose()

    def signer(self, name: str, key: str = "") -> Signer:
        """`name`, signing with their own key or with another's."""
        return Signer(name, self.site.root.parent / "keys" / f"{key or name}.pem")

    def person_id(self, year: int) -> int:
        """The person_id as the warehouse publishes it."""
        found = query(self.site, f"SELECT person_id FROM person WHERE year_of_birth = {year}")
        return int(found[0][0])

    def request(
        self, *years: int, motive: str = "care_finding", by: str = "lea.nguyen", **more: object
    ) -> str:
        """A request for the persons of these birth years."""
        numbers = [self.person_id(year) for year in years]
        asked = Asked(motive, numbers, "potassium 7.2, ticket 41", **more)  # type: ignore[arg-type]
        with self.procedure() as procedure:
            return procedure.request(asked, self.signer(by)).request_id

    def approve(self, request_id: str, *names: str, key: str = "", approved: bool = True) -> None:
        """Decides, one after the other."""
        for name in names:
            with self.procedure() as procedure:
                procedure.decide(request_id, self.signer(name, key), approved=approved)

    def execute(self, request_id: str, by: str = "lea.nguyen", key: str = "") -> list[list[str]]:
        """Names that the requester is shown, by person."""
        with self.procedure() as procedure:
            shown = procedure.execute(request_id, self.signer(by, key))
        return [one.identity.get("names", []) for one in shown.persons]

    def state(self, request_id: str) -> str:
        """How the request stands."""
        with self.procedure() as procedure:
            return next(
                one.state for one in procedure.standing() if one.request.request_id == request_id
            )

    def entries(self) -> list[Entry]:
        """The audit log's entries on re-identification."""
        keyring = site_keyring(self.site)
        return [e for e in read_entries(self.site, keyring) if e.action.startswith("reid")]

    def change(self, statement: str) -> None:
        """What somebody with the database in their hands does."""
        engine = zone_engine(self.site)
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()
