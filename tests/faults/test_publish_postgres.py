"""Publishing to PostgreSQL when something fails: the former release stands, and what is told helps.

The server is real, and it is really stopped, filled, or shut to us.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import psycopg
import pytest

from entrepot.config import Publish
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.publish.ddl import ddl
from entrepot.publish.postgres import (
    PostgresRelease,
    hash_postgres,
    publish_postgres,
    read_postgres,
)
from entrepot.publish.postgres_connection import parse_url
from entrepot.publish.release import publish
from postgres_server import Server, own_server

pytestmark = pytest.mark.integration

PUBLISHER = Path(__file__).with_name("publisher.py")
WITH_TESTS = {**os.environ, "PYTHONPATH": str(PUBLISHER.parent.parent)}
SECRET = "s3cr%/@t:é"
NETWORK = "127.0.0.2"  # this machine, by an address that is not known as its own
BIG = (
    "INSERT INTO cdm.concept_synonym SELECT i, repeat(md5(i::VARCHAR), 8), 0"
    " FROM range(120000) AS t(i)"
)
FILE_LIMIT = 24 << 20  # above one segment of the write-ahead log (16 MB), below the big table


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server(NETWORK) as own:
        own.psql(f"CREATE ROLE loader LOGIN PASSWORD '{SECRET}'; CREATE DATABASE eds OWNER loader;")
        own.psql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;")
        own.admit("local all loader scram-sha-256")
        yield own


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A release of so many persons, made once."""
    folder = tmp_path_factory.mktemp("releases")

    def make(persons: int, *statements: str) -> Path:
        path = folder / f"{persons}.duckdb"
        if not path.exists():
            candidate = folder / "candidate"
            with duckdb.connect(str(candidate)) as connection:
                connection.execute(ddl("duckdb"))
                connection.execute("CREATE SCHEMA etl")
                connection.execute(
                    "INSERT INTO cdm.person (person_id, gender_concept_id, year_of_birth,"
                    " race_concept_id, ethnicity_concept_id) SELECT i, 8507, 1950, 0, 0"
                    f" FROM range({persons}) AS t(i)"
                )
                for statement in statements:
                    connection.execute(statement)
            publish(candidate, path)
        return path

    return make


class Target:
    """A schema with a first release of 3 persons."""

    def __init__(self, server: Server, schema: str, releases: Callable[..., Path]) -> None:
        self.server, self.schema, self.releases = server, schema, releases

    def settings(self, url: str = "", **more: object) -> Publish:
        given = {"url": url or self.server.url(), "schema": self.schema, "wait_seconds": 10}
        return Publish.model_validate({**given, **more})

    def publish(
        self, persons: int, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> PostgresRelease:
        return publish_postgres(self.releases(persons), self.settings(), progress=progress)

    @property
    def persons(self) -> int:
        return int(self.server.psql(f"SELECT count(*) FROM {self.schema}.person;"))

    @property
    def schemas(self) -> list[str]:
        found = self.server.psql(
            f"SELECT nspname FROM pg_namespace WHERE nspname ~ '^{self.schema}(_|$)' ORDER BY 1;"
        )
        return found.split()


@pytest.fixture
def target(server: Server, releases: Callable[..., Path], request: pytest.FixtureRequest) -> Target:
    made = Target(server, f"f{abs(hash(request.node.name)) % 10**9}", releases)
    made.publish(3)
    return made


def test_killed_at_any_line_leaves_one_whole_release(
    target: Target, releases: Callable[..., Path], tmp_path: Path
) -> None:
    for name, persons in (("old", 3), ("new", 5)):
        shutil.copyfile(releases(persons), tmp_path / f"release.{name}")
    done = subprocess.run(
        [sys.executable, str(PUBLISHER), str(tmp_path / "release"), target.server.url(),
         target.schema, "lines"],
        capture_output=True, text=True, check=False, env=WITH_TESTS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    # Both sides of the commit were met.
    assert counts["old"] > 15
    assert counts["new"] > 0
    assert counts["killed"] == counts["old"] + counts["new"]


@pytest.mark.parametrize("tables", ["9", "39"])
def test_a_killed_publisher_leaves_no_lock(
    target: Target, releases: Callable[..., Path], tmp_path: Path, tables: str
) -> None:
    shutil.copyfile(releases(5), tmp_path / "release.new")
    done = subprocess.run(
        [sys.executable, str(PUBLISHER), str(tmp_path / "release"), target.server.url(),
         target.schema, "kill", tables],
        check=False, env=WITH_TESTS,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert target.persons == 3
    assert target.publish(5).rows["person"] == 5
    assert target.schemas == [target.schema, f"{target.schema}_etl"]


def test_two_publishers_of_one_schema_take_turns(target: Target) -> None:
    """The one that may not wait is told whom it would wait for."""
    outcome: list[EntrepotError] = []

    def meet(done: int, total: int) -> None:
        if done != 5:
            return
        with pytest.raises(EntrepotError, match="another publication") as fault:
            publish_postgres(target.releases(7), target.settings(wait_seconds=0))
        outcome.append(fault.value)

    assert target.publish(5, meet).rows["person"] == 5
    assert "(process unknown)" not in outcome[0].what
    assert target.publish(7).rows["person"] == 7


def test_a_server_that_crashes_in_the_middle(target: Target) -> None:
    def crash(done: int, total: int) -> None:
        if done == 20:
            target.server.stop("immediate")

    with pytest.raises(EntrepotError, match="PostgreSQL stopped or the connection was lost"):
        target.publish(5, crash)
    target.server.start()
    assert target.persons == 3
    assert target.publish(5).rows["person"] == 5
    assert target.schemas == [target.schema, f"{target.schema}_etl"]


def test_a_session_that_is_ended_by_the_operator(target: Target) -> None:
    def end(done: int, total: int) -> None:
        if done == 20:
            target.server.psql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'entrepot';"
            )

    with pytest.raises(EntrepotError, match="connection was lost") as fault:
        target.publish(5, end)
    assert fault.value.remedy == "when it answers again, run again"
    assert target.persons == 3
    assert target.publish(5).rows["person"] == 5


@contextmanager
def small_files(server: Server) -> Iterator[str]:
    """A server that can write no file beyond a size, as under a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    server.stop()
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, hard))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    try:
        yield server.url()
    finally:
        server.stop()
        server.start()


@contextmanager
def small_disk(server: Server) -> Iterator[str]:
    """A database on a file system of 40 MB, of which an empty one takes 8."""
    folder = server.folder.parent / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here: no small disk to fill")
    try:
        shutil.chown(folder, server.folder.stat().st_uid)
        server.psql(f"CREATE TABLESPACE small LOCATION '{folder}';")
        server.psql("CREATE DATABASE small TABLESPACE small;")
        yield server.url(database="small")
    finally:
        server.psql("DROP DATABASE IF EXISTS small WITH (FORCE);")
        server.psql("DROP TABLESPACE IF EXISTS small;")
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("narrow", [small_files, small_disk])
def test_a_full_disk(
    target: Target,
    releases: Callable[..., Path],
    narrow: Callable[[Server], AbstractContextManager[str]],
) -> None:
    big = releases(6, BIG)
    with narrow(target.server) as url:
        settings = target.settings(url)
        publish_postgres(target.releases(3), settings)
        with pytest.raises(EntrepotError, match="PostgreSQL's disk is full") as fault:
            publish_postgres(big, settings)
        assert "the former release stands" in fault.value.what
        assert "then run again" in fault.value.remedy
        now, stated = hash_postgres(settings)
        assert now == stated
        assert publish_postgres(target.releases(5), settings).rows["person"] == 5


def test_no_server(target: Target, tmp_path: Path) -> None:
    for url, told in (
        (f"postgresql://loader:{SECRET_IN_URL}@127.0.0.1:1/eds", "nothing listens there"),
        (f"postgresql://loader:{SECRET_IN_URL}@/eds?host={tmp_path}", "nothing listens there"),
        (f"postgresql://loader:{SECRET_IN_URL}@nowhere.invalid/eds", "no such host"),
    ):
        with pytest.raises(EntrepotError, match=told) as fault:
            publish_postgres(target.releases(5), target.settings(url))
        assert fault.value.where.endswith("/eds")
        assert "loader" not in str(fault.value)
        assert not shown(str(fault.value))


SECRET_IN_URL = "s3cr%25%2F%40t%3A%C3%A9"


def shown(text: str) -> bool:
    """Whether the password can be read in a text."""
    return any(word in text for word in (SECRET, SECRET_IN_URL, "s3cr"))


def test_the_password_opens_and_a_wrong_one_is_told_and_never_shown(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = target.server.url
    for wrong, told in (
        (url("loader", "s3cr-wrong", "eds"), "role or password is refused"),
        (url("loader", "", "eds"), "asks for a password"),
        (url("loader", SECRET_IN_URL, "none"), "no such role or database"),
    ):
        with pytest.raises(EntrepotError, match=told) as fault:
            publish_postgres(target.releases(5), target.settings(wrong))
        assert not shown(str(fault.value))
        assert fault.value.__cause__ is None
    monkeypatch.setenv("LOADER_PASSWORD", SECRET)
    right = url("loader", "${LOADER_PASSWORD}", "eds").replace("postgresql:", "postgresql+psycopg:")
    settings = target.settings(right)
    assert not shown(repr(settings))
    assert publish_postgres(target.releases(5), settings).place.endswith("/eds")


def test_a_loader_without_the_right_to_create(target: Target) -> None:
    target.server.psql("CREATE ROLE plain LOGIN;")
    with pytest.raises(EntrepotError, match="lacks a right") as fault:
        publish_postgres(target.releases(5), target.settings(target.server.url("plain")))
    assert "GRANT CREATE ON DATABASE" in fault.value.remedy
    with pytest.raises(EntrepotError, match="lacks a right"):
        read_postgres(target.settings(target.server.url("plain")))


def test_a_database_that_is_not_utf8(target: Target) -> None:
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        publish_postgres(target.releases(5), target.settings(target.server.url(database="latin")))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://loader:s3cr@host/eds?sslmodus=off", "cannot read this URL"),
        ("postgresql://loader:s3cr@[host/eds", "cannot read this URL"),
        ("mysql://loader:s3cr@host/eds", "not a PostgreSQL URL"),
        ("s3cr", "not a PostgreSQL URL"),
        ("${NO_VARIABLE_OF_THIS_NAME}", "NO_VARIABLE_OF_THIS_NAME is not set"),
    ],
)
def test_a_url_that_cannot_be_read(target: Target, url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as fault:
        publish_postgres(target.releases(5), target.settings(url))
    assert not shown(str(fault.value))
    assert fault.value.where == "publish.url"


def test_a_url_is_read_as_sqlalchemy_and_libpq_read_it() -> None:
    plain = parse_url("postgresql://loader@db:5433/eds").parameters
    for url in ("postgresql+psycopg://loader@db:5433/eds", "postgres://loader@db:5433/eds"):
        assert parse_url(url).parameters == plain
    assert plain == {"user": "loader", "host": "db", "port": "5433", "dbname": "eds"}
    whole = {"WHOLE": "postgresql://loader:a%40b@db/eds", "PART": "a@b/ü:?"}
    assert parse_url("${WHOLE}", whole).parameters["password"] == "a@b"
    assert parse_url("postgresql://u:${PART}@db/eds", whole).parameters["password"] == "a@b/ü:?"
    assert "a@b" not in repr(parse_url("${WHOLE}", whole))


def test_psycopg_is_named_when_it_is_missing(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match="needs psycopg") as fault:
        publish_postgres(target.releases(5), target.settings())
    assert fault.value.remedy == "pip install 'entrepot[postgres]'"


def test_over_a_network_tls_is_asked_for_unless_the_url_says_no(target: Target) -> None:
    target.server.admit(f"host all postgres {NETWORK}/32 trust")
    url = (
        target.server.url().replace(f"?host={target.server.folder}", "").replace("@", f"@{NETWORK}")
    )
    with pytest.raises(EntrepotError, match="it offers no TLS"):
        publish_postgres(target.releases(5), target.settings(url))
    done = publish_postgres(target.releases(5), target.settings(f"{url}?sslmode=disable"))
    assert done.place.startswith(f"{NETWORK}:")


def test_a_publisher_that_vanishes_while_it_waits_for_readers(target: Target) -> None:
    """Killed where it holds most: with locks asked for, and readers behind them."""
    with psycopg.connect(target.server.url()) as reader:
        reader.execute(f"SELECT count(*) FROM {target.schema}.person".encode())
        child = subprocess.Popen(
            [sys.executable, "-c",
             "import sys; from pathlib import Path; from entrepot.config import Publish\n"
             "from entrepot.publish.postgres import publish_postgres\n"
             "publish_postgres(Path(sys.argv[1]), Publish.model_validate("
             "{'url': sys.argv[2], 'schema': sys.argv[3]}))",
             str(target.releases(5)), target.server.url(), target.schema],
        )  # fmt: skip
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted;"
        while target.server.psql(waiting) == "0\n":
            assert child.poll() is None
            time.sleep(0.05)
        child.kill()
        child.wait()
        found = reader.execute(f"SELECT count(*) FROM {target.schema}.death".encode()).fetchone()
        assert found == (0,)
    assert target.publish(7).rows["person"] == 7
