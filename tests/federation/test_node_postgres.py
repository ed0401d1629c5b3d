"""A node that answers from PostgreSQL: the same answers, under a role that reads views alone."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from node_hospital import Hospital, accepted, new_hospital, query_for, sent

from entrepot.errors import ConfigurationError
from entrepot.federation.envelopes import AnswerEnvelope, read_envelope
from entrepot.federation.node.answering import answer_due
from entrepot.federation.node.exclusions import exclusions
from entrepot.federation.node.intake import receive
from entrepot.federation.node.outbox import leaving
from entrepot.federation.node.postgres import PostgresViews, drop, prepare
from entrepot.federation.node.releasing import release_due
from entrepot.federation.node.views import QuestionError
from entrepot.publish.frozen import freeze
from postgres_server import Server, own_server

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as found:
        found.psql("CREATE ROLE node_reader LOGIN; CREATE ROLE loader LOGIN;"
            " GRANT CREATE ON DATABASE postgres TO loader;")  # fmt: skip
        yield found


def _answer(made: Hospital, number: int) -> AnswerEnvelope:
    card = accepted(made) if number == 1 else accepted(made, title=f"Version {number}")
    text = sent(made, query_for(made, card, number, delivery="pooled")).text()
    assert receive(made.node, text).code is None
    answer_due(made.node)
    made.moment[0] += dt.timedelta(minutes=11)
    release_due(made.node)
    texts = [one.envelope for one in leaving(made.node) if one.path == "/v1/results"]
    return AnswerEnvelope.model_validate(read_envelope(texts[-1]).body)


def test_both_engines_answer_the_same(server: Server, tmp_path: Path) -> None:
    """Before and after twelve persons opposed: theirs are gone from views and tables."""
    urls = {"url": f'"{server.url("loader")}"', "reader": f'"{server.url("node_reader")}"'}
    duck = new_hospital(tmp_path / "duck")
    postgres = new_hospital(tmp_path / "postgres", **urls)
    for number in (1, 2):
        one, other = _answer(duck, number), _answer(postgres, number)
        assert one.payload is not None
        assert json.dumps(one.payload) == json.dumps(other.payload)
        assert (one.release, one.register_) == (other.release, other.register_)
        duck.oppose(*range(12))
        postgres.oppose(*range(12))
    counted = server.psql(f"SELECT count(*) FROM node_{other.release}.person;")
    assert counted == "138\n"


def test_the_reader_reads_the_views_and_writes_nothing(server: Server, tmp_path: Path) -> None:
    made = new_hospital(tmp_path)
    frozen = freeze(made.site)
    urls = (server.url("loader"), server.url("node_reader"))
    drop(urls[0], [])
    made.oppose(0)
    gone = exclusions(made.site, made.node.keyring, "S").persons
    schema = prepare(*urls, frozen, "S", ["condition_occurrence"], gone, [])
    views = PostgresViews(urls[1], schema, memory_limit="64MB", seconds=1)
    assert views.rows("SELECT count(*) FROM cdm.person") == [(149,)]
    for sql in (
        "SELECT * FROM cdm.measurement", f"SELECT * FROM node_{frozen.release}.person",
        f"SELECT * FROM node_{frozen.release}.excluded_x", "DELETE FROM cdm.person",
        "SELECT 1; SELECT 2", "CREATE TABLE t (i INT)", "SELECT pg_sleep(3)",
        "SELECT * FROM pg_authid", "SELECT pg_read_file('/etc/passwd')",
    ):  # fmt: skip
        with pytest.raises(QuestionError):
            views.rows(sql)
    views.close()
    drop(urls[0], [])
    assert server.psql("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^node_';") == "0\n"


def test_a_reader_with_other_rights_is_refused(server: Server, tmp_path: Path) -> None:
    made = new_hospital(tmp_path)
    frozen = freeze(made.site)
    server.psql("CREATE TABLE public.elsewhere (i INT); CREATE ROLE rich LOGIN;"
        " GRANT SELECT ON public.elsewhere TO rich;")  # fmt: skip
    with pytest.raises(ConfigurationError, match="more than a node's views: schema public"):
        prepare(server.url("loader"), server.url("rich"), frozen, "S", [], [], [])
    with pytest.raises(ConfigurationError, match="without any other right"):
        prepare(server.url("loader"), server.url("postgres"), frozen, "S", [], [], [])
