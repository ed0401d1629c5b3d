"""Keys of the identifying zone: one root secret per site, HKDF-SHA256 labels, HMAC pseudonyms.

Read by landing, register and door alone (DESIGN 2). Labels carry versions, so that a rotation
is a new label and a re-keying job. Source: reference on pseudonymisation, section 2.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import shlex
import stat
import subprocess
from functools import cached_property, lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from entrepot.errors import ConfigurationError

ROOT_BYTES = 32
SEPARATOR = b"\x1f"
KEY_HEX = 32  # 128 bits of the HMAC: 10¹² keys collide with p = 1.5e-15
ENVIRONMENT = "ENTREPOT_ROOT_KEY"
COMMAND_SECONDS = 60

PERSON = "person/v1"
STAY = "visit/v1"
RECORD = "record/v1"
PROVIDER = "provider/v1"
EVENT = "event/v1"
IDENTIFIER = "identifier/v1"
LANDING = "landing/v1"
REGISTER = "register/v1"
BATCH = "batch/v1"  # records on their way to a worker of a cluster
AUDIT = "audit/v1"
SIGNATURE = "signature/v1"


class Keyring:
    """Derives every key of a site from its root secret; never printed, never pickled to a log."""

    def __init__(self, root: bytes) -> None:
        if len(root) != ROOT_BYTES:
            raise ConfigurationError(
                f"the root key has {len(root)} bytes, not {ROOT_BYTES}",
                remedy="restore the key from its escrow; a new key would change every pseudonym",
            )
        self._root = root

    def __repr__(self) -> str:
        return "Keyring(…)"

    def derive(self, label: str) -> bytes:
        """The 32-byte key of `label` (HKDF-SHA256, no salt, info = label)."""
        return _derive(self._root, label)

    def digest(self, label: str, *parts: str | bytes) -> bytes:
        """HMAC-SHA256 (32 bytes) of the parts joined by 0x1F under the key of `label`."""
        data = SEPARATOR.join(p.encode() if isinstance(p, str) else p for p in parts)
        return hmac.digest(self.derive(label), data, hashlib.sha256)

    def keyed(self, label: str, *parts: str | bytes) -> str:
        """A pseudonym: the first 32 hex characters of `digest`."""
        return self.digest(label, *parts).hex()[:KEY_HEX]

    def number(self, label: str, bits: int, *parts: str | bytes) -> int:
        """A positive integer of at most `bits` bits (53 for R and JavaScript, 63 for events)."""
        value = int.from_bytes(self.digest(label, *parts)[:8], "big") >> (64 - bits)
        return value or 1  # 0 means "none" in too many CDM tools

    def seal(self, label: str, plain: bytes, context: bytes) -> bytes:
        """AES-256-GCM with a random nonce in front; `context` is authenticated, not stored."""
        nonce = os.urandom(12)
        return nonce + AESGCM(self.derive(label)).encrypt(nonce, plain, context)

    def unseal(self, label: str, sealed: bytes, context: bytes) -> bytes:
        """The inverse of `seal`; a wrong key or a changed byte raises `cryptography.InvalidTag`."""
        return AESGCM(self.derive(label)).decrypt(sealed[:12], sealed[12:], context)

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs this site's reports; its public half is no secret."""
        return Ed25519PrivateKey.from_private_bytes(self.derive(SIGNATURE))

    @cached_property
    def fingerprint(self) -> str:
        """16 hex characters that tell two roots apart and reveal neither."""
        return self.keyed("fingerprint/v1", "entrepot")[:16]


@lru_cache(maxsize=256)
def _derive(root: bytes, label: str) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=None, info=label.encode()).derive(root)


def create_root(path: Path) -> None:
    """Writes a new random root key, readable by its owner alone; never overwrites."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(os.urandom(ROOT_BYTES).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def load_keyring(path: Path, command: str = "") -> Keyring:
    """The site's keyring: of the environment (`ENTREPOT_ROOT_KEY`, hex), the command or the file.

    Args:
        command: prints the root key in hexadecimal, for machines that hold no file of it
            (`key_command` of site.yaml); empty for none.

    Raises:
        ConfigurationError: no key, a key that others can read, or one that is not 64 hex digits.
    """
    text = os.environ.get(ENVIRONMENT)
    if text is None:
        text = _ask(command) if command else _read_key_file(path)
    try:
        return Keyring(bytes.fromhex(text.strip()))
    except ValueError:
        raise ConfigurationError(
            "the root key is not 64 hexadecimal digits",
            where="key_command" if command else str(path),
            remedy="restore the key from its escrow",
        ) from None


def _ask(command: str) -> str:
    """What the key command prints; neither that nor its errors are ever shown."""
    try:
        done = subprocess.run(  # noqa: S603 - the site's own command, without a shell
            shlex.split(command), capture_output=True, text=True, check=True,
            timeout=COMMAND_SECONDS,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ConfigurationError(
            f"the key command gives no key ({type(error).__name__})",
            where="key_command",
            remedy="run it by hand, on the machine that said this",
        ) from None
    return done.stdout


def _read_key_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(
                "others can read the root key", where=str(path), remedy=f"chmod 600 {path}"
            )
        return path.read_text()
    except OSError as error:
        raise ConfigurationError(
            f"the root key cannot be read ({error.strerror})",
            where=str(path),
            remedy=f"restore it, or set {ENVIRONMENT}; a new key would change every pseudonym",
        ) from None
