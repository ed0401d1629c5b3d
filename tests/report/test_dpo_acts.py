"""Sections 8 to 11 of a site where all was done that they tell of, once each."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest

import roads
from entrepot.register.person import Identifier
from entrepot.rekeying.escrow import split
from entrepot.report.dpo.facts import collect
from entrepot.report.dpo.report import write_dpo_report
from entrepot.rights.erasing import erase
from entrepot.study.life import create
from reidentification.desk import PERSONS, Desk, build
from report.dpo_hospital import is_told
from study.studies import define

pytestmark = pytest.mark.integration
ERASED, SOUGHT = 1951, 1953
AUTHORITY = "1.2.250.1.999.1"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One request executed, one refused, one study, one escrow, one opposition, one erasure."""
    folder = tmp_path_factory.mktemp("acts")
    site = build(folder)
    desk = Desk(site)
    executed = desk.request(SOUGHT)
    desk.approve(executed, "claire.vigne", "marc.roy")
    desk.execute(executed)
    desk.approve(desk.request(1952), "marc.roy", approved=False)
    split(site, "claire.vigne")
    file = folder / "o.csv"
    file.write_text(f"authority,ipp,opposed_on,withdrawn_on\n{AUTHORITY},90004,2024-05-01,\n")
    roads.oppose(site, file)
    done = erase(site, Identifier(AUTHORITY, PERSONS[ERASED][0], ""), "claire.vigne", "asked")
    assert done.published
    assert not done.proof.rows
    key, approval = folder / "keys" / "claire.vigne.pem", {"approved_by": "claire.vigne"}
    create(site, define(folder, "etude1", key, approval=approval, expires="2099-01-01"))
    return desk


@pytest.fixture(scope="module")
def facts(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = write_dpo_report(desk.site).facts
    return found


def test_section_8_counts_the_erasure_and_proves_it(facts: dict[str, Any]) -> None:
    rights = facts["rights"]
    opposition, optout = rights["registers"]
    assert (opposition["total"], optout["total"]) == ("<11", 0)
    assert opposition["states"] == {"standing": "<11", "withdrawn": 0, "ended": 0}
    assert (rights["erasures"], rights["erasures_lifted"], rights["waiting"]) == ("<11", 0, 0)
    assert rights["erased_records"] == "<11"
    assert facts["applied"]
    assert {"register.identifier", "cdm.person"} <= {one["place"] for one in rights["proofs"]}


def test_section_9_lists_the_study_and_the_profiles(desk: Desk, facts: dict[str, Any]) -> None:
    (study,) = facts["studies"]
    stated = desk.site.research / "studies" / "etude1" / "study.json"
    persons = json.loads(stated.read_text(encoding="utf-8"))["persons"]
    assert (study["id"], study["status"]) == ("etude1", "open")
    assert is_told(study["persons"], persons)
    assert (study["approved_by"], study["expired"]) == ("claire.vigne", False)
    assert facts["trail"]["profiles"]["dpo"] == ["claire.vigne", "paul.lam"]
    assert set(facts["trail"]["personal"]) >= {"erased", "reidentified"}
    told = [one for accounts in facts["trail"]["personal"].values() for one in accounts.values()]
    assert set(told) == {"<11"}


def test_section_10_counts_requests_by_state_and_motive(facts: dict[str, Any]) -> None:
    requests = facts["requests"]
    assert requests["states"] == {
        "requested": 0, "approved": 0, "executed": "<11", "refused": "<11", "expired": 0,
    }  # fmt: skip
    asked = {one["motive"] for one in requests["motives"] if one["requests"]}
    assert asked == {"care_finding"}
    assert requests["by_two"]


def test_a_study_left_open_and_a_lonely_approval_are_deviations(desk: Desk) -> None:
    keyring = roads.keyring(desk.site)
    late = collect(desk.site, keyring, dt.datetime(2099, 2, 1, tzinfo=dt.UTC))
    assert {"study_expired", "key_old"} <= {one["code"] for one in late["deviations"]}
    desk.change("UPDATE reidentification_decision SET profiles = 'dpo' WHERE approved")
    found = collect(desk.site, keyring)
    assert not found["requests"]["by_two"]
    assert "reidentified_alone" in {one["code"] for one in found["deviations"]}


def test_section_11_tells_of_the_escrow(facts: dict[str, Any]) -> None:
    assert facts["roots"]["escrowed"]
    sealed = {one["name"]: one["looked_at"] for one in facts["security"]["sealed"]}
    assert sealed["opposition.sealed"] == sealed["reidentification_request.sealed"] == "<11"
    (one,) = facts["roots"]["splits"]
    assert (one["shares"], one["threshold"], one["by"]) == (3, 2, "claire.vigne")
    assert "escrow_missing" not in {one["code"] for one in facts["deviations"]}


def test_nobody_is_in_it(desk: Desk, facts: dict[str, Any]) -> None:
    assert facts["site"]
    pages = [desk.site.reports / name for name in ("dpo.fr.html", "dpo.en.html", "dpo.json")]
    text = "".join(path.read_text(encoding="utf-8") for path in pages)
    ids = [str(desk.person_id(year)) for year in (1952, SOUGHT)]
    for ipp, name in PERSONS.values():
        assert not re.search(rf"\b{ipp}\b|{name}", text)
    assert not [one for one in ids if one in text]
