"""How far persons of a space could be told apart by what is told of them (WP216: linkability)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.publish.warehouse import literal
from entrepot.resources import data_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def linkability(connection: DuckDBPyConnection, site: Site, file: Path) -> dict[str, float]:
    """Shares of persons of a space, 0 to 1, and their number.

    Keys: persons, unique_by_concepts, unique_by_concepts_and_intervals,
    unique_by_sex_and_birth_year, in_groups_under_11 (by sex and year of birth).
    """
    text = data_file("mappings/study/linkability.sql", site.overlays).read_text(encoding="utf-8")
    connection.execute(f"ATTACH {literal(file)} AS space (READ_ONLY)")
    try:
        cursor = connection.execute(text)
        names = [str(column[0]) for column in cursor.description or ()]
        counts = dict(zip(names, cursor.fetchall()[0], strict=True))
    finally:
        connection.execute("DETACH space")
    persons = int(counts.pop("persons"))
    shares = {name: round(n / persons, 4) if persons else 0.0 for name, n in counts.items()}
    return {"persons": persons, **shares}
