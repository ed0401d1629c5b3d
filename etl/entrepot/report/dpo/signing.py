"""Facts as canonical JSON, signed with the site's Ed25519 key, and the check of such a file."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring

ALGORITHM = "Ed25519"
HEAD = "report_head/v1"  # seals the number of the log's last entry: it would count patients' acts
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
    document = read_document(path)
    facts, signature = document["facts"], document["signature"]
    named = str(signature.get("public_key", ""))
    known = signature.get("algorithm") == ALGORITHM and signature.get("sha256") == digest(facts)
    trail = facts.get("trail")
    return Checked(
        known and _verifies(named, str(signature.get("value", "")), canonical(facts)),
        named in keyring.signers,
        digest(facts),
        str(facts.get("made_at", "")),
        _opened(keyring, trail) if isinstance(trail, dict) else "",
    )


def _opened(keyring: Keyring, trail: dict[str, Any]) -> str:
    """The head with its number; empty when another key sealed it."""
    try:
        sealed = bytes.fromhex(str(trail.get("sealed_head", "")))
    except ValueError:
        return ""
    for one in (keyring, *reversed(keyring.formers())):  # sealed under the root key of its day
        with suppress(InvalidTag, KeyError, ValueError):
            return one.unseal(HEAD, sealed, b"").decode()
    return ""


def read_document(path: Path) -> dict[str, Any]:
    """A report's file: `facts`, `signature`, and what was added beside them.

    Raises:
        ConfigurationError: the file cannot be read or is no report.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("too large")
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
        if isinstance(document["facts"], dict) and isinstance(document["signature"], dict):
            found: dict[str, Any] = document
            return found
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
