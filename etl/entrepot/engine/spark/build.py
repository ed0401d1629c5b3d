"""The derivation on Spark: the same files in the same order, then the candidate is filled."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlglot import exp

from entrepot.engine.spark.dialect import Name, tables
from entrepot.engine.spark.relational import Relational
from entrepot.engine.spark.tables import WORK, Stored, Tables
from entrepot.engine.sql import sql_file, statements
from entrepot.engine.sql_lint import require
from entrepot.omop.candidate import AFTER_CONCEPTS, BEFORE_CONCEPTS, DERIVED, MapInputs
from entrepot.publish.warehouse import literal
from entrepot.vocabulary.resolve import VIEWS, create_resolution, resolution_inputs

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyspark.sql import SparkSession

RELEASED = ("cdm", "etl")
RESOLUTION: Name = ("etl", "concept_resolution")


def build(
    session: SparkSession, connection: DuckDBPyConnection, inputs: MapInputs, folder: Path
) -> None:
    """Fills a prepared candidate; equal, cell by cell, to `omop.candidate.build`.

    Args:
        folder: where Spark writes its tables; the caller removes it.

    Raises:
        ConfigurationError: a mapping's SQL is refused.
        EntrepotError: Spark failed.
    """
    require(inputs.overlays)
    known = Tables(session, connection, folder, inputs.staging)
    with Relational(session, known, inputs.overlays) as steps:
        for step in BEFORE_CONCEPTS:
            steps.run(step)
        _resolve(connection, inputs, known, steps)
        for step in AFTER_CONCEPTS:
            steps.run(step)
    _fill(connection, known, _read_again(known, inputs.overlays))


def _resolve(
    connection: DuckDBPyConnection, inputs: MapInputs, known: Tables, steps: Relational
) -> None:
    """As `vocabulary.resolve.resolve`, but for who executes the statement."""
    steps.settle()  # the candidate's connection serves one at a time
    create_resolution(connection, ".".join(RESOLUTION))
    for view in VIEWS:
        known.alias(("", view), ("cdm", view))
    path = sql_file(RESOLUTION[1], inputs.overlays)
    [query] = statements(path)
    with resolution_inputs(connection, inputs.as_of.date(), inputs.overlays):
        steps.insert(RESOLUTION, query, str(path))


def _read_again(known: Tables, overlays: Iterable[Path]) -> set[Name]:
    """The working tables that the gate reads when it makes the derived tables anew."""
    trees = [tree for step in DERIVED for tree in statements(sql_file(step, overlays))]
    made = {(WORK, tree.this.name) for tree in trees if isinstance(tree, exp.Create)}
    return {known.full(name) for tree in trees for name in tables(tree)} - made


def _fill(connection: DuckDBPyConnection, known: Tables, needed: set[Name]) -> None:
    for name, stored in known.written().items():
        full = ".".join(name)
        source = _source(stored)
        if name[0] in RELEASED:
            connection.execute(f"DELETE FROM {full}")
            connection.execute(f"INSERT INTO {full} BY NAME SELECT * FROM {source}")
        elif name in needed:
            connection.execute(f"CREATE TABLE {full} AS SELECT * FROM {source}")


def _source(stored: Stored) -> str:
    files = [file for part in stored.parts for file in sorted(part.glob("*.parquet"))]
    return f"read_parquet([{', '.join(literal(file) for file in files)}])"
