"""The procedure of SEC-REI: what it shows, to whom, when, and what it leaves in the log."""

from __future__ import annotations

import datetime as dt
import json
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from entrepot.keys import site_keyring
from entrepot.landing.database import zone_engine
from entrepot.register.person import Identifier
from entrepot.reidentification import disclosed, facts
from entrepot.reidentification.clock import utc_now
from entrepot.reidentification.refusals import Refusal
from entrepot.reidentification.requests import Asked
from entrepot.review.drawing import draw
from entrepot.review.sample import folder as review_folder
from entrepot.rights.erasing import erase
from entrepot.study import study_person_id
from faults.hand_made import merge
from reidentification.desk import PERSONS, Desk, oppose_one
from roads import feed, query

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("reidentification")]


def test_two_others_approve_and_the_requester_sees_the_person(desk: Desk) -> None:
    asked = desk.request(1953)
    assert desk.state(asked) == "requested"
    desk.approve(asked, "claire.vigne", "marc.roy")
    assert desk.state(asked) == "approved"
    assert desk.execute(asked) == [["ANNE", "CASTELNAU"]]
    assert desk.state(asked) == "executed"
    assert desk.execute(asked) == [["ANNE", "CASTELNAU"]], "again within the window, logged again"
    assert [(e.action, e.facts["by"]) for e in desk.entries()] == [
        ("reidentification_requested", "lea.nguyen"),
        ("reidentification_approved", "claire.vigne"),
        ("reidentification_approved", "marc.roy"),
        ("reidentified", "lea.nguyen"),
        ("reidentified", "lea.nguyen"),
    ]
    assert {e.facts["motive"] for e in desk.entries()} == {"care_finding"}


def test_what_is_shown_is_what_the_motive_needs(desk: Desk) -> None:
    asked = desk.request(1953, motive="vigilance")
    desk.approve(asked, "paul.lam", "marc.roy")
    with desk.procedure() as procedure:
        shown = procedure.execute(asked, desk.signer("lea.nguyen")).persons
    assert [one.identity for one in shown] == [{"ipp": ["90003"], "stays": ["790003"]}]


def test_a_person_of_both_profiles_stands_for_one_of_them(desk: Desk) -> None:
    asked = desk.request(1953)
    desk.approve(asked, "paul.lam")
    assert desk.state(asked) == "requested"
    desk.approve(asked, "claire.vigne")
    assert desk.state(asked) == "approved", "he stands for the steward, she for the DPO"
    alone = desk.request(1952)
    desk.approve(alone, "marc.roy", "anna.kern")
    assert desk.state(alone) == "requested", "two stewards and no DPO"


def test_nothing_of_a_person_lies_in_the_clear(desk: Desk) -> None:
    number = str(desk.person_id(1954))
    asked = desk.request(1954)
    desk.approve(asked, "claire.vigne", "marc.roy")
    desk.execute(asked)
    held = [path for path in desk.site.identifying.rglob("*") if path.is_file()]
    assert len(held) > 3
    for path in held:
        content = path.read_bytes()
        for private in ("DESROUSSEAUX", number, "potassium"):
            assert private.encode() not in content, f"{private} in {path.name}"


def test_a_studys_pseudonym_stands_for_its_person_and_for_that_study_alone(desk: Desk) -> None:
    pseudonym = study_person_id(site_keyring(desk.site), "diabete", desk.person_id(1952))
    asked = Asked("care_finding", [pseudonym], "potassium 7.2", study="diabete")
    with desk.procedure() as procedure:
        made = procedure.request(asked, desk.signer("lea.nguyen"))
    desk.approve(made.request_id, "claire.vigne", "marc.roy")
    assert desk.execute(made.request_id) == [["ANNE", "BRUNETIERE"]]
    other = Asked("care_finding", [pseudonym], "potassium 7.2", study="asthme")
    with desk.procedure() as procedure, pytest.raises(Refusal, match="unknown_person"):
        procedure.request(other, desk.signer("lea.nguyen"))


def test_the_breach_pack_tells_all_that_were_touched(desk: Desk) -> None:
    oppose_one(desk.site, 1955)
    years = sorted(PERSONS)
    asked = desk.request(
        *years, motive="personal_data_breach", by="ines.roux", several=True
    )  # fmt: skip
    desk.approve(asked, "claire.vigne", "marc.roy")
    told = desk.execute(asked, by="ines.roux")
    # RGPD 34 owes the communication to each person, also to one who opposed the reuse
    assert sorted(names[1] for names in told) == sorted(name for _, name in PERSONS.values())


def test_a_file_lies_in_the_identifying_zone_until_the_window_ends(desk: Desk) -> None:
    asked = desk.request(1953)
    desk.approve(asked, "claire.vigne", "marc.roy")
    with desk.procedure() as procedure:
        shown = procedure.execute(asked, desk.signer("lea.nguyen"))
    path = disclosed.write(desk.site, shown)
    assert path.parent.parent == desk.site.identifying
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert json.loads(path.read_text())["persons"][0]["birth_dates"] == ["19530412"]
    assert disclosed.end(desk.site, utc_now() + dt.timedelta(hours=23)) == 0
    assert disclosed.end(desk.site, utc_now() + dt.timedelta(hours=25)) == 1
    assert not path.exists()


def test_after_an_erasure_and_a_merge(desk: Desk) -> None:
    """One run that does both: 1953 is erased, 1952 and 1951 turn out to be one person."""
    asked, other = desk.request(1953), desk.request(1954)
    desk.approve(asked, "claire.vigne", "marc.roy")
    with desk.procedure() as procedure:
        path = disclosed.write(desk.site, procedure.execute(asked, desk.signer("lea.nguyen")))
    former = {year: desk.person_id(year) for year in PERSONS}
    sample = draw(desk.site, 3)
    feed(desk.site, "m.hl7", merge("M1", "90002", "90001"))
    number = Identifier("1.2.250.1.999.1", PERSONS[1953][0], "")
    erase(desk.site, number, "claire.vigne", "letter of 3 May")
    _check_the_erased(desk, path, asked, former[1953])
    kept = (review_folder(desk.site, sample.review) / "sample.json").read_text()
    assert not any(str(one.note_id) in kept for one in sample.documents)
    assert (desk.state(asked), desk.state(other)) == ("unknown_person", "requested")
    left = {int(one) for (one,) in query(desk.site, "SELECT person_id FROM person")}
    (merged,) = {former[1951], former[1952]} - left
    with desk.procedure() as procedure:
        asking = Asked("care_finding", [merged], "potassium 7.2")
        made = procedure.request(asking, desk.signer("lea.nguyen")).request_id
    desk.approve(made, "claire.vigne", "marc.roy")
    ((*names,),) = desk.execute(made)
    assert {"ARMENGAUD", "BRUNETIERE"} <= set(names), "a number of before the merge is understood"


def _check_the_erased(desk: Desk, path: Path, request_id: str, person_id: int) -> None:
    assert not path.exists()
    engine = zone_engine(desk.site)
    with engine.connect() as connection:
        assert [one["state"] for one in facts(connection)] == ["executed", "requested"]
        sealed = sa.text("SELECT min(length(sealed)) FROM reidentification_request")
        assert connection.scalar(sealed) == 0
    engine.dispose()
    before = len(desk.entries())
    with pytest.raises(Refusal, match="unknown_person"):
        desk.execute(request_id)
    asking = Asked("care_finding", [person_id], "potassium 7.2")
    with desk.procedure() as procedure, pytest.raises(Refusal, match="unknown_person"):
        procedure.request(asking, desk.signer("lea.nguyen"))
    assert [e.facts["reason"] for e in desk.entries()[before:]] == ["unknown_person"] * 2


def test_the_report_gets_dates_and_profiles_and_no_person(desk: Desk) -> None:
    first, second = desk.request(1953), desk.request(1952)
    desk.approve(first, "claire.vigne", "marc.roy")
    desk.execute(first)
    desk.approve(second, "anna.kern", approved=False)
    engine = zone_engine(desk.site)
    with engine.connect() as connection:
        found = facts(connection)
        persons = connection.scalar(sa.text("SELECT sum(persons) FROM reidentification_execution"))
    engine.dispose()
    today = utc_now().date().isoformat()
    common = {"motive": "care_finding", "study": "", "requested_on": today, "decided_on": today}
    assert found == [
        {"request": first, "state": "executed", "executed_on": today,
         "approvers": [["dpo"], ["steward"]], **common},
        {"request": second, "state": "refused", "executed_on": "", "approvers": [], **common},
    ]  # fmt: skip
    assert persons == 1
