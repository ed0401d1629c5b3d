"""Identifiers of one patient hidden in files of a research zone, each in another way.

Geneviève Thévenot, born Kerléo, is married to Pierre; Mme Rose Petit has names that are words.
"""

from __future__ import annotations

import base64
import bz2
import json
import lzma
import quopri
import sqlite3
import struct
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import scan_zone

INS, IPP, PHONE, MAIL = "279035121518989", "80012345", "0261910042", "g.thevenot@example.org"
IDENTIFIERS = [
    ("P1", "NOM", "Thévenot"), ("P1", "PRENOM", "Geneviève"), ("P1", "NOM", "Kerléo"),
    ("P1", "INS", INS), ("P1", "IPP", IPP), ("P1", "TEL", PHONE), ("P1", "MAIL", MAIL),
    ("P1", "DATE_NAISSANCE", "28/03/1979"), ("P1", "ADRESSE", "98 quai Saint-Laurent"),
    ("P1", "VILLE", "Pithiviers"), ("P2", "NOM", "Petit"), ("P2", "PRENOM", "Rose"),
    ("P2", "DATE_NAISSANCE", "01/05/1950"),
]  # fmt: skip
LETTER = "Vu ce jour Mme Petit, teint rose, petit nodule. Traitement par aspirine."


def write_truth(folder: Path) -> Path:
    """The truth of both, with one letter in which names are words too."""
    said = {"id": "S1", "patient": "P2", "keep": ["petit nodule", "teint rose"]}
    scan_zone.write_truth(folder, IDENTIFIERS, [said])
    at = LETTER.index("Petit")
    place = {"start": at, "end": at + 5, "label": "NOM", "of": "patient"}
    line = {"statement": "L1", "kind": "letter", "patient": "P2", "text": LETTER,
            "identifiers": [place], "facts": []}  # fmt: skip
    (folder / "texts.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    return folder


class Plant(NamedTuple):
    """A leak: how it is told, its label, whether the first scan finds it too, and who writes it."""

    way: str
    label: str
    first: bool
    write: Callable[[Path], Any]


def note(text: str) -> Callable[[Path], None]:
    """A note of a DuckDB warehouse."""

    def write(zone: Path) -> None:
        with duckdb.connect(str(zone / "warehouse.duckdb")) as connection:
            connection.execute("CREATE SCHEMA cdm; CREATE TABLE cdm.note (note_text VARCHAR)")
            connection.execute("INSERT INTO cdm.note VALUES (?), (?)", [scan_zone.FILLER, text])

    return write


def file(name: str, content: str | bytes) -> Callable[[Path], None]:
    """A file as it is."""
    raw = content if isinstance(content, bytes) else content.encode()
    return lambda zone: (zone / name).write_bytes(raw) and None


def log(text: str) -> Callable[[Path], None]:
    """A line of a log."""
    return file("run.log", f"12:00:01 INFO door: {text}\n")


def parquet(**columns: list[object]) -> Callable[[Path], None]:
    """A staging file."""
    return lambda zone: pq.write_table(pa.table(columns), zone / "0001.parquet")


def page_index(zone: Path) -> None:
    """The value is gone from pages and footer; only the column index still tells it."""
    path, name = zone / "0001.parquet", b"Thevenot"
    table = pa.table({"text": [name.decode()]})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_index=True)
    content = path.read_bytes()
    (length,) = struct.unpack("<I", content[-8:-4])
    footer = len(content) - 8 - length
    places = [at for at in range(len(content)) if content.startswith(name, at)]
    for place in places:
        if place < 40 or place > footer:  # the page, and the statistics of the footer
            content = content[:place] + b"Ecureuil" + content[place + 8 :]
    path.write_bytes(content)


def deleted_row(zone: Path) -> None:
    """Rows of a table that was emptied lie in free pages."""
    connection = sqlite3.connect(zone / "airflow.db")
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE xcom (value TEXT)")
    rows = [(f"ligne {n} " + "x" * 300,) for n in range(200)]
    connection.executemany("INSERT INTO xcom VALUES (?)", [*rows, ("vue Thévenot ce jour",)])
    connection.commit()
    connection.execute("DELETE FROM xcom")
    connection.commit()
    connection.close()


def write_ahead_log(zone: Path) -> None:
    """A row that was written and deleted before the log was merged; the log was left behind."""
    writer = sqlite3.connect(zone / "x.db")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute("CREATE TABLE log (line TEXT)")
    writer.execute("INSERT INTO log VALUES ('vue Thévenot ce jour')")
    writer.commit()
    content = (zone / "x.db-wal").read_bytes()
    writer.execute("DELETE FROM log")
    writer.commit()
    writer.close()
    (zone / "x.db-wal").unlink(missing_ok=True)
    (zone / "x.db").unlink()
    (zone / "airflow.db-wal").write_bytes(content)


def deleted_from_duckdb(zone: Path) -> None:
    scan_zone.duckdb_deleted(zone, "Thévenot")


def replaced_in_duckdb(zone: Path) -> None:
    """Compressed texts that were replaced: their blocks are free, and no bytes tell the name."""
    path = zone / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE note (note_id INT, note_text VARCHAR)")
        connection.execute(
            "INSERT INTO note SELECT i, 'compte rendu du service ' || md5(i::VARCHAR) || CASE"
            " WHEN i = 700 THEN ', vu Mme Thévenot' ELSE ', suite' END FROM range(9000) t(i)"
        )
        connection.execute("CHECKPOINT")
        assert "Thévenot".encode() not in path.read_bytes()
        connection.execute("UPDATE note SET note_text = 'vu'")
        connection.execute("CHECKPOINT")


def listed_in_duckdb(zone: Path) -> None:
    """Lists of texts and of decimal numbers: each element is a value of its own."""
    with duckdb.connect(str(zone / "warehouse.duckdb")) as connection:
        connection.execute("CREATE TABLE profile (texts VARCHAR[], deciles DECIMAL(38,10)[])")
        connection.execute("INSERT INTO profile VALUES (['x'], [1.5, 2]), (NULL, [?])", [int(IPP)])


def archive(zone: Path) -> None:
    with tarfile.open(zone / "logs.tar", "w") as tar:
        info = tarfile.TarInfo("0001.log.xz")
        content = lzma.compress(b"12:00 Mme THEVENOT, 12:01 Mme THEVENOT, 12:02 Mme THEVENOT\n" * 9)
        info.size = len(content)
        tar.addfile(info, BytesIO(content))


def folder_name(zone: Path) -> None:
    (zone / "THEVENOT_Genevieve").mkdir()


def base64_of(text: str, shift: int = 0, width: int = 0) -> str:
    """Base64 of a text at an alignment, in lines when a width is given."""
    coded = base64.b64encode(b"OK;"[:shift] + text.encode()).decode()
    step = width or len(coded)
    return "\n".join(coded[at : at + step] for at in range(0, len(coded), step))


SENTENCE = "vue ce jour Mme Geneviève Thévenot en salle 2"
PLANTS = {
    "a name in a note": Plant("written", "NOM", True, note("Vu Mme Thévenot ce jour")),
    "a name by its sound": Plant("sounds alike", "NOM", False, note("Vu Mme TEVENAUD ce jour")),
    "a sound beside a mask": Plant("sounds alike", "NOM", False, note("[PRENOM_1] Thévenneau")),
    "split at a line end": Plant("split", "NOM", False, note("Vu Mme THÉVE-\n  NOT ce jour")),
    "spaced letters": Plant("split", "NOM", False, note("PATIENT : T H É V E N O T")),
    "split by points": Plant("split", "NOM", False, note("Thé.venot")),
    "split by markup": Plant("markup", "NOM", False, file("d.html", "<p>Thé<!-- x -->venot</p>")),
    "accents lost": Plant("lost accents", "NOM", False, log("patient Th?venot")),
    "accents replaced": Plant("lost accents", "NOM", False, log("patient Th\ufffd\ufffdvenot")),
    "accents apart": Plant("written", "NOM", True, log("patient The\u0301venot")),
    "accents damaged": Plant("damaged accents", "NOM", False, log("patient ThÃ©venot")),
    "damaged twice": Plant("damaged accents", "NOM", False, log("patient ThÃƒÂ©venot")),
    "reversed order": Plant("written", "NOM_COMPLET", True, note("PETIT Rose")),
    "a word after a title": Plant("named", "NOM", False, note("Vu Mme Petit ce jour")),
    "a word as it stood": Plant("named", "NOM", False, note("adressé par Petit, teint pâle")),
    "a birth on a first": Plant("birth", "DATE_NAISSANCE", False, note("née le 1er mai 1950")),
    "Base64 in a log": Plant("Base64", "NOM", True, log(base64_of(SENTENCE))),
    "Base64 out of step": Plant("Base64", "NOM", False, log("x" + base64_of(SENTENCE, 1))),
    "Base64 in lines": Plant("Base64", "NOM", False, log("\n" + base64_of(SENTENCE, 0, 20))),
    "Base64 in bytes": Plant("Base64", "INS", False, file("core", bytes(99) + b"\x01" +
                             base64_of(INS, 2)[:23].encode() + bytes(9))),
    "hexadecimal": Plant("hexadecimal", "NOM", False, log(SENTENCE.encode().hex())),
    "pairs of figures": Plant("hexadecimal", "NOM", False, log(b"Mme THEVENOT".hex(":"))),
    "an address of a page": Plant("percent", "NOM", True, log("/find?q=" + quote("Thévenot"))),
    "quoted-printable": Plant("quoted-printable", "NOM", False,
                              log(quopri.encodestring("Vu Thévenot".encode()).decode())),
    "JSON escapes": Plant("escapes", "NOM", True, file("v.json", json.dumps(["Thévenot"]))),
    "HTML entities": Plant("markup", "NOM", True, file("r.html", "<p>Th&eacute;venot</p>")),
    "entities in Base64": Plant("Base64, markup", "NOM", False,
                                log(base64_of("<p>vue Th&eacute;venot hier</p>"))),
    "UTF-16": Plant("written", "NOM", True, file("e.log", "vue Thévenot".encode("utf-16"))),
    "backwards": Plant("reversed", "NOM", False, file("core", bytes(9) + b"tonevehT" + bytes(9))),
    "a number over lines": Plant("separated", "INS", False, log("2790351\n215189,89")),
    "a phone in pairs": Plant("separated", "TEL", True, log("+33 (0)2.61.91.00.42")),
    "a number in binary": Plant("binary integer", "INS", False,
                                file("core", bytes(5) + struct.pack("<q", int(INS)))),
    "a date in English": Plant("written", "DATE_NAISSANCE", False, log("born Mar 28, 1979")),
    "a day of its year": Plant("written", "DATE_NAISSANCE", False, log("1979-087")),
    "an address": Plant("written", "ADRESSE", True, log("98, quai Saint Laurent")),
    "a mail": Plant("written", "MAIL", True, log(f"<{MAIL.upper()}>")),
    "Parquet cells": Plant("written", "NOM", True, parquet(text=[scan_zone.FILLER, SENTENCE])),
    "Parquet numbers": Plant("written", "IPP", True, parquet(number=[1, int(IPP)])),
    "Parquet statistics": Plant("written", "NOM", True,
                                lambda zone: scan_zone.parquet_statistics(zone, "Thevenot")),
    "Parquet page index": Plant("written", "NOM", True, page_index),
    "Parquet metadata": Plant("written", "NOM", True,
                              lambda zone: scan_zone.parquet_metadata(zone, "Thévenot")),
    "a deleted row": Plant("written", "NOM", True, deleted_row),
    "a log of writes": Plant("written", "NOM", True, write_ahead_log),
    "a DuckDB list": Plant("written", "IPP", True, listed_in_duckdb),
    "a deleted DuckDB row": Plant("glued", "NOM", True, deleted_from_duckdb),
    "a DuckDB text before": Plant("written", "NOM", False, replaced_in_duckdb),
    "bzip2": Plant("written", "NOM", False,
                   file("log.bz2", bz2.compress(f"{scan_zone.FILLER} {SENTENCE}".encode()))),
    "xz within tar": Plant("written", "NOM", False, archive),
    "a folder's name": Plant("written", "NOM", True, folder_name),
}  # fmt: skip
