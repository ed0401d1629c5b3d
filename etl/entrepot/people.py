"""Who decides, under which profile, and what they signed (SEC-HAB; controls 7 and 9).

`site.yaml` names the persons, their profiles and the public halves of their keys. The private half
is a file of the person's own, in PKCS #8 PEM as `openssl genpkey -algorithm ed25519` writes it too;
it belongs on their own medium, never in the site's folder.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from entrepot.config import Site
from entrepot.durable import create_private
from entrepot.errors import ConfigurationError

# Signatures of a person and those of the site's reports never stand for one another.
_DOMAIN = b"entrepot/person/v1\0"
ACT = "act"  # what a payload is about: a signature of one act is worth nothing for another
_WHERE = "site.yaml: people"


@dataclass(frozen=True)
class Person:
    """Somebody whom `site.yaml` names.

    Args:
        profiles: engineer, dpo, steward, researcher, reader.
        public_key: 64 hexadecimal characters; empty of somebody who signs nothing.
    """

    name: str
    profiles: frozenset[str]
    public_key: str


def people(site: Site) -> list[Person]:
    """Everybody whom the site names, by name."""
    return [
        Person(name, frozenset(stated.profiles), stated.public_key)
        for name, stated in sorted(site.config.people.items())
    ]


def person(site: Site, name: str, *profiles: str) -> Person:
    """The person of this name, who has one of `profiles` (any person when none is given).

    Raises:
        ConfigurationError: nobody of this name, or without the profile.
    """
    found = next((one for one in people(site) if one.name == name), None)
    if found is None:
        raise ConfigurationError("nobody of this name works here", where=_WHERE, remedy=_HOW)
    if profiles and not found.profiles & set(profiles):
        raise ConfigurationError(
            f"{name} has not the profile {' or '.join(profiles)}", where=f"{_WHERE}.{name}",
            remedy="the data protection officer reviews who has which profile",
        )  # fmt: skip
    return found


_HOW = "people: {NAME: {profiles: [steward], public_key: …}}; entrepot people key FILE makes a key"


def create_key(path: Path) -> str:
    """Writes a new Ed25519 key, readable by its owner alone; returns its public half.

    Raises:
        ConfigurationError: the file is there already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    write_key(path, key)
    return _public(key)


def write_key(path: Path, key: Ed25519PrivateKey | X25519PrivateKey) -> None:
    """A private key in PEM, readable by its owner alone.

    Raises:
        ConfigurationError: the file is there already, or cannot be written.
    """
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        create_private(path, text)
    except OSError as error:
        raise ConfigurationError(
            f"the key cannot be written ({error.strerror})", where=str(path),
            remedy="give the path of a file that is not there yet",
        ) from None  # fmt: skip


def read_key(path: Path, remedy: str = "") -> object | None:
    """The key of a file, of whatever kind; None when it holds no key without a password.

    Raises:
        ConfigurationError: no such file, or one that others can read.
    """
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(
                "others can read this key", where=str(path), remedy=f"chmod 600 {path}"
            )
        return load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(
            f"the key cannot be read ({error.strerror})", where=str(path), remedy=remedy
        ) from None
    except (ValueError, TypeError):
        return None


def public_half(path: Path) -> str:
    """The public half of a key file, 64 hexadecimal characters.

    Raises:
        ConfigurationError: as `sign`.
    """
    return _public(_read(path))


def sign(path: Path, payload: Mapping[str, Any]) -> str:
    """The signature of `payload` by the key of a file, 128 hexadecimal characters.

    Args:
        payload: JSON values; states its `act`.

    Raises:
        ConfigurationError: no key, one that others can read, or another kind of key.
        ValueError: the payload states no act.
    """
    return _read(path).sign(_signed(payload)).hex()


def verify(by: Person, payload: Mapping[str, Any], signature: str) -> None:
    """Accepts a signature of just this payload by the key that the site names for `by`.

    Raises:
        ConfigurationError: the person has no key, or did not sign this.
        ValueError: the payload states no act.
    """
    data, place = _signed(payload), f"{_WHERE}.{by.name}"
    if not by.public_key:
        raise ConfigurationError(f"{by.name} has no public key", where=place, remedy=_HOW)
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(by.public_key))
        key.verify(bytes.fromhex(signature), data)
    except (ValueError, InvalidSignature):
        raise ConfigurationError(
            f"this is not signed by {by.name}'s key", where=place,
            remedy="sign with the key whose public half site.yaml names",
        ) from None  # fmt: skip


def canonical(payload: Mapping[str, Any]) -> bytes:
    """One spelling of a payload: keys sorted, no blanks, UTF-8; no fractions."""
    text = json.dumps(
        payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode("utf-8")


def _signed(payload: Mapping[str, Any]) -> bytes:
    if not payload.get(ACT):
        raise ValueError("a signed payload states its act")
    return _DOMAIN + canonical(payload)


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _read(path: Path) -> Ed25519PrivateKey:
    remedy = "entrepot people key FILE makes one"
    key = read_key(path, remedy)
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(
            "not an Ed25519 key in PEM without a password", where=str(path), remedy=remedy
        )
    return key
