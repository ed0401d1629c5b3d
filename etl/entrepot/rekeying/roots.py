"""Where the two root keys of a rotation are: files of the keys folder, or commands that print them.

`root.key` is the key in force. While a rotation works, the next one is `root.key.new`; once it has
taken its place, the former one is `root.key.old` until the rotation ends.
"""

from __future__ import annotations

import os
from pathlib import Path

from entrepot.config import Site
from entrepot.durable import sync
from entrepot.errors import ConfigurationError
from entrepot.former_roots import FORMER_KEYS
from entrepot.keys import (
    ENVIRONMENT,
    ROOT_BYTES,
    Keyring,
    create_root,
    keyring_of_command,
    keyring_of_file,
    site_keyring,
)
from entrepot.rekeying.recoding import Roots


def has_file(site: Site) -> bool:
    """Whether the site's root key is its file, not a command's or the environment's."""
    return not site.config.key_command and ENVIRONMENT not in os.environ


def former_keys(site: Site) -> Path:
    """The file that keeps what is needed of former roots."""
    return site.root_key.parent / FORMER_KEYS


def new_root(site: Site, command: str) -> Keyring:
    """The root key that a rotation is about to bring: a new file's, or what the command prints.

    Raises:
        ConfigurationError: the site has no key file and no command was given, or both.
    """
    if has_file(site) == bool(command):
        raise ConfigurationError(
            "a site whose key comes from a command or the environment needs --new-key-command"
            if not command
            else "this site keeps its key in a file: the new one is made by the rotation",
            where="--new-key-command",
            remedy="docs/how-to/keys.md, rotation",
        )
    if command:
        return keyring_of_command(command, site.root_key.parent)
    path = _new(site)
    path.unlink(missing_ok=True)  # of a rotation that never began: nothing is sealed under it
    create_root(path)
    sync(path.parent)
    return keyring_of_file(path)


def both(site: Site, old: str, new: str, command: str, switched: bool) -> Roots:
    """The root keys of a rotation that was begun, found by their fingerprints.

    Args:
        switched: the new one is the site's already; the former one may be gone.

    Raises:
        ConfigurationError: one of them is nowhere.
    """
    found: dict[str, Keyring] = {}
    if has_file(site):
        for path in (site.root_key, _new(site), _old(site)):
            if path.is_file():
                keyring = keyring_of_file(path)
                found[keyring.fingerprint] = keyring
    else:
        known = [site_keyring(site)]
        if command:
            known.append(keyring_of_command(command, site.root_key.parent))
        found = {keyring.fingerprint: keyring for keyring in known}
    successor = _one(found, new, "new")
    return Roots(successor if switched else _one(found, old, "former"), successor)


def put_in_place(site: Site) -> None:
    """The new root key becomes the site's; the former one stays beside it. May be repeated."""
    new, old = _new(site), _old(site)
    if not has_file(site) or not new.is_file():
        return
    old.unlink(missing_ok=True)
    os.link(site.root_key, old)
    os.replace(new, site.root_key)
    sync(old.parent)


def destroy_old(site: Site) -> None:
    """Overwrites and removes the former root key's file.

    A disk that writes elsewhere than it is told (flash, snapshots) may keep a copy: that is what
    the encryption of the disk is for.
    """
    path = _old(site)
    if path.is_file():
        with path.open("r+b") as file:
            file.write(b"0" * (2 * ROOT_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync(path.parent)


def _one(found: dict[str, Keyring], fingerprint: str, which: str) -> Keyring:
    if fingerprint in found:
        return found[fingerprint]
    raise ConfigurationError(
        f"the {which} root key {fingerprint} of the rotation is not here",
        where="identifying/keys, key_command or --new-key-command",
        remedy="put it back from its escrow or its backup, then entrepot keys rotate --resume",
    )


def _new(site: Site) -> Path:
    return site.root_key.with_name(site.root_key.name + ".new")


def _old(site: Site) -> Path:
    return site.root_key.with_name(site.root_key.name + ".old")
