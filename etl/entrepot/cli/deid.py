"""deid: removes identities from a file of texts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from entrepot.cli.output import JsonOption, console, errors, print_json, print_table, stages

if TYPE_CHECKING:
    from entrepot.text.deid_lines import Totals

Input = Annotated[
    Path, typer.Option("--input", help="JSON lines {id, text, record?}; - reads standard input.")
]
Output = Annotated[
    Path, typer.Option("--output", help="Receives {id, spans: [{start, end, label}]} per line.")
]
Masked = Annotated[
    Path | None, typer.Option("--masked", help="Receives {id, text} per line, rewritten.")
]
SiteFolder = Annotated[
    Path | None,
    typer.Option(
        "--site",
        help="A site's folder: its lists and recognisers.",
        show_default="this folder, else the shipped lists",
    ),
]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0: one per processor.")]


def register(app: typer.Typer) -> None:
    """Adds this verb."""
    app.command(
        help="Find identities in texts, and remove them.\n\nOffsets count Unicode characters;"
        " a line that cannot be read stops the command before anything is written."
        "\n\nExample: [bold]entrepot deid --input docs.jsonl --output spans.jsonl"
        " --masked masked.jsonl[/]"
    )(deid)


def deid(
    input_: Input, output: Output, masked: Masked = None, site: SiteFolder = None,
    workers: Workers = 0, json_: JsonOption = False,
) -> int:  # fmt: skip
    """Exit 4 when the leak scan withheld a rewritten text."""
    from entrepot.errors import EXIT_CLEAN, EXIT_QUARANTINED
    from entrepot.text.deid_files import deidentify

    _check_paths(input_, output, masked)
    folder = _site(site)
    start = time.monotonic()
    with _opened(input_) as file, stages(json_) as tell:
        count = _lines(input_)
        totals = deidentify(
            file, output, masked, folder=folder, workers=workers or os.cpu_count() or 1,
            tell=lambda done: tell("deid", done, max(done, count)),
        )  # fmt: skip
    _show(totals, folder, time.monotonic() - start, json_)
    return EXIT_QUARANTINED if totals.withheld else EXIT_CLEAN


def _check_paths(input_: Path, output: Path, masked: Path | None) -> None:
    from entrepot.errors import ConfigurationError

    paths = [path.resolve() for path in (input_, output, masked) if path is not None]
    if len(set(paths)) < len(paths):
        raise ConfigurationError("input and outputs must be different files", where="--output")
    for path in paths[1:]:
        if path.is_dir():
            raise ConfigurationError("this is a folder", where=str(path), remedy="name a file")


def _site(folder: Path | None) -> Path | None:
    """The site asked for, else the one that this folder is."""
    from entrepot.config import CONFIG_NAME

    return Path() if folder is None and Path(CONFIG_NAME).is_file() else folder


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    from entrepot.errors import ConfigurationError

    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"cannot read it ({error.strerror})", where=str(path)) from None
    with file:
        yield file


def _lines(path: Path) -> int:
    """How many there will be, for the bar; 0: unknown."""
    if not path.is_file() or not errors.is_terminal:
        return 0
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _version(site: Path | None) -> str:
    """Of every list, open-data file and model that was used."""
    from entrepot.config import Site
    from entrepot.text import lists_version

    if site is None:
        return lists_version()
    text = Site.open(site).config.text
    return lists_version(text.overlays, text.lists, text.model.folder if text.model else None)


def _show(totals: Totals, site: Path | None, seconds: float, json_: bool) -> None:
    summary = {
        "documents": totals.documents,
        "characters": totals.characters,
        "spans": dict(sorted(totals.spans.items())),
        "documents_without_spans": totals.without_spans,
        "texts_withheld": totals.withheld,
        "records_with_unknown_fields": totals.guessed,
        "lists": "site" if site is not None else "shipped",
        "lists_version": _version(site),
        "seconds": round(seconds, 2),
    }
    if json_:
        print_json(summary)
        return
    print_table("Spans", ["label", "found"], [list(row) for row in totals.spans.most_common()])
    console.print(f"{totals.documents} documents, {totals.without_spans} of them without a span")
    if totals.withheld:
        console.print(f"{totals.withheld} rewritten texts withheld: the leak scan found a rest")
    if totals.guessed:
        console.print(
            f"{totals.guessed} records hold fields that the schema does not name: their values"
            " were searched as what they look like (docs/how-to/deid.md)"
        )
