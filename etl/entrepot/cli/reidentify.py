"""reidentify: who a pseudonym stands for, by two signatures and for a listed motive."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table

if TYPE_CHECKING:
    from entrepot.config import Site
    from entrepot.reidentification.judging import Standing
    from entrepot.reidentification.procedure import Procedure
    from entrepot.reidentification.subjects import Disclosure

Id = Annotated[str, typer.Argument(help="The request, R-….")]
As = Annotated[str, typer.Option("--as", help="Your name in site.yaml: people.")]
Key = Annotated[Path, typer.Option("--key", help="Your private key's file.")]
_EXAMPLE = "\n\nExample: [bold]entrepot reidentify "


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="Tell who a pseudonym stands for: listed motives, two approvers, a time window.",
        no_args_is_help=True,
    )
    add = group.command
    add(
        "request",
        help="Ask who a person is." + _EXAMPLE + "request 4503599627370496"
        " --motive care_finding --reason 'kaliémie 7,2' --as lea.nguyen --key lea.pem[/]",
    )(request)
    add(
        "approve",
        help="Agree to a request that another made."
        + _EXAMPLE
        + "approve R-5c0ffee51dea --as claire.vigne --key claire.pem[/]",
    )(approve)
    add(
        "refuse",
        help="Refuse a request, or take your own back."
        + _EXAMPLE
        + "refuse R-5c0ffee51dea --as claire.vigne --key claire.pem[/]",
    )(refuse)
    add("execute", help="Write or show the identity, within the window." + _EXAMPLE
        + "execute R-5c0ffee51dea --as lea.nguyen --key lea.pem[/]")(execute)  # fmt: skip
    add("list", help="Requests and how they stand." + _EXAMPLE + "list[/]")(list_)
    add("motives", help="The closed list of motives." + _EXAMPLE + "motives[/]")(motives)
    app.add_typer(group, name="reidentify")


def request(  # noqa: PLR0913, PLR0917 - options of a verb
    motive: Annotated[str, typer.Option("--motive", help="One of `reidentify motives`.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence.")],
    as_: As,
    key: Key,
    person: Annotated[int | None, typer.Argument(help="person_id, or a study's pseudonym.")] = None,
    study: Annotated[str, typer.Option("--study", help="The study whose pseudonym it is.")] = "",
    breach: Annotated[
        Path | None, typer.Option("--breach", help="A file of such numbers, one a line.")
    ] = None,
    until: Annotated[str, typer.Option("--until", help="YYYY-MM-DD[THH:MM]; local time.")] = "",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Numbers are taken from the research zone: the core's, or a study's."""
    from entrepot.errors import ConfigurationError
    from entrepot.reidentification.requests import Asked, Signer

    if (person is None) == (breach is None):
        raise ConfigurationError("say one person, or a file of them", remedy="PERSON or --breach")
    with _procedure(site) as (opened, procedure):
        numbers = _numbers(breach) if breach is not None else [person or 0]
        asked = Asked(
            motive, numbers, reason, study, _moment(until, opened), several=breach is not None
        )
        made = procedure.request(asked, Signer(as_, key))
    unknown = len(set(numbers)) - len(made.persons)
    if json_:
        until = f"{made.until.isoformat()}Z"
        print_json({"request": made.request_id, "until": until, "unknown": unknown})
    else:
        if unknown:
            console.print(f"{unknown} of the numbers stand for nobody (any more).")
        console.print(
            f"{made.request_id}, open until {_local(made.until, opened)}. It needs one approval of"
            f" each: {', '.join(procedure.motives.approvals)}.", highlight=False,
        )  # fmt: skip


def approve(
    request_id: Id, as_: As, key: Key, site: SiteOption = HERE, json_: JsonOption = False
) -> None:
    """Your signature covers the motive, the persons, the reason and the time limit."""
    _decide(request_id, as_, key, site, json_, approved=True)


def refuse(
    request_id: Id, as_: As, key: Key, site: SiteOption = HERE, json_: JsonOption = False
) -> None:
    """One refusal ends a request."""
    _decide(request_id, as_, key, site, json_, approved=False)


def execute(
    request_id: Id,
    as_: As,
    key: Key,
    show: Annotated[bool, typer.Option("--show", help="On this terminal, not in a file.")] = False,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Logged first. A file lies in the identifying zone until the window ends."""
    from entrepot.errors import ConfigurationError
    from entrepot.reidentification import disclosed
    from entrepot.reidentification.requests import Signer

    if show and (json_ or not sys.stdout.isatty()):
        raise ConfigurationError("identities are shown on a terminal only", remedy="leave --show")
    with _procedure(site) as (opened, procedure):
        shown = procedure.execute(request_id, Signer(as_, key))
        if show:
            _show(shown)
            return
        path = disclosed.write(opened, shown)
    where = str(path.relative_to(opened.root))
    if json_:
        print_json({"file": where, "persons": len(shown.persons)})
    else:
        end = _local(shown.until, opened)
        console.print(
            escape(f"{where}: {len(shown.persons)} persons, until {end}"), highlight=False
        )


def list_(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Numbers of persons are not told; the approver asks the requester who shows them."""
    with _procedure(site) as (opened, procedure):
        found = [_told(one, opened) for one in procedure.standing()]
    if json_:
        for one in found:
            print_json(one)
        return
    columns = ["request", "motive", "by", "persons", "state", "until", "approved_by", "reason"]
    print_table("Re-identification", columns, [[one[name] for name in columns] for one in found])


def motives(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """The site's own list, else the shipped one."""
    from entrepot.config import Site
    from entrepot.reidentification.motives import load_motives

    found = load_motives(Site.open(site)).motives
    if json_:
        for name, one in found.items():
            print_json({"motive": name, **one.model_dump()})
        return
    rows = [
        [name, "yes" if one.allowed else "no", one.fr, one.en, one.reference]
        for name, one in found.items()
    ]
    print_table("Motives", ["motive", "allowed", "fr", "en", "reference"], rows)


def _decide(
    request_id: str, name: str, key: Path, site: Path, json_: bool, *, approved: bool
) -> None:
    from entrepot.reidentification.requests import Signer

    with _procedure(site) as (_, procedure):
        procedure.decide(request_id, Signer(name, key), approved=approved)
        state = next(
            one.state for one in procedure.standing() if one.request.request_id == request_id
        )
    if json_:
        print_json({"request": request_id, "state": state})
    else:
        console.print(f"{request_id}: {state}", highlight=False)


@contextmanager
def _procedure(folder: Path) -> Iterator[tuple[Site, Procedure]]:
    from entrepot.config import Site
    from entrepot.keys import site_keyring
    from entrepot.landing.database import check_keyring, create_tables, zone_engine
    from entrepot.reidentification import disclosed
    from entrepot.reidentification.clock import utc_now
    from entrepot.reidentification.procedure import Procedure

    opened = Site.open(folder)
    keyring = site_keyring(opened)
    engine = zone_engine(opened)
    try:
        create_tables(engine)
        check_keyring(engine, keyring)
        disclosed.end(opened, utc_now())
        yield opened, Procedure(opened, keyring, engine)
    finally:
        engine.dispose()


def _told(one: Standing, site: Site) -> dict[str, str | int]:
    request = one.request
    return {
        "request": request.request_id,
        "motive": request.motive,
        "by": request.requester,
        "study": request.study,
        "persons": len(request.persons),
        "state": one.state,
        "until": _local(min(request.until, one.until or request.until), site),
        "approved_by": ", ".join(made.decided_by for made in one.decisions if made.approved),
        "reason": request.reason,
    }


def _show(shown: Disclosure) -> None:
    for one in shown.persons:
        typer.echo(f"{one.given}")
        for part, values in one.identity.items():
            plain = " | ".join("".join(c for c in value if c.isprintable()) for value in values)
            typer.echo(f"  {part:<12} {plain}")


def _numbers(path: Path) -> list[int]:
    from entrepot.errors import ConfigurationError

    try:
        lines = path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("the file cannot be read", where="--breach") from None
    for number, line in enumerate(lines, start=1):
        if not (line.isascii() and line.isdigit()):
            raise ConfigurationError(f"entry {number} is no number", where="--breach")
    return [int(line) for line in lines]


def _moment(text: str, site: Site) -> dt.datetime | None:
    from entrepot.errors import ConfigurationError

    if not text:
        return None
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=site.zone)
    except ValueError:
        raise ConfigurationError("not a date", where="--until", remedy="YYYY-MM-DDTHH:MM") from None


def _local(moment: dt.datetime, site: Site) -> str:
    return f"{moment.replace(tzinfo=dt.UTC).astimezone(site.zone):%Y-%m-%d %H:%M}"
