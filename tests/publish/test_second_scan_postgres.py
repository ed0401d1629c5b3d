"""The second scan of a schema of PostgreSQL: cells, numbers, the planner's statistics, comments."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from entrepot.report.second_scan import second_scan
from postgres_server import Given, Server

pytestmark = pytest.mark.integration

LEAKS = {
    "nothing": ("SELECT 1", set()),
    "a cell": ("INSERT INTO note VALUES (9, 'Vu Mme TEVENAUD ce jour')",
               {("note.note_text", "sounds alike")}),
    "a number": ("INSERT INTO note VALUES (80012345, '')", {("note.note_id", "written")}),
    "statistics": ("INSERT INTO note SELECT i, 'Thévenot' FROM generate_series(1, 50) t(i);"
                   " ANALYZE note; DELETE FROM note", {("statistics", "written")}),
    "a comment": ("COMMENT ON COLUMN note.note_text IS 'de Thévenot'", {("comments", "written")}),
    "a view": ("CREATE VIEW one AS SELECT * FROM note WHERE note_text = 'Thévenot'",
               {("catalogue", "written")}),
}  # fmt: skip


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One patient."""
    folder = tmp_path_factory.mktemp("postgres") / "truth"
    folder.mkdir()
    known = {"patient": "P1", "of": "patient", "places": []}
    lines = [known | {"label": "NOM", "value": "Thévenot"},
             known | {"label": "IPP", "value": "80012345"}]  # fmt: skip
    (folder / "identifiers.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    for name in ("texts", "statements"):
        (folder / f"{name}.jsonl").touch()
    return folder


@pytest.mark.parametrize("name", LEAKS)
def test_what_a_schema_holds_is_found(
    server: Server | Given, truth: Path, tmp_path: Path, name: str
) -> None:
    statements, expected = LEAKS[name]
    schema = f"second_{list(LEAKS).index(name)}"
    (tmp_path / "readme.txt").write_text("rien", encoding="utf-8")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"SET search_path = {schema}")
        connection.execute("CREATE TABLE note (note_id bigint, note_text text)")
        connection.execute("INSERT INTO note VALUES (1, 'Globules rouges normaux')")
        connection.execute(statements)
        report = second_scan(tmp_path, truth, schemas=[(server.url(), schema)])
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    assert {(one.part, one.way) for one in report.findings} == expected
    assert {one.file for one in report.findings} <= {f"postgresql:{schema}"}
