"""A feed in parts: the gate that carries counts over says and publishes what the other does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from entrepot.config import Site
from entrepot.quality import carried
from faults.hand_made import admission, diagnosis
from properties.stages import Sites, land, oppose
from properties.told import hospital, ipps
from roads import feed, query, travel

pytestmark = pytest.mark.integration

SEED, OPPOSED = 7, 23
SAID = (
    "FROM etl.metric ORDER BY ALL", "FROM etl.row_metric ORDER BY ALL",
    "FROM etl.run ORDER BY ALL", "FROM etl.quarantine ORDER BY ALL",
    "SELECT release_id, cdm_table, row_count, sha256 FROM etl.release ORDER BY ALL",
    "FROM etl.metric_history ORDER BY ALL",
)  # fmt: skip


def _first(site: Site) -> None:
    land(site, hospital(SEED, range(20, 26), ("hl7v2",), twice=0))
    unborn = admission("93", "0093", "9093", birth="20990115", name="DURAND")
    feed(site, "unborn.hl7", unborn + diagnosis("94", "0093", "9093", "E119", birth="20990115"))


def _more(site: Site) -> None:
    land(site, hospital(SEED, range(30, 32), ("hl7v2",), twice=0))
    feed(site, "more.hl7", admission("91", "0091", "9091") + diagnosis("92", "0091", "9091", "I10"))


def _opposed(site: Site) -> None:
    oppose(site, ipps(SEED, OPPOSED))


def _again(site: Site) -> None:
    land(site, hospital(SEED, range(20, 21), ("hl7v2", "cda"), twice=0))


def _said(site: Site) -> list[Any]:
    return [query(site, sql) for sql in SAID]


def _asked(site: Site) -> int | None:
    asked: int | None = json.loads((site.quality / "verdict.json").read_text())["persons_asked"]
    return asked


def test_each_load_says_what_it_says_when_all_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = Sites(tmp_path)
    carrying, asking = sites.new(), sites.new()
    monkeypatch.setattr(carried, "MOST", 1.0)
    asked = []
    for step in (_first, _more, _opposed, _again):
        for site, least in ((carrying, 0), (asking, 10**9)):
            step(site)
            monkeypatch.setattr(carried, "LEAST_ROWS", least)
            assert travel(site).published
        assert _said(carrying) == _said(asking)
        persons = query(carrying, "SELECT count(*) FROM person")[0][0]
        asked.append((_asked(carrying), persons))
        assert _asked(asking) is None
    assert asked[0][0] is None  # nothing was published before
    assert all(0 < part < whole for part, whole in asked[1:] if part is not None)
    assert None not in [part for part, _ in asked[1:]]
    print(asked)  # noqa: T201 - a figure
