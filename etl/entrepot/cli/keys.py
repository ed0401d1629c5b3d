"""keys show, rotate, split, restore, escrow-check: the site's root key over the years."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from entrepot.rekeying.share import Share

By = Annotated[str, typer.Option("--by", help="Your name in `people:` of site.yaml (a DPO).")]
Given = Annotated[
    list[Path] | None, typer.Option("--share", help="A holder's file; give it once for each.")
]
Command = Annotated[
    str,
    typer.Option("--new-key-command", help="Prints the new key, where no file holds the key."),
]


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(help="The site's root key: age, rotation, escrow.", no_args_is_help=True)
    group.command(
        "show",
        help="Versions, ages, escrow; never a key.\n\nExample: [bold]entrepot keys show[/]",
    )(show)
    group.command(
        "rotate",
        help="A new root key; everything is sealed and derived anew.\n\nExample: [bold]entrepot"
        ' keys rotate --by m.martin --reason "yearly"[/]',
    )(rotate)
    group.command(
        "split",
        help="Shares for escrow: any two of three restore the key.\n\nExample: [bold]entrepot keys"
        " split --by m.martin --to /mnt/a/1.txt --to /mnt/b/2.txt --to /mnt/c/3.txt[/]",
    )(split)
    group.command(
        "restore",
        help="Write the lost root key from shares.\n\nExample: [bold]entrepot keys restore --by"
        " m.martin --share /mnt/a/1.txt --share /mnt/c/3.txt[/]",
    )(restore)
    group.command(
        "escrow-check",
        help="Whether shares restore this site's key; writes nothing.\n\nExample: [bold]entrepot"
        " keys escrow-check --share /mnt/a/1.txt --share /mnt/c/3.txt[/]",
    )(escrow_check)
    app.add_typer(group, name="keys")


def show(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Needs no key."""
    from entrepot import rekeying
    from entrepot.config import Site
    from entrepot.landing.database import create_tables, zone_engine
    from entrepot.rekeying.tables import zone_tables

    zone_tables()
    engine = zone_engine(Site.open(site))
    try:
        create_tables(engine)
        with engine.connect() as connection:
            found = rekeying.facts(connection)
    finally:
        engine.dispose()
    if json_:
        print_json(found)
    else:
        _show(found)


def rotate(
    by: By = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")] = False,
    new_key_command: Command = "",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Ends with the new key in force, or is resumed."""
    from entrepot import rekeying
    from entrepot.config import Site
    from entrepot.study import facts as study_facts

    _no_core_dump()
    opened = Site.open(site)
    with stages(json_) as progress:
        if resume:
            done = rekeying.resume(opened, progress, new_key_command=new_key_command)
        else:
            done = rekeying.rotate(opened, by, reason, progress, new_key_command=new_key_command)
    if json_:
        print_json(vars(done))
        return
    console.print(
        f"Root key {done.new} (version {done.version}) is in force; {done.records} records were"
        f" sealed again, the ids of {done.persons} persons are kept in the re-keying map.",
        highlight=False,
    )
    spaces = [one["id"] for one in study_facts(opened) if one.get("status") == "open"]
    following = [
        "entrepot keys split --by NAME: the former shares do not restore the new key",
        "entrepot run: derives the warehouse under the new key",
        *(f"entrepot study refresh {one}: its ids are of the former key" for one in spaces),
    ]
    if new_key_command:
        following.insert(0, "site.yaml: key_command must print the new key from now on")
    for line in following:
        console.print(f"  → {escape(line)}", highlight=False, soft_wrap=True)


def split(
    by: By,
    to: Annotated[
        list[Path] | None, typer.Option("--to", help="A holder's file; give it once for each.")
    ] = None,
    shares: Annotated[int, typer.Option("--shares", help="How many holders.")] = 3,
    threshold: Annotated[int, typer.Option("--threshold", help="How many restore the key.")] = 2,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Written apart, or shown one at a time."""
    from entrepot.config import Site
    from entrepot.rekeying import escrow

    _no_core_dump()
    opened, files = Site.open(site), to or []
    _require_place(files, shares, json_)
    escrow.require_apart(opened, files)
    made = escrow.split(opened, by, shares, threshold)
    for file, share in zip(files, made, strict=False):
        escrow.write_share(file, share)
    if not files:
        _show_apart(made)
    told = {"split": made[0].split, "fingerprint": made[0].fingerprint, "shares": shares,
            "threshold": threshold}  # fmt: skip
    if json_:
        print_json(told)
    else:
        console.print(
            f"{shares} shares of root key {made[0].fingerprint}, split {made[0].split}: any"
            f" {threshold} restore it. Those of earlier splits stay good for their key.",
            highlight=False,
        )


def restore(
    by: By, share: Given = None, site: SiteOption = HERE, json_: JsonOption = False
) -> None:
    """Never overwrites."""
    from entrepot.config import Site
    from entrepot.rekeying import escrow

    _no_core_dump()
    keyring = escrow.restore(Site.open(site), by, _shares(share))
    _say(json_, keyring.fingerprint, "is in place again")


def escrow_check(share: Given = None, site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Every choice of the shares is tried."""
    from entrepot.config import Site
    from entrepot.rekeying import escrow

    _no_core_dump()
    keyring = escrow.check(Site.open(site), _shares(share))
    _say(json_, keyring.fingerprint, "would be restored by these shares")


def _require_place(files: list[Path], shares: int, json_: bool) -> None:
    """A file for each share, or a terminal to show them on."""
    from entrepot.errors import ConfigurationError

    if files and len(files) != shares:
        raise ConfigurationError(
            f"{len(files)} files for {shares} shares", where="--to", remedy="--to once for each"
        )
    if not files and (json_ or not console.is_terminal):
        raise ConfigurationError(
            "shares are shown on a terminal, one at a time", remedy="--to FILE, once for each"
        )


def _shares(files: list[Path] | None) -> list[Share]:
    """Of files, or typed one after the other."""
    from entrepot.rekeying.share import read_share

    if files:
        return [read_share(file) for file in files]
    first = _typed(1)
    return [first, *(_typed(number) for number in range(2, first.threshold + 1))]


def _typed(number: int) -> Share:
    """Lines until they make a share; an empty line ends them too."""
    from entrepot.errors import ConfigurationError
    from entrepot.rekeying.share import share_of

    text = ""
    while True:
        asked = f"Share {number}, not shown{', next line' if text else ''}"
        line = typer.prompt(asked, hide_input=True, default="", show_default=False)
        text += f"{line}\n"
        try:
            return share_of(text, f"share {number}")
        except ConfigurationError:
            if not line.strip():
                raise


def _show_apart(shares: list[Share]) -> None:
    """On the terminal's other page, which leaves nothing to scroll back to."""
    from entrepot.rekeying.share import text_of

    for share in shares:
        with console.screen():
            console.print(escape(text_of(share)), highlight=False, soft_wrap=True)
            typer.prompt(
                f"Holder {share.number} copies it; then Enter", default="", show_default=False,
                prompt_suffix=" ",
            )  # fmt: skip


def _show(found: dict[str, Any]) -> None:
    if found["interrupted"]:
        console.print("[bold red]a rotation has not ended: entrepot keys rotate --resume[/]")
    age = "not in use yet" if found["age_days"] is None else f"{found['age_days']} days old"
    console.print(
        f"Root key {found['fingerprint'] or '-'}, version {found['version']}, {age}",
        highlight=False,
    )
    if found["rotations"]:
        columns = ["version", "new", "by", "ended_at", "persons", "records"]
        lines = [[_short(one[name]) for name in columns] for one in found["rotations"]]
        print_table("Rotations", columns, lines)
    if found["escrow"]:
        columns = ["split", "fingerprint", "threshold", "shares", "by", "split_at"]
        lines = [[_short(one[name]) for name in columns] for one in found["escrow"]]
        print_table("Escrow", columns, lines)
    if not found["escrowed"]:
        console.print("[yellow]no split of this key is in escrow: entrepot keys split[/]")


def _short(cell: Any) -> Any:
    """A time as its day: the table fits a terminal of 80 characters."""
    return cell[:10] if isinstance(cell, str) and cell[10:11] == "T" else cell


def _say(json_: bool, fingerprint: str, text: str) -> None:
    if json_:
        print_json({"fingerprint": fingerprint})
    else:
        console.print(f"Root key {fingerprint} {text}.", highlight=False)


def _no_core_dump() -> None:
    """The key of a process that crashes does not reach the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
