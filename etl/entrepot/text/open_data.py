"""The open-data files that a site puts beside its configuration, read as they are published.

Which file is read how is told by `mappings/text/open_data.csv`: files are recognised by name,
columns by their published title or, where a publisher gives none (FINESS, BDPM), by their number.
Only words leave this module; the numbers, addresses and counts of these files are not kept.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from entrepot.errors import ConfigurationError
from entrepot.text.folding import fold

_SEPARATORS = {"tab": "\t", "line": "\x1f"}
_DOSE = re.compile(r"\d|,|\(|/")
_LEAST_DRUG_WORD = 4
_RARE = "_prenoms_rares"  # INSEE's line for the names that it does not publish


@dataclass(frozen=True)
class OpenList:
    """One line of `open_data.csv`: how one column of a publisher's file fills one list."""

    publisher: str
    files: str
    separator: str
    kind_column: str
    kind: str
    column: str
    count_column: str
    least: str
    list: str


@dataclass(frozen=True)
class SiteLists:
    """Folded names and words of a site's files."""

    first_names: set[str] = field(default_factory=set)
    surnames: set[str] = field(default_factory=set)
    communes: set[str] = field(default_factory=set)
    institutions: set[str] = field(default_factory=set)
    drugs: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)


def site_files(folder: Path) -> list[Path]:
    """The files of `folder`, sorted by name; hidden ones left out.

    Raises:
        ConfigurationError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            "the folder of the text engine's lists does not exist",
            where=str(folder),
            remedy="create it, or mend `text: lists:` in site.yaml",
        )
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def read_lists(folder: Path, rules: list[OpenList]) -> SiteLists:
    """Every list that the files of `folder` fill.

    Raises:
        ConfigurationError: a file is none of those of `open_data.csv`, or lacks its column.
    """
    found = SiteLists()
    for path in site_files(folder):
        known = [rule for rule in rules if fnmatchcase(path.name.casefold(), rule.files.casefold())]
        if not known:
            raise ConfigurationError(
                "this file is none of the lists that the text engine reads",
                where=str(path),
                remedy="keep the publisher's file name (docs/reference/text_lists.md)",
            )
        for rule in known:
            getattr(found, rule.list).update(_names(path, rule))
    return found


def _names(path: Path, rule: OpenList) -> Iterator[str]:
    counts: dict[str, int] = {}
    for written, count in _cells(path, rule):
        for name in _drug_words(written) if rule.list == "drugs" else (fold(written).strip(),):
            counts[name] = counts.get(name, 0) + count
    least = int(rule.least or 0)
    for name, count in counts.items():
        if len(name) > 1 and count >= least and name != _RARE:
            yield name


def _drug_words(written: str) -> list[str]:
    """`DOLIPRANE 1000 mg, comprimé` names doliprane: words before the first dose or form."""
    name = _DOSE.split(fold(written), maxsplit=1)[0]
    return [w for w in re.findall(r"[^\W\d_]+", name) if len(w) >= _LEAST_DRUG_WORD]


def _cells(path: Path, rule: OpenList) -> Iterator[tuple[str, int]]:
    """(name as written, how many bear it) of each line that the rule takes."""
    separator = _SEPARATORS.get(rule.separator, rule.separator)
    quote = '"' if separator in ",;|" else None
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    lines = _text(path).splitlines()
    rows = csv.reader(lines, delimiter=separator, quotechar=quote, quoting=quoting)
    numbered = rule.column.isdecimal()
    titles = [] if numbered else [title.strip().lstrip("#") for title in next(rows, [])]
    column = _place(rule.column, titles, path)
    kind = _place(rule.kind_column, titles, path) if rule.kind_column else None
    count = _place(rule.count_column, titles, path) if rule.count_column else None
    for row in rows:
        if len(row) <= column or (kind is not None and row[kind] != rule.kind):
            continue
        number = row[count] if count is not None and len(row) > count else "1"
        yield row[column], int(number) if number.isdecimal() else 0


def _place(column: str, titles: list[str], path: Path) -> int:
    if column.isdecimal():
        return int(column) - 1
    for place, title in enumerate(titles):
        if title.casefold() == column.casefold():
            return place
    raise ConfigurationError(
        f"column {column!r} is missing",
        where=str(path),
        remedy="put the publisher's file there as it was downloaded, unpacked",
    )


def _text(path: Path) -> str:
    """UTF-8 with or without its mark; else Latin-1, in which BDPM and old INSEE files come."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
