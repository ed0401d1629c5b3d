"""Draws the patients: names, ages, addresses, numbers, relatives, and later corrections."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from random import Random

from entrepot.synthetic import names
from entrepot.synthetic.chance import scattered, stream
from entrepot.synthetic.hospital import staff
from entrepot.synthetic.national_numbers import nir
from entrepot.synthetic.persons import Address, Change, Civil, Person, Relative
from entrepot.synthetic.roles import role_of
from entrepot.synthetic.spelling import bare, slug
from entrepot.synthetic.times import START, day

MOTHERS = {"mother", "secret_mother"}
NEWBORNS = {"newborn": 1, "first_twin": 1, "second_twin": 2, "secret_newborn": 1}
TEST_INS, INS = "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.8"


def person(seed: int, index: int) -> Person:
    """Patient `index` of the hospital of `seed`, whatever the hospital's size."""
    role = role_of(index)
    rng = stream(seed, index, "person")
    if role in NEWBORNS:
        return _newborn(seed, index, role, rng)
    first_seen = START + dt.timedelta(hours=rng.randrange(24 * 400))
    sex = _sex(role, rng)
    birth = _birth(role, rng)
    town = _birth_town(role, rng)
    civil = _civil(role, sex, birth, town, rng)
    if role == "homonym":
        other = person(seed, index - 1).history[0].civil
        civil = replace(
            civil,
            family=other.family,
            used=other.used,
            given=other.given,
            givens=other.givens,
            sex=other.sex,
        )
    new = Person(
        index,
        f"P{index:06d}",
        role,
        _ipps(role, index),
        "" if role in {"provisional", "secret_mother"} else _nir(civil, town, rng),
        INS if role == "production_ins" else TEST_INS,
        town,
        [Change(dt.datetime.min, civil, "created")],
        _relatives(civil, rng),
        rng.choice(staff(seed).practitioners),
        first_seen,
        dies=role == "dies",
    )
    _second_number(new, rng)
    if role in MOTHERS:
        new.delivery = first_seen + dt.timedelta(days=rng.randint(60, 120), hours=rng.randrange(24))
    _later_beliefs(new, rng)
    return new


def _sex(role: str, rng: Random) -> str:
    if role in MOTHERS:
        return "F"
    if role == "indeterminate":
        return "I"
    return rng.choice("MF")


def _birth(role: str, rng: Random) -> str:
    if role in MOTHERS:
        age = rng.randint(20, 40)
    elif role in {"dies", "dialysis", "chemotherapy"}:
        age = rng.randint(55, 93)
    else:
        age = rng.choice((rng.randint(1, 17), rng.randint(18, 64), rng.randint(50, 96)))
    date = dt.date(2023 - age, 1, 1) + dt.timedelta(days=rng.randrange(365))
    if role == "lunar_birth":
        return f"{date.year}0000" if rng.random() < 0.7 else f"{date.year}{date.month:02d}00"
    return day(dt.datetime.combine(date, dt.time()))


def _birth_town(role: str, rng: Random) -> names.Town:
    if role == "corsica":
        return rng.choice(names.CORSICA)
    if role in {"abroad", "lunar_birth"}:
        return rng.choice(names.ABROAD)
    return rng.choice(names.BIRTH_TOWNS)


def _surname(role: str, rng: Random) -> str:
    pools = {
        "short_name": names.SHORT_SURNAMES,
        "word_name": names.WORD_SURNAMES,
        "medical_name": names.MEDICAL_SURNAMES,
        "town_name": tuple(town.name for town in names.TOWNS if " " not in town.name),
    }
    if role in pools:
        return rng.choice(pools[role])
    draw = rng.random()
    if draw < 0.06:
        return rng.choice(names.WORD_SURNAMES)
    return rng.choice(names.SHORT_SURNAMES if draw < 0.10 else names.SURNAMES)


def _civil(role: str, sex: str, birth: str, town: names.Town, rng: Random) -> Civil:
    family = _surname(role, rng)
    given = rng.choice(names.GIVEN_M if sex == "M" else names.GIVEN_F)
    adult = int(birth[:4]) < 2001
    used = ""
    if adult and rng.random() < (0.55 if sex == "F" else 0.03) and role != "town_name":
        used = _surname("", rng)
        used = f"{family}-{used}" if rng.random() < 0.2 and " " not in family + used else used
    phone, mobile = f"026191{rng.randint(0, 9999):04d}", f"063998{rng.randint(0, 9999):04d}"
    mail = f"{slug(given)}.{slug(used or family)}@{rng.choice(names.MAIL_DOMAINS)}"
    civil = Civil(
        family,
        "" if used == family else used,
        given,
        f"{given} {rng.choice(names.SECOND_GIVEN)}",
        sex,
        birth,
        _address(role, family, rng),
        phone if rng.random() < 0.6 else "",
        mobile,
        mail if rng.random() < 0.6 else "",
        "PROV" if role == "provisional" or rng.random() < 0.35 else "VALI",
    )
    if role == "secret_mother":
        return replace(
            civil,
            family="Secret",
            used="",
            given="Marie",
            givens="Marie",
            phone="",
            mobile="",
            mail="",
            reliability="CACH",
        )
    return civil


def _address(role: str, family: str, rng: Random) -> Address:
    town = rng.choice(names.TOWNS)
    if role == "town_name":
        town = next(place for place in names.TOWNS if place.name == family)
    complement = rng.choice(("", "", "", "Bât B", "appt 12"))
    number = f"{rng.randint(1, 180)}{rng.choice(('', '', '', ' bis'))}"
    return Address(
        f"{number} {rng.choice(names.STREETS)}", complement, town.name, town.postcode, town.insee
    )


def _nir(civil: Civil, town: names.Town, rng: Random) -> str:
    month = int(civil.birth[4:6]) or 31 + rng.randrange(12)
    sex = civil.sex if civil.sex in "MF" else "F"
    return nir(sex, int(civil.birth[:4]), month, town.insee, rng.randint(1, 989))


def _ipps(role: str, index: int) -> list[str]:
    first = "8" + scattered(index, 7)
    return (
        [first, "9" + scattered(index, 7)]
        if role in {"merged", "linked", "renumbered"}
        else [first]
    )


def _second_number(new: Person, rng: Random) -> None:
    """When the second IPP is in use, and when the register links the two."""
    joined = new.first_seen + dt.timedelta(days=rng.randint(120, 200), hours=rng.randrange(24))
    periods = {
        "merged": (new.first_seen + dt.timedelta(days=30), joined),
        "renumbered": (dt.datetime.min, joined),
        "linked": (new.first_seen + dt.timedelta(days=30), dt.datetime.max),
    }
    if new.role in periods:
        new.dated["second_from"], new.dated["second_until"] = periods[new.role]
    new.dated["joined"] = joined
    new.dated["parted"] = joined + dt.timedelta(days=rng.randint(2, 30))


def _relatives(civil: Civil, rng: Random) -> list[Relative]:
    found = []
    born = int(civil.birth[:4])
    pool = ("SIB", "MTH") if born > 2005 else ("SPO", "CHD", "SIB") + ("MTH",) * (born > 1950)
    for relation in rng.sample(pool, rng.randint(1, min(3, len(pool)))):
        sex = {"MTH": "F", "SPO": "F" if civil.sex == "M" else "M"}.get(relation, rng.choice("FM"))
        family = civil.daily if relation != "MTH" else rng.choice(names.SURNAMES)
        given = rng.choice(names.GIVEN_F if sex == "F" else names.GIVEN_M)
        phone = f"063998{rng.randint(0, 9999):04d}"
        found.append(Relative(relation, family, given, sex, phone, rng.random() < 0.6))
    return found


def _newborn(seed: int, index: int, role: str, rng: Random) -> Person:
    order = NEWBORNS[role]
    mother = person(seed, index - order)
    born = (mother.delivery or START) + dt.timedelta(minutes=order * 7)
    secret = role == "secret_newborn"
    known, town = mother.at(born), names.TOWNS[0]
    baby = _baby(known, born, secret, rng)
    new = Person(
        index,
        f"P{index:06d}",
        role,
        _ipps(role, index),
        "",
        TEST_INS,
        town,
        [Change(dt.datetime.min, baby, "created")],
        [] if secret else [Relative("MTH", known.daily, known.given, "F", known.mobile, True)],
        mother.practitioner,
        born,
        mother=None if secret else mother,
        birth_order=order if "twin" in role else 0,
    )
    if not secret:
        given = rng.choice(names.GIVEN_M if baby.sex == "M" else names.GIVEN_F)
        new.believe(born + dt.timedelta(days=2, hours=3), "named", given=given, givens=given)
        new.ins = nir(baby.sex, born.year, born.month, town.insee, rng.randint(1, 989))
        new.believe(born + dt.timedelta(days=30), "validated", reliability="VALI")
    return new


def _baby(mother: Civil, born: dt.datetime, secret: bool, rng: Random) -> Civil:
    """A newborn before it has a given name; a secret birth shares nothing with the mother."""
    baby = Civil(
        mother.daily, "", "Bébé", "Bébé", rng.choice("MF"), day(born), mother.address, "",
        mother.mobile, "", "PROV",
    )  # fmt: skip
    if not secret:
        return baby
    return replace(
        baby,
        family=rng.choice(names.SURNAMES),
        address=_address("", "", rng),
        mobile="",
        reliability="ANOM",
    )


def _later_beliefs(new: Person, rng: Random) -> None:
    if new.role == "secret_mother":
        return
    when = new.first_seen + dt.timedelta(days=rng.randint(2, 20), minutes=rng.randrange(600))
    if rng.random() < 0.12:
        _correct_name(new, when, rng)
    if rng.random() < 0.05 and new.final.birth_precision == "day":
        _correct_birth(new, when + dt.timedelta(days=1))
    if new.final.reliability == "PROV" and new.role != "provisional":
        new.believe(when + dt.timedelta(days=3), "validated", reliability="VALI")
    if rng.random() < 0.25:
        moved = when + dt.timedelta(days=rng.randint(60, 200))
        new.believe(moved, "moved", address=_address("", "", rng))
    if new.role == "death_by_mistake":
        dead = new.first_seen + dt.timedelta(days=250)
        new.believe(dead, "death_by_mistake", death=dead - dt.timedelta(days=3))
        new.believe(dead + dt.timedelta(days=4, hours=2), "death_withdrawn", death=None)
    if rng.random() < 0.12:
        gone = new.first_seen + dt.timedelta(days=280)
        new.believe(gone, "phone_deleted", phone="", mobile="", mail="")


def _correct_name(new: Person, when: dt.datetime, rng: Random) -> None:
    """The first belief loses its accents or gets a letter twice; the true name comes later."""
    true = new.history[0].civil
    wrong = bare(true.given) if rng.random() < 0.5 else true.given[:2] + true.given[1:]
    if wrong != true.given:
        new.history[0] = replace(new.history[0], civil=replace(true, given=wrong, givens=wrong))
        new.believe(when, "name_corrected", given=true.given, givens=true.givens)


def _correct_birth(new: Person, when: dt.datetime) -> None:
    """The first belief is ten years off."""
    true = new.history[0].civil.birth
    wrong = f"{int(true[:4]) - 10}{true[4:6]}01"
    new.history = [replace(c, civil=replace(c.civil, birth=wrong)) for c in new.history]
    new.believe(when, "birth_corrected", birth=true)
