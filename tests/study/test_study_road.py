"""A small hospital on the road: notes in a space, and what a run takes out of it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from studies import TABLES, define, rows, with_approver

from entrepot import stages
from entrepot.config import CONFIG_NAME, Site
from entrepot.keys import PERSON, site_keyring
from entrepot.landing.database import write_transaction, zone_engine
from entrepot.publish.release import publish
from entrepot.register.oppositions import add
from entrepot.register.person import Identifier
from entrepot.register.registers import Stated
from entrepot.study import facts, study_person_id
from entrepot.study.life import create, refresh
from entrepot.study.space import Space
from entrepot.synthetic.generate import generate
from roads import feed_hospital, new_site, oppose, query

pytestmark = pytest.mark.integration

_NUMERIC = re.compile(r"\b(\d\d)/(\d\d)/(\d{4})\b")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Four patients of HL7 v2 feeds, with a space of all of them, `whole`."""
    folder = tmp_path_factory.mktemp("road")
    generate(4, 11, folder / "hospital", formats=("hl7v2",))
    made = new_site(folder / "site")
    path = made.root / CONFIG_NAME
    path.write_text(f"{path.read_text()}\nworkers: 1\n")
    made = with_approver(Site.open(made.root), folder / "key.pem")
    feed_hospital(made, folder / "hospital")
    # Without the gate, which is not what is tried here: Great Expectations costs ten seconds.
    for stage in (stages.register, stages.door, stages.map_):
        stage(made)
    publish(made.work / "candidate.duckdb", made.warehouse)
    definition = define(
        folder, "whole", folder / "key.pem", tables=[*TABLES, "note", "drug_exposure"],
        options={"notes": True},
    )  # fmt: skip
    create(made, definition)
    return made


def test_dates_of_notes_move_with_their_person(site: Site) -> None:
    """The letter of a stay tells its first and last day: both are the space's."""
    told = rows(
        Space(site, "whole").file,
        "SELECT n.note_text, v.visit_start_date, v.visit_end_date FROM cdm.note n"
        " JOIN cdm.visit_occurrence v USING (visit_occurrence_id) WHERE v.visit_concept_id = 9201"
        " AND contains(n.note_text, ' du ') AND contains(n.note_text, ' au ')",
    )
    assert told
    agreed = 0
    for text, first, last in told:
        days = {dt.date(int(y), int(m), int(d)) for d, m, y in _NUMERIC.findall(text)}
        agreed += first in days or last in days
    assert agreed >= 0.8 * len(told)
    true = {text for (text,) in query(site, "SELECT note_text FROM cdm.note")}
    shown = {text for (text,) in rows(Space(site, "whole").file, "SELECT note_text FROM cdm.note")}
    assert shown
    assert not any(_NUMERIC.search(text) for text in shown & true)


def test_the_door_takes_the_opposed_out_of_a_space(site: Site, tmp_path: Path) -> None:
    space, measured = (
        Space(site, "whole"),
        "SELECT * EXCLUDE (provider_id) FROM cdm.measurement ORDER BY measurement_id",
    )
    before = rows(space.file, measured)
    first, second = [
        person for (person,) in rows(
            space.file, "SELECT person_id FROM cdm.measurement GROUP BY 1 ORDER BY count(*) DESC"
        )
    ][:2]  # fmt: skip
    keyring = site_keyring(site)
    core = {study_person_id(keyring, "whole", one): one for (one,) in
            query(site, "SELECT person_id FROM cdm.person")}  # fmt: skip
    authority, ipp = _number_of(site, core[first])
    (tmp_path / "o.csv").write_text(
        f"authority,ipp,opposed_on,withdrawn_on\n{authority},{ipp},2026-01-01,\n"
    )
    oppose(site, tmp_path / "o.csv")
    _refuse_this_study(site, *_number_of(site, core[second]))
    stages.register(site)
    stages.door(site)
    assert rows(space.file, measured) == [row for row in before if row[1] not in (first, second)]
    assert facts(site)[0]["withdrawn"] == 2
    # The release still holds both: the register alone keeps them out.
    assert {(core[first],), (core[second],)} <= set(query(site, "SELECT person_id FROM cdm.person"))
    refresh(site, "whole")
    shown = rows(space.file, "SELECT person_id FROM cdm.person")
    assert shown
    assert not {(first,), (second,)} & set(shown)
    stages.door(site)
    assert rows(space.file, "SELECT person_id FROM cdm.person") == shown


def _refuse_this_study(site: Site, authority: str, ipp: str) -> None:
    engine, keyring = zone_engine(site), site_keyring(site)
    with write_transaction(engine) as connection:
        number = Identifier(authority, ipp, "")
        stated = Stated(scope="study:whole")
        add(connection, keyring, number, dt.date(2026, 1, 1), "desk", stated)
    engine.dispose()


def _number_of(site: Site, core: int) -> tuple[str, str]:
    """Authority and IPP of a person of the core, found by its pseudonym in the hospital's truth."""
    keyring = site_keyring(site)
    hospital = site.root.parent / "hospital"
    for path in sorted(hospital.rglob("*.hl7")):
        for line in path.read_bytes().decode("latin-1").replace("\n", "\r").split("\r"):
            if not line.startswith("PID|"):
                continue
            for repetition in line.split("|")[3].split("~"):
                value, *_, authority = (repetition.split("^") + [""] * 4)[:4]
                for name in authority.split("&"):
                    key = Identifier(name, value, "").person_key(keyring)
                    if keyring.number(PERSON, 53, "id", key) == core:
                        return name, value
    raise AssertionError("the person is in no message")
