"""The warehouse is a pure function of its inputs, whatever the order, duplication, splitting,
partitioning or parallelism of the work (DESIGN 1, 3, 6). Compared: the canonical hashes of every
CDM table.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from entrepot.door import workers
from faults.hand_made import admission
from properties.stages import (
    Sites,
    Warehouse,
    derive,
    differing,
    land,
    oppose,
    pseudonymise,
)
from properties.told import Told, hospital, ipps
from roads import feed

pytestmark = pytest.mark.integration

SEED = 7
# Two numbers of one patient; a wrong merge and its undoing; one NDA of two patients; a mother and
# her child; one who opposes.
PATIENTS = (11, 13, 14, 23, 24, 1, 2)
OPPOSED = 26


@dataclass(frozen=True)
class Reference:
    """All messages in order, landed at once, derived once."""

    messages: list[Told]
    warehouse: Warehouse


@pytest.fixture(scope="module")
def reference(sites: Sites) -> Reference:
    messages = hospital(SEED, (*PATIENTS, OPPOSED))
    events = {told.event for told in messages}
    assert {"ADT^A40^ADT_A39", "ADT^A37^ADT_A37", "CDA^11502-2", "Observation"} <= events
    assert any(told.bundle for told in messages)
    assert any(told.links for told in messages)
    site = sites.new()
    oppose(site, ipps(SEED, OPPOSED))
    land(site, messages)
    warehouse = derive(site)
    standing = warehouse.dispositions
    assert standing["quarantined", "key_of_two_persons"] >= 2
    assert standing["excluded", "opposed_patient"] > 50
    assert standing["excluded", "superseded_version"] > 20
    return Reference(messages, warehouse)


@pytest.mark.parametrize(
    ("draw", "buckets", "packing"),
    [(1, 1, "alone"), (2, 5, "bundle"), (3, 64, "gz")],
)
def test_order_duplicates_buckets_and_packing_change_nothing(
    sites: Sites, reference: Reference, draw: int, buckets: int, packing: str
) -> None:
    chance = random.Random(draw)
    messages = [*reference.messages, *chance.choices(reference.messages, k=80)]
    chance.shuffle(messages)
    site = sites.new(f"staging: {{buckets: {buckets}}}\n")
    land(site, messages, packing)
    oppose(site, ipps(SEED, OPPOSED))
    found = derive(site)
    assert differing(found, reference.warehouse) == []
    assert found.dispositions == reference.warehouse.dispositions


def test_a_pool_of_workers_derives_what_one_process_does(
    sites: Sites, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "IN_PROCESS_BELOW", 0)
    site = sites.new()
    oppose(site, ipps(SEED, OPPOSED))
    land(site, reference.messages)
    assert differing(derive(site, workers=2), reference.warehouse) == []


def test_split_into_three_loads(sites: Sites, reference: Reference) -> None:
    messages = list(reference.messages)
    random.Random(4).shuffle(messages)
    site = sites.new()
    third = len(messages) // 3
    parts = [messages[:third], messages[third : 2 * third], messages[2 * third :]]
    between = []
    for number, part in enumerate(parts):
        land(site, part, ("array", "searchset", "lines")[number])
        if number == 1:
            oppose(site, ipps(SEED, OPPOSED))
        between.append(derive(site))
    assert differing(between[0], reference.warehouse) != []
    assert differing(between[-1], reference.warehouse) == []
    assert between[-1].dispositions == reference.warehouse.dispositions


def test_replay_derives_nothing_anew(sites: Sites, reference: Reference) -> None:
    site = sites.new()
    oppose(site, ipps(SEED, OPPOSED))
    land(site, reference.messages)
    generation, _ = pseudonymise(site)
    land(site, reference.messages)
    assert pseudonymise(site)[0] == generation
    assert differing(derive(site), reference.warehouse) == []


def test_an_explicit_as_of_is_followed_whatever_the_order(
    sites: Sites, reference: Reference
) -> None:
    """A stay still open and every period end at `as_of`: the same one gives the same tables."""
    messages = list(reference.messages)
    found = []
    for draw in (6, 7):
        random.Random(draw).shuffle(messages)
        site = sites.new("as_of: 2025-12-31T00:00:00\n")
        oppose(site, ipps(SEED, OPPOSED))
        land(site, messages)
        found.append(derive(site))
    assert differing(*found) == []
    assert "cdm_source" in differing(found[0], reference.warehouse)


def test_another_number_of_buckets_on_a_site_in_use(sites: Sites, reference: Reference) -> None:
    """Rows of a later opposition must be found in the files of the former number of buckets."""
    site = sites.new("staging: {buckets: 16}\n")
    land(site, reference.messages)
    derive(site)
    text = (site.root / "site.yaml").read_text().replace("buckets: 16", "buckets: 3")
    (site.root / "site.yaml").write_text(text)
    reopened = type(site).open(site.root)
    oppose(reopened, ipps(SEED, OPPOSED))
    assert differing(derive(reopened), reference.warehouse) == []


def test_changed_rules_of_identity_forget_what_the_former_rules_found(sites: Sites) -> None:
    """A number by its authority's name alone joins the number by OID, on a new site as on one
    whose `authority_alias` changed after a run.
    """
    both = admission("1", "0001", "9001")
    by_name = admission("2", "0001", "9002", "20240401080000").replace(
        b"CHSYN&1.2.250.1.999.1&ISO", b"CHSYN"
    )
    assert both.count(b"999.1") > by_name.count(b"999.1")
    alias = 'register: {authority_alias: {"1.2.250.1.999.1": hospital-one}}\n'
    fresh = sites.new(alias)
    feed(fresh, "two.hl7", both + by_name)
    expected = derive(fresh)
    changed = sites.new()
    feed(changed, "two.hl7", both + by_name)
    assert differing(derive(changed), expected) != []
    settings = changed.root / "site.yaml"
    settings.write_text(settings.read_text() + alias)
    assert differing(derive(type(changed).open(changed.root)), expected) == []
