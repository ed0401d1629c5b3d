"""The hospital: its identifiers, its units (UF) and its staff."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

from entrepot.synthetic.chance import stream
from entrepot.synthetic.message import Ident
from entrepot.synthetic.names import GIVEN_F, GIVEN_M, SURNAMES, WORD_SURNAMES
from entrepot.synthetic.national_numbers import rpps

AUTHORITY = ["CHSYN", "1.2.250.1.999.1", "ISO"]
FINESS = "450999990"  # not attributed
PS_AUTHORITY = ["ASIP-SANTE-PS", "1.2.250.1.71.4.2.1", "ISO"]


class Unit(NamedTuple):
    """One UF."""

    code: str
    label: str
    settings: frozenset[str]


def _unit(code: str, label: str, *settings: str) -> Unit:
    return Unit(code, label, frozenset(settings))


UNITS: tuple[Unit, ...] = (
    _unit("3010", "Urgences adultes", "emergency"),
    _unit("3011", "UHCD", "observation"),
    _unit("3020", "Médecine interne", "medicine"),
    _unit("3021", "Cardiologie", "medicine", "coronary"),
    _unit("3022", "Pneumologie", "medicine"),
    _unit("3023", "Gériatrie aiguë", "medicine"),
    _unit("3030", "Chirurgie viscérale", "surgery"),
    _unit("3031", "Orthopédie", "surgery"),
    _unit("3040", "Maternité", "maternity"),
    _unit("3041", "Néonatologie", "birth"),
    _unit("3050", "Réanimation polyvalente", "intensive"),
    _unit("3060", "Hôpital de jour d'oncologie", "chemotherapy"),
    _unit("3061", "Centre d'hémodialyse", "haemodialysis"),
    _unit("3070", "Consultations de cardiologie", "clinic"),
    _unit("3071", "Consultations de chirurgie", "clinic"),
    _unit("3072", "Consultations de médecine", "clinic"),
)


def units(setting: str) -> tuple[Unit, ...]:
    """The units of one setting."""
    return tuple(unit for unit in UNITS if setting in unit.settings)


@dataclass(frozen=True)
class Professional:
    """A health professional."""

    rpps: str
    family: str
    given: str
    sex: str
    title: str  # Dr, Pr or none
    street: str = ""
    phone: str = ""

    def xcn(self) -> list[str | list[str]]:
        """HL7 XCN with the RPPS number."""
        number = Ident(self.rpps, "RPPS", "professional")
        family = Ident(self.family.upper(), "NOM_PS", "professional")
        given = Ident(self.given, "PRENOM_PS", "professional")
        return [
            number,
            family,
            given,
            "",
            "",
            self.title.upper(),
            "",
            "",
            PS_AUTHORITY,
            "D",
            "",
            "",
            "RPPS",
        ]

    def cnn(self) -> list[str]:
        """HL7 CNN: the same person in sub-components (OBR-32.1)."""
        return [
            Ident(self.rpps, "RPPS", "professional"),
            Ident(self.family.upper(), "NOM_PS", "professional"),
            Ident(self.given, "PRENOM_PS", "professional"),
        ]


@dataclass(frozen=True)
class Staff:
    """Who works here, and the GPs who refer."""

    doctors: tuple[Professional, ...]
    biologists: tuple[Professional, ...]
    practitioners: tuple[Professional, ...]
    clerks: tuple[Professional, ...]


@cache
def staff(seed: int) -> Staff:
    """The staff of the hospital of `seed`: 40 doctors, 4 biologists, 60 GPs, 6 clerks."""
    return Staff(
        tuple(_professional(seed, number) for number in range(40)),
        tuple(_professional(seed, number) for number in range(40, 44)),
        tuple(_professional(seed, number) for number in range(100, 160)),
        tuple(_professional(seed, number) for number in range(200, 206)),
    )


def _title(number: int, rng: Random) -> str:
    if number >= 200:  # clerks and nurses
        return ""
    return "Pr" if rng.random() < 0.15 else "Dr"


def _professional(seed: int, number: int) -> Professional:
    rng = stream(seed, number, "professional")
    sex = rng.choice("FM")
    surnames = SURNAMES + WORD_SURNAMES
    return Professional(
        rpps(99_000_000 + number),
        surnames[(number * 7 + rng.randrange(3)) % len(surnames)],
        rng.choice(GIVEN_F if sex == "F" else GIVEN_M),
        sex,
        _title(number, rng),
        f"{rng.randint(1, 90)} rue de Bourgogne",
        f"026191{rng.randint(0, 9999):04d}",
    )
