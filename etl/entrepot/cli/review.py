"""review sample, serve, report: readers look for what the text engine missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table

if TYPE_CHECKING:
    from entrepot.audit.actions import Facts
    from entrepot.review import ReviewResult

_EXAMPLE = "\n\nExample: [bold]entrepot review "


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(
        help="Human review of the published texts: recall with exact bounds.", no_args_is_help=True
    )
    group.command(
        "sample",
        help="Draw a stratified sample of the published notes." + _EXAMPLE + "sample[/]",
    )(sample)
    group.command(
        "serve",
        help="Open the reader's page on this machine; Ctrl-C ends it."
        + _EXAMPLE + "serve --review 5c0ffee51d --reader marc.roy[/]",
    )(serve)  # fmt: skip
    group.command(
        "report", help="Recall, bounds and agreement." + _EXAMPLE + "report 5c0ffee51d[/]"
    )(report)
    app.add_typer(group, name="review")


def sample(
    documents: Annotated[int, typer.Option("--documents", min=1, help="At least so many.")] = 300,
    seed: Annotated[
        str, typer.Option("--seed", help="Draws the same again; default: the release's id.")
    ] = "",
    from_: Annotated[
        str, typer.Option("--from", help="Id of the release; default: the published one.")
    ] = "",
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Keeps ids, strata and hashes, never a text."""
    from entrepot.audit import Action, AuditLog
    from entrepot.config import Site
    from entrepot.keys import site_keyring
    from entrepot.review.drawing import draw

    opened = Site.open(site)
    keyring = site_keyring(opened)  # before anything is drawn: what is drawn is logged
    drawn = draw(opened, documents, seed, from_)
    facts: Facts = {
        "review": drawn.review, "documents": len(drawn.documents), "strata": len(drawn.strata),
        "release": drawn.release,
    }  # fmt: skip
    AuditLog(opened, keyring).append(Action.REVIEW_SAMPLED, facts)
    if json_:
        print_json(facts)
    else:
        console.print(
            f"Review {drawn.review}: {len(drawn.documents)} documents of {len(drawn.strata)} strata"
            f"\nentrepot review serve --review {drawn.review} --reader NAME", highlight=False,
        )  # fmt: skip


def serve(
    review: Annotated[str, typer.Option("--review", help="Id of the sample.")],
    reader: Annotated[str, typer.Option("--reader", help="Your name in site.yaml: people.")],
    adjudicate: Annotated[
        bool, typer.Option("--adjudicate", help="Decide where readers differ.")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 0,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """One reader at a time; the address is secret, and what is saved is there the next time."""
    from entrepot.config import Site
    from entrepot.keys import site_keyring
    from entrepot.review.serving import open_server

    opened = Site.open(site)
    opening = open_server(opened, site_keyring(opened), review, reader, port, adjudicate=adjudicate)
    with opening as server:
        if json_:
            print_json({"url": server.url})
        else:
            console.print(f"{server.url}\nCtrl-C ends it.", highlight=False, soft_wrap=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def report(
    review: Annotated[str, typer.Argument(help="Id of the sample.")],
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """May be repeated while reading goes on."""
    from dataclasses import asdict

    from entrepot.config import Site
    from entrepot.keys import site_keyring
    from entrepot.review.report import report as write_report

    opened = Site.open(site)
    result, paths = write_report(opened, site_keyring(opened), review)
    if json_:
        print_json(asdict(result))
        return
    _print(result)
    for path in paths:
        console.print(escape(str(path.relative_to(opened.root))), highlight=False)


def _print(result: ReviewResult) -> None:
    if not result.complete:
        console.print(f"{result.read_twice} of {result.sampled} documents have two readers.")
    leaking, recall = result.leaking, result.overall.recall
    console.print(
        f"{result.leaking_documents} of {result.read} documents hold a miss:"
        f" at most {_percent(leaking.high)} of the release.", highlight=False,
    )  # fmt: skip
    rows = [
        [label, one.recall.detected, one.recall.misses, _percent(one.recall.recall.estimate),
         _percent(one.recall.recall.low), _percent(one.over_masked.estimate)]
        for label, one in [("all", result.overall), *result.labels.items()]
    ]  # fmt: skip
    columns = ["label", "tags", "misses", "recall", "at least", "over-masked"]
    print_table(f"Recall {_percent(recall.recall.estimate)}", columns, rows)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"
