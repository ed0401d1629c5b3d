"""init, ingest, run, status, verify: the road."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import (
    HERE,
    JsonOption,
    SiteOption,
    console,
    print_json,
    print_table,
    stages,
)

_EXAMPLE = "\n\nExample: [bold]entrepot {}[/]"


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    app.command(
        help="Make a site: its folders, its root key and a commented site.yaml."
        + _EXAMPLE.format("init chu-demo")
    )(init)
    app.command(
        help="Land files, folders, gz or zip of one source, encrypted."
        + _EXAMPLE.format("ingest feeds/adt --source adt")
    )(ingest)
    app.command(
        help="Take everything pending down the road: register, door, map, gate, publish."
        + _EXAMPLE.format("run --site chu-demo")
    )(run)
    app.command(
        help="What became of every record, and the rows of the published release."
        + _EXAMPLE.format("status --json")
    )(status)
    app.command(help="Print the canonical SHA-256 of each published table and check them."
                + _EXAMPLE.format("verify"))(verify)  # fmt: skip


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new site.")],
    json_: JsonOption = False,
) -> None:
    """Never overwrites."""
    from entrepot.site_files import create_site

    site = create_site(folder)
    if json_:
        print_json({"site": str(site.root)})
    else:
        console.print(
            f"Site made in {escape(str(site.root))}. Next: edit site.yaml, then entrepot ingest."
        )


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, gz, zip.")],
    source: Annotated[str, typer.Option("--source", help="Name of the source in site.yaml.")],
    format_: Annotated[
        str | None, typer.Option("--format", help="hl7v2, cda, fhir or table; else sniffed.")
    ] = None,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> int:
    """Counts duplicates; a file that cannot be read is one record in quarantine."""
    from entrepot.config import Site
    from entrepot.errors import EXIT_CLEAN, EXIT_QUARANTINED
    from entrepot.keys import site_keyring
    from entrepot.landing.ingest import ingest as land

    opened = Site.open(site)
    with stages(json_) as tell:
        report = land(
            opened, site_keyring(opened), paths, source,
            format_,
            progress=lambda done, total: tell("landing", done, total),
        )  # fmt: skip
    if json_:
        print_json(
            {
                "received": report.received,
                "duplicates": report.duplicates,
                "faulty": report.faulty,
                "containers": report.containers,
            }
        )
    else:
        console.print(
            f"{report.received} records from {report.containers} files:"
            f" {report.duplicates} duplicates, {report.faulty} with a fault. Next: entrepot run."
        )
    return EXIT_QUARANTINED if report.faulty else EXIT_CLEAN


def run(
    engine: Annotated[
        str, typer.Option("--engine", help="embedded or spark; the same release.")
    ] = "embedded",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> int:
    """Exit 0 clean, 3 blocked by the gate, 4 published with something quarantined."""
    from entrepot.config import Site
    from entrepot.run import run as travel

    with stages(json_) as tell:
        result = travel(Site.open(site), tell, engine)
    if json_:
        print_json(
            {
                "passed": result.passed, "release": result.release_id, "as_of": result.as_of,
                "failures": list(result.failures), "quarantined": result.quarantined,
                "report": str(result.report),
            }
        )  # fmt: skip
        return result.exit_code
    if result.passed:
        console.print(f"Published release {result.release_id or '(nothing yet)'}.")
    else:
        console.print("[bold red]Blocked by the gate[/]; the published release is untouched:")
        for failure in result.failures:
            console.print(f"  {escape(failure)}")
    if result.quarantined:
        console.print(f"{result.quarantined} in quarantine: entrepot quarantine list")
    console.print(f"Report: {escape(str(result.report))}", soft_wrap=True)
    return result.exit_code


def status(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """The record equation by source, the rows by table, the release."""
    from entrepot.config import Site
    from entrepot.report.status import read_status

    found = read_status(Site.open(site))
    if json_:
        print_json(found)
        return
    columns = ["received", "duplicates", "pending", "published", "quarantined", "excluded"]
    rows = [[name, *(counts[c] for c in columns)] for name, counts in found["sources"].items()]
    print_table("Records", ["source", *columns], rows)
    print_table("Tables", ["table", "rows"], [[n, c] for n, c in found["tables"].items() if c])
    console.print(f"Release: {found['release'] or 'none yet'}")


def verify(
    database: Annotated[
        str,
        typer.Option(
            "--database", help="A PostgreSQL URL or a .duckdb file; else the site's own release."
        ),
    ] = "",
    schema: Annotated[str, typer.Option("--schema", help="Of the CDM in PostgreSQL.")] = "cdm",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> int:
    """Exit 1 when a table differs from what was published."""
    from entrepot.config import Site
    from entrepot.errors import EXIT_BUG, EXIT_CLEAN
    from entrepot.publish.verification import verify_database, verify_file

    if database:
        found = verify_database(database, schema)
    else:
        found = verify_file(Site.open(site).warehouse)
    if json_:
        print_json({"hashes": dict(found.hashes), "changed": found.changed})
    else:
        for name, value in sorted(found.hashes.items()):
            typer.echo(f"{value}  {name}")
        console.print(f"[red]changed since publication: {', '.join(found.changed)}[/]"
                      if found.changed else "As published.")  # fmt: skip
    return EXIT_BUG if found.changed else EXIT_CLEAN
