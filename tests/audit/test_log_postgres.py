"""The head in PostgreSQL: the same chain, and transactions that wait for nobody's log."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from entrepot.audit import Action, AuditLog, log_path, verify
from entrepot.config import CONFIG_NAME, Site
from entrepot.keys import site_keyring
from entrepot.landing.database import create_tables, zone_engine
from entrepot.site_files import create_site
from postgres_server import any_server

pytestmark = pytest.mark.integration
THREADS, EACH = 4, 6


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with any_server() as server:
        made = create_site(tmp_path_factory.mktemp("audit") / "chu", demonstration=True)
        path = made.root / CONFIG_NAME
        path.write_text(path.read_text("utf-8") + f"\ndatabase: {server.url()}\n", "utf-8")
        yield Site.open(made.root)


def test_one_chain_and_its_head(site: Site) -> None:
    keyring = site_keyring(site)
    assert verify(site, keyring).intact  # nothing yet, not even a table

    def append(number: int) -> None:
        log = AuditLog(site, keyring)
        for _ in range(EACH):
            log.append(Action.CONTENT_READ, {"record": number, "why": "x"})

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(append, range(THREADS)))
    found = verify(site, keyring)
    assert found.intact
    assert (found.entries, found.noted.sequence) == (THREADS * EACH, THREADS * EACH)

    engine = zone_engine(site)
    create_tables(engine)
    with engine.connect() as first, engine.connect() as second:
        ours, theirs = first.begin(), second.begin()
        AuditLog(site, keyring).append(Action.RUN_STARTED, connection=first)
        ours.rollback()
        last = AuditLog(site, keyring).append(Action.RUN_ENDED, connection=second)
        theirs.commit()
    engine.dispose()
    found = verify(site, keyring)
    assert found.intact
    assert found.noted == found.head == last
    lines = log_path(site).read_bytes().splitlines(keepends=True)
    log_path(site).write_bytes(b"".join(lines[:-2]))
    cut = [(fault.sequence, str(fault.kind)) for fault in verify(site, keyring).faults]
    assert cut == [(last.sequence - 1, "cut"), (last.sequence, "cut")]
