"""inform: the register of who was informed, and who is due."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from entrepot.cli.output import HERE, JsonOption, SiteOption, print_json, print_table
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

Notice = Annotated[str, typer.Option("--notice", help="Version of the text that was given.")]
Channel = Annotated[str, typer.Option("--channel", help="letter, mail, consultation, portal…")]
ToHolder = Annotated[
    bool, typer.Option("--to-holder", help="Given to a minor's holder of parental authority.")
]


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="The register of information: who was told of the reuse, when and how.",
        no_args_is_help=True,
    )
    person = "--authority 1.2.250.1.999.1 --ipp 00012345"
    for verb, name, text, example in (
        (add, "add", "Record that a person was informed.",
         f"add {person} --channel letter --notice 2026-03"),
        (import_, "import", "Read authority,ipp,informed_on,channel,notice from a CSV file;"
         " to_holder and born_on may join them.", "import informed.csv"),
        (list_, "list", "All lines, without numbers.", "list"),
        (due, "due", "Persons who came of age and are to be informed themselves.", "due --json"),
        (show, "show", "The number behind a line that is due; logged.",
         'show opposition 12 --by c.moreau --why "letter at 18"'),
    ):  # fmt: skip
        help_ = f"{text}\n\nExample: [bold]entrepot inform {example}[/]"
        group.command(name, help=help_)(verb)
    app.add_typer(group, name="inform")


def add(  # noqa: PLR0913, PLR0917 - options of a verb
    ipp: Ipp, authority: Authority, notice: Notice, channel: Channel = "letter", on: Day = None,
    to_holder: ToHolder = False, born: Born = None, site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Idempotent."""
    from entrepot.audit import Action, AuditLog
    from entrepot.register.information import Informed, inform
    from entrepot.register.oppositions import fingerprint

    with opened_registers(site) as (opened, keyring, connection):
        who = number(opened, authority, ipp)
        birth = optional_day(born, "--born")
        informed = Informed(who, day(on), channel, notice, to_holder, birth)
        new = inform(connection, keyring, opened, informed)
        person = fingerprint(keyring, who.hmac(keyring))
        facts = {"person": person, "what": notice, "channel": channel}
        AuditLog(opened, keyring).append(Action.INFORMED, facts, connection)
    say(json_, {"added": int(new)}, "Recorded.")


def import_(
    file: Annotated[Path, typer.Argument(help="CSV file.", exists=True, dir_okay=False)],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """All lines or none."""
    from entrepot.register.information import import_informations

    with opened_registers(site) as (opened, keyring, connection):
        count = import_informations(connection, keyring, opened, file)
    say(json_, {"read": count}, f"{count} lines read.")


def list_(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """A person shows as a fingerprint."""
    from entrepot.register.information import informations

    with opened_registers(site) as (_, keyring, connection):
        lines = informations(connection, keyring)
    rows = [[i.information_id, i.informed_on, i.channel, i.notice, i.to_holder, i.fingerprint]
            for i in lines]  # fmt: skip
    _print("Informations", ["id", "informed_on", "channel", "notice", "to_holder", "person"], rows,
           json_)  # fmt: skip


def due(on: Day = None, site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """By the number of the line in its register: `inform show` tells whom to write to."""
    from entrepot.register.minors import due as find
    from entrepot.register.snapshot import Snapshot

    with opened_registers(site) as (opened, keyring, connection):
        config = opened.config
        snapshot = Snapshot(connection, keyring, config.register_)
        found = find(connection, keyring, config, snapshot, day(on))
    rows = [[one.kind, one.line, one.adult_on or "unknown"] for one in found]
    _print("Due to be informed", ["register", "line", "adult_on"], rows, json_)


def show(
    kind: Annotated[str, typer.Argument(help="opposition or information.")],
    line: Annotated[int, typer.Argument(help="The line's number.")],
    by: Annotated[str, typer.Option("--by", help="Who asks (site.yaml: people).")],
    why: Annotated[str, typer.Option("--why", help="What the number is needed for; logged.")],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """The one way from a line back to a number; its entry is on the disk before it is shown."""
    from entrepot.audit import Action, AuditLog
    from entrepot.landing.access import require_reason
    from entrepot.people import person
    from entrepot.register.minors import line_of
    from entrepot.register.oppositions import fingerprint
    from entrepot.register.store import opened_number

    with opened_registers(site) as (opened, keyring, connection):
        person(opened, by, "dpo")
        found = line_of(connection, kind, line)
        who = fingerprint(keyring, found.identifier)
        facts = {"person": who, "by": by, "reason": require_reason(why)}
        AuditLog(opened, keyring).append(Action.NUMBER_READ, facts, connection)
        authority, ipp = opened_number(keyring, found)
    say(json_, {"authority": authority, "ipp": ipp}, f"{authority} {ipp}")


def _print(title: str, columns: list[str], rows: list[list[Any]], json_: bool) -> None:
    if json_:
        for row in rows:
            print_json(dict(zip(columns, row, strict=True)))
    else:
        print_table(title, columns, rows)
