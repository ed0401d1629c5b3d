"""The proof over a real PostgreSQL: the release that is published there and a study's schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.landing.database import zone_engine
from entrepot.rights.erasing import erase
from entrepot.rights.proof import Proof, prove
from entrepot.study import study_person_id
from entrepot.study.life import create
from postgres_server import Server, own_server
from rights.scanned import person_id
from rights.small_hospital import DEFINITION, MOTHER, PEOPLE, STUDY, Hospital, configure, number
from roads import keyring, travel

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("rights")]
SCHEMA = f"study_{STUDY}"


@dataclass(frozen=True)
class Served:
    """A site whose release and space are in PostgreSQL, after the mother was erased.

    Args:
        person, in_study: her id in the core and in the study.
        stays: rows that she had in `visit_occurrence`.
        proof: the erasure's own.
    """

    site: Site
    server: Server
    person: int
    in_study: int
    stays: int
    proof: Proof

    def left(self) -> dict[str, int]:
        """Places where the proof finds rows, and how many."""
        engine = zone_engine(self.site)
        try:
            found = prove(self.site, engine, keyring(self.site))
        finally:
            engine.dispose()
        return {one.place: one.rows for one in found.statements if one.rows}


@pytest.fixture(scope="module")
def served(published: Hospital) -> Iterator[Served]:
    with own_server() as server:
        server.psql("CREATE ROLE lea LOGIN")
        copied = published.copy()
        site = configure(
            copied,
            f'{PEOPLE}publish: {{url: "{server.url()}", schema: omop}}\n'
            f'studies: {{url: "{server.url()}", roles: [lea]}}\n',
        )
        assert travel(site).published
        definition = site.root / "served.yaml"
        definition.write_text(
            DEFINITION.replace(f"id: {STUDY}", "id: served")
            + "target: postgresql\nreaders: [lea]\n"
        )
        assert create(site, definition)["persons"] == 3
        person = person_id(site, number(MOTHER))
        for schema, table in (("omop", "visit_occurrence"), ("study_served", "visit_occurrence"),
                              ("omop_etl", "lineage")):  # fmt: skip
            server.psql(
                f"CREATE SCHEMA before_{schema};"
                f"CREATE TABLE before_{schema}.{table} AS SELECT * FROM {schema}.{table}"
            )
        in_study = study_person_id(keyring(site), "served", person)
        stays = _keep_hers(server, "omop", person)
        assert stays == _keep_hers(server, "study_served", in_study) > 0
        result = erase(site, number(MOTHER), "c.moreau", "demande du 3 mai")
        assert result.published
        yield Served(site, server, person, in_study, stays, result.proof)


def _keep_hers(server: Server, schema: str, person: int) -> int:
    server.psql(f"DELETE FROM before_{schema}.visit_occurrence WHERE person_id <> {person}")
    return int(server.psql(f"SELECT count(*) FROM before_{schema}.visit_occurrence"))


def test_it_asks_every_table_of_both(served: Served) -> None:
    asked = {one.place for one in served.proof.statements}
    for schema, name in (("omop", "postgresql"), ("omop_etl", "postgresql"),
                         ("study_served", "study served")):  # fmt: skip
        tables = served.server.psql(
            "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema ="
            f" '{schema}' AND data_type IN ('bigint', 'text', 'character varying')"
        ).split()
        assert tables
        assert {f"{name} {schema}.{table}" for table in tables} <= asked
    assert served.proof.clean


def test_a_row_that_was_left_is_found(served: Served) -> None:
    """Her rows as they were, put back: under the core's number, the study's, and by their keys."""
    for schema, name in (("omop", "postgresql"), ("study_served", "study served")):
        served.server.psql(  # without asking whether she is in `person`
            "SET session_replication_role = replica;"
            f"INSERT INTO {schema}.visit_occurrence SELECT * FROM before_{schema}.visit_occurrence"
        )
        assert served.left() == {f"{name} {schema}.visit_occurrence": served.stays}
        served.server.psql(
            f"DELETE FROM {schema}.visit_occurrence"
            f" WHERE person_id IN ({served.person}, {served.in_study})"
        )
    key = "record_key = (SELECT min(record_key) FROM before_omop_etl.lineage WHERE record_key"
    gone = f"{key} NOT IN (SELECT record_key FROM omop_etl.lineage))"
    served.server.psql(
        f"INSERT INTO omop_etl.lineage SELECT * FROM before_omop_etl.lineage WHERE {gone}"
    )
    assert set(served.left()) == {"postgresql omop_etl.lineage"}
    served.server.psql(
        "DELETE FROM omop_etl.lineage WHERE record_key NOT IN"
        " (SELECT record_key FROM omop_etl.row_disposition)"
    )
    assert served.left() == {}


def test_the_core_s_number_has_no_place_in_a_space(served: Served) -> None:
    served.server.psql(f"CREATE TABLE study_served.crossed AS SELECT {served.person}::bigint AS id")
    assert served.left() == {"study served study_served.crossed": 1}
    served.server.psql("DROP TABLE study_served.crossed")


def test_a_type_that_it_cannot_look_into_stops_it(served: Served) -> None:
    served.server.psql(
        "CREATE TABLE study_served.told (id uuid, more jsonb);"
        f"""INSERT INTO study_served.told VALUES (NULL, '{{"person": {served.in_study}}}')"""
    )
    with pytest.raises(EntrepotError, match="of type jsonb") as refused:
        served.left()
    assert "study served study_served.told.more" in str(refused.value)
    served.server.psql("ALTER TABLE study_served.told DROP COLUMN more")
    assert served.left() == {}
    served.server.psql("DROP TABLE study_served.told")
