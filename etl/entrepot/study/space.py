"""Where a study space lies, and `study.json`: what is told of it, also after it was closed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from entrepot.config import Site
from entrepot.durable import sync
from entrepot.errors import EntrepotError

FACTS = "study.json"
DEFINITION = "study.yaml"
FILE = "space.duckdb"
OPEN, CLOSED = "open", "closed"
FILE_MODE, FOLDER_MODE = 0o640, 0o750

Facts = dict[str, Any]


class Space:
    """The folder of one study: its copied definition, its facts, and its DuckDB file if any."""

    def __init__(self, site: Site, study_id: str) -> None:
        self.site, self.study_id = site, study_id
        self.folder = site.research / "studies" / study_id

    @property
    def file(self) -> Path:
        """The DuckDB file of a space whose target is DuckDB."""
        return self.folder / FILE

    @property
    def definition(self) -> Path:
        """The copy of the definition that the space was last built from."""
        return self.folder / DEFINITION

    @property
    def schema(self) -> str:
        """Schema and role in PostgreSQL."""
        return f"study_{self.study_id}"

    @property
    def private(self) -> Path:
        """What a refresh needs and a researcher must not see: the cohort's file."""
        return self.site.identifying / "studies" / self.study_id

    def facts(self) -> Facts | None:
        """What `study.json` says; None before the space was made.

        Raises:
            EntrepotError: the file is damaged: nobody knows whether the space is open.
        """
        path = self.folder / FACTS
        if not path.is_file():
            return None
        try:
            found: Facts = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EntrepotError(
                f"the facts of a study cannot be read ({type(error).__name__})", where=str(path),
                remedy="restore the file, or remove the study's folder and create it again",
            ) from None  # fmt: skip
        return found

    def write_facts(self, facts: Facts) -> None:
        """Replaces `study.json` in one step, durably."""
        self.make_folder()
        path = self.folder / FACTS
        following = path.with_name(f".{FACTS}.next")
        following.write_text(
            json.dumps(facts, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8"
        )
        following.chmod(FILE_MODE)
        sync(following)
        os.replace(following, path)
        sync(self.folder)

    def restore_facts(self, former: Facts | None) -> None:
        """What stood before; of a space that was never made nothing stays."""
        if former is not None:
            self.write_facts(former)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def remove_leftovers(self) -> None:
        """What a killed withdrawal left beside the space: it may hold who was to go."""
        for path in self.folder.glob(f".{FILE}.*"):
            path.unlink()
        shutil.rmtree(self.spill, ignore_errors=True)

    @property
    def spill(self) -> Path:
        """Where what outgrows memory goes, encrypted, while the space is written anew."""
        return self.folder / ".spill"

    def make_folder(self) -> None:
        """Readable by its group: the researchers of the study, as the operator sets it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(FOLDER_MODE)


def workshop(site: Site) -> Path:
    """Where drafts are built; what lies there outside a build was left by a killed one."""
    return site.identifying / "studies" / ".work"


def spaces(site: Site) -> Iterator[Space]:
    """Every study that was ever made here, by id."""
    root = site.research / "studies"
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if (folder / FACTS).is_file():
            yield Space(site, folder.name)


def open_spaces(site: Site) -> Iterator[tuple[Space, Facts]]:
    """Those that hold data, with their facts."""
    for space in spaces(site):
        facts = space.facts()
        if facts is not None and facts["status"] == OPEN:
            yield space, facts


def facts(site: Site) -> list[Facts]:
    """`study.json` of every study, closed ones too, by id: counts and dates, no identifier.

    Keys: id, title, purpose, legal_basis, approved_by, signed, beyond, status (open, closed),
    created, refreshed, expires, closed, target, release, key, persons, tables (name -> rows),
    columns (name -> list), shift_weeks, left_out (rule -> rows), suppressed (table -> units),
    withdrawn, gate, linkability; closed_because of a closed one, stale of one that was emptied
    because the root key was rotated.
    """
    return [found for space in spaces(site) if (found := space.facts()) is not None]
