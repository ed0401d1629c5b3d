"""Who a message is about: local numbers, INS, and what the text engine must look for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from entrepot.config import Register as RegisterConfig
from entrepot.config import Source
from entrepot.errors import RecordFault
from entrepot.feeds.document import NULL
from entrepot.feeds.raw_row import RawRow
from entrepot.keys import IDENTIFIER, PERSON, Keyring
from entrepot.landing.masking import is_masked

INS_NAMESPACES = {"1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9"}
INS_TEST_NAMESPACES = {"1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"}
SECRET_STATUS = {"CACH", "ANOM"}  # hidden or anonymous identity: no link row, ever (DESIGN 3)
VALIDATED = "VALI"
# A server's own id of a person: a number of that server, never the one that gives the pseudonym
# when the hospital's own (IPP) is known.
REFERENCE = "fhir:"
MIN_NUMBER = 8  # a shorter logical id would be found by chance in texts
NIR_LENGTH = 15
_TOKENS = ("own_reference", "subject_reference", "stay_reference")
_PARTS = ("value", "namespace", "authority", "type")
IDENTITY_LISTS = (
    "family_names", "given_names", "full_given_names", "streets", "postcodes", "towns",
    "phones", "mails", "relative_family", "relative_given", "stay_numbers",
)  # fmt: skip


@dataclass(frozen=True)
class Identifier:
    """One number of a person: assigning authority, value, and the type code as sent."""

    authority: str
    value: str
    type_code: str
    name: str = ""  # the authority's other spelling in the same CX-4

    def alias(self, keyring: Keyring) -> bytes | None:
        """How the register would find it under the authority's other spelling."""
        if not self.name or self.name == self.authority:
            return None
        return keyring.digest(IDENTIFIER, self.name, self.value)

    def hmac(self, keyring: Keyring) -> bytes:
        """How the register finds it."""
        return keyring.digest(IDENTIFIER, self.authority, self.value)

    def person_key(self, keyring: Keyring) -> str:
        """The pseudonym of a person whose first identifier it is (authority ‖ 0x1F ‖ IPP)."""
        return keyring.keyed(PERSON, self.authority, self.value)


@dataclass(frozen=True)
class Subject:
    """The person of one PID segment."""

    local: tuple[Identifier, ...]
    ins: Identifier | None
    validated: bool
    secret: bool
    notices: tuple[str, ...]


def identifiers(
    stated: Sequence[list[str]], source: Source, config: RegisterConfig, default_type: str = ""
) -> list[Identifier]:
    """Identifiers with one spelling of each authority.

    Args:
        stated: aligned repetitions of values, namespaces (OIDs), authorities' names and types.
        default_type: of an identifier whose type is not sent.
    """
    found = []
    rows = zip_longest(*stated, fillvalue="")
    for value, sent_namespace, name, sent_type in rows:
        namespace, type_code = sent_namespace.removeprefix("urn:oid:"), sent_type or default_type
        if not value or value == NULL or is_masked(value):
            continue
        authority = namespace or name or source.authority or source.domain
        authority = config.authority_alias.get(authority, authority)
        found.append(Identifier(authority, value.strip(), type_code, name))
    return found


def reference(token: str, source: Source) -> Identifier:
    """A server's own id of a person (`Patient/123`) as one of their numbers."""
    return Identifier(REFERENCE + source.domain, token, "")


def subject(row: RawRow, source: Source, config: RegisterConfig, place: str) -> Subject:
    """The subject of an identity row (a PID, a Patient, a patientRole, a resource's subject).

    Args:
        place: where the format states a subject, for faults.

    Raises:
        RecordFault: several local numbers of one authority (`several_ipp`).
    """
    stated = [row.lists.get(f"identifier_{part}", []) for part in _PARTS]
    found = identifiers(stated, source, config, row.values.get("identifier_type", ""))
    if own := row.values.get("own_reference", ""):
        found.append(reference(own, source))
    ins = [i for i in found if _is_ins(i, config)]
    local = [i for i in found if not _is_any_ins(i) and i.type_code in config.identifier_types]
    distinct = {(i.authority, i.value): i for i in local}
    if len({authority for authority, _ in distinct}) < len(distinct):
        raise RecordFault("several_ipp", place)
    status = row.values.get("identity_status", "")
    notices = ("ins_key_invalid",) if any(not _nir_key_valid(i.value) for i in ins) else ()
    return Subject(
        local=tuple(distinct[key] for key in sorted(distinct)),
        ins=ins[0] if ins else None,
        validated=status == VALIDATED and not notices,
        secret=status in SECRET_STATUS,
        notices=notices,
    )


def first_identifier(subject_: Subject, config: RegisterConfig) -> Identifier | None:
    """The number that stands for the subject in this record, by authority rank."""
    if subject_.local:
        return min(subject_.local, key=lambda i: (rank(i.authority, config), i.authority, i.value))
    usable = config.accept_ins_only and "ins_key_invalid" not in subject_.notices
    return subject_.ins if usable else None


def rank(authority: str, config: RegisterConfig) -> int:
    """Precedence of an assigning authority; lower comes first."""
    order = config.authority_rank
    if authority in order:
        return order.index(authority)
    return len(order) + authority.startswith(REFERENCE)


def identity_payload(rows: list[RawRow]) -> bytes:
    """What the text engine must find of this person, as canonical JSON (bytes).

    Keys: IDENTITY_LISTS, `numbers` ([label, value] pairs), `birth_dates` (as sent),
    `public_numbers` (an establishment's, never a stay's) and `stay_aliases` ([a server's id of a
    stay, its number] pairs).
    """
    payload: dict[str, Any] = {name: _stated(rows, name) for name in IDENTITY_LISTS}
    # A name in one string may stand in any order: each of its words is looked for.
    words = {word for name in _stated(rows, "display_names") for word in _words(name)}
    payload["family_names"] = sorted({*payload["family_names"], *words})
    # PV1-19 equals the FINESS in an official sample: a public number, not an identifier.
    payload["public_numbers"] = _stated(rows, "stay_authorities")
    payload["stay_numbers"] = sorted({*payload["stay_numbers"]} - {*payload["public_numbers"]})
    payload["numbers"] = [list(pair) for pair in sorted(_numbers(rows))]
    births = {row.values.get("birth_date", "") for row in rows} - {"", NULL}
    payload["birth_dates"] = sorted(births)
    aliases = {
        (token, numbers[0])
        for row in rows
        if (token := row.values.get("stay_reference", ""))
        and (numbers := [v for v in row.lists.get("stay_numbers", []) if v])
    }
    payload["stay_aliases"] = [list(pair) for pair in sorted(aliases)]
    return json.dumps(payload, ensure_ascii=False, sort_keys=True).encode()


def _stated(rows: list[RawRow], name: str) -> list[str]:
    values = {v.strip() for row in rows for v in row.lists.get(name, []) if v and v != NULL}
    return sorted(values - {""})


def _words(name: str) -> list[str]:
    return [word for word in name.replace(",", " ").split() if len(word) > 1]


def _numbers(rows: list[RawRow]) -> set[tuple[str, str]]:
    numbers = {
        (_number_label(row, n), value)
        for row in rows
        for n, value in enumerate(row.lists.get("identifier_value", []))
        if value and value != NULL
    }
    numbers |= {("AUTRE_ID", value) for value in _stated(rows, "numbers")}
    tokens = (row.values.get(name, "") for row in rows for name in _TOKENS)
    return numbers | {("AUTRE_ID", token) for token in tokens if len(token) >= MIN_NUMBER}


def _number_label(row: RawRow, position: int) -> str:
    types = row.lists.get("identifier_type", [])
    type_code = types[position] if position < len(types) else ""
    return "SECU" if type_code.startswith("INS") or type_code in {"NH", "SS", "NI"} else "IPP"


def _is_any_ins(identifier: Identifier) -> bool:
    known = INS_NAMESPACES | INS_TEST_NAMESPACES
    return identifier.authority in known or identifier.type_code in {"INS", "NH", "INS-C", "INS-A"}


def _is_ins(identifier: Identifier, config: RegisterConfig) -> bool:
    accepted = INS_NAMESPACES | (INS_TEST_NAMESPACES if config.accept_test_ins else set())
    return identifier.authority in accepted


def _nir_key_valid(value: str) -> bool:
    """The NIR's control key: 97 - (first 13 modulo 97), Corsica 2A as 19 and 2B as 18."""
    digits = value.replace("2A", "19", 1) if value[5:7] == "2A" else value
    digits = digits.replace("2B", "18", 1) if value[5:7] == "2B" else digits
    if len(digits) != NIR_LENGTH or not digits.isdigit():
        return False
    return 97 - int(digits[:13]) % 97 == int(digits[13:])
