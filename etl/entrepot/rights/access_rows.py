"""The research zone's part of an access report: the person's rows, and the open spaces."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from entrepot.config import Site
from entrepot.keys import Keyring
from entrepot.rights.access_facts import AccessWords

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CONCEPT = "_concept_id"
_LABELS = """
SELECT c.concept_id, coalesce(min(s.concept_synonym_name), min(c.concept_name))
FROM cdm.concept c
LEFT JOIN cdm.concept_synonym s
  ON s.concept_id = c.concept_id AND list_contains(?, s.language_concept_id)
WHERE c.concept_id <> 0 AND list_contains(?, c.concept_id)
GROUP BY c.concept_id
"""


def warehouse_rows(site: Site, ids: Collection[int], words: AccessWords) -> list[dict[str, Any]]:
    """Every row of the release with one of these person ids, by table; concepts by their names.

    Each table: `name`, `label`, `columns` (heading of what somebody can read) and `rows` (whole).
    """
    from entrepot.publish.warehouse import open_warehouse

    if not site.warehouse.is_file():
        return []
    connection = open_warehouse(site.warehouse)
    try:
        found = [_table(connection, name, sorted(ids)) for name in words.tables]
        rows = [row for _, table in found for row in table]
        labels = _labels(connection, rows, words.language_concept_ids)
    finally:
        connection.close()
    return [
        {"name": name, "label": words.tables[name]["fr"], "english": words.tables[name]["en"],
         "columns": _columns(table, words), "rows": [_named(row, labels) for row in table]}
        for name, table in found
        if table
    ]  # fmt: skip


def recipients(site: Site, keyring: Keyring, ids: Collection[int]) -> list[dict[str, Any]]:
    """Open study spaces, and whether the person is in them; None for a space on a server."""
    from entrepot.publish.warehouse import open_warehouse
    from entrepot.study import study_person_id
    from entrepot.study.space import open_spaces

    found = []
    for space, known in open_spaces(site):
        present: bool | None = None
        if space.file.is_file():
            own = [study_person_id(keyring, space.study_id, one) for one in ids]
            connection = open_warehouse(space.file)
            try:
                sql = "SELECT count(*) FROM person WHERE list_contains(?, person_id)"
                present = bool((connection.execute(sql, [own]).fetchone() or (0,))[0])
            finally:
                connection.close()
        about = {"study": space.study_id, "title": str(known["title"]), "present": present}
        found.append({**about, "expires": str(known["expires"])})
    return found


def _table(
    connection: DuckDBPyConnection, name: str, ids: list[int]
) -> tuple[str, list[dict[str, Any]]]:
    where = "list_contains(?, person_id)"
    if name == "note_nlp":
        where = f"note_id IN (SELECT note_id FROM cdm.note WHERE {where})"
    cursor = connection.execute(f"SELECT * FROM cdm.{name} WHERE {where} ORDER BY ALL", [ids])
    columns = [str(column[0]) for column in cursor.description or ()]
    return name, [dict(zip(columns, map(_plain, row), strict=True)) for row in cursor.fetchall()]


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value.normalize()) if value % 1 else str(int(value))
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat(" ") if isinstance(value, dt.datetime) else value.isoformat()
    return value


def _labels(
    connection: DuckDBPyConnection, rows: Iterable[dict[str, Any]], languages: list[int]
) -> dict[int, str]:
    ids = {value for row in rows for name, value in row.items() if value and _is_concept(name)}
    return dict(connection.execute(_LABELS, [languages, sorted(ids)]).fetchall())


def _is_concept(name: str) -> bool:
    return name.endswith(_CONCEPT)


def _named(row: dict[str, Any], labels: dict[int, str]) -> dict[str, Any]:
    """The row with a name beside each concept, where there is one."""
    names = {
        name.removesuffix("_id") + "_name": labels[value]
        for name, value in row.items()
        if _is_concept(name) and value in labels
    }
    return {**row, **names}


def _columns(rows: list[dict[str, Any]], words: AccessWords) -> dict[str, str]:
    """Column -> heading, of what a person reads: no ids, no column that is empty throughout."""
    filled = [name for name in rows[0] if any(row[name] not in (None, "", 0) for row in rows)]
    shown = [
        name.removesuffix("_id") + "_name" if _is_concept(name) else name
        for name in filled
        if _is_concept(name) or not name.endswith("_id")
    ]
    return {name: heading for name in shown if (heading := words.heading(name))}
