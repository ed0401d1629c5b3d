"""A truth made by hand, and the ways in which an identifier can hide in a research zone."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

Plant = Callable[[Path, str], None]  # writes one file that holds the canary into a folder
FILLER = "Globules rouges normaux, contrôle dans un mois."


def write_truth(
    folder: Path,
    identifiers: list[tuple[str, str, str]],
    statements: list[dict[str, Any]] | None = None,
    places: dict[str, list[dict[str, Any]]] | None = None,
) -> Path:
    """`identifiers` are (patient, label, value); `places` are given by value."""
    folder.mkdir(parents=True, exist_ok=True)
    elsewhere = [{"message": "M1", "position": "PID-5.1"}]
    lines = [
        {"patient": patient, "label": label, "value": value, "of": "patient",
         "places": (places or {}).get(value, elsewhere)}
        for patient, label, value in identifiers
    ]  # fmt: skip
    for name, records in (("identifiers", lines), ("statements", statements or [])):
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "persons.jsonl").write_text("", encoding="utf-8")
    return folder


def parquet_cell(zone: Path, canary: str) -> None:
    table = pa.table({"text": [FILLER, f"vue ce jour {canary} en salle 2"]})
    pq.write_table(table, zone / "part-0.parquet", compression="zstd")


def parquet_dictionary(zone: Path, canary: str) -> None:
    column = pa.array([FILLER, canary, canary]).dictionary_encode()
    pq.write_table(pa.table({"text": column}), zone / "part-1.parquet")


def parquet_metadata(zone: Path, canary: str) -> None:
    table = pa.table({"n": [1]}).replace_schema_metadata({"note": f"source {canary}"})
    pq.write_table(table, zone / "part-2.parquet")


def parquet_statistics(zone: Path, canary: str) -> None:
    """The pages hold another value; only the extremes of the column still tell the canary."""
    other = "x" * len(canary.encode())
    path = zone / "part-3.parquet"
    pq.write_table(pa.table({"text": [canary]}), path, compression="none", use_dictionary=False)
    written = path.read_bytes()
    places = [at for at in range(len(written)) if written.startswith(canary.encode(), at)]
    for place in places:
        changed = written[:place] + other.encode() + written[place + len(other) :]
        path.write_bytes(changed)
        if pq.read_table(path).column("text").to_pylist() == [other]:
            return
    raise AssertionError("no place of the file is the cell alone")


def duckdb_cell(zone: Path, canary: str) -> None:
    with duckdb.connect(str(zone / "live.duckdb")) as connection:
        connection.execute("CREATE SCHEMA cdm; CREATE TABLE cdm.note (note_text VARCHAR)")
        connection.execute("INSERT INTO cdm.note VALUES (?)", [f"{FILLER} {canary}"])
        connection.execute(
            "INSERT INTO cdm.note SELECT 'ligne ' || i || ' du compte rendu' FROM range(5000) t(i)"
        )


def duckdb_blob(zone: Path, canary: str) -> None:
    with duckdb.connect(str(zone / "blob.duckdb")) as connection:
        connection.execute("CREATE TABLE raw (content BLOB)")
        connection.execute("INSERT INTO raw VALUES (?)", [b"\xff\x00" + canary.encode()])


def duckdb_deleted(zone: Path, canary: str) -> None:
    path = zone / "deleted.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE note (note_text VARCHAR)")
        connection.execute(
            "INSERT INTO note"
            " SELECT CASE WHEN i = 50 THEN ? ELSE 'mot ' || i END FROM range(99) t(i)",
            [canary],
        )
        connection.execute("CHECKPOINT")
        connection.execute("DELETE FROM note WHERE note_text NOT LIKE 'mot %'")
        connection.execute("CHECKPOINT")
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (98,)


def sqlite_cell(zone: Path, canary: str) -> None:
    with sqlite3.connect(zone / "airflow.db") as connection:
        connection.execute("CREATE TABLE xcom (value BLOB)")
        connection.execute("INSERT INTO xcom VALUES (?)", (f"{FILLER} {canary}".encode(),))
    connection.close()


def sqlite_deleted(zone: Path, canary: str) -> None:
    with sqlite3.connect(zone / "deleted.db") as connection:
        connection.execute("PRAGMA secure_delete = OFF")  # some builds overwrite by default
        connection.execute("CREATE TABLE note (value TEXT)")
        rows = [(f"ligne {n}",) for n in range(99)]
        connection.executemany("INSERT INTO note VALUES (?)", [*rows, (canary,)])
        connection.commit()
        connection.execute("DELETE FROM note WHERE value NOT LIKE 'ligne %'")
        connection.commit()
    connection.close()


def gz(zone: Path, canary: str) -> None:
    with gzip.open(zone / "run.log.gz", "wt", encoding="utf-8") as stream:
        stream.write(f"{FILLER}\n" * 100 + f"INFO {canary}\n")


def parquet_in_zip_in_gz(zone: Path, canary: str) -> None:
    inner = zone / "inner"
    inner.mkdir()
    parquet_cell(inner, canary)
    with zipfile.ZipFile(inner / "docs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(inner / "part-0.parquet", "data/part-0.parquet")
    (zone / "export.gz").write_bytes(gzip.compress((inner / "docs.zip").read_bytes()))
    for path in inner.iterdir():
        path.unlink()
    inner.rmdir()


def html_entities(zone: Path, canary: str) -> None:
    coded = "".join(f"&#{ord(c)};" for c in canary)
    (zone / "report.html").write_text(f"<p title='{coded}'>{FILLER}</p>", encoding="ascii",
                                      errors="xmlcharrefreplace")  # fmt: skip


def html_broken_by_tags(zone: Path, canary: str) -> None:
    middle = len(canary) // 2
    text = f"<p>{canary[:middle]}<mark class='x'>{canary[middle:]}</mark></p>"
    (zone / "diff.html").write_text(text, encoding="utf-8")


def json_escapes(zone: Path, canary: str) -> None:
    record = {"result": [{"unexpected": f"{FILLER}\n{canary}"}]}
    (zone / "validation.json").write_text(json.dumps(record), encoding="ascii")


def csv_line(zone: Path, canary: str) -> None:
    (zone / "rows.csv").write_text(f'id,text\n1,"{canary}"\n', encoding="utf-8")


def log_latin1(zone: Path, canary: str) -> None:
    text = f"12:00 écrit {FILLER}\n12:01 {canary}\n"
    (zone / "run.log").write_text(text, encoding="cp1252")


def log_utf16(zone: Path, canary: str) -> None:
    (zone / "events.log").write_text(f"{FILLER} {canary}", encoding="utf-16")


def bytes_utf16(zone: Path, canary: str) -> None:
    content = bytes(range(256)) + f" {canary} ".encode("utf-16-le") + bytes(64)
    (zone / "memory.dump").write_bytes(content)


def bytes_utf8(zone: Path, canary: str) -> None:
    (zone / "core").write_bytes(bytes(range(256)) * 9 + canary.encode() + bytes(99))


def base64_text(zone: Path, canary: str) -> None:
    import base64

    data = base64.b64encode(f"{FILLER} {canary}".encode()).decode()
    (zone / "message.txt").write_text(f"OBX|1|ED|^TEXT^^Base64^{data}", encoding="ascii")


def file_name(zone: Path, canary: str) -> None:
    (zone / f"lettre {canary}.txt").write_text(FILLER, encoding="utf-8")


def folder_name(zone: Path, canary: str) -> None:
    (zone / canary.replace("/", "-")).mkdir()
    (zone / canary.replace("/", "-") / "part.txt").write_text(FILLER, encoding="utf-8")


PLANTS: tuple[Plant, ...] = (
    parquet_cell, parquet_dictionary, parquet_metadata, parquet_statistics,
    duckdb_cell, duckdb_blob, duckdb_deleted, sqlite_cell, sqlite_deleted,
    gz, parquet_in_zip_in_gz, html_entities, html_broken_by_tags, json_escapes, csv_line,
    log_latin1, log_utf16, bytes_utf16, bytes_utf8, base64_text, file_name, folder_name,
)  # fmt: skip
