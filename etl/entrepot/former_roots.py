"""What is kept of a site's former root keys, in one file sealed under the root in place.

`identifying/keys/former.keys` is of no use without that root, and belongs into every backup of the
identifying zone: without it the older part of the audit log cannot be verified.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag

from entrepot.durable import create_private, sync
from entrepot.errors import ConfigurationError

FORMER_KEYS = "former.keys"  # beside the root key
FORMER = "former/v1"
_CONTEXT = FORMER.encode()


@dataclass(frozen=True, repr=False)
class FormerRoot:
    """What is kept of a root key that was rotated out: to verify and to find, never to write.

    Args:
        version: 1 for the site's first root key.
        fingerprint: that told it from others.
        last_entry: of the audit log under it.
        signer: public half of the key that signed its reports, hexadecimal.
        keys: label -> key; of the audit log, and of digests whose plain text nobody keeps.
    """

    version: int
    fingerprint: str
    last_entry: int
    signer: str
    keys: Mapping[str, bytes]


class Sealing(Protocol):
    """What of a keyring seals the file."""

    @property
    def fingerprint(self) -> str: ...
    def seal(self, label: str, plain: bytes, context: bytes) -> bytes: ...
    def unseal(self, label: str, sealed: bytes, context: bytes) -> bytes: ...


def read_former(path: Path, keyring: Sealing) -> tuple[FormerRoot, ...]:
    """Oldest first; nothing when the file was sealed under another root.

    Raises:
        ConfigurationError: the file is of this root and damaged.
    """
    try:
        stated = json.loads(path.read_bytes())
        if stated["sealed_under"] != keyring.fingerprint:
            return ()
        plain = keyring.unseal(FORMER, bytes.fromhex(stated["sealed"]), _CONTEXT)
        return tuple(_former(one) for one in json.loads(plain))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, InvalidTag):
        raise ConfigurationError(
            "what is kept of former root keys cannot be read",
            where=str(path),
            remedy="restore this file from the backup of the identifying zone",
        ) from None


def write_former(path: Path, keyring: Sealing, former: tuple[FormerRoot, ...]) -> None:
    """Replaces the file; durable when it returns."""
    stated = [
        {**asdict(one), "keys": {label: key.hex() for label, key in one.keys.items()}}
        for one in former
    ]
    sealed = keyring.seal(FORMER, json.dumps(stated).encode(), _CONTEXT)
    told = {"sealed_under": keyring.fingerprint, "sealed": sealed.hex()}
    write_private(path, json.dumps(told) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replaces a file, readable by its owner alone, in one step; durable when it returns."""
    following = path.with_name(path.name + ".next")
    following.unlink(missing_ok=True)
    create_private(following, text)
    os.replace(following, path)
    sync(path.parent)


def _former(stated: dict[str, Any]) -> FormerRoot:
    keys = {label: bytes.fromhex(key) for label, key in stated["keys"].items()}
    return FormerRoot(**{**stated, "keys": keys})
