"""coordinator …: the network's hub, its nodes and study cards, and the researcher's questions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from entrepot.cli import questions
from entrepot.cli.output import JsonOption, console, print_json, print_table

Folder = Annotated[
    Path, typer.Option("--folder", help="The coordinator's folder.", show_default="this folder")
]
CardHash = Annotated[str, typer.Argument(metavar="HASH", help="The card's hash.")]
HERE = Path()
_Verb = tuple[Callable[..., None], str, str]  # what runs, its help, an example
_EXAMPLE = "\n\nExample: [bold]entrepot coordinator "


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="The coordinator of federated studies: no health data, no way into a node.",
        no_args_is_help=True,
    )
    named: dict[str, _Verb] = {
        "init": (init, "Make a coordinator's folder with its keys and certificates.",
                 "init /srv/network --name ouest --host hub.example.org"),
        "serve": (serve, "Serve nodes and researchers; Ctrl-C ends it.", "serve"),
        "enrol": (enrol, "Admit a node: its keys in, its certificate out.",
                  "enrol chu-nord --key 9f… --request chu-nord.csr --out chu-nord.pem"),
        "nodes": (nodes, "List the nodes, and when each called last.", "nodes"),
        "revoke": (revoke, "Believe a node, or a key, no more.", "revoke chu-nord"),
        "export": (export, "Write what waits for a node that has no line, to be carried.",
                   "export chu-nord /media/stick/questions"),
        "import": (import_, "Take notices and answers that were carried.",
                   "import /media/stick/answers"),
        "log": (log, "Show what happened, and check its chain.", "log"),
    }  # fmt: skip
    for name, (command, help_, example) in named.items():
        group.command(name, help=f"{help_}{_EXAMPLE}{example}[/]")(command)
    cards = typer.Typer(help="Study cards that the coordinator knows.", no_args_is_help=True)
    of_cards: dict[str, _Verb] = {
        "add": (card_add, "Take a study up from its card (JSON).", "card add avc_2026.json"),
        "list": (card_list, "List the cards and their hashes.", "card list"),
        "close": (card_close, "Take no further question of a study.", "card close 3f0a…"),
    }
    for name, (command, help_, example) in of_cards.items():
        cards.command(name, help=f"{help_}{_EXAMPLE}{example}[/]")(command)
    group.add_typer(cards, name="card")
    questions.register(group)
    app.add_typer(group, name="coordinator")


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is empty or not there yet.")],
    name: Annotated[str, typer.Option("--name", help="What the network calls it.")],
    host: Annotated[
        list[str] | None, typer.Option("--host", help="A name or address that it is reached by.")
    ] = None,
    address: Annotated[str, typer.Option("--address", help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Nodes.")] = 8443,
    pages_port: Annotated[int, typer.Option("--pages-port", help="Researchers.")] = 8444,
    json_: JsonOption = False,
) -> None:
    """Nodes pin the key that is printed."""
    from entrepot.federation.coordinator.making import make

    hosts = host or ["localhost", "127.0.0.1"]
    made = make(folder, name, hosts, _now(), address=address, ports=(port, pages_port))
    facts = {"folder": str(folder), "public_key": made.public_key}
    if json_:
        print_json(facts)
    else:
        console.print(f"{made.public_key}\nNodes pin this key (site.yaml: federation).")


def serve(folder: Folder = HERE, json_: JsonOption = False) -> None:
    """Prints both addresses when it is ready."""
    from entrepot.federation.coordinator.serving import bound

    with bound(folder) as served:
        if json_:
            print_json({"nodes": served.nodes_url, "pages": served.pages_url})
        else:
            console.print(
                f"nodes        {served.nodes_url}\nresearchers  {served.pages_url}\n"
                "Ctrl-C ends it.", highlight=False, soft_wrap=True,
            )  # fmt: skip
        served.run()


def enrol(
    name: Annotated[str, typer.Argument(help="The node's name, as in study cards.")],
    key: Annotated[str, typer.Option("--key", help="Its Ed25519 public key.")],
    request: Annotated[
        Path, typer.Option("--request", help="Its certificate request.", exists=True)
    ],
    out: Annotated[Path, typer.Option("--out", help="Where its certificate is written.")],
    folder: Folder = HERE,
    json_: JsonOption = False,
) -> None:
    """Compare the key by telephone with the node's own list before."""
    from entrepot.federation.coordinator import registry
    from entrepot.federation.coordinator.authority import fingerprint
    from entrepot.federation.coordinator.settings import Coordinator

    certificate = registry.enrol(Coordinator.open(folder), name, key, request.read_bytes(), _now())
    out.write_bytes(certificate)
    facts = {"node": name, "certificate": fingerprint(certificate)}
    if json_:
        print_json(facts)
    else:
        console.print(escape(f"{out}: send it to {name} with ca.pem"), highlight=False)


def nodes(folder: Folder = HERE, json_: JsonOption = False) -> None:
    """A node that has not called is silent, not wrong."""
    from dataclasses import asdict

    from entrepot.federation.coordinator import registry
    from entrepot.federation.coordinator.settings import Coordinator

    found = registry.nodes(Coordinator.open(folder))
    if json_:
        for one in found:
            print_json(asdict(one))
        return
    rows = [[one.name, one.key[:16], one.enrolled, one.seen, one.revoked] for one in found]
    print_table("Nodes", ["node", "key", "enrolled", "called", "revoked"], rows)


def revoke(
    name: Annotated[str, typer.Argument(help="The node's name.")] = "",
    key: Annotated[str, typer.Option("--key", help="Or a researcher's public key.")] = "",
    folder: Folder = HERE,
    json_: JsonOption = False,
) -> None:
    """Nothing takes it back: a node comes again under a new name, with new keys."""
    from entrepot.errors import ConfigurationError
    from entrepot.federation.coordinator import registry
    from entrepot.federation.coordinator.settings import Coordinator

    opened = Coordinator.open(folder)
    if bool(name) == bool(key):
        raise ConfigurationError("give a node's name, or --key", where="coordinator revoke")
    if name:
        registry.revoke_node(opened, name, _now())
    else:
        registry.revoke_key(opened, key, _now())
    if json_:
        print_json({"revoked": name or key})
    else:
        console.print(escape(f"revoked: {name or key[:16]}"), highlight=False)


def export(
    name: Annotated[str, typer.Argument(help="The node's name.")],
    to: Annotated[Path, typer.Argument(help="Where the files go.")],
    folder: Folder = HERE,
    json_: JsonOption = False,
) -> None:
    """The same question is written until the node has said something of it."""
    from entrepot.federation.coordinator.carried import give_files
    from entrepot.federation.coordinator.settings import Coordinator

    files = give_files(Coordinator.open(folder), name, to, _now())
    if json_:
        print_json({"files": [file.name for file in files]})
    else:
        console.print(escape(f"{len(files)} files in {to}"), highlight=False)


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of *.json.")],
    folder: Folder = HERE,
    json_: JsonOption = False,
) -> None:
    """The same checks as on the line; exits 3 when something was refused."""
    from dataclasses import asdict

    from entrepot.errors import EXIT_BLOCKED
    from entrepot.federation.coordinator.carried import take_files
    from entrepot.federation.coordinator.settings import Coordinator

    taken = take_files(Coordinator.open(folder), paths, _now())
    if json_:
        for one in taken:
            print_json(asdict(one))
    else:
        rows = [[one.file, one.node, one.code or "taken"] for one in taken]
        print_table("Carried", ["file", "node", "result"], rows)
    if any(one.code for one in taken):
        raise typer.Exit(EXIT_BLOCKED)


def log(folder: Folder = HERE, json_: JsonOption = False) -> None:
    """Exits 3 when an entry was changed."""
    from entrepot.errors import EXIT_BLOCKED
    from entrepot.federation.coordinator.database import reading
    from entrepot.federation.coordinator.log import entries, verify
    from entrepot.federation.coordinator.settings import Coordinator

    with reading(Coordinator.open(folder).engine) as connection:
        broken, found = verify(connection), list(entries(connection))
    for one in found:
        if json_:
            print_json(one)
        else:
            facts = " ".join(f"{k}={v}" for k, v in one.items() if k not in {"at", "act"})
            console.print(escape(f"{one['at']} {one['act']:<16} {facts}"), highlight=False)
    if broken is not None:
        console.print(f"entry {broken} is not what was written")
        raise typer.Exit(EXIT_BLOCKED)


def card_add(
    file: Annotated[Path, typer.Argument(help="The study card (JSON).", exists=True)],
    folder: Folder = HERE,
    json_: JsonOption = False,
) -> None:
    """The stewards accept the same card, by its hash, each for their node."""
    from entrepot.federation.coordinator import registry
    from entrepot.federation.coordinator.settings import Coordinator

    opened = Coordinator.open(folder)
    hash_ = registry.add_card(opened, registry.read_card(file.read_bytes(), str(file)), _now())
    if json_:
        print_json({"card": hash_})
    else:
        typer.echo(hash_)


def card_list(folder: Folder = HERE, json_: JsonOption = False) -> None:
    """Closed ones too."""
    from entrepot.federation.coordinator import registry
    from entrepot.federation.coordinator.settings import Coordinator

    found = registry.studies(Coordinator.open(folder))
    if json_:
        for one in found:
            print_json({"card": one.hash, "study": one.card.study, "closed": one.closed})
        return
    rows = [
        [one.hash[:16], one.card.study, one.card.ends_on, len(one.card.sites), one.closed]
        for one in found
    ]
    print_table("Study cards", ["card", "study", "ends", "sites", "closed"], rows)


def card_close(card: CardHash, folder: Folder = HERE, json_: JsonOption = False) -> None:
    """What was asked before may still be answered."""
    from entrepot.federation.coordinator import registry
    from entrepot.federation.coordinator.settings import Coordinator

    registry.close_card(Coordinator.open(folder), card, _now())
    if json_:
        print_json({"closed": card})
    else:
        console.print(escape(f"closed: {card[:16]}"), highlight=False)


def _now() -> dt.datetime:
    """By the clock: certificates and dates of law are told by it."""
    return dt.datetime.now(dt.UTC)
