"""node accept, end, studies, revoke, policy: the papers that a node believes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table
from entrepot.cli.reidentify import As, Key

EXAMPLE = "\n\nExample: [bold]entrepot node "


def register(group: typer.Typer) -> None:
    """Adds these verbs to `node`."""
    add = group.command
    add("accept", help="Take part in a study: pin its card, freeze the release." + EXAMPLE
        + "accept card.json --mode once --as marc.roy --key roy.pem[/]")(accept)  # fmt: skip
    add("end", help="Answer nothing more of a study." + EXAMPLE
        + "end 91f3… --as marc.roy[/]")(end)  # fmt: skip
    add("studies", help="Studies that this node takes part in." + EXAMPLE
        + "studies[/]")(studies)  # fmt: skip
    add("revoke", help="Believe a key no more." + EXAMPLE
        + "revoke 5f2a… --as marc.roy[/]")(revoke)  # fmt: skip
    policy = typer.Typer(
        help="The disclosure policy: one person proposes, another approves.", no_args_is_help=True
    )
    policy.command("show", help="What is in force." + EXAMPLE + "policy show[/]")(show)
    policy.command("propose", help="Lay a policy before a second person." + EXAMPLE
        + "policy propose policy.yaml --as marc.roy --key roy.pem[/]")(propose)  # fmt: skip
    policy.command("approve", help="Put another's proposal in force." + EXAMPLE
        + "policy approve 77ab… --as claire.vigne --key vigne.pem[/]")(approve)  # fmt: skip
    group.add_typer(policy, name="policy")


def accept(
    card: Annotated[Path, typer.Argument(help="The study card's file, JSON.")],
    as_: As,
    key: Key,
    mode: Annotated[
        str,
        typer.Option("--mode", help="manual, once (the same question again passes), counts."),
    ] = "manual",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Read the card first: legal basis, committee, dates, tables, researchers' keys."""
    from entrepot.cli.node import opened
    from entrepot.errors import ConfigurationError
    from entrepot.federation.node import papers

    found = next((one for one in papers.MODES if one == mode), None)
    if found is None:
        raise ConfigurationError("no such mode", where="--mode", remedy=", ".join(papers.MODES))
    with opened(site) as node:
        held = papers.accept(node, papers.read_card(card), found, as_, key)
    told = {"card": held.card.sha256, "study": held.card.study, "release": held.release}
    if json_:
        print_json(told)
    else:
        console.print(f"{told['study']}: answered from release {told['release']}", highlight=False)


def end(
    card: Annotated[str, typer.Argument(help="The card's hash.")],
    as_: As,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Its release is let go when no other study stands on it."""
    from entrepot.cli.node import opened
    from entrepot.federation.node import papers

    with opened(site) as node:
        papers.end(node, card, as_)
    if json_:
        print_json({"card": card, "ended": True})


def studies(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Cards that were accepted, also those that are over."""
    from entrepot.cli.node import opened
    from entrepot.federation.node.papers import held_cards

    with opened(site) as node:
        found = held_cards(node)
    rows = [
        {
            "card": one.card.sha256, "study": one.card.study, "mode": one.mode,
            "basis": one.card.legal_basis.kind, "until": one.card.ends_on.isoformat(),
            "release": one.release, "by": one.accepted_by, "ended": one.ended,
        }
        for one in found
    ]  # fmt: skip
    if json_:
        for row in rows:
            print_json(row)
        return
    columns = ["study", "card", "mode", "basis", "until", "release", "by", "ended"]
    lines = [[str(row[name])[:16] for name in columns] for row in rows]
    print_table("Studies", columns, lines)


def revoke(
    key: Annotated[str, typer.Argument(help="The public key, 64 hexadecimal characters.")],
    as_: As,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Whoever's it is; nothing takes it back."""
    from entrepot.cli.node import opened
    from entrepot.federation.node import papers

    with opened(site) as node:
        new = papers.revoke(node, key, as_)
    if json_:
        print_json({"key": key, "new": new})


def show(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """The policy that answers are made under."""
    from entrepot.cli.node import opened
    from entrepot.federation.node.policies import in_force

    with opened(site) as node:
        policy = in_force(node)
    told = {"sha256": policy.sha256, **policy.model_dump(mode="json")}
    if json_:
        print_json(told)
    else:
        print_table("Policy", ["key", "value"], [[name, str(one)] for name, one in told.items()])


def propose(
    file: Annotated[Path, typer.Argument(help="The policy, YAML.")],
    as_: As,
    key: Key,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Nothing changes before another person approves it."""
    from entrepot.cli.node import opened
    from entrepot.federation.node import policies

    with opened(site) as node:
        sha256 = policies.propose(node, file, as_, key)
    if json_:
        print_json({"policy": sha256})
    else:
        typer.echo(sha256)


def approve(
    policy: Annotated[str, typer.Argument(help="The proposal's hash, or how it begins.")],
    as_: As,
    key: Key,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """It is in force from now on."""
    from entrepot.cli.node import opened
    from entrepot.federation.node import policies

    with opened(site) as node:
        found = policies.approve(node, policy, as_, key)
    if json_:
        print_json({"sha256": found.sha256})
    else:
        console.print(f"in force: {found.sha256[:16]}", highlight=False)
