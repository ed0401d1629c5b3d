"""Business keys: the same parts give the same pseudonym wherever a mapping reads them.

Shared by the register (which keys do two persons state?) and the door (row keys, references).
"""

from __future__ import annotations

from entrepot.feeds.document import NULL, Document
from entrepot.feeds.extract import CompiledMapping, Extractor
from entrepot.feeds.mapping import Mapping
from entrepot.feeds.raw_row import RawRow
from entrepot.keys import Keyring
from entrepot.staging.kinds import CODED, KINDS, PROVIDER, STAY, UNIT, Reference

KEY_AS: dict[str, Reference] = {
    "stay": STAY, "unit": UNIT, "provider": PROVIDER, "coded": CODED,
}  # fmt: skip


def present(parts: list[str]) -> bool:
    """Whether a key states anything: its first part is neither absent nor null."""
    return bool(parts) and parts[0] not in {"", NULL}


def reference_parts(reference: Reference, domain: str, value: str) -> tuple[str, ...]:
    """What is hashed for a reference: its name, the source's domain, the number as sent."""
    return (reference.name.replace("care_unit", "unit"), domain, value)


def row_parts(mapping: Mapping, domain: str, key: list[str]) -> tuple[str, ...]:
    """What is hashed for a row's own key, without its person."""
    if mapping.key_as is not None:
        return reference_parts(KEY_AS[mapping.key_as], domain, key[0])
    return (mapping.kind, mapping.namespace or mapping.mapping, domain, *key)


def row_label(mapping: Mapping) -> str:
    """The HKDF label of a row's own key."""
    return KEY_AS[mapping.key_as].label if mapping.key_as else KINDS[mapping.kind].label


def exclusive_keys(
    extractor: Extractor, document: Document, domain: str, keyring: Keyring
) -> list[tuple[bytes, str]]:
    """(HMAC, position) of each key of the document that only one person may state."""
    found: dict[bytes, str] = {}
    for compiled in extractor.mappings(document.event):
        if _exclusive(compiled):
            for row in compiled.rows(document):
                found.update(_keys_of(row, domain, keyring))
    return sorted(found.items())


def _exclusive(compiled: CompiledMapping) -> bool:
    kind = KINDS.get(compiled.mapping.kind)
    if kind is None:
        return False
    named = set(compiled.mapping.columns)
    return kind.exclusive or any(r.exclusive and r.name in named for r in kind.references)


def _keys_of(row: RawRow, domain: str, keyring: Keyring) -> dict[bytes, str]:
    kind = KINDS[row.mapping.kind]
    found = {}
    if kind.exclusive and present(row.key):
        parts = row_parts(row.mapping, domain, row.key)
        found[keyring.digest(row_label(row.mapping), *parts)] = f"{kind.name} key"
    for reference in kind.references:
        value = row.values.get(reference.name, "")
        if reference.exclusive and value not in {"", NULL}:
            parts = reference_parts(reference, domain, value)
            found[keyring.digest(reference.label, *parts)] = f"{reference.name} key"
    return found
