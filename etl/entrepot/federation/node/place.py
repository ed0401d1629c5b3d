"""Where a node keeps what is its own: keys, secret, database; a folder for its owner alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from entrepot.config import Site
from entrepot.durable import create_private
from entrepot.errors import ConfigurationError
from entrepot.federation.keys import create_sealing_key, read_sealing_key
from entrepot.people import create_key, public_half

SECRET_BYTES = 32
_HOW = "entrepot node init"


@dataclass(frozen=True)
class NodePlace:
    """The private folder of a site's node.

    Args:
        folder: in the identifying zone: the ledger tells who was counted together.
    """

    folder: Path
    name: str

    @property
    def signing_key(self) -> Path:
        """Ed25519: answers, notices, requests to the coordinator."""
        return self.folder / "sign.pem"

    @property
    def masking_key(self) -> Path:
        """X25519: secrets shared with each other node."""
        return self.folder / "masking.pem"

    @property
    def database(self) -> Path:
        """See `tables`."""
        return self.folder / "node.sqlite"

    @property
    def ledger(self) -> Path:
        """Of the disclosure control."""
        return self.folder / "ledger.sqlite"

    def secret(self) -> bytes:
        """What the roundings are keyed by; never leaves the node, never changes.

        Raises:
            ConfigurationError: there is none.
        """
        try:
            found = bytes.fromhex((self.folder / "secret.key").read_text().strip())
        except (OSError, ValueError):
            found = b""
        if len(found) != SECRET_BYTES:
            raise ConfigurationError(
                "the node's secret cannot be read", where=str(self.folder),
                remedy="restore it: with another one, answers given twice would differ",
            )  # fmt: skip
        return found

    def derived(self, label: str) -> bytes:
        """A key of one purpose, 32 bytes, from the secret (HKDF-SHA256)."""
        return HKDF(hashes.SHA256(), length=32, salt=None, info=label.encode()).derive(
            self.secret()
        )

    def public_keys(self) -> tuple[str, str]:
        """The signing and the masking key's public halves, as study cards state them.

        Raises:
            ConfigurationError: they cannot be read.
        """
        masking = read_sealing_key(self.masking_key).public_key().public_bytes_raw().hex()
        return public_half(self.signing_key), masking


def node_place(site: Site) -> NodePlace:
    """The node's folder.

    Raises:
        ConfigurationError: the site has no node, or it has no keys yet.
    """
    place = _named(site)
    if not place.signing_key.is_file():
        raise ConfigurationError("this node has no keys yet", where=place.name, remedy=_HOW)
    return place


def create_place(site: Site) -> NodePlace:
    """Makes folder, keys and secret; what is there stays.

    Raises:
        ConfigurationError: the site has no node in its configuration, or a key is not writable.
    """
    place = _named(site)
    try:
        place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(
            f"the node's folder cannot be made ({error.strerror})", where=str(place.folder)
        ) from None
    if not (place.folder / "secret.key").exists():
        create_private(place.folder / "secret.key", os.urandom(SECRET_BYTES).hex() + "\n")
    if not place.masking_key.exists():
        create_sealing_key(place.masking_key)
    if not place.signing_key.exists():  # last: its presence says that the rest is there
        create_key(place.signing_key)
    return place


def _named(site: Site) -> NodePlace:
    name = site.config.federation.node
    if not name:
        raise ConfigurationError(
            "this site is no node", where="site.yaml: federation.node",
            remedy="name it as the study cards do",
        )  # fmt: skip
    return NodePlace(site.identifying / "node", name)
