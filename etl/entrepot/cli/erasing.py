"""erase, retention purge: persons leave both zones wholly."""

from __future__ import annotations

from typing import Annotated

import typer

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, stages
from entrepot.cli.zone import Authority, By, Day, Ipp, number, optional_day, say

Reason = Annotated[str, typer.Option("--reason", help="Kept in the audit log.")]


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    app.command(
        "erase",
        help="Remove a person from both zones, with a query as proof; what comes back is refused."
        "\n\nExample: [bold]entrepot erase --authority 1.2.250.1.999.1 --ipp 00012345 --by c.moreau"
        ' --reason "demande du 3 mai"[/]',
    )(erase)
    group = typer.Typer(help="The end of retention.", no_args_is_help=True)
    group.command(
        "purge",
        help="Erase persons without activity since the term, and old backups, logs and reports."
        "\n\nExample: [bold]entrepot retention purge --by c.moreau --dry-run[/]",
    )(purge)
    app.add_typer(group, name="retention")


def erase(
    ipp: Ipp, authority: Authority, by: By, reason: Reason,
    lift: Annotated[bool, typer.Option("--lift", help="Let the person's records in again.")]
    = False,
    site: SiteOption = HERE, json_: JsonOption = False,
) -> int:  # fmt: skip
    """Exit 3 when the proof finds a row; repeat it after a crash."""
    from entrepot.config import Site
    from entrepot.errors import EXIT_BLOCKED, EXIT_CLEAN
    from entrepot.rights import erasing

    opened = Site.open(site)
    who = number(opened, authority, ipp)
    if lift:
        done = erasing.lift(opened, who, by, reason)
        told = "Lifted: what is sent again is read." if done else "This number was not erased."
        say(json_, {"lifted": done}, told)
        return EXIT_CLEAN
    with stages(json_) as tell:
        found = erasing.erase(opened, who, by, reason, tell)
    proven = found.proof.clean
    if json_:
        print_json({
            "person": found.person, "records": found.records, "clean": proven,
            "published": found.published, "rows": found.proof.rows,
            "tables": len(found.proof.statements), "sha256": found.proof.fingerprint,
        })  # fmt: skip
    else:
        rows = "0 rows" if proven else f"[bold red]{found.proof.rows} rows left[/]"
        console.print(f"{found.records} records destroyed; {rows} in {len(found.proof.statements)}"
                      f" tables (sha256 {found.proof.fingerprint[:16]}…).")  # fmt: skip
        if not found.published:
            console.print("The gate blocked the new release; the person was cut out of the former.")
    return EXIT_CLEAN if proven else EXIT_BLOCKED


def purge(
    by: By, dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
    on: Day = None, site: SiteOption = HERE, json_: JsonOption = False,
) -> int:  # fmt: skip
    """Evidence (counts alone) is written to identifying/evidence."""
    from entrepot.config import Site
    from entrepot.errors import EXIT_BLOCKED, EXIT_CLEAN
    from entrepot.rights.retention import purge as end

    with stages(json_) as tell:
        found = end(Site.open(site), by, optional_day(on, "--on"), dry_run, tell)
    if json_:
        print_json(found.as_dict())
    else:
        word = "would go" if dry_run else "went"
        console.print(
            f"Before {found.before}: {found.persons} persons, {found.records} records {word};"
            f" {found.backups} backups, {found.logs} logs, {found.reports} access reports {word}."
        )
    return EXIT_CLEAN if found.clean else EXIT_BLOCKED
