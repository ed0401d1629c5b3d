"""cohort: definitions in OHDSI's language compiled to one SELECT, and run on a database."""

from __future__ import annotations

import csv
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from entrepot.cli import cohort_words
from entrepot.cli.output import JsonOption, console, print_json, print_table
from entrepot.errors import ConfigurationError

if TYPE_CHECKING:
    from entrepot.cohorts import CohortExpression, Outcome

Definition = Annotated[
    Path,
    typer.Option("--definition", help="A cohort's JSON, as ATLAS exports it.", dir_okay=False),
]
Definitions = Annotated[
    list[Path],
    typer.Option("--definition", help="A cohort's JSON; may be given again.", dir_okay=False),
]
Schema = Annotated[str, typer.Option("--schema", help="The schema of the CDM tables.")]
Vocabulary = Annotated[
    str, typer.Option("--vocabulary-schema", help="Of the vocabulary. Default: as --schema.")
]


class Target(StrEnum):
    """The compiler's dialects: its own list would bring sqlglot into every `--help`."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    SPARK = "spark"


COLUMNS = ("subject_id", "cohort_start_date", "cohort_end_date")


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="Cohorts in OHDSI's language (Circe's JSON), each one read-only SELECT.",
        no_args_is_help=True,
    )
    group.command(
        "sql",
        help="Print a cohort's SELECT."
        "\n\nExample: [bold]entrepot cohort sql --definition avc.json --dialect postgres[/]",
    )(sql)
    group.command(
        "run",
        help="Write a cohort's persons and dates, or as JSON with its attrition."
        "\n\nExample: [bold]entrepot cohort run --definition avc.json"
        " --database release.duckdb --out avc.csv[/]",
    )(run)
    cohort_words.register(group)
    app.add_typer(group, name="cohort")


def sql(
    definition: Definition,
    dialect: Annotated[Target, typer.Option("--dialect", help="Whose SQL.")] = Target.DUCKDB,
    schema: Schema = "cdm",
    vocabulary_schema: Vocabulary = "",
    masks: Annotated[
        bool, typer.Option("--masks", help="Also the inclusion masks (column `part` 1 and 2).")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Reads no database."""
    from entrepot.cohorts import Dialect, compile_cohort, compile_outcome, definition_hash

    expression = _read(definition)
    compiled = compile_outcome if masks else compile_cohort
    text = compiled(expression, Dialect(dialect), schema, vocabulary_schema or None)
    if json_:
        print_json({"definition": definition_hash(expression), "dialect": dialect, "sql": text})
    else:
        typer.echo(text)


def run(
    definition: Definitions,
    database: Annotated[
        str, typer.Option("--database", help="A .duckdb file, or a SQLAlchemy URL.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="A .csv or .json file; of several cohorts, a folder.")
    ],
    schema: Schema = "cdm",
    vocabulary_schema: Vocabulary = "",
    json_: JsonOption = False,
) -> None:
    """The database is opened read-only; nothing is written but `--out`."""
    from entrepot.cohorts.running import open_database, run_cohorts

    names = [path.stem for path in definition]
    if len(set(names)) < len(names):
        raise ConfigurationError("two definitions have the same file name", where="--definition")
    expressions = {path.stem: _read(path) for path in definition}
    opened = open_database(database)
    try:
        found = run_cohorts(opened, expressions, schema, vocabulary_schema or None)
    finally:
        opened.close()
    for path, outcome in _places(out, found).items():
        _write(path, expressions[_name(path, names)], outcome)
    _tell(expressions, found, json_)


def _read(path: Path) -> CohortExpression:
    from entrepot.cohorts import read_definition

    return read_definition(cohort_words.content(path), str(path))


def _places(out: Path, found: dict[str, Outcome]) -> dict[Path, Outcome]:
    """One file for one cohort; a folder with two files each for several."""
    if len(found) == 1 and not out.is_dir():
        return {out: next(iter(found.values()))}
    out.mkdir(parents=True, exist_ok=True)
    return {
        out / f"{name}.{suffix}": outcome
        for name, outcome in found.items()
        for suffix in ("csv", "json")
    }


def _name(path: Path, names: list[str]) -> str:
    return path.stem if path.stem in names else names[0]


def _write(path: Path, expression: CohortExpression, outcome: Outcome) -> None:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *outcome.rows])
        return
    from entrepot.cohorts.outcome import as_json

    path.write_text(json.dumps(as_json(expression, outcome), ensure_ascii=False), encoding="utf-8")


def _tell(expressions: dict[str, CohortExpression], found: dict[str, Outcome], json_: bool) -> None:
    from entrepot.cohorts import attrition

    if json_:
        counts = {
            name: {"rows": len(one.rows), "persons": one.count_persons}
            for name, one in found.items()
        }
        print_json(counts)
        return
    for name, outcome in found.items():
        console.print(
            escape(f"{name}: {outcome.count_persons} persons, {len(outcome.rows)} periods"),
            highlight=False,
        )
        steps = attrition(expressions[name], outcome.persons)
        rows = [[one.name, one.satisfying, one.remaining, one.gain] for one in steps]
        if rows:
            print_table(
                "Attrition (persons)", ["rule", "satisfying", "remaining", "only this excludes"],
                rows,
            )  # fmt: skip
