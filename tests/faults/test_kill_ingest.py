"""kill -9 while files of FHIR and CDA are cut: the same command lands every record once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from entrepot.config import Site
from entrepot.landing import fhir_split
from entrepot.landing import ingest as landing
from entrepot.landing.arrival import Arrival
from entrepot.landing.database import zone_engine
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import SegmentReader
from properties.stages import FIXED, NOW, Sites, derive, differing
from properties.told import Told, files, hospital
from roads import keyring

pytestmark = pytest.mark.integration

SEED, PATIENTS = 7, (11, 18)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """Empty sites with one root key."""
    return Sites(tmp_path_factory.mktemp("kill-ingest"))


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Source -> folder: resources as NDJSON, zipped, in a Bundle, and alone; documents."""
    told = hospital(SEED, PATIENTS, ("fhir", "cda"))
    root = tmp_path_factory.mktemp("feeds")
    resources = [one for one in told if one.format == "fhir"]
    quarter = len(resources) // 4 + 1
    parts: list[tuple[list[Told], str]] = [
        (resources[start * quarter :][:quarter], packing)
        for start, packing in enumerate(("lines", "gz", "bundle", "alone"))
    ]
    for source, groups in (
        ("fhir", parts),
        ("cda", [([one for one in told if one.format == "cda"], "alone")]),
    ):
        (root / source).mkdir()
        for rank, (group, packing) in enumerate(groups):
            for number, (suffix, content) in enumerate(files(group, packing)):
                (root / source / f"{rank}-{number:05d}.{suffix}").write_bytes(content)
    return {source: root / source for source in ("fhir", "cda")}


@pytest.fixture(scope="module")
def undisturbed(sites: Sites, feeds: dict[str, Path]) -> Site:
    site = sites.new(FIXED)
    _ingest(site, feeds)
    return site


def _ingest(site: Site, feeds: dict[str, Path]) -> None:
    for source, folder in feeds.items():
        landing.ingest(site, keyring(site), [folder], source, now=NOW)


def _landed(site: Site) -> Counter[bytes]:
    """Every record of the ledger, read back; fails when one cannot be."""
    engine = zone_engine(site)
    with SegmentReader(site.segments, keyring(site)) as reader:
        found = Counter(reader.read(row) for row in Ledger(engine, keyring(site)).records())
    engine.dispose()
    return found


def _counted(shipped: Callable[..., Iterator[Arrival]], limit: int) -> Callable[..., Any]:
    """The function that cuts one value, killing its process at the nth one."""
    left = limit

    def cut(*args: Any) -> Iterator[Arrival]:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return shipped(*args)

    return cut


def _killed(site: Site, feeds: dict[str, Path], at: int) -> bool:
    child = os.fork()
    if child == 0:
        landing.BATCH_RECORDS, landing.COMMIT_RECORDS = 7, 20
        cut: Any = _counted(fhir_split._of_value, at)
        fhir_split._of_value = cut
        try:
            _ingest(site, feeds)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


@pytest.mark.parametrize("at", [1, 9, 23, 40, 58, 75])
def test_killed_while_it_cuts_then_repeated(
    sites: Sites, feeds: dict[str, Path], undisturbed: Site, at: int
) -> None:
    site = sites.new(FIXED)
    assert _killed(site, feeds, at)
    partial = _landed(site)
    expected = _landed(undisturbed)
    assert partial <= expected
    assert len(partial) < len(expected)
    _ingest(site, feeds)
    assert _landed(site) == expected
    if at == 40:
        assert partial
        assert differing(derive(site), derive(undisturbed)) == []
