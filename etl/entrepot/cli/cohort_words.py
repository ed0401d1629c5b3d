"""cohort explain and cohort validate: a definition in words, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from entrepot.cli.output import JsonOption, console, print_json
from entrepot.errors import ConfigurationError

DefinitionPath = Annotated[Path, typer.Argument(help="A cohort's JSON, as ATLAS exports it.")]
DefinitionPaths = Annotated[list[Path], typer.Argument(help="Cohorts' JSON, one or more.")]


def register(group: typer.Typer) -> None:
    """Adds the verbs to `entrepot cohort`."""
    group.command(
        "explain",
        help="Say a definition in plain French or English."
        "\n\nExample: [bold]entrepot cohort explain avc.json --language en[/]",
    )(explain)
    group.command(
        "validate",
        help="Check definitions: exit 2 when one cannot be run."
        "\n\nExample: [bold]entrepot cohort validate avc.json bpco.json[/]",
    )(validate)


def explain(
    definition: DefinitionPath,
    language: Annotated[str, typer.Option("--language", help="fr or en.")] = "fr",
    json_: JsonOption = False,
) -> None:
    """Markdown on the standard output."""
    from entrepot.cohorts import definition_hash, explaining, read_definition

    expression = read_definition(content(definition), str(definition))
    text = explaining.explain(expression, language)
    if json_:
        print_json({"definition": definition_hash(expression), "text": text})
    else:
        typer.echo(text, nl=False)


def validate(definitions: DefinitionPaths, json_: JsonOption = False) -> None:
    """Reads no database."""
    checked = [_checked(path) for path in definitions]
    if json_:
        for one in checked:
            print_json(one)
    else:
        for one in checked:
            _tell(one)
    if not all(one["valid"] for one in checked):
        raise typer.Exit(2)


def content(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the definition cannot be read ({error.strerror})", where=str(path)
        ) from None


def _checked(path: Path) -> dict[str, Any]:
    from entrepot.cohorts import definition_hash, read_definition
    from entrepot.cohorts.validating import validate as doubts_of

    try:
        expression = read_definition(content(path), str(path))
    except ConfigurationError as error:
        return {"file": str(path), "valid": False, "errors": [str(error)], "warnings": []}
    doubts = doubts_of(expression)
    errors = [one.what for one in doubts if one.fatal]
    return {
        "file": str(path),
        "valid": not errors,
        "definition": definition_hash(expression),
        "errors": errors,
        "warnings": [one.what for one in doubts if not one.fatal],
    }


def _tell(one: dict[str, Any]) -> None:
    said = "valid" if one["valid"] else "cannot be run"
    console.print(escape(f"{one['file']}: {said}"), highlight=False)
    for kind in ("errors", "warnings"):
        for what in one[kind]:
            console.print(escape(f"  {kind.removesuffix('s')}: {what}"), highlight=False)
