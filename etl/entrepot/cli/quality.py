"""quality check, export-dqd: the checks over any OMOP CDM 5.4 database."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from entrepot.cli import waiving
from entrepot.cli.output import JsonOption, console, print_json

if TYPE_CHECKING:
    from entrepot.quality.anywhere.findings import Finding
    from entrepot.quality.database import Database
    from entrepot.quality.results import ResultLine

BLOCKED, COULD_NOT_RUN = 3, 2
Address = Annotated[
    str,
    typer.Option("--database", help="A .duckdb file, a SQLAlchemy URL (PostgreSQL), spark:FOLDER."),
]
Schema = Annotated[str, typer.Option("--schema", help="The schema of the CDM tables.")]
Baseline = Annotated[
    str, typer.Option("--baseline", help="The release before: drift is checked against it.")
]
Overlay = Annotated[
    Path | None, typer.Option("--site", help="A site whose quality/ files come first.")
]
Day = Annotated[str, typer.Option("--as-of", help="State of the database, YYYY-MM-DD.")]


class Language(StrEnum):
    """Of a page."""

    FR = "fr"
    EN = "en"


@dataclass(frozen=True)
class Card:
    """Where results go, and what besides the files is written there."""

    out: Path
    history: Path | None
    language: str
    overlays: tuple[Path, ...]
    data_docs: bool


class Compat(StrEnum):
    """Whose verdicts."""

    STRICT = "strict"
    DQD = "dqd"


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(help="Quality checks over any OMOP CDM 5.4.", no_args_is_help=True)
    group.command(
        "check",
        help="Judge a database: exit 0 passed, 3 blocked, 2 could not run."
        "\n\nExample: [bold]entrepot quality check --database cdm.duckdb"
        " --baseline last.duckdb --out quality/[/]",
    )(check)
    group.command(
        "export-dqd",
        help="Write dq-result.json for Ares and DataQualityDashboard's viewer."
        "\n\nExample: [bold]entrepot quality export-dqd --database cdm.duckdb"
        " --out dq-result.json[/]",
    )(export_dqd)
    waiving.register(group)
    app.add_typer(group, name="quality")


def check(  # noqa: PLR0913, PLR0917 - each is an option
    database: Address,
    schema: Schema = "cdm",
    baseline: Baseline = "",
    baseline_schema: Annotated[
        str, typer.Option("--baseline-schema", help="Default: as --schema.")
    ] = "",
    compat: Annotated[
        Compat, typer.Option("--compat", help="dqd: DataQualityDashboard's own verdicts.")
    ] = Compat.STRICT,
    out: Annotated[Path, typer.Option("--out", help="Folder of the results.")] = Path("quality"),
    opposed: Annotated[
        Path | None,
        typer.Option("--opposed", help="Person ids that must not be there, one a line."),
    ] = None,
    as_of: Day = "",
    history: Annotated[
        Path | None,
        typer.Option("--history", help="Parquet file of earlier checks; this one is added."),
    ] = None,
    data_docs: Annotated[
        bool, typer.Option("--data-docs", help="Great Expectations' own pages, in data_docs/.")
    ] = False,
    lang: Annotated[Language, typer.Option("--lang", help="Of the scorecard.")] = Language.FR,
    site: Overlay = None,
    json_: JsonOption = False,
) -> None:
    """results.csv, quarantine.csv, verdict.json, scorecard.html; the database is only read."""
    overlays = (site,) if site else ()
    card = Card(out, history, lang.value, overlays, data_docs)
    with _opened(database, schema) as source:
        day = _as_of(as_of, source)
        told = {"database": Path(database).name if "://" not in database else "server",
                "schema": schema, "as_of": day.isoformat()}  # fmt: skip
        if compat is Compat.DQD:
            verdict = _dqd(source, told, card)
        elif baseline:
            with _opened(baseline, baseline_schema or schema) as before:
                verdict = _strict(source, before, told, card, _opposed(opposed))
        else:
            verdict = _strict(source, None, told, card, _opposed(opposed))
    _say(verdict, out, json_)
    if not verdict["passed"]:
        raise typer.Exit(BLOCKED)


def _strict(
    source: Database, before: Database | None, told: dict[str, Any], card: Card,
    opposed: tuple[int, ...],
) -> dict[str, Any]:  # fmt: skip
    from entrepot.quality.anywhere.files import write_strict
    from entrepot.quality.anywhere.judging import Judging
    from entrepot.quality.inputs import GateInputs
    from entrepot.report.scorecard.of_database import lines_of_findings

    as_of = dt.datetime.fromisoformat(told["as_of"])
    judging = Judging(source, GateInputs(as_of, opposed), before, card.overlays)
    judgement = judging.judge()
    faults = _faults(judgement.findings, [one.check_id for one in judging.asked], card)
    verdict = write_strict(card.out, judgement, told, faults)
    return _with_card(card, lines_of_findings(judgement.findings), verdict)


def _faults(findings: Sequence[Finding], asked: list[str], card: Card) -> list[str]:
    """Where Great Expectations and the verdict differ: a table of metrics that is not whole."""
    from entrepot.quality.answers import validate_findings
    from entrepot.quality.pages import cut_pages

    pages = card.out / "data_docs"
    shutil.rmtree(pages, ignore_errors=True)
    outcome = validate_findings(findings, asked, pages if card.data_docs else None)
    cut_pages(pages)
    blocking = {one.key or one.check_id for one in findings if one.blocks}
    return sorted(set(outcome.failing) ^ blocking)


def _dqd(source: Database, told: dict[str, Any], card: Card) -> dict[str, Any]:
    from entrepot.quality.anywhere.files import write_dqd
    from entrepot.quality.dqd.run import dqd_results
    from entrepot.report.scorecard.of_database import lines_of_dqd

    results = dqd_results(source, _today(), card.overlays)
    return _with_card(card, lines_of_dqd(results), write_dqd(card.out, results, told))


def _with_card(card: Card, lines: list[ResultLine], verdict: dict[str, Any]) -> dict[str, Any]:
    from entrepot.report.scorecard.of_database import write_scorecard

    write_scorecard(card.out, lines, verdict, card.history, card.language, card.overlays)
    return verdict


def export_dqd(
    database: Address,
    schema: Schema = "cdm",
    out: Annotated[Path, typer.Option("--out", help="The JSON file.")] = Path("dq-result.json"),
    site: Overlay = None,
    json_: JsonOption = False,
) -> None:
    """DQD's 2,374 checks with its own verdicts, in its own file format."""
    from entrepot.quality.dqd.export import dqd_document
    from entrepot.quality.dqd.run import dqd_results

    started = dt.datetime.now().astimezone()
    with _opened(database, schema) as source:
        results = dqd_results(source, _today(), (site,) if site else ())
        document = dqd_document(results, source, started, dt.datetime.now().astimezone())
    out.write_text(json.dumps(document, ensure_ascii=False, default=str), encoding="utf-8")
    if json_:
        print_json({"file": str(out), "checks": len(results)})
    else:
        console.print(f"{len(results)} results: {escape(str(out))}", soft_wrap=True)


@contextmanager
def _opened(address: str, schema: str) -> Iterator[Database]:
    from entrepot.quality.database import open_database

    database: Database
    if address.startswith("spark:"):
        from entrepot.engine.spark.database import open_spark

        database = open_spark(address, schema)
    else:
        database = open_database(address, schema)
    try:
        yield database
    finally:
        database.close()


def _today() -> dt.date:
    return dt.datetime.now().astimezone().date()


def _as_of(text: str, database: Database) -> dt.date:
    """The day given, else the one that CDM_SOURCE states, else today."""
    from entrepot.errors import ConfigurationError
    from entrepot.quality.anywhere.judging import stated_as_of

    if not text:
        return stated_as_of(database) or _today()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("not a date", where="--as-of", remedy="YYYY-MM-DD") from None


def _opposed(path: Path | None) -> tuple[int, ...]:
    from entrepot.errors import ConfigurationError

    if path is None:
        return ()
    try:
        return tuple(int(line) for line in path.read_text().split())
    except (OSError, ValueError):
        raise ConfigurationError(
            "the file of opposed persons cannot be read", where=str(path),
            remedy="one person_id a line",
        ) from None  # fmt: skip


def _say(verdict: dict[str, Any], out: Path, json_: bool) -> None:
    if json_:
        print_json(verdict)
        return
    colour, word = ("green", "passed") if verdict["passed"] else ("red", "blocked")
    console.print(
        f"[bold {colour}]{word}[/]: {verdict['passed_checks']} of {verdict['applicable']}"
        f" applicable checks passed, {verdict['failed']} failed, {verdict['errors']} in error;"
        f" {verdict['quarantined_rows']} rows to quarantine",
        soft_wrap=True,
    )
    for one in verdict["blocking"][:20]:
        console.print(f"  {escape(str(one['check_id'] if isinstance(one, dict) else one))}")
    console.print(f"Results: {escape(str(out))}", soft_wrap=True)
