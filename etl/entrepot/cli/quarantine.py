"""quarantine list, show, replay: what could not go on, why, and how it goes on after all."""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from entrepot.cli.output import HERE, JsonOption, SiteOption, console, print_json, print_table

if TYPE_CHECKING:
    from entrepot.config import Site

Reason = Annotated[str, typer.Option("--reason", help="A code of dispositions.csv, or a check.")]
Record = Annotated[int, typer.Argument(help="The record's number, as `list` tells it.", min=1)]
STAGES = ("landing", "register", "door", "gate")
RECORD_COLUMNS = (
    "record", "stage", "reason", "position", "source", "format", "event", "received_at", "count",
)  # fmt: skip
SHOWN = 1000  # records that a person reads at once; programs get all
_LIMIT_HELP = f"Lines of each kind; all with --json, else {SHOWN}."
ROW_COLUMNS = ("table", "check", "count", "meaning_en", "meaning_fr")
# What a terminal would obey; line ends and tabs are shown as such.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def register(app: typer.Typer) -> None:
    """Adds these verbs."""
    group = typer.Typer(help="What could not go on, and why.", no_args_is_help=True)
    group.command(
        "list",
        help="Records and rows in quarantine: reasons, positions and counts, never content."
        "\n\nExample: [bold]entrepot quarantine list --stage door --json[/]",
    )(list_)
    group.command(
        "show",
        help="One record's story: why it is held and what to do next. --content prints its bytes,"
        " in the identifying zone and logged."
        "\n\nExample: [bold]entrepot quarantine show 1207[/]",
    )(show)
    group.command(
        "replay",
        help="Let the next run work on quarantined records anew."
        "\n\nExample: [bold]entrepot quarantine replay --reason format_not_supported[/]",
    )(replay)
    app.add_typer(group, name="quarantine")


def list_(
    reason: Reason = "",
    source: Annotated[str, typer.Option("--source", help="A source of site.yaml.")] = "",
    stage: Annotated[str, typer.Option("--stage", help=", ".join(STAGES) + ".")] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help=_LIMIT_HELP)] = None,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """With --json one object a line: records, then rows by table and check."""
    from entrepot.config import Site
    from entrepot.errors import ConfigurationError
    from entrepot.report.quarantine import Filter, read_quarantine

    if stage not in ("", *STAGES):
        raise ConfigurationError(f"unknown stage {stage}", remedy=f"--stage {'|'.join(STAGES)}")
    opened = Site.open(site)
    _require_known(opened, reason, source)
    records, rows = read_quarantine(opened, Filter(reason, source, stage))
    if json_:
        for line in (*records[:limit], *rows[:limit]):
            print_json(line)
        return
    shown = limit or SHOWN
    _print_reasons(records)
    _print_lines("Records", RECORD_COLUMNS, records[:shown])
    _print_lines("Rows held by the gate", ROW_COLUMNS, rows[:shown])
    if len(records) > shown:
        console.print(f"{len(records)} records in all; --limit shows more.")


def show(
    record: Record,
    content: Annotated[bool, typer.Option("--content", help="Print the record's bytes.")] = False,
    reason_for_access: Annotated[
        str, typer.Option("--reason-for-access", help="Why you read it; kept in the audit log.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; allow a pipe or file.")] = False,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Everything but the content, unless asked for it with a reason."""
    from entrepot.config import Site
    from entrepot.errors import ConfigurationError
    from entrepot.report.quarantine import read_record

    opened = Site.open(site)
    if content and json_:
        raise ConfigurationError("content is bytes, not JSON", remedy="leave one of the two out")
    story = read_record(opened, record)
    if content:
        _print_content(opened, record, reason_for_access, yes)
    elif json_:
        print_json(story)
    else:
        _print_story(story)


def replay(
    records: Annotated[list[int] | None, typer.Argument(help="Records' numbers.")] = None,
    reason: Reason = "",
    all_: Annotated[bool, typer.Option("--all", help="All that is in quarantine.")] = False,
    site: SiteOption = HERE,
    json_: JsonOption = False,
) -> None:
    """Idempotent; an unchanged cause quarantines them again."""
    from entrepot.config import Site
    from entrepot.errors import ConfigurationError
    from entrepot.replay import Choice
    from entrepot.replay import replay as replay_records

    if sum((bool(records), bool(reason), all_)) != 1:
        raise ConfigurationError(
            "say which records: their numbers, a reason or all",
            remedy="entrepot quarantine replay RECORD… | --reason CODE | --all",
        )
    opened = Site.open(site)
    _require_known(opened, reason)
    done = replay_records(opened, Choice(tuple(records or ()), reason))
    if json_:
        print_json({"replayed": done.records, "files": done.files, "cut": done.cut})
        return
    cut = f" ({done.files} files cut into {done.cut} records)" if done.files else ""
    console.print(f"{done.records} wait for the next run{cut}: entrepot run")


def _require_known(site: Site, reason: str, source: str = "") -> None:
    """A typing mistake must not read as an empty quarantine."""
    from entrepot.errors import ConfigurationError
    from entrepot.report.dispositions import Meanings

    if reason and not Meanings(site.overlays).knows(reason):
        raise ConfigurationError(f"unknown reason {reason}", remedy="entrepot quarantine list")
    if source and source not in site.config.sources:
        known = ", ".join(sorted(site.config.sources)) or "none"
        raise ConfigurationError(f"unknown source {source}; known: {known}")


def _print_reasons(records: list[dict[str, Any]]) -> None:
    counts = Counter((one["stage"], one["reason"]) for one in records)
    meanings = {one["reason"]: f"{one['meaning_en']} {one['meaning_fr']}" for one in records}
    order = {stage: number for number, stage in enumerate(STAGES)}
    lines = [
        {"stage": stage, "reason": reason, "records": count, "meaning": meanings[reason]}
        for (stage, reason), count in sorted(
            counts.items(), key=lambda item: (order[item[0][0]], -item[1], item[0][1])
        )
    ]
    _print_lines("Reasons", ("stage", "reason", "records", "meaning"), lines)


def _print_lines(title: str, columns: tuple[str, ...], lines: list[dict[str, Any]]) -> None:
    """A table on a terminal; in a pipe one line each, tabs between."""
    rows = [[line[column] for column in columns] for line in lines]
    if sys.stdout.isatty():
        print_table(title, list(columns), rows)
        return
    typer.echo(f"# {title}")
    for row in [list(columns), *rows]:
        typer.echo("\t".join("" if cell is None else str(cell) for cell in row))


def _print_story(story: dict[str, Any]) -> None:
    for name, value in story.items():
        if name != "notices" and value not in ("", None):
            typer.echo(f"{name:<12} {value}")
    for one in story["notices"]:
        typer.echo(f"{'notice':<12} {one['stage']} {one['code']} {one['position']}".rstrip())


def _print_content(site: Site, record: int, why: str, yes: bool) -> None:
    from entrepot.errors import ConfigurationError, EntrepotError
    from entrepot.keys import site_keyring
    from entrepot.landing.access import read_content, require_reason

    require_reason(why)
    terminal = sys.stdout.isatty()
    if not (yes or terminal):
        raise ConfigurationError(
            "content goes to a terminal, unless you say that it may leave it",
            remedy="--yes, and keep what is written in the identifying zone",
        )
    keyring = site_keyring(site)
    if not (yes or _confirmed(record)):
        raise EntrepotError("not confirmed: nothing is shown")
    content = read_content(site, keyring, record, why)
    if terminal:
        typer.echo(_harmless(content))
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def _confirmed(record: int) -> bool:
    try:
        return typer.confirm(f"Print record {record} with all that identifies in it?", err=True)
    except typer.Abort:  # nobody is there to answer
        return False


def _harmless(content: bytes) -> str:
    """Content for a terminal: a record cannot move its cursor or type for its reader."""
    text = content.decode("utf-8", errors="backslashreplace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", lines)
