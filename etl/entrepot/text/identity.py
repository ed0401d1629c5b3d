"""What is known of one patient and of the professionals of one message: plain data, no method.

The door builds it from the identity register and the message; the text engine and the leak scan
read it. It lives in memory of the identifying zone only and has no printable form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date


@dataclass(frozen=True, repr=False)
class Identity:
    """Known identifiers, each as the sources wrote it.

    Args:
        family_names: birth, used, former and marital family names.
        given_names: given names, one or several per entry.
        birth_dates: full birth dates.
        partial_birth_dates: `YYYY` or `YYYY-MM`, when no full date is known.
        addresses: street lines, without postcode and town.
        postcodes: as written.
        towns: as written, with or without CEDEX.
        phones: any format.
        mails: e-mail addresses.
        numbers: (label, value); label is IPP, NDA, SECU (INS, NIR) or AUTRE_ID.
        relatives: names of relatives, family and given names mixed.
        professionals: names of this message's professionals.
        professional_numbers: RPPS, ADELI and local numbers of these professionals.
    """

    family_names: tuple[str, ...] = ()
    given_names: tuple[str, ...] = ()
    birth_dates: tuple[date, ...] = ()
    partial_birth_dates: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    relatives: tuple[str, ...] = ()
    professionals: tuple[str, ...] = ()
    professional_numbers: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Identity(…)"


NOBODY = Identity()


def merge(identities: Iterable[Identity]) -> Identity:
    """The union of `identities`, each value once, sorted, so that order never matters."""
    every = list(identities)
    return Identity(
        **{
            field.name: tuple(sorted({v for one in every for v in getattr(one, field.name)}))
            for field in fields(Identity)
        }
    )
