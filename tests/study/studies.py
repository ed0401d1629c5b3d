"""Definitions of studies for tests, signed by who approves them, and their spaces, read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import yaml

from entrepot.config import CONFIG_NAME, Site
from entrepot.people import create_key, sign
from entrepot.publish.warehouse import open_warehouse
from entrepot.study.definition import read_definition

APPROVER = "c.moreau"
TABLES = [
    "person", "visit_occurrence", "condition_occurrence", "measurement", "death",
    "fact_relationship", "care_site", "provider",
]  # fmt: skip


def with_approver(site: Site, key: Path) -> Site:
    """The site with a data protection officer, whose key is made at `key`."""
    path = site.root / CONFIG_NAME
    people = f"people:\n  {APPROVER}: {{profiles: [dpo], public_key: {create_key(key)}}}\n"
    path.write_text(f"{path.read_text()}\n{people}")
    return Site.open(site.root)


def define(folder: Path, study: str, key: Path | None = None, **changes: Any) -> Path:
    """Writes a definition of every person; `key` signs it."""
    content: dict[str, Any] = {
        "id": study, "title": f"Étude {study}", "legal_basis": "MR-004",
        "purpose": "Décrire", "expires": "2030-12-31",
        "cohort": {"sql": "SELECT person_id FROM cdm.person"}, "tables": TABLES,
        "approval": {"approved_by": APPROVER}, **changes,
    }  # fmt: skip
    path = folder / f"{study}.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True))
    if key is not None:
        content["approval"]["signature"] = sign(key, read_definition(path).payload)
        path.write_text(yaml.safe_dump(content, allow_unicode=True))
    return path


def rows(file: Path, sql: str) -> list[tuple[Any, ...]]:
    """A query on a space or a release."""
    connection: duckdb.DuckDBPyConnection = open_warehouse(file)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
