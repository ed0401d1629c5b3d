"""Facts as canonical JSON, signed with the site's Ed25519 key, and the check of such a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring

ALGORITHM = "Ed25519"
MAX_BYTES = 64_000_000


@dataclass(frozen=True)
class Checked:
    """What a report file is worth.

    Args:
        genuine: the signature is that of the public key over just these facts.
        ours: that key is this site's.
        head: the audit log's head when it was signed, `N:MAC`.
    """

    genuine: bool
    ours: bool
    sha256: str
    made_at: str
    head: str

    @property
    def holds(self) -> bool:
        """Signed by this site and not changed since."""
        return self.genuine and self.ours


def canonical(facts: dict[str, Any]) -> bytes:
    """One spelling of the facts: keys sorted, no blanks, UTF-8; whole numbers and texts alone."""
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def digest(facts: dict[str, Any]) -> str:
    """SHA-256 of the canonical facts, as the pages and the audit log state it."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def public_key(keyring: Keyring) -> str:
    """The site's public key, 64 hexadecimal characters."""
    raw = keyring.signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return raw.hex()


def signed(facts: dict[str, Any], keyring: Keyring) -> dict[str, Any]:
    """The document that goes into the file."""
    return {
        "facts": facts,
        "signature": {
            "algorithm": ALGORITHM,
            "public_key": public_key(keyring),
            "sha256": digest(facts),
            "value": keyring.signing_key().sign(canonical(facts)).hex(),
        },
    }


def check(path: Path, keyring: Keyring) -> Checked:
    """Reads a signed report and says whether this site made it so.

    Raises:
        ConfigurationError: the file cannot be read or is no report.
    """
    facts, signature = _read(path)
    named = str(signature.get("public_key", ""))
    known = signature.get("algorithm") == ALGORITHM and signature.get("sha256") == digest(facts)
    trail = facts.get("trail")
    return Checked(
        known and _verifies(named, str(signature.get("value", "")), canonical(facts)),
        named == public_key(keyring),
        digest(facts),
        str(facts.get("made_at", "")),
        str(trail.get("head", "")) if isinstance(trail, dict) else "",
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("too large")
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
        facts, signature = document["facts"], document["signature"]
        if isinstance(facts, dict) and isinstance(signature, dict):
            return facts, signature
    except OSError as error:
        raise ConfigurationError(
            f"the report cannot be read ({error.strerror})", where=str(path)
        ) from None
    except (ValueError, KeyError, TypeError):
        pass
    raise ConfigurationError(
        "not a signed report of entrepot", where=str(path), remedy="give the .json of the report"
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice would be read differently by different programs."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _verifies(key: str, value: str, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(value), data)
    except (ValueError, InvalidSignature):
        return False
    return True
