"""A site without feeds, and a log of a few acts in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrepot.audit import Action, AuditLog, log_path
from entrepot.config import Site
from entrepot.keys import Keyring, site_keyring
from entrepot.site_files import create_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return create_site(tmp_path_factory.mktemp("audit") / "chu", demonstration=True)


@pytest.fixture(scope="module")
def keyring(site: Site) -> Keyring:
    return site_keyring(site)


@pytest.fixture(scope="module")
def whole(site: Site, keyring: Keyring) -> bytes:
    """Six entries as they were written."""
    log = AuditLog(site, keyring)
    log.append(Action.RUN_STARTED, {"engine": "embedded", "software": "0.1.0"})
    log.append(Action.PUBLISHED, {"release": "a1", "generation": 1})
    log.append(Action.CONTENT_READ, {"record": 12, "why": "ticket 41 : qui émet ?\nligne 2"})
    log.append(Action.OPPOSITIONS_IMPORTED, {"lines": 3})
    log.append(Action.OPPOSITIONS_CONFIRMED)
    log.append(Action.WAIVED, {"by": "Dr Vigne", "reason": "known", "checks": ["drift", "x"]})
    return log_path(site).read_bytes()


def write(site: Site, content: bytes) -> Path:
    """Puts these bytes in the place of the log."""
    path = log_path(site)
    path.write_bytes(content)
    return path
