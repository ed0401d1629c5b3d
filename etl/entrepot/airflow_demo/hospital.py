"""A site with an inbox per source, and a synthetic hospital that drops its files there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from entrepot.config import CONFIG_NAME, Site
from entrepot.demonstration import feed_folders, fresh
from entrepot.resources import data_folder

INBOX = "inbox"
_WEEK = re.compile(r"\d{8}")
_SOURCE = re.compile(r"^(  (\w+): \{format: .*)\}$", re.MULTILINE)
_SETTINGS = """
airflow:
  schedule: "* * * * *"
  vocabulary: {vocabulary}
  retry_seconds: 5
"""


@dataclass(frozen=True)
class Demo:
    """A site, the hospital that feeds it, and the folder of its inboxes."""

    site: Site
    hospital: Path
    inboxes: Path

    def deliver(self, part: int = 0, parts: int = 1) -> int:
        """Drops what the hospital sent in one of `parts` equal stretches of weeks; the files."""
        weeks = sorted({_week(path) for _, path in self._feeds()})
        chosen = set(weeks[len(weeks) * part // parts : len(weeks) * (part + 1) // parts])
        files = [(source, path) for source, path in self._feeds() if _week(path) in chosen]
        for source, path in files:
            _drop(path, self.inboxes / source / path.relative_to(self.hospital).as_posix())
        if part == 0:
            _drop(self.hospital / "oppositions.csv", self.inboxes / "oppositions" / "desk.csv")
        return len(files)

    def _feeds(self) -> Iterator[tuple[str, Path]]:
        for source, folder in feed_folders(self.hospital).items():
            yield from ((source, path) for path in folder.rglob("*") if path.is_file())


def _week(path: Path) -> str:
    found = _WEEK.search("/".join(path.parts[-2:]))
    return found[0] if found else ""


def _drop(path: Path, target: Path) -> None:
    """Written under a hidden name, so that no one reads half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}")
    shutil.copyfile(path, hidden)
    hidden.rename(target)


def prepare(
    out: Path, patients: int, seed: int, formats: str = "hl7v2,fhir,cda",
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Demo:  # fmt: skip
    """A fresh site with an inbox per source, the demonstration vocabulary, and a hospital.

    Raises:
        ConfigurationError: `out` holds something that is no demonstration.
    """
    from entrepot.synthetic import generate
    from entrepot.vocabulary.load import load_vocabulary

    hospital, site = fresh(out)
    inboxes = (out / INBOX).resolve()
    shutil.rmtree(inboxes, ignore_errors=True)
    told = tuple(part.strip() for part in formats.split(","))
    generate(
        patients, seed, hospital, lambda done: progress("synthesise", done, patients), formats=told
    )
    vocabulary = data_folder("mappings") / "demo_vocabulary"
    load_vocabulary(vocabulary, site.vocabulary)
    _name_inboxes(site, inboxes, vocabulary)
    site = Site.open(site.root)
    for name in (*site.config.sources, "oppositions"):
        (inboxes / name).mkdir(parents=True)
    return Demo(site, hospital, inboxes)


def _name_inboxes(site: Site, inboxes: Path, vocabulary: Path) -> None:
    """Into the site.yaml as `entrepot init` writes it, comments kept."""

    def inbox(name: str) -> str:
        return f"inbox: {{folder: {json.dumps(str(inboxes / name))}, quiet_seconds: 1}}"

    path = site.root / CONFIG_NAME
    text = _SOURCE.sub(lambda found: f"{found[1]}, {inbox(found[2])}}}", path.read_text("utf-8"))
    text = re.sub(r"^  # inbox: .*$", lambda _: f"  {inbox('oppositions')}", text, flags=re.M)
    settings = _SETTINGS.format(vocabulary=json.dumps(str(vocabulary)))
    path.write_text(text + settings, encoding="utf-8")
