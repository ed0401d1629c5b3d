"""oppose: the registers of oppositions and opt-outs, and the proof that they are applied."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table
from entrepot.cli.zone import (
    Authority,
    Born,
    Day,
    Ipp,
    day,
    number,
    opened_registers,
    optional_day,
    say,
)

Register = Annotated[str, typer.Option("--register", help="opposition or optout (EHDS art. 71).")]
Scope = Annotated[str, typer.Option("--scope", help="all, or study:ID.")]
Until = Annotated[
    str | None, typer.Option("--until", help="Its last day, YYYY-MM-DD; default none.")
]
Channel = Annotated[str, typer.Option("--channel", help="desk, letter, mail, phone, portal…")]
ByHolder = Annotated[
    bool, typer.Option("--by-holder", help="Said for a minor by a holder of parental authority.")
]
_COLUMNS = ("id", "register", "scope", "opposed_on", "until", "withdrawn_on", "by_holder",
            "channel", "person")  # fmt: skip


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="The registers of oppositions to reuse; applied at the next run.",
        no_args_is_help=True,
    )
    person = "--authority 1.2.250.1.999.1 --ipp 00012345"
    for verb, name, text, example in (
        (add, "add", "Record an opposition or an opt-out.", f"add {person}"),
        (withdraw, "withdraw", "Withdraw a person's lines of a register.", f"withdraw {person}"),
        (list_, "list", "All lines, without numbers.", "list --register optout"),
        (import_, "import", "Read authority,ipp,opposed_on,withdrawn_on from a CSV file;"
         " scope, until, by_holder, born_on may join them.", "import oppositions.csv"),
        (confirm, "confirm", "Say that a register is up to date as of now.", "confirm"),
        (proof, "proof", "Prove that no row of a withdrawn person is anywhere: exit 3 if one is.",
         "proof --json"),
    ):  # fmt: skip
        help_ = f"{text}\n\nExample: [bold]entrepot oppose {example}[/]"
        group.command(name, help=help_)(verb)
    app.add_typer(group, name="oppose")


def add(  # noqa: PLR0913, PLR0917 - options of a verb
    ipp: Ipp, authority: Authority, on: Day = None, register_: Register = "opposition",
    scope: Scope = "all", until: Until = None, channel: Channel = "desk",
    by_holder: ByHolder = False, born: Born = None, site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Idempotent."""
    from entrepot.audit import Action, AuditLog
    from entrepot.register import oppositions
    from entrepot.register.registers import Stated, load_registers

    with opened_registers(site) as (opened, keyring, connection):
        load_registers(opened.overlays).check(register_, scope, channel)
        who, opposed_on = number(opened, authority, ipp), day(on)
        last = optional_day(until, "--until")
        stated = Stated(register_, scope, last, by_holder, optional_day(born, "--born"))
        person = oppositions.fingerprint(keyring, who.hmac(keyring))
        facts = {"person": person, "channel": channel, "register": register_, "scope": scope}
        AuditLog(opened, keyring).append(Action.OPPOSITION_ADDED, facts, connection)
        new = oppositions.add(connection, keyring, who, opposed_on, channel, stated)
    say(json_, {"added": int(new)}, "Recorded; entrepot run applies it.")


def withdraw(  # noqa: PLR0913, PLR0917 - options of a verb
    ipp: Ipp, authority: Authority, on: Day = None, register_: Register = "opposition",
    scope: Annotated[str, typer.Option("--scope", help="Only lines of this scope.")] = "",
    channel: Channel = "desk", site: SiteOption = HERE, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Withdraws what stands."""
    from entrepot.audit import Action, AuditLog
    from entrepot.register import oppositions
    from entrepot.register.registers import load_registers

    with opened_registers(site) as (opened, keyring, connection):
        load_registers(opened.overlays).check(register_, scope or "all", channel)
        who, withdrawn_on = number(opened, authority, ipp), day(on)
        person = oppositions.fingerprint(keyring, who.hmac(keyring))
        facts = {"person": person, "channel": channel, "register": register_, "scope": scope}
        AuditLog(opened, keyring).append(Action.OPPOSITION_WITHDRAWN, facts, connection)
        count = oppositions.withdraw(connection, keyring, who, withdrawn_on, register_, scope)
    say(json_, {"withdrawn": count}, f"{count} withdrawn; entrepot run applies it.")


def list_(
    register_: Annotated[str, typer.Option("--register", help="Only this register.")] = "",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """A person shows as a fingerprint."""
    from entrepot.register import oppositions

    with opened_registers(site) as (_, keyring, connection):
        lines = oppositions.listing(connection, keyring, register_)
    rows = [[o.opposition_id, o.register, o.scope, o.opposed_on, o.until, o.withdrawn_on,
             o.by_holder, o.channel, o.fingerprint] for o in lines]  # fmt: skip
    if json_:
        for row in rows:
            print_json(dict(zip(_COLUMNS, row, strict=True)))
    else:
        print_table("Oppositions", list(_COLUMNS), rows)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV file.", exists=True, dir_okay=False)],
    register_: Register = "opposition",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """All lines or none."""
    from entrepot.register import oppositions

    with opened_registers(site) as (opened, keyring, connection):
        count = oppositions.import_csv(connection, keyring, file, opened, register_)
    say(json_, {"read": count}, f"{count} lines read; entrepot run applies them.")


def confirm(
    register_: Register = "opposition", site: SiteOption = HERE, json_: JsonOption = False
) -> None:
    """Freshness is checked by every run (oppositions.max_age_days, rights.optout_max_age_days)."""
    from entrepot.audit import Action, AuditLog
    from entrepot.register import oppositions
    from entrepot.register.registers import load_registers

    with opened_registers(site) as (opened, keyring, connection):
        load_registers(opened.overlays).check(register_, "all", "desk")
        log = AuditLog(opened, keyring)
        log.append(Action.OPPOSITIONS_CONFIRMED, {"register": register_}, connection)
        oppositions.confirm(connection, register_)
    say(json_, {"confirmed": True}, "Confirmed.")


def proof(site: SiteOption = HERE, json_: JsonOption = False) -> int:
    """Every statement is listed with its answer, which must be 0."""
    from entrepot.config import Site
    from entrepot.errors import EXIT_BLOCKED, EXIT_CLEAN
    from entrepot.keys import site_keyring
    from entrepot.rights.proof import prove
    from entrepot.road.inputs import Inputs

    opened = Site.open(site)
    with Inputs.of(opened) as inputs:
        found = prove(opened, inputs.database, site_keyring(opened))
    if json_:
        listed = [{"place": s.place, "sql": s.sql, "rows": s.rows} for s in found.statements]
        print_json({"clean": found.clean, "persons": found.persons, "rows": found.rows,
                    "sha256": found.fingerprint, "statements": listed})  # fmt: skip
    else:
        for one in found.statements:
            typer.echo(f"{one.rows:>8}  {one.place}\n          {one.sql}")
        verdict = "0 rows everywhere." if found.clean else f"[bold red]{found.rows} rows[/]"
        console.print(f"{found.persons} person ids, {len(found.statements)} tables: {verdict}")
    return EXIT_CLEAN if found.clean else EXIT_BLOCKED
