"""The three SQL dialects a cohort is compiled to."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """Named as sqlglot names them."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    SPARK = "spark"
