"""The road with `publish.url`: both releases are equal, and a server that fails costs nothing."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from entrepot.cli.main import app
from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import EXIT_BUG, EXIT_CLEAN, EXIT_USAGE, EntrepotError
from entrepot.publish.postgres import hash_postgres, read_postgres
from entrepot.publish.release import read_release
from entrepot.synthetic import generate
from faults.hand_made import admission
from postgres_server import Server, own_server
from roads import feed, feed_hospital, hashes, new_site, travel

pytestmark = pytest.mark.integration

PATIENTS, SEED = 20, 3
PUBLISH = "publish: {{url: '{0}', readers: [researchers], wait_seconds: 5}}\n"
HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "postgresql.md"


@dataclass(frozen=True)
class Hospital:
    """A site that publishes to a server of its own, after its first run."""

    site: Site
    server: Server

    def psql(self, sql: str) -> str:
        return self.server.psql(sql, "eds")

    def count(self, table: str) -> int:
        return int(self.psql(f"SELECT count(*) FROM cdm.{table};"))


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    folder = tmp_path_factory.mktemp("road")
    generate(PATIENTS, SEED, folder / "hospital", formats=("hl7v2",))
    root = new_site(folder / "site").root
    with own_server() as server:
        prepared = re.findall(r"```sql\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
        server.psql("".join(prepared))
        with (root / CONFIG_NAME).open("a") as stream:
            stream.write(PUBLISH.format(server.url("loader", database="eds")))
        site = Site.open(root)
        feed_hospital(site, folder / "hospital")
        assert travel(site).published
        yield Hospital(site, server)


def test_both_releases_of_a_hospital_are_equal(hospital: Hospital) -> None:
    now, stated = hash_postgres(hospital.site.config.publish)
    assert now == stated == hashes(hospital.site)
    local = read_release(hospital.site.warehouse)
    assert local is not None
    assert {table: hospital.count(table) for table in local.rows} == local.rows
    assert local.rows["measurement"] > 0
    with duckdb.connect(str(hospital.site.warehouse), read_only=True) as connection:
        etl = connection.execute(
            "SELECT table_name, estimated_size FROM duckdb_tables() WHERE schema_name = 'etl'"
        ).fetchall()
    for table, rows in etl:
        found = hospital.psql(f"SELECT count(*) FROM cdm_etl.{table};")
        assert int(found) == rows, table
    asked = "SET ROLE researchers; SELECT count(*) FROM person;"
    assert int(hospital.psql(asked)) == local.rows["person"]


def test_a_server_that_lost_the_release_gets_it_from_the_next_run(hospital: Hospital) -> None:
    hospital.psql("DROP SCHEMA cdm CASCADE; DROP SCHEMA cdm_etl CASCADE;")
    travel(hospital.site)
    now, stated = hash_postgres(hospital.site.config.publish)
    assert now == stated == hashes(hospital.site)


def test_a_server_that_is_down_stops_the_publication_and_the_next_run_makes_it(
    hospital: Hospital,
) -> None:
    persons, former = hospital.count("person"), hashes(hospital.site)
    feed(hospital.site, "more", admission("X1", "990001", "990002"))
    hospital.server.stop()
    with pytest.raises(EntrepotError, match="nothing listens there"):
        travel(hospital.site)
    assert hashes(hospital.site) == former
    hospital.server.start()
    assert hospital.count("person") == persons
    assert travel(hospital.site).published
    assert hospital.count("person") == persons + 1
    found = read_postgres(hospital.site.config.publish)
    assert found is not None
    assert dict(found.hashes) == hashes(hospital.site)


def test_what_fails_between_the_server_and_the_file_is_mended_by_the_next_run(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = hashes(hospital.site)
    feed(hospital.site, "between", admission("X2", "990003", "990004"))
    replace = os.replace

    def fail(source: Path, target: Path) -> None:
        if Path(target) == hospital.site.warehouse:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fail)
        with pytest.raises(EntrepotError, match="could not be written"):
            travel(hospital.site)
    assert hashes(hospital.site) == former
    ahead = read_postgres(hospital.site.config.publish)
    assert ahead is not None
    assert ahead.hashes["person"] != former["person"]
    assert travel(hospital.site).published
    assert read_postgres(hospital.site.config.publish) == ahead
    assert hashes(hospital.site) == dict(ahead.hashes)


def test_verify_tells_whether_a_database_is_as_published(
    hospital: Hospital, capsys: pytest.CaptureFixture[str]
) -> None:
    def verify(database: str, *more: str) -> tuple[int, str]:
        code = app(["verify", "--database", database, "--json", *more], standalone_mode=False)
        return int(code or 0), capsys.readouterr().out

    url = hospital.server.url("loader", database="eds")
    code, out = verify(url)
    assert code == EXIT_CLEAN
    assert json.loads(out) == {"hashes": hashes(hospital.site), "changed": []}
    code, out = verify(str(hospital.site.warehouse))
    assert json.loads(out)["hashes"] == hashes(hospital.site)
    hospital.psql("UPDATE cdm.person SET year_of_birth = year_of_birth + 1;")
    code, out = verify(url)
    assert (code, json.loads(out)["changed"]) == (EXIT_BUG, ["person"])
    for database, schema in ((url, "none"), (url, "Not a name"), ("/none.duckdb", "cdm")):
        with pytest.raises(EntrepotError) as fault:
            verify(database, "--schema", schema)
        assert fault.value.exit_code == EXIT_USAGE
