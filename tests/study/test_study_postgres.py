"""A space as a schema of a real PostgreSQL: its role sees it and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from studies import define, rows

from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import site_keyring
from entrepot.study import study_person_id, withdraw
from entrepot.study.life import close, create, refresh
from entrepot.study.space import Space
from postgres_server import Server, own_server

if TYPE_CHECKING:
    from conftest import Made

pytestmark = pytest.mark.integration

COHORT = {"sql": "SELECT person_id FROM cdm.person ORDER BY person_source_value LIMIT 60"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One of our own, with a core and two researchers in it."""
    with own_server() as made:
        made.psql(
            "CREATE ROLE lea LOGIN; CREATE ROLE max LOGIN; CREATE ROLE ivan LOGIN;"
            "CREATE SCHEMA cdm; CREATE TABLE cdm.person (person_id bigint);"
            "INSERT INTO cdm.person VALUES (1); GRANT USAGE ON SCHEMA cdm TO ivan;"
            "GRANT SELECT ON cdm.person TO ivan;"
        )
        yield made


@pytest.fixture(scope="module")
def site(made: Made, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A copy of the drawn site that has this server."""
    folder = tmp_path_factory.mktemp("server") / "site"
    shutil.copytree(made.site.root, folder)
    shutil.rmtree(folder / "research" / "studies")
    path = folder / CONFIG_NAME
    path.write_text(
        f'{path.read_text()}\nstudies: {{url: "{server.url()}", roles: [lea, max, ivan]}}\n'
    )
    return Site.open(folder)


def _on_server(folder: Path, study: str, *readers: str) -> Path:
    return define(folder, study, target="postgresql", readers=list(readers), cohort=COHORT)


def _refused(server: Server, user: str, sql: str) -> bool:
    import psycopg

    with psycopg.connect(server.url(user)) as connection:
        try:
            connection.execute(sql.encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
    return False


def test_a_space_is_made_read_cleaned_and_dropped(
    site: Site, server: Server, tmp_path: Path
) -> None:
    told = create(site, _on_server(tmp_path, "one", "lea"))
    create(site, _on_server(tmp_path, "two", "max"))
    assert server.psql("SELECT count(*) FROM study_one.person") == f"{told['persons']}\n"
    assert not Space(site, "one").file.exists()
    assert _refused(server, "lea", "SELECT * FROM cdm.person")
    assert _refused(server, "lea", "SELECT * FROM study_two.person")
    assert _refused(server, "lea", "DELETE FROM study_one.person")
    assert _refused(server, "max", "SELECT * FROM study_one.person")
    assert not _refused(server, "lea", "SELECT * FROM study_one.person")
    _withdraw(site, server, told["persons"])
    before = server.psql("SELECT person_id FROM study_one.person ORDER BY 1")
    refresh(site, "one", _on_server(tmp_path, "one", "max"))
    assert set(before.split()) < set(server.psql("SELECT person_id FROM study_one.person").split())
    assert _refused(server, "lea", "SELECT * FROM study_one.person")
    for study in ("one", "two"):
        close(site, study)
    left = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'study%';"
    assert (
        server.psql(left + "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'study%'") == "0\n0\n"
    )


def _withdraw(site: Site, server: Server, persons: int) -> None:
    keyring = site_keyring(site)
    shown = set(server.psql("SELECT person_id FROM study_one.person").split())
    gone = next(
        one for (one,) in rows(site.warehouse, COHORT["sql"])
        if str(study_person_id(keyring, "one", one)) in shown
    )  # fmt: skip
    assert withdraw(site, keyring, [gone]) >= 1
    number = study_person_id(keyring, "one", gone)
    assert server.psql("SELECT count(*) FROM study_one.person") == f"{persons - 1}\n"
    for table in ("visit_occurrence", "measurement", "condition_era"):
        assert (
            server.psql(f"SELECT count(*) FROM study_one.{table} WHERE person_id = {number}")
            == "0\n"
        )
    server.psql("CHECKPOINT")
    path = server.psql("SELECT pg_relation_filepath('study_one.person')").strip()
    content = (server.folder / path).read_bytes()
    assert number.to_bytes(8, "little") not in content


def test_a_reader_who_sees_the_core_is_refused(site: Site, server: Server, tmp_path: Path) -> None:
    with pytest.raises(EntrepotError, match="may read more than study spaces"):
        create(site, _on_server(tmp_path, "three", "ivan"))
    with pytest.raises(ConfigurationError, match="reads no study here"):
        create(site, _on_server(tmp_path, "three", "postgres"))
    assert server.psql("SELECT count(*) FROM pg_namespace WHERE nspname = 'study_three'") == "0\n"
