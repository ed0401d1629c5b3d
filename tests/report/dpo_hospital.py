"""A synthetic hospital whose load the DPO's report tells of, for several test files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import browser
import roads
from entrepot.config import CONFIG_NAME, Site
from entrepot.report.dpo.disclosure import SMALL, WITHHELD
from entrepot.report.dpo.plan import FILE
from entrepot.report.dpo.report import DpoReport, write_dpo_report
from entrepot.synthetic.generate import generate

GROUP = "dpo_hospital"  # of the test files that use it: they share a process, so it is made once
# Fewer than 28 have no opposition; the manual's images show more than withheld counts.
PATIENTS, SEED = (60 if browser.wanted_screenshots() else 28), 7
PROCESSING = {
    "controller": "CHU de Vaugirard", "dpo": "dpo@example.org", "register_entry": "2025-017",
    "legal_basis": "RGPD 6(1)(e) et 9(2)(j)", "aipd_version": "2.1", "aipd_date": "2025-06-30",
    "derogations": ["Textes conservés <100 mois> & \"relus\""],
}  # fmt: skip
PEOPLE = {"h.vigne": {"profiles": ["dpo"]}, "j.orsel": {"profiles": ["steward"]}}
PLAN = """
incidents:
  - {id: I-2026-01, found_at: 2026-11-03T09:30:00, ended_on: 2026-11-03, kind: access,
     text: "Un compte de prestataire est resté ouvert deux jours après la fin de sa mission."}
actions:
  - {id: A-2026-01, answers: escrow_missing, owner: h.vigne, decided_on: 2026-11-04,
     due: 2030-12-01, text: "Partager la clé racine entre trois dépositaires."}
"""
# Whole numbers that count no person, record or document of a patient: they are told as they are.
TOLD = re.compile(
    r"^\.(schema|formats\.(unread_rare|treatments)|persons\.(key_bits|keys\.bits)|risk\.scans"
    r"|measured\.(fixed|readings\.(readers|leaking|recall|over_masked))"
    r"|security\.(places|backups)|roots\.(version|age_days|rotations\.version|splits)"
    r"|rights\.(registers\.(age_days|max_age_days)|delays\.median_days)"
    r"|retention\.(years|logs_days|access_days|backups_days)|trail\.(torn|acts|faults)"
    r"|deviations|incidents\.told_hours|studies\.tables)"
)


@dataclass(frozen=True)
class Hospital:
    """A synthetic hospital, its site and the report of its first load."""

    folder: Path
    site: Site
    report: DpoReport

    @property
    def facts(self) -> dict[str, Any]:
        """The facts, read back from the signed file."""
        document = json.loads(self.report.document.read_text(encoding="utf-8"))
        facts: dict[str, Any] = document["facts"]
        return facts

    def truth(self, name: str) -> list[dict[str, Any]]:
        """Lines of one file of the truth."""
        path = self.folder / "truth" / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def build(folder: Path) -> Hospital:
    """The hospital, its feeds taken down the road once, and the report of that load."""
    generate(PATIENTS, SEED, folder / "hospital")
    site = roads.new_site(folder / "site")
    path = site.root / CONFIG_NAME
    stated = {"processing": PROCESSING, "people": PEOPLE}
    text = path.read_text(encoding="utf-8") + yaml.safe_dump(stated)
    path.write_text(text, encoding="utf-8")
    (site.root / FILE).parent.mkdir()
    (site.root / FILE).write_text(PLAN, encoding="utf-8")
    site = Site.open(site.root)
    roads.feed_hospital(site, folder / "hospital")
    assert roads.travel(site).published
    return Hospital(folder / "hospital", site, write_dpo_report(site))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every fact with its path; members of a list share theirs."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, f"{path}.{key}")
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, path)
    else:
        yield path, value


def is_told(shown: int | str, count: int) -> bool:
    """Whether a fact tells a count as the manual says."""
    if shown == WITHHELD:
        return count > 0
    return shown == (SMALL if 0 < count < 11 else -(-count // 10) * 10)
