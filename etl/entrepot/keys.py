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
from collections.abc import Collection, Iterable
from functools import cached_property, lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from entrepot.config import Site
from entrepot.durable import create_private
from entrepot.errors import ConfigurationError
from entrepot.former_roots import FORMER_KEYS, FormerRoot, read_former

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
_CARRIED = "/carried"  # of digests that were made under a former root


class Keyring:
    """Derives every key of a site from its root secret; never printed, never pickled to a log."""

    def __init__(self, root: bytes, former: tuple[FormerRoot, ...] = ()) -> None:
        if len(root) != ROOT_BYTES:
            raise ConfigurationError(
                f"the root key has {len(root)} bytes, not {ROOT_BYTES}",
                remedy="restore the key from its escrow; a new key would change every pseudonym",
            )
        self._root = root
        self.former = former  # oldest first

    @property
    def version(self) -> int:
        """1 for a site's first root key, one more for each rotation."""
        return self.former[-1].version + 1 if self.former else 1

    @property
    def signers(self) -> tuple[str, ...]:
        """Public keys of this site's reports, hexadecimal: today's, then the former ones."""
        own = self.signing_key().public_key().public_bytes_raw().hex()
        return (own, *(one.signer for one in reversed(self.former)))

    def formers(self) -> tuple[Keyring, ...]:
        """Each former root as far as its keys were kept, oldest first; others raise KeyError."""
        return tuple(_Kept(one) for one in self.former)

    def retained(
        self, version: int, last_entry: int, digests: Collection[str], others: Iterable[str]
    ) -> FormerRoot:
        """What is to be kept of this root when another takes its place.

        Args:
            last_entry: of the audit log under it.
            digests: labels of digests of which nobody keeps the plain text.
            others: labels of keys that a look-up in former releases needs.
        """
        labels = {AUDIT, *others, *digests, *(label + _CARRIED for label in digests)}
        kept = {label: self.derive(label) for label in sorted(labels)}
        return FormerRoot(version, self.fingerprint, last_entry, self.signers[0], kept)

    def __repr__(self) -> str:
        return "Keyring(…)"

    def root(self) -> bytes:
        """The secret itself: for the file that holds it and for its escrow, nothing else."""
        return self._root

    def derive(self, label: str) -> bytes:
        """The 32-byte key of `label` (HKDF-SHA256, no salt, info = label)."""
        return _derive(self._root, label)

    def digest(self, label: str, *parts: str | bytes) -> bytes:
        """HMAC-SHA256 (32 bytes) of the parts joined by 0x1F under the key of `label`."""
        data = SEPARATOR.join(p.encode() if isinstance(p, str) else p for p in parts)
        return hmac.digest(self.derive(label), data, hashlib.sha256)

    def digests(self, label: str, *parts: str | bytes) -> tuple[bytes, ...]:
        """`digest`, then what a rotation left of it under each former root (`carry`).

        For lists that hold digests without their plain text: an erased record's address, an
        identifier that may not come back.
        """
        data = SEPARATOR.join(p.encode() if isinstance(p, str) else p for p in parts)
        found: list[bytes] = []
        for one in self.former:
            if label in one.keys:
                carried = one.keys.get(label + _CARRIED, b"")
                found = [hmac.digest(carried, older, hashlib.sha256) for older in found]
                found.append(hmac.digest(one.keys[label], data, hashlib.sha256))
        return (self.digest(label, *parts), *(self.carry(label, older) for older in found))

    def carry(self, label: str, digest: bytes) -> bytes:
        """A former root's digest, hashed again: the former key alone finds nothing by it."""
        return self.digest(label + _CARRIED, digest)

    def carried(self, label: str, digest: bytes, fingerprint: str) -> bytes:
        """What rotations have made of a digest since the root of `fingerprint` made it.

        For lists outside of the zone's database, which no rotation writes.

        Raises:
            ConfigurationError: no root of this site has this fingerprint.
        """
        if fingerprint == self.fingerprint:
            return digest
        names = [one.fingerprint for one in self.former]
        if fingerprint not in names:
            raise ConfigurationError(
                "a list was written under a root key that this site never had",
                where=fingerprint,
                remedy="restore the identifying zone, its keys folder and the list together",
            )
        for one in self.former[names.index(fingerprint) + 1 :]:
            digest = hmac.digest(one.keys[label + _CARRIED], digest, hashlib.sha256)
        return self.carry(label, digest)

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


class _Kept(Keyring):
    """What is kept of a former root."""

    def __init__(self, former: FormerRoot) -> None:
        super().__init__(bytes(ROOT_BYTES))
        self._kept, self.fingerprint = former.keys, former.fingerprint

    def root(self) -> bytes:
        """A former root itself is not kept."""
        raise KeyError(self.fingerprint)

    def derive(self, label: str) -> bytes:
        """The key that was kept for a label."""
        return self._kept[label]


@lru_cache(maxsize=256)
def _derive(root: bytes, label: str) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=None, info=label.encode()).derive(root)


def create_root(path: Path, root: bytes = b"") -> None:
    """Writes a root key, by default a new random one, for its owner alone; never overwrites."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    create_private(path, (root or os.urandom(ROOT_BYTES)).hex() + "\n")


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
    return _keyring(text, path.parent, "key_command" if command else str(path))


def keyring_of_file(path: Path) -> Keyring:
    """The keyring of a root key's file, whatever the environment says.

    Raises:
        ConfigurationError: as `load_keyring`.
    """
    return _keyring(_read_key_file(path), path.parent, str(path))


def keyring_of_command(command: str, folder: Path) -> Keyring:
    """The keyring of the root key that a command prints.

    Args:
        folder: that of the site's keys, where what is kept of former roots lies.

    Raises:
        ConfigurationError: as `load_keyring`.
    """
    return _keyring(_ask(command), folder, "the key command")


def _keyring(text: str, folder: Path, where: str) -> Keyring:
    try:
        root = bytes.fromhex(text.strip())
    except ValueError:
        raise ConfigurationError(
            "the root key is not 64 hexadecimal digits",
            where=where,
            remedy="restore the key from its escrow",
        ) from None
    return Keyring(root, read_former(folder / FORMER_KEYS, Keyring(root)))


def site_keyring(site: Site) -> Keyring:
    """The keyring of `site`, as its configuration says where the root key is.

    Raises:
        ConfigurationError: as `load_keyring`.
    """
    return load_keyring(site.root_key, site.config.key_command)


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
