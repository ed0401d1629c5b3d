"""The application: global options, exit codes, and the verbs' modules."""

from __future__ import annotations

import sys

import typer
from rich.markup import escape

from entrepot import __version__
from entrepot.cli import (
    accessing,
    audit,
    cohort,
    concepts,
    coordinator,
    data,
    deid,
    demonstration,
    erasing,
    informing,
    keys,
    node,
    oppositions,
    people,
    quality,
    quarantine,
    reidentify,
    report,
    review,
    road,
    study,
)
from entrepot.cli.output import errors
from entrepot.errors import EXIT_BUG, EXIT_USAGE, EntrepotError

app = typer.Typer(
    name="entrepot",
    help="Feeds a hospital's data warehouse with HL7v2, CDA and FHIR: a gated OMOP CDM v5.4.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    add_completion=False,
)
for module in (
    road, data, deid, quarantine, oppositions, informing, erasing, accessing,
    concepts, report, audit,
    people, quality, keys, study, cohort, reidentify, review, node, coordinator, demonstration,
):  # fmt: skip
    module.register(app)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True),
) -> None:
    """Options that stand before the verb."""


def main() -> None:
    """Runs the command; an error of the user's is one message and its exit code, no traceback."""
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except EntrepotError as error:
        errors.print(
            f"[bold red]error:[/] {escape(error.args[0])}", highlight=False, soft_wrap=True
        )
        sys.exit(error.exit_code)
    except (typer.Exit, SystemExit) as leaving:
        sys.exit(getattr(leaving, "exit_code", getattr(leaving, "code", 0)))
    except Exception as error:
        _end(error)


def _end(error: Exception) -> None:
    """Usage errors say how to call; anything else is a bug, told without values of the data."""
    show = getattr(error, "show", None)
    if show is not None:
        show()
        sys.exit(EXIT_USAGE)
    if isinstance(error, KeyboardInterrupt):
        sys.exit(130)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    name = f" {error.name}" if isinstance(error, ImportError) else ""
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    told = escape(f"{type(error).__name__}{name} at {where}")
    errors.print(f"[bold red]bug:[/] {told}", highlight=False)
    sys.exit(EXIT_BUG)
