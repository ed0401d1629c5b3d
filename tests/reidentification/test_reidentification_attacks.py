"""What somebody may try against the procedure: refused each time, and told in the log."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from entrepot.config import CONFIG_NAME
from entrepot.keys import site_keyring
from entrepot.landing.database import zone_engine
from entrepot.people import create_key, sign
from entrepot.reidentification import requests
from entrepot.reidentification.clock import utc_now
from entrepot.reidentification.refusals import Refusal
from entrepot.resources import data_file
from reidentification.desk import Desk, name_people, oppose_one

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("reidentification")]

DPO, STEWARD = "claire.vigne", "marc.roy"


@contextmanager
def refused(desk: Desk, code: str) -> Iterator[None]:
    """The act inside is refused with this code, and the log's next entry says just that."""
    before = len(desk.entries())
    with pytest.raises(Refusal) as told:
        yield
    assert told.value.code == code
    new = desk.entries()[before:]
    assert [(e.action, e.facts["reason"]) for e in new] == [("reidentification_refused", code)]


@pytest.fixture
def asked(desk: Desk) -> str:
    return desk.request(1953)


@pytest.fixture
def agreed(desk: Desk, asked: str) -> str:
    desk.approve(asked, DPO, STEWARD)
    return asked


def _people(desk: Desk) -> dict[str, dict[str, object]]:
    stated = yaml.safe_load((desk.site.root / CONFIG_NAME).read_text(encoding="utf-8"))
    people: dict[str, dict[str, object]] = stated["people"]
    return people


def test_one_approver_twice(desk: Desk, asked: str) -> None:
    desk.approve(asked, "paul.lam")
    with refused(desk, "already_decided"):
        desk.approve(asked, "paul.lam")
    with refused(desk, "not_approved"):
        desk.execute(asked)


def test_one_key_under_two_names(desk: Desk, asked: str) -> None:
    people = _people(desk)
    people[STEWARD]["public_key"] = people[DPO]["public_key"]
    name_people(desk.site, people)
    desk.approve(asked, DPO)
    with refused(desk, "already_decided"):
        desk.approve(asked, STEWARD, key=DPO)


@pytest.mark.parametrize("by", [DPO, STEWARD])
def test_the_requester_approves(desk: Desk, by: str) -> None:
    asked = desk.request(1953, motive="rights_request", by=by)
    with refused(desk, "requester_decides"):
        desk.approve(asked, by)


def test_the_requester_approves_under_another_name(desk: Desk) -> None:
    people = _people(desk)
    people["anna.kern"]["public_key"] = people[STEWARD]["public_key"]
    name_people(desk.site, people)
    asked = desk.request(1953, by=STEWARD)
    with refused(desk, "requester_decides"):
        desk.approve(asked, "anna.kern", key=STEWARD)


@pytest.mark.parametrize("by", ["lea.nguyen", "ines.roux", "nobody"])
def test_who_has_no_profile_for_it(desk: Desk, by: str) -> None:
    asked = desk.request(1953, by=STEWARD)
    with refused(desk, "not_entitled"):
        desk.approve(asked, by, key=DPO)


def test_who_may_not_ask(desk: Desk) -> None:
    with refused(desk, "not_entitled"):
        desk.request(1953, by="ines.roux")


def test_a_forged_signature(desk: Desk, asked: str) -> None:
    with refused(desk, "not_signed"):
        desk.approve(asked, DPO, key="lea.nguyen")
    desk.approve(asked, DPO, STEWARD)
    with refused(desk, "not_signed"):
        desk.execute(asked, key=DPO)
    with refused(desk, "not_the_requester"):
        desk.execute(asked, by="ines.roux")


def test_approvals_written_into_the_database(desk: Desk, asked: str) -> None:
    """By somebody who can write rows, and even sign with a key of their own."""
    key = desk.site.root.parent / "keys" / "forger.pem"
    public = create_key(key)
    signature = sign(key, {"act": "reidentification.approve", "request": asked})
    for name, profile in ((DPO, "dpo"), (STEWARD, "steward")):
        desk.change(
            "INSERT INTO reidentification_decision VALUES"
            f" ('{asked}', '{name}', 1, '{profile}', '{public}', '{utc_now()}', '{signature}')"
        )
    with refused(desk, "changed"):
        desk.execute(asked)


def test_approvals_that_went_past_the_log(desk: Desk, asked: str) -> None:
    """Truly signed by both approvers, but never entered: nobody could tell afterwards."""
    engine = zone_engine(desk.site)
    with engine.connect() as connection:
        found = requests.read(connection, site_keyring(desk.site), asked)
    engine.dispose()
    for name, profile in ((DPO, "dpo"), (STEWARD, "steward")):
        public = str(_people(desk)[name]["public_key"])
        made = requests.Decision(asked, name, True, profile, public, utc_now(), "")
        signature = sign(desk.signer(name).key, made.payload(found))
        desk.change(
            "INSERT INTO reidentification_decision VALUES"
            f" ('{asked}', '{name}', 1, '{profile}', '{public}', '{made.decided_at}.000000',"
            f" '{signature}')"
        )
    with refused(desk, "changed"):
        desk.execute(asked)


def test_approvals_of_another_request(desk: Desk, agreed: str) -> None:
    other = desk.request(1954)
    desk.change(
        "INSERT INTO reidentification_decision SELECT"
        f" '{other}', decided_by, approved, profiles, public_key, decided_at, signature"
        f" FROM reidentification_decision WHERE request_id = '{agreed}'"
    )
    with refused(desk, "changed"):
        desk.execute(other)


@pytest.mark.parametrize(
    "change",
    [
        "motive = 'rights_request'", "until = datetime(until, '+20 days')",
        "requester = 'marc.roy'", "study = 'diabete'",
        "sealed = (SELECT sealed FROM reidentification_request WHERE request_id = '{other}')",
    ],
)  # fmt: skip
def test_a_request_changed_after_its_approval(desk: Desk, agreed: str, change: str) -> None:
    other = desk.request(1954)
    changed = change.format(other=other)
    desk.change(f"UPDATE reidentification_request SET {changed} WHERE request_id = '{agreed}'")
    with refused(desk, "changed"):
        desk.execute(agreed)
    assert (desk.state(agreed), desk.state(other)) == ("changed", "requested")


def test_an_approval_whose_time_was_changed(desk: Desk, agreed: str) -> None:
    desk.late = dt.timedelta(hours=30)
    desk.change("UPDATE reidentification_decision SET decided_at = datetime(decided_at, '+1 day')")
    with refused(desk, "changed"):
        desk.execute(agreed)


def test_times_that_ended(desk: Desk) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    early, late, short = desk.request(1951), desk.request(1953), desk.request(1952, until=until)
    desk.approve(early, DPO, STEWARD)
    desk.late = dt.timedelta(hours=25)
    with refused(desk, "window_ended"):
        desk.execute(early)
    desk.approve(short, DPO, STEWARD)
    desk.late = dt.timedelta(days=2, minutes=1)
    with refused(desk, "expired"):
        desk.execute(short)
    desk.late = dt.timedelta(days=7, minutes=1)
    with refused(desk, "expired"):
        desk.approve(late, DPO)
    with refused(desk, "too_long"):
        desk.request(1954, until=dt.datetime.now(dt.UTC) + dt.timedelta(days=20))


def test_the_clock_set_back(desk: Desk, agreed: str) -> None:
    desk.late = dt.timedelta(hours=25)
    with refused(desk, "window_ended"):
        desk.execute(agreed)
    desk.request(1954)  # an act at this later time is on record
    desk.late = dt.timedelta()
    with refused(desk, "clock_moved_back"):
        desk.execute(agreed)


def test_the_clock_set_back_with_the_database_of_then(desk: Desk, agreed: str) -> None:
    """The zone's mark is gone; the audit log still knows what time it was."""
    desk.change("DELETE FROM zone_setting WHERE key = 'reidentification_clock'")
    desk.late = -dt.timedelta(hours=1)
    with refused(desk, "clock_moved_back"):
        desk.execute(agreed)


def test_motives_that_are_not_on_the_list_or_not_allowed(desk: Desk) -> None:
    with refused(desk, "unknown_motive"):
        desk.request(1953, motive="curiosity")
    for motive in ("commercial_use", "study_invitation"):
        with refused(desk, "motive_not_allowed"):
            desk.request(1953, motive=motive)


def test_a_motive_that_was_struck_off_since(desk: Desk, agreed: str) -> None:
    own = desk.site.root / "mappings" / "privacy" / "motives.yaml"
    own.parent.mkdir(parents=True)
    shutil.copyfile(data_file("mappings/privacy/motives.yaml"), own)
    listed = yaml.safe_load(own.read_text(encoding="utf-8"))
    listed["motives"]["care_finding"]["allowed"] = False
    own.write_text(yaml.safe_dump(listed), encoding="utf-8")
    with refused(desk, "motive_not_allowed"):
        desk.execute(agreed)


@pytest.mark.parametrize(
    ("name", "code"),
    [(DPO, "not_approved"), (STEWARD, "not_approved"), ("lea.nguyen", "not_entitled")],
)  # fmt: skip
def test_a_profile_taken_away_between(desk: Desk, agreed: str, name: str, code: str) -> None:
    people = _people(desk)
    people[name]["profiles"] = ["reader"]
    name_people(desk.site, people)
    with refused(desk, code):
        desk.execute(agreed)


def test_an_approver_whose_key_was_replaced(desk: Desk, agreed: str, tmp_path: Path) -> None:
    people = _people(desk)
    people[DPO]["public_key"] = create_key(tmp_path / "new.pem")
    name_people(desk.site, people)
    with refused(desk, "not_approved"):
        desk.execute(agreed)


def test_a_refusal_ends_it_even_when_its_row_is_deleted(desk: Desk, agreed: str) -> None:
    desk.approve(agreed, "anna.kern", approved=False)
    with refused(desk, "refused"):
        desk.execute(agreed)
    desk.change("DELETE FROM reidentification_decision WHERE approved = 0")
    with refused(desk, "refused"):
        desk.execute(agreed)


def test_the_requester_takes_it_back(desk: Desk, asked: str) -> None:
    desk.approve(asked, "lea.nguyen", approved=False)
    with refused(desk, "refused"):
        desk.approve(asked, DPO)


def test_a_person_who_opposed(desk: Desk, agreed: str) -> None:
    oppose_one(desk.site, 1953)
    with refused(desk, "opposed"):
        desk.execute(agreed)
    with refused(desk, "opposed"):
        desk.request(1953)


def test_several_persons_where_the_motive_is_for_one(desk: Desk) -> None:
    for several in (False, True):
        with refused(desk, "several_persons"):
            desk.request(1952, 1953, several=several)


def test_a_number_that_nobody_bears(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "person_id", lambda year: 4711)
    with refused(desk, "unknown_person"):
        desk.request(1953)


def test_what_is_not_a_request(desk: Desk) -> None:
    with refused(desk, "unknown_request"):
        desk.execute("CASTELNAU 12/04/1953")
    assert "CASTELNAU" not in str(desk.entries()[-1].facts)
