"""How people write one name, date or number: every variant is marked with what it identifies."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from random import Random
from typing import TypeAlias

from entrepot.synthetic.hospital import Professional
from entrepot.synthetic.message import Ident
from entrepot.synthetic.persons import Civil, Relative
from entrepot.synthetic.times import MONTHS

Pieces: TypeAlias = list[str]


def bare(text: str) -> str:
    """`text` without accents and cedillas."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def slug(text: str) -> str:
    """`text` as the local part of a mail address has it."""
    return "".join(c for c in bare(text).lower().replace(" ", "-") if c.isalnum() or c == "-")


def _cased(name: str, rng: Random) -> str:
    """Upper case, upper case without accents, or as it is."""
    return rng.choice((name.upper(), bare(name).upper(), name))


def _joined(name: str, rng: Random) -> str:
    """A composed name as hurried people write it: hyphen lost, glued, or broken over two lines."""
    mark = "-" if "-" in name else " " if " " in name else ""
    if not mark or rng.random() < 0.4:
        return name
    form = rng.choice((" ", "", "\n", "-"))
    if form == "\n":
        form = mark.strip() + "\n"
    return name.replace(mark, form, 1)


def _mistyped(name: str, rng: Random) -> str:
    """One letter dropped, doubled, or two swapped, inside the name."""
    at = rng.randrange(1, len(name) - 2)
    return rng.choice(
        (
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        )
    )


def family(name: str, rng: Random, label: str = "NOM", of: str = "patient") -> Ident:
    """A surname in one of its spellings; one in fifty has a typo, when it has six letters."""
    if len(name) >= 6 and rng.random() < 0.02:
        wrong = _mistyped(name, rng)
        if wrong != name:
            return Ident(_cased(wrong, rng), label, of, typo=True)
    return Ident(_cased(_joined(name, rng), rng), label, of)


def given(name: str, rng: Random, label: str = "PRENOM", of: str = "patient") -> Ident:
    """A given name in one of its spellings."""
    written = _joined(name, rng)
    return Ident(rng.choice((written, written, bare(written), written.upper())), label, of)


def initial(name: str, label: str = "PRENOM", of: str = "patient") -> Ident:
    """`J.` or `J.-P.`"""
    letters = [part[0].upper() + "." for part in name.replace("-", " ").split()]
    return Ident("-".join(letters), label, of)


def patient(civil: Civil, rng: Random) -> Pieces:
    """The patient, named in one of ten ways, title included."""
    title = rng.choice(
        {"M.": ("M.", "Monsieur", "Mr", "M"), "Mme": ("Mme", "Madame", "MME")}[civil.title]
    )
    daily, birth = civil.daily, civil.family
    ways: list[Callable[[], Pieces]] = [
        lambda: [title, " ", given(civil.given, rng), " ", family(daily, rng)],
        lambda: [title, " ", family(daily, rng), " ", given(civil.given, rng)],
        lambda: [title, " ", family(daily, rng)],
        lambda: [title, " ", family(daily, rng)],
        lambda: [title, " ", initial(civil.given), " ", family(daily, rng)],
        lambda: [title, " ", family(daily, rng), " ", initial(civil.given)],
        lambda: [title, "\n", family(daily, rng)],
        lambda: [title, " ", given(civil.given, rng), "\n", family(daily, rng)],
        lambda: [title.rstrip(".") + ".", family(daily, rng)],
        lambda: [given(civil.given, rng), " ", family(daily, rng)],
    ]
    if civil.used:
        maiden = f" né{'' if civil.sex == 'M' else 'e'} "
        ways += [lambda: [title, " ", family(daily, rng), maiden, family(birth, rng)]] * 3
    return rng.choice(ways)()


def doctor(who: Professional, rng: Random) -> Pieces:
    """A professional with a title."""
    title = rng.choice(
        (who.title, who.title + ".", "Docteur" if who.title == "Dr" else "Professeur")
    )
    surname = family(who.family, rng, "NOM_PS", "professional")
    first = given(who.given, rng, "PRENOM_PS", "professional")
    short = initial(who.given, "PRENOM_PS", "professional")
    return rng.choice(
        (
            [title, " ", first, " ", surname],
            [title, " ", surname],
            [title, " ", short, " ", surname],
            [title, " ", surname, " ", first],
        )
    )


def relative(who: Relative, rng: Random) -> Pieces:
    """A relative, by full name, given name alone, or title and name."""
    surname = family(who.family, rng, "NOM", "relative")
    first = given(who.given, rng, "PRENOM", "relative")
    title = "M." if who.sex == "M" else "Mme"
    ways: list[Pieces] = [
        [first, " ", surname],
        [title, " ", surname],
        [first],
        [title, " ", first, " ", surname],
    ]
    return rng.choice(ways)


def birth_date(birth: str, rng: Random) -> Pieces:
    """`le 3 février 1950` in one of nine ways; a partial date gives its year, which stays."""
    year, month, day = birth[:4], birth[4:6], birth[6:8]
    if day == "00":
        return ["en ", year]
    word = MONTHS[int(month) - 1]
    written = rng.choice(
        (
            f"{day}/{month}/{year}",
            f"{day}/{month}/{year}",
            f"{int(day)} {word} {year}",
            f"{day}.{month}.{year}",
            f"{day}-{month}-{year}",
            f"{year}-{month}-{day}",
            f"{day}/{month}/{year[2:]}",
            f"{day}{month}{year}",
            f"{int(day)} {bare(word).upper()} {year}",
        )
    )
    return ["le ", Ident(written, "DATE_NAISSANCE")]


def phone(number: str, rng: Random, of: str = "patient") -> Ident:
    """A ten-digit number in one of six ways."""
    pairs = [number[i : i + 2] for i in range(0, 10, 2)]
    return Ident(
        rng.choice(
            (
                number,
                " ".join(pairs),
                ".".join(pairs),
                "-".join(pairs),
                "+33 " + " ".join([pairs[0][1:], *pairs[1:]]),
                "+33(0)" + number[1:],
            )
        ),
        "TEL",
        of,
    )


def security_number(ins: str, rng: Random) -> Ident:
    """A NIR with or without spaces, with or without its key."""
    parts = (ins[0], ins[1:3], ins[3:5], ins[5:7], ins[7:10], ins[10:13], ins[13:])
    return Ident(
        rng.choice(
            (
                " ".join(parts),
                ins,
                ins[:13],
                " ".join(parts[:6]),
                " ".join(parts[:6]) + " / " + parts[6],
                f"{ins[:13]} {ins[13:]}",
            )
        ),
        "SECU",
    )


def address(civil: Civil, rng: Random) -> Pieces:
    """The address on one or two lines; the town may be in capitals, or a CEDEX."""
    place = civil.address
    town = rng.choice((place.town, place.town.upper(), bare(place.town).upper()))
    pieces: Pieces = [Ident(place.street, "ADRESSE"), rng.choice((", ", "\n"))]
    pieces += [Ident(place.postcode, "ZIP"), " ", Ident(town, "VILLE")]
    return [*pieces, " CEDEX"] if rng.random() < 0.08 else pieces
