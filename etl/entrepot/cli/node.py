"""node: the site answers a network's questions; run, carry by hand, decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from entrepot.cli import node_papers
from entrepot.cli.node_papers import EXAMPLE
from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table
from entrepot.cli.reidentify import As, Key

if TYPE_CHECKING:
    from entrepot.federation.node.opened import Node

Query = Annotated[str, typer.Argument(help="The question's hash, or how it begins.")]


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="Answer the questions of a network of warehouses: counts, never a row.",
        no_args_is_help=True,
    )
    add = group.command
    add("init", help="Make the node's keys and its certificate request." + EXAMPLE
        + "init --site /srv/eds[/]")(init)  # fmt: skip
    add("show", help="The node's name and public keys, for a study card."
        + EXAMPLE + "show[/]")(show)  # fmt: skip
    add("run", help="Ask the coordinator for questions, until it is ended."
        + EXAMPLE + "run[/] · [bold]entrepot node run --once[/]")(run)  # fmt: skip
    add("import", help="Take questions from files." + EXAMPLE
        + "import /media/stick/questions[/]")(import_)  # fmt: skip
    add("export", help="Write what may leave to files." + EXAMPLE
        + "export /media/stick/answers[/]")(export)  # fmt: skip
    add("requests", help="Questions and how they stand." + EXAMPLE
        + "requests --state awaiting_steward[/]")(requests)  # fmt: skip
    add("question", help="One question in full, and its answer if there is one." + EXAMPLE
        + "question 5c0ffee5[/]")(question)  # fmt: skip
    add("approve", help="Let a question run, or an answer leave." + EXAMPLE
        + "approve 5c0ffee5 --as marc.roy --key roy.pem[/]")(approve)  # fmt: skip
    add("refuse", help="Refuse a question, or an answer, with a code." + EXAMPLE
        + "refuse 5c0ffee5 --code not_feasible --as marc.roy --key roy.pem[/]")(refuse)  # fmt: skip
    add("page", help="Decide in the browser of this machine." + EXAMPLE + "page[/]")(page)
    node_papers.register(group)
    app.add_typer(group, name="node")


def init(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """What is there stays."""
    from entrepot.config import Site
    from entrepot.durable import create_private
    from entrepot.federation.coordinator.authority import create_request
    from entrepot.federation.node.place import create_place

    place = create_place(Site.open(site))
    asked = place.folder / "tls.csr"
    if not asked.exists():
        create_private(asked, create_request(place.name, place.folder / "tls.key"))
    _tell_keys(place.name, place.public_keys(), json_)


def show(site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Public halves alone."""
    with opened(site) as node:
        _tell_keys(node.name, node.place.public_keys(), json_)


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Without a line: answer what is approved, then end.")
    ] = False,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """SIGTERM ends it between two steps."""
    import signal
    import threading

    from entrepot.federation.node import service

    with opened(site) as node:
        if once:
            service.start(node)
            left = service.step(node)
            if json_:
                print_json({"answers": left})
            else:
                console.print(f"{left} answers may leave.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        service.serve(node, stop)


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of *.json.")],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """The same checks as on the line."""
    from entrepot.federation.node.carried import take_files

    with opened(site) as node:
        taken = take_files(node, paths)
    if json_:
        for one in taken:
            print_json({"query": one.query, "state": one.state, "code": one.code})
    else:
        lines = [[one.query[:16], one.state, one.code or ""] for one in taken]
        print_table("Questions", ["query", "state", "code"], lines)


def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Sealed and signed: whoever carries them reads no count that is for the researcher alone."""
    from entrepot.federation.node.carried import give_files

    with opened(site) as node:
        files = give_files(node, folder)
    if json_:
        print_json({"files": [path.name for path in files]})
    else:
        console.print(f"{len(files)} files in {escape(str(folder))}")


def requests(
    state: Annotated[str, typer.Option("--state", help="Only those that stand so.")] = "",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """In the order in which they came."""
    from entrepot.federation.node.approving import listing

    with opened(site) as node:
        found = [one for one in listing(node) if not state or one.state == state]
    columns = ["query", "study", "researcher", "kind", "state", "code", "received_at"]
    if json_:
        for one in found:
            print_json({**{name: getattr(one, name) for name in columns}, "question": one.question})
        return
    rows = [[one.query[:16], *(getattr(one, name) for name in columns[1:])] for one in found]
    print_table("Questions", columns, rows)


def question(query: Query, site: SiteOption = HERE, json_: JsonOption = False) -> None:
    """Definitions, parameters, and the protected answer: what would leave, and nothing more."""
    import json

    from entrepot.federation.node.approving import answers_of, find

    with opened(site) as node:
        one = find(node, query)
        answers = answers_of(node, one.query)
    told = {
        "query": one.query, "study": one.study, "researcher": one.researcher, "state": one.state,
        "question": one.question, "analysis": one.analysis, "cohorts": one.cohorts,
        "answers": answers,
    }  # fmt: skip
    if json_:
        print_json(told)
    else:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))


def approve(
    query: Query, as_: As, key: Key, site: SiteOption = HERE, json_: JsonOption = False
) -> None:
    """Your signature covers just this question, as it stands."""
    _decide(query, as_, key, site, json_, approved=True)


def refuse(
    query: Query,
    as_: As,
    key: Key,
    code: Annotated[str, typer.Option("--code", help="Why, of a closed list.")] = (
        "refused_by_steward"
    ),
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """The researcher is told the code, and never a sentence."""
    _decide(query, as_, key, site, json_, approved=False, code=code)


def page(
    port: Annotated[int, typer.Option("--port", help="0: any free one.")] = 0,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Listens on this machine alone."""
    from entrepot.config import Site
    from entrepot.federation.pages.steward import serve_steward

    def tell(address: str) -> None:
        print_json({"address": address}) if json_ else typer.echo(address)

    serve_steward(Site.open(site), port, tell)


@contextmanager
def opened(folder: Path) -> Iterator[Node]:
    """The node of a site's folder."""
    from entrepot.config import Site
    from entrepot.federation.node.opened import open_node

    with open_node(Site.open(folder)) as node:
        yield node


def _decide(
    start: str, by: str, key: Path, site: Path, json_: bool, *, approved: bool, code: str = ""
) -> None:
    from entrepot.federation.node.approving import decide, decision, find
    from entrepot.people import sign

    with opened(site) as node:
        asked = find(node, start)
        signature = sign(key, decision(asked.query, approved, code, asked.state))
        state = decide(node, asked.query, by, approved, code, signature)
    if json_:
        print_json({"query": asked.query, "state": state})
    else:
        console.print(f"{asked.query[:16]}: {state}", highlight=False)


def _tell_keys(name: str, keys: tuple[str, str], json_: bool) -> None:
    told = {"node": name, "key": keys[0], "masking_key": keys[1]}
    if json_:
        print_json(told)
    else:
        for one, value in told.items():
            typer.echo(f"{one}: {value}")
