"""The published notes as a review sees them: their traits, their tags, and their texts by id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.text.document import TAG

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LENGTHS = ((500, "short"), (2000, "medium"))  # characters; longer ones are long
BIRTH_YEAR = "DATE_NAISSANCE"  # a birth date is published as its year in brackets
_PAGE = 500

_NOTES = """
SELECT n.note_id, coalesce(f.format, ''), coalesce(n.note_source_value, ''), n.note_text
FROM note n
LEFT JOIN (
  SELECT l.cdm_id, min(d.format) AS format
  FROM warehouse.etl.lineage l JOIN staged d ON d.row_key = l.row_key
  WHERE l.cdm_table = 'note' GROUP BY l.cdm_id
) f ON f.cdm_id = n.note_id
WHERE length(n.note_text) > 0
"""


@dataclass(frozen=True, slots=True)
class Published:
    """One published note.

    Args:
        detected: tags by label.
        length: short, medium or long.
    """

    note_id: int
    format: str
    type: str
    length: str
    detected: dict[str, int]


@contextmanager
def release(site: Site) -> Iterator[DuckDBPyConnection]:
    """The published warehouse.

    Raises:
        ConfigurationError: nothing is published yet.
    """
    from entrepot.publish.warehouse import open_warehouse

    connection = open_warehouse(
        site.warehouse, memory_limit=site.config.memory_limit, spill=site.work / "spill"
    )
    try:
        yield connection
    finally:
        connection.close()


def published(site: Site, connection: DuckDBPyConnection) -> Iterator[Published]:
    """Every note with a text, page by page; its format is that of the staged document."""
    import pyarrow as pa

    files = [str(path) for path in sorted(site.staging.glob("*/document/*.parquet"))]
    if files:
        staged = connection.read_parquet(files, union_by_name=True)
        connection.register("staged", staged.project("row_key, format"))
    else:
        connection.register("staged", pa.table({"row_key": [""], "format": [""]}))
    connection.execute(_NOTES)
    while rows := connection.fetchmany(_PAGE):
        for note_id, format_, type_, text in rows:
            length = next((name for most, name in LENGTHS if len(text) < most), "long")
            yield Published(note_id, format_, type_, length, dict(tags(text)))


def texts(connection: DuckDBPyConnection, note_ids: Sequence[int]) -> dict[int, str]:
    """The texts of these notes that the release holds."""
    rows = connection.execute(
        "SELECT note_id, note_text FROM note WHERE note_id IN (SELECT unnest(?::BIGINT[]))",
        [list(note_ids)],
    ).fetchall()
    return {int(note_id): str(text) for note_id, text in rows}


def tags(text: str) -> Counter[str]:
    """How many tags of each label a text holds."""
    return Counter(match["label"] or BIRTH_YEAR for match in TAG.finditer(text))
