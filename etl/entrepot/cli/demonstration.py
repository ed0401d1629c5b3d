"""synthesise, demo: a synthetic hospital, and the whole road on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import JsonOption, console, print_json, print_table, stages

Patients = Annotated[int, typer.Option("--patients", min=1, help="Number of patients.")]
Formats = Annotated[str, typer.Option("--formats", help="Among hl7v2, fhir, cda, by commas.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same hospital.")]


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    app.command(
        help="Write a synthetic French hospital's feeds, with the truth beside them."
        "\n\nExample: [bold]entrepot synthesise --patients 100 --out hospital[/]",
    )(synthesise)
    app.command(help="Run everything on a synthetic hospital: from its feeds to a gated warehouse,"
                " with a scan for leaked identifiers.\n\nExample: [bold]entrepot demo --patients"
                " 100 --out demo-site[/]")(demo)  # fmt: skip


def synthesise(
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    patients: Patients = 100,
    seed: Seed = 1,
    formats: Formats = "hl7v2,fhir,cda",
    json_: JsonOption = False,
) -> None:
    """Deterministic."""
    from dataclasses import asdict

    from entrepot.synthetic import generate

    with stages(json_) as tell:
        summary = generate(
            patients, seed, out, lambda done: tell("patients", done, patients),
            formats=tuple(part.strip() for part in formats.split(",")),
        )  # fmt: skip
    if json_:
        print_json(asdict(summary))
    else:
        console.print(f"Written to {escape(str(out))}: {escape(str(summary))}")


def demo(
    patients: Patients = 100,
    seed: Seed = 1,
    out: Annotated[Path, typer.Option("--out", help="Folder of the demo.")] = Path("demo-site"),
    json_: JsonOption = False,
) -> int:
    """Starts from nothing each time: the folder is the demo's own."""
    from entrepot.demonstration import demonstrate

    with stages(json_) as tell:
        result = demonstrate(out, patients, seed, tell)
    if json_:
        print_json(result.as_dict())
        return result.exit_code
    print_table("Rows per CDM table", ["table", "rows"], [[t, n] for t, n in result.tables.items()])
    for line in result.lines:
        console.print(escape(line), highlight=False, soft_wrap=True)
    return result.exit_code
