"""From the register's sealed payloads to what the text engine looks for."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import replace

from entrepot.errors import RecordFault
from entrepot.feeds.document import NULL
from entrepot.feeds.hl7v2.values import stated_date
from entrepot.feeds.raw_row import RawRow
from entrepot.text import Identity


def identity_of(payloads: Iterable[bytes]) -> Identity:
    """One person's identity: everything that any of the cluster's records ever stated."""
    merged: dict[str, set[object]] = {}
    for payload in payloads:
        for name, values in json.loads(payload).items():
            found = (tuple(v) if isinstance(v, list) else v for v in values)
            merged.setdefault(name, set()).update(found)
    births = _dates(merged.get("birth_dates", set()))
    public = merged.get("public_numbers", set())
    stays = {("NDA", value) for value in merged.get("stay_numbers", set()) - public}
    relatives = merged.get("relative_family", set()) | merged.get("relative_given", set())
    return Identity(
        family_names=_texts(merged, "family_names"),
        given_names=_texts(merged, "given_names", "full_given_names"),
        birth_dates=tuple(sorted(d for d, known in births if known == "day")),
        partial_birth_dates=tuple(
            sorted(_partial(d, known) for d, known in births if known != "day")
        ),
        addresses=_texts(merged, "streets"),
        postcodes=_texts(merged, "postcodes"),
        towns=_texts(merged, "towns"),
        phones=_texts(merged, "phones"),
        mails=_texts(merged, "mails"),
        numbers=tuple(sorted(merged.get("numbers", set()) | stays)),  # type: ignore[arg-type]
        relatives=tuple(sorted(str(r) for r in relatives)),
    )


def stays_of(payloads: Iterable[bytes]) -> dict[str, str]:
    """A server's id of a stay -> its number; an id with two numbers names none."""
    found: dict[str, set[str]] = {}
    for payload in payloads:
        for token, number in json.loads(payload).get("stay_aliases", []):
            found.setdefault(token, set()).add(number)
    single = {token: min(numbers) for token, numbers in found.items() if len(numbers) == 1}
    return {token: _end(token, single) for token in single}


def _end(token: str, names: dict[str, str]) -> str:
    """A unit's stay is part of a stay, which has the number: followed to the end, never round."""
    seen = {token}
    while names[token] in names and names[token] not in seen:
        token = names[token]
        seen.add(token)
    return names[token]


def with_professionals(identity: Identity, rows: Iterable[RawRow]) -> Identity:
    """The identity with the professionals whom this message names."""
    names: set[str] = set()
    numbers: set[str] = set()
    for row in rows:
        for name in ("professional_family", "professional_given"):
            names.update(row.lists.get(name, []))
        numbers.update(row.lists.get("professional_numbers", []))
    return replace(
        identity,
        professionals=tuple(sorted(names - {"", NULL})),
        professional_numbers=tuple(sorted(numbers - {"", NULL})),
    )


def _texts(merged: dict[str, set[object]], *names: str) -> tuple[str, ...]:
    return tuple(sorted({str(v) for name in names for v in merged.get(name, ())}))


def _dates(texts: set[object]) -> set[tuple[dt.date, str]]:
    found: set[tuple[dt.date, str]] = set()
    for text in texts:
        try:
            date, precision = stated_date(str(text))
        except RecordFault:
            continue  # an impossible birth date quarantines its own record
        if date is not None:
            found.add((date, precision))
    return found


def _partial(date: dt.date, precision: str) -> str:
    return f"{date:%Y}" if precision == "year" else f"{date:%Y-%m}"
