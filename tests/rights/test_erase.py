"""`entrepot erase`: the person is nowhere, nothing else changed, and what comes back is refused.

The mother is erased; her newborn's messages name her (PID-21) and stay without her number.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace

import pytest

from entrepot.audit import Action, read_entries
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.landing.database import write_transaction, zone_engine
from entrepot.publish.warehouse import open_warehouse
from entrepot.register import oppositions
from entrepot.register.erasure_log import HEAD, ErasureLog
from entrepot.register.registers import Stated
from entrepot.register.snapshot import Snapshot
from entrepot.report.accounting import records, rows
from entrepot.rights.erasing import erase, lift
from entrepot.rights.proof import prove
from entrepot.road.inputs import Inputs
from entrepot.study import study_person_id
from entrepot.study.withdrawal import apply_rights
from properties.stages import Warehouse, derive, differing, land
from properties.told import Told, ipps
from rights.scanned import contents, found, person_id
from rights.small_hospital import MOTHER, OTHER, PEOPLE, SEED, STUDY, Case, Hospital, number
from roads import hashes, keyring

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("rights")]

WHY = "demande du 3 mai"
WHO = number(MOTHER)
TODAY = dt.date(2026, 3, 1)
NAME = f"P{MOTHER:06d}"


@pytest.fixture(scope="module")
def never(published: Hospital) -> Warehouse:
    """A site that never heard of the mother, not even as a mother."""
    site = published.sites.new(PEOPLE)
    land(site, without(published.messages))
    return derive(site)


def without(messages: list[Told]) -> list[Told]:
    """The messages of the others, their PID-21 empty where it names her."""
    name = f"{WHO.value}^^^CHSYN&{WHO.authority}&ISO^PI".encode()
    others = [told for told in messages if told.patients == told.patients - {NAME}]
    assert any(name in told.content for told in others)
    return [replace(told, content=told.content.replace(name, b"")) for told in others]


def test_the_proof_finds_no_row_in_any_table(case: Case) -> None:
    proof = case.result.proof
    assert proof.clean
    assert proof.persons >= 1
    places = {one.place for one in proof.statements}
    assert {"warehouse cdm.person", "warehouse cdm.note", "warehouse etl.lineage"} <= places
    assert {"staging staging.event", "identifying zone identity"} <= places
    assert f"study {STUDY} cdm.measurement" in places
    assert any(place.startswith("kept release") for place in places)
    assert all(one.sql.startswith("SELECT count(*) FROM") for one in proof.statements)


def test_no_byte_of_the_person_is_left_in_any_file(case: Case) -> None:
    """Also not in free pages, the journal, the former release or the staging before."""
    assert case.traces.zone
    assert set(found(case.before.identifying, case.traces.zone)) >= {"zone.sqlite"}
    assert found(case.site.root, case.traces.zone) == {}
    assert found(case.before.research, case.traces.research) != {}
    assert found(case.site.research, case.traces.research) == {}


def test_she_left_the_study_space_and_the_others_stayed(case: Case) -> None:
    keys, who = keyring(case.site), person_id(case.site, WHO)
    ids = [_in_space(site) for site in (case.before, case.site)]
    assert ids[0] - ids[1] == {study_person_id(keys, STUDY, who)}
    assert len(ids[1]) == 2


def _in_space(site: Site) -> set[int]:
    connection = open_warehouse(site.research / "studies" / STUDY / "space.duckdb")
    try:
        return {row[0] for row in connection.execute("SELECT person_id FROM person").fetchall()}
    finally:
        connection.close()


def test_who_opposes_a_study_leaves_that_space_alone(published: Hospital) -> None:
    """Scope `study:ID`: the core keeps the person, the other scope's lines nothing."""
    site, keys = published.copy(), keyring(published.site)
    with Inputs.of(site) as inputs:
        for scope in (f"study:{STUDY}", "study:other"):
            who = WHO if scope.endswith(STUDY) else number(OTHER)
            with write_transaction(inputs.database) as connection:
                oppositions.add(connection, keys, who, TODAY, "desk", Stated(scope=scope))
        with inputs.database.connect() as connection:
            snapshot = Snapshot(connection, keys, site.config.register_)
        assert not any(person.withdrawn for person in snapshot.persons.values())
        assert apply_rights(site, keys, snapshot) == 1
        assert study_person_id(keys, STUDY, person_id(site, WHO)) not in _in_space(site)
        assert prove(site, inputs.database, keys).clean


def test_no_record_that_is_left_holds_a_number_of_hers(case: Case) -> None:
    numbers = [one.encode() for one in ipps(SEED, MOTHER)]
    assert any(one in content for content in contents(case.before) for one in numbers)
    left = contents(case.site)
    assert left
    assert not any(one in content for content in left for one in numbers)


def test_nothing_else_changed(case: Case, never: Warehouse) -> None:
    """Equal to a site that never had her, table by table."""
    assert case.result.published
    assert hashes(case.site) == never.hashes
    assert "person" in {t for t in never.hashes if never.hashes[t] != hashes(case.before)[t]}


def test_the_equations_add_up_and_say_erased(case: Case) -> None:
    engine = zone_engine(case.site)
    try:
        with engine.connect() as connection:
            counted = records(connection)
    finally:
        engine.dispose()
    assert counted.balanced
    gone = sum(n for (_, reason), n in counted.excluded.items() if reason == "erased")
    assert gone == case.result.records > 0
    assert rows(case.site.warehouse).balanced


def test_the_audit_log_has_the_demand_and_its_end_without_a_number(case: Case) -> None:
    entries = [e for e in read_entries(case.site, keyring(case.site)) if e.action == Action.ERASED]
    assert [entry.facts["step"] for entry in entries] == ["asked", "done"]
    assert entries[-1].facts["rows"] == 0
    assert entries[-1].facts["proof"] == case.result.proof.fingerprint
    text = (case.site.identifying / "audit.log").read_text()
    text += (case.site.identifying / "erasures.log").read_text()
    assert not any(one in text for one in ipps(SEED, MOTHER))


def test_what_comes_back_is_refused(case: Case, published: Hospital, never: Warehouse) -> None:
    """The same bytes count as duplicates; another message of hers is destroyed as it comes."""
    site = _copy(case.site)
    hers = next(told for told in published.messages if told.patients == {NAME})
    later = replace(hers, content=hers.content.replace(b"|P|2.5", b"|P|2.4", 1))
    assert later.content != hers.content
    land(site, [*published.messages, later])
    found_again = derive(site)
    assert differing(found_again, never) == []
    assert found_again.dispositions["excluded", "erased"] == case.result.records + 1
    assert not any(WHO.value.encode() in content for content in contents(site))


def test_a_restored_backup_loses_her_again(case: Case, never: Warehouse) -> None:
    """Database, landing and research zone of before; the list of erasures is not in the backup."""
    site = _copy(case.before)
    shutil.copy(case.site.identifying / "erasures.log", site.identifying)
    assert differing(derive(site), never) == []
    assert not any(WHO.value.encode() in content for content in contents(site))


def test_a_list_of_erasures_that_was_rolled_back_refuses_the_run(case: Case) -> None:
    site = _copy(case.site)
    (site.identifying / "erasures.log").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="erased persons would come back"):
        derive(site)
    text = (case.site.identifying / "erasures.log").read_bytes()
    (site.identifying / "erasures.log").write_bytes(
        text.replace(b'"act": "erase"', b'"act": "lift"')
    )
    (site.research / HEAD).unlink()
    with pytest.raises(ConfigurationError, match="changed or lost"):
        derive(site)


def test_lifted_her_records_can_be_sent_again(case: Case, published: Hospital) -> None:
    site = _copy(case.site)
    assert lift(site, WHO, "c.moreau", "erreur de personne")
    assert not lift(site, WHO, "c.moreau", "erreur de personne")
    land(site, published.messages)
    again, before = derive(site).hashes, hashes(case.before)
    # The child's own messages lost her number for good: the link is not told again.
    assert {name for name in again if again[name] != before[name]} <= {"fact_relationship"}


def test_an_erasure_needs_the_data_protection_officer_and_somebody(published: Hospital) -> None:
    site = published.copy()
    with pytest.raises(ConfigurationError, match="profile dpo"):
        erase(site, WHO, "p.vigne", WHY)
    with pytest.raises(ConfigurationError, match="knows nobody"):
        erase(site, replace(WHO, value="00000000"), "c.moreau", WHY)
    assert ErasureLog(site, keyring(site)).lines() == []


def _copy(site: Site) -> Site:
    root = site.root.with_name(f"{site.root.name}-again")
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(site.root, root)
    return Site.open(root)
