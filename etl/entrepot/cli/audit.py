"""audit head, verify: the audit log's chain, and signed reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json

if TYPE_CHECKING:
    from entrepot.audit import Verification
    from entrepot.report.dpo.endorsing import Endorsement
    from entrepot.report.dpo.signing import Checked

Head = Annotated[str, typer.Option("--head", help="N:MAC, as `audit head` printed it before.")]
Report = Annotated[
    Path | None, typer.Option("--report", help="A signed report (.json) to check too.")
]
SHOWN = 20
_TOLD = {
    "changed": "was changed",
    "dropped": "is missing",
    "reordered": "stands after a later one",
    "repeated": "stands twice",
    "cut": "was cut off the end",
    "replaced": "is not the entry that was noted, or the next one does not follow it",
    "head_missing": "the database notes no head of this log",
}


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(help="The log of who did what with identifying data.", no_args_is_help=True)
    group.command(
        "head",
        help="The log's last entry as N:MAC: keep it where nobody of this machine can change it."
        "\n\nExample: [bold]entrepot audit head >> /mnt/dpo/heads.txt[/]",
    )(head)
    group.command(
        "verify",
        help="Find entries that were changed, dropped, reordered or cut off."
        "\n\nExample: [bold]entrepot audit verify --head 41:9f… --report dpo.json[/]",
    )(verify)
    app.add_typer(group, name="audit")


def head(site: SiteOption = HERE, json_: JsonOption = False) -> int:
    """Exit 1 when the chain is broken: a head of a broken log is worth nothing."""
    from entrepot.audit import verify as verify_log
    from entrepot.config import Site
    from entrepot.errors import EXIT_BUG, EXIT_CLEAN
    from entrepot.keys import site_keyring

    opened = Site.open(site)
    found = verify_log(opened, site_keyring(opened))
    if not found.intact:
        _print(found, None, json_)
        return EXIT_BUG
    if json_:
        print_json({"sequence": found.head.sequence, "mac": found.head.mac})
    else:
        typer.echo(str(found.head))
    return EXIT_CLEAN


def verify(
    head: Head = "", report: Report = None, site: SiteOption = HERE, json_: JsonOption = False
) -> int:
    """Exit 0 when all is as it was written, 1 when it is not."""
    from entrepot.audit import Head as LogHead
    from entrepot.audit import verify as verify_log
    from entrepot.config import Site
    from entrepot.errors import EXIT_BUG, EXIT_CLEAN
    from entrepot.keys import site_keyring
    from entrepot.report.dpo.endorsing import endorsements
    from entrepot.report.dpo.signing import check

    opened = Site.open(site)
    keyring = site_keyring(opened)
    checked = check(report, keyring) if report is not None else None
    kept = [LogHead.parse(head)] if head else []
    if checked is not None and checked.holds and checked.head:
        kept.append(LogHead.parse(checked.head))  # a report keeps the head of its day
    found = verify_log(opened, keyring, *kept)
    officers: list[Endorsement] = []
    if report is not None and checked is not None:
        officers = endorsements(opened, report, checked.sha256)
    _print(found, checked, json_, officers)
    signed = checked is None or (checked.holds and all(one.holds for one in officers))
    good = found.intact and signed
    return EXIT_CLEAN if good else EXIT_BUG


def _print(
    found: Verification, checked: Checked | None, json_: bool, officers: Sequence[Endorsement] = ()
) -> None:
    if json_:
        print_json(_as_dict(found, checked, officers))
        return
    for fault in found.faults[:SHOWN]:
        where = f" (line {fault.line})" if fault.line else ""
        console.print(f"[red]entry {fault.sequence} {_TOLD[fault.kind]}[/]{where}", highlight=False)
    if len(found.faults) > SHOWN:
        console.print(f"… {len(found.faults)} in all; --json tells every one")
    if found.torn:
        lines = ", ".join(map(str, found.torn[:SHOWN]))
        console.print(f"cut short by a crash, before the act: line {lines}", highlight=False)
    verdict = "the chain is whole" if found.intact else "[bold red]the chain is broken[/]"
    console.print(f"{found.entries} entries: {verdict}", highlight=False)
    if not found.intact:
        console.print(
            "  → keep the file as it is and tell the data protection officer"
            " (docs/how-to/audit.md); entrepot audit verify --json tells every entry",
            soft_wrap=True,
        )
    if checked is not None:
        console.print(_of_report(checked), highlight=False)
    for one in officers:
        told = f"by {escape(one.by)}, {escape(one.at)}"
        known = (
            "signed by the officer" if one.holds else "[bold red]no signature of an officer's[/]"
        )
        console.print(f"report: {known}: {told}", highlight=False)


def _of_report(checked: Checked) -> str:
    if checked.holds:
        return f"report of {escape(checked.made_at)}: signed by this site, unchanged"
    if checked.genuine:
        return "[bold red]report: signed by another site's key[/]"
    return "[bold red]report: changed after it was signed[/]"


def _as_dict(
    found: Verification, checked: Checked | None, officers: Sequence[Endorsement] = ()
) -> dict[str, Any]:
    stated: dict[str, Any] = {
        "intact": found.intact,
        "entries": found.entries,
        "head": str(found.head),
        "noted": str(found.noted),
        "faults": [
            {"sequence": fault.sequence, "fault": str(fault.kind), "line": fault.line}
            for fault in found.faults
        ],
        "torn": list(found.torn),
    }
    if checked is not None:
        stated["report"] = {
            "genuine": checked.genuine, "ours": checked.ours, "sha256": checked.sha256,
            "officers": [{"by": one.by, "at": one.at, "holds": one.holds} for one in officers],
        }  # fmt: skip
    return stated
