"""coordinator submit, status, results, sign: a researcher's questions from the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from entrepot.cli.output import JsonOption, console, print_json, print_table

if TYPE_CHECKING:
    from entrepot.federation.coordinator.client import Client

Url = Annotated[
    str, typer.Option("--url", envvar="ENTREPOT_COORDINATOR", help="The researchers' address.")
]
Authority = Annotated[
    Path | None,
    typer.Option("--authority", envvar="ENTREPOT_AUTHORITY", help="The coordinator's ca.pem."),
]
Key = Annotated[
    Path, typer.Option("--key", envvar="ENTREPOT_KEY", help="Your Ed25519 key file (PEM).")
]
AnswersKey = Annotated[
    Path, typer.Option("--answers-key", help="X25519 key that answers are written to (PEM).")
]
QueryId = Annotated[str, typer.Argument(metavar="QUERY", help="The question's id.")]
_EXAMPLE = "\n\nExample: [bold]entrepot coordinator "


def register(group: typer.Typer) -> None:
    """Adds these verbs to `coordinator`."""
    named: dict[str, tuple[Callable[..., None], str, str]] = {
        "submit": (submit, "Sign a question and send it.",
                   "submit question.yaml --answers-key answers.pem"),
        "status": (status, "Show how a question stands at each node.", "status 5c0f…"),
        "results": (results, "Check, open and pool the answers; write them as a page.",
                    "results 5c0f… --answers-key answers.pem --out results.html"),
        "sign": (sign, "Sign a challenge or a question that a page gave to download.",
                 "sign query.json --key ~/vigne.pem"),
    }  # fmt: skip
    for name, (command, help_, example) in named.items():
        group.command(name, help=f"{help_}{_EXAMPLE}{example}[/]")(command)


def submit(
    question: Annotated[
        Path, typer.Argument(help="The question (YAML).", exists=True, dir_okay=False)
    ],
    url: Url,
    key: Key,
    answers_key: AnswersKey,
    authority: Authority = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the signed question; send nothing.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Makes the file of --answers-key when it is not there yet."""
    from entrepot.federation.coordinator.desk import read_asking, signed_question

    asking = read_asking(question)
    with _client(url, authority, key) as client:
        envelope = signed_question(client.cards(), asking, key, answers_key, _now())
        if out is not None:
            out.write_text(envelope.text(), encoding="utf-8")
            query = envelope.body_hash
        else:
            query = client.submit(envelope.text())
    if json_:
        print_json({"query": query})
    else:
        typer.echo(query)


def status(
    query: QueryId, url: Url, key: Key, authority: Authority = None, json_: JsonOption = False
) -> None:
    """Late, refusing and silent nodes too."""
    with _client(url, authority, key) as client:
        found = client.states(query)
    if json_:
        print_json(found)
        return
    rows = [[one["node"], one["state"], one["code"], one["changed"]] for one in found["states"]]
    print_table(f"Question {query[:12]}", ["node", "state", "reason", "since"], rows)


def results(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="The question's id, or a file of its answers.")
    ],
    url: Url = "",
    key: Key | None = None,
    authority: Authority = None,
    answers_key: AnswersKey | None = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The page to write; NAME.en.html in English.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Every signature is checked here; the coordinator is believed in nothing."""
    from entrepot.federation.coordinator.desk import open_answers, read_bundle
    from entrepot.federation.pages.desk import desk_page

    if (file := Path(query)).is_file():
        bundle = read_bundle(file)
    else:
        with _client(url, authority, key) as client:
            bundle = client.answers(query)
    opened = open_answers(bundle, answers_key)
    if out is not None:
        language = "en" if out.name.endswith(".en.html") else "fr"
        out.write_text(desk_page(opened, language), encoding="utf-8")
    facts = opened.facts()
    if json_:
        print_json(facts)
        return
    rows = [
        [one["table"], " ".join(one["key"]), one["low"], one["high"]] for one in facts["counts"]
    ]
    print_table(f"Question {opened.id[:12]}", ["table", "cell", "at least", "at most"], rows)
    if facts["missing"]:
        console.print(escape(f"no usable answer: {', '.join(facts['missing'])}"), highlight=False)


def sign(
    file: Annotated[Path, typer.Argument(help="challenge.json or query.json.", exists=True)],
    key: Key,
    out: Annotated[Path | None, typer.Option("--out", help="Default: beside it.")] = None,
    json_: JsonOption = False,
) -> None:
    """Says what it signs before it does."""
    from entrepot.federation.coordinator.desk import signed_file

    text, what = signed_file(file, key)
    target = out or file.with_name(f"signed_{file.name}")
    target.write_text(text, encoding="utf-8")
    if json_:
        print_json({"signed": what, "file": str(target)})
    else:
        console.print(escape(f"{what}: {target}"), highlight=False)


def _client(url: str, authority: Path | None, key: Path | None) -> Client:
    from entrepot.errors import ConfigurationError
    from entrepot.federation.coordinator.client import Client

    if not url or key is None:
        raise ConfigurationError("no coordinator to ask", remedy="give --url and --key")
    return Client(url, authority, key)


def _now() -> dt.datetime:
    """By the clock: a question is valid from now on."""
    return dt.datetime.now(dt.UTC)
