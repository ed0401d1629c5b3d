"""What a person was asked, kept until they answer: an answer counts for what they saw alone.

Each question is a small file of the research zone: ids, hashes and a time.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path

from entrepot.config import Site
from entrepot.errors import ConfigurationError

_WAIVER = "waiver_question"
_REPORT = "dpo_question.json"
SIGNED = "dpo"  # folder of the reports that the DPO was asked about
_PAGES = ("dpo.fr.html", "dpo.en.html", "dpo.json")


def ask_waiver(site: Site) -> None:
    """Notes the verdict that a steward is shown.

    Raises:
        ConfigurationError: the gate has judged no load.
    """
    (site.work / _WAIVER).write_text(_verdict(site), encoding="utf-8")


def require_same_verdict(site: Site) -> None:
    """Refuses an answer to a question that a later verdict overtook.

    Raises:
        ConfigurationError: the verdict is another than the one that was shown, or none was.
    """
    asked = site.work / _WAIVER
    if not asked.is_file() or asked.read_text(encoding="utf-8") != _verdict(site):
        raise ConfigurationError(
            "the load was judged again since the question was asked; nothing is waived",
            where="research/quality/verdict.json",
            remedy="let the next load ask anew",
        )


def _verdict(site: Site) -> str:
    path = site.quality / "verdict.json"
    if not path.is_file():
        raise ConfigurationError("no load was judged yet", where=str(path), remedy="entrepot run")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def ask_sign_off(site: Site, hours: float) -> str | None:
    """Keeps a copy of the DPO's report that no later one replaces; its folder below `reports`.

    Args:
        hours: how long a question stands. While one does, no other is asked: a busy site
            publishes every few minutes, and nobody signs so often.

    Returns:
        None when a question stands already.

    Raises:
        ConfigurationError: there is no report.
    """
    asked = site.work / _REPORT
    if asked.is_file() and time.time() - asked.stat().st_mtime < hours * 3600:
        return None
    facts = _document(site.reports / _PAGES[-1])
    folder = f"{SIGNED}/{facts['sha256'][:16]}"
    (site.reports / folder).mkdir(parents=True, exist_ok=True)
    for name in _PAGES:
        if (site.reports / name).is_file():
            shutil.copyfile(site.reports / name, site.reports / folder / name)
    asked.write_text(json.dumps({**facts, "folder": folder}) + "\n", encoding="utf-8")
    return folder


def read_sign_off(site: Site) -> dict[str, str]:
    """The release and the hash of the report that the DPO was asked about.

    Raises:
        ConfigurationError: none was asked.
    """
    asked = site.work / _REPORT
    try:
        found = json.loads(asked.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigurationError(
            "the DPO was asked about no report", where=str(asked), remedy="entrepot report dpo"
        ) from None
    return {"release": str(found["release"]), "sha256": str(found["sha256"])}


def end_sign_off(site: Site) -> None:
    """The question was answered: the next report may be asked about."""
    (site.work / _REPORT).unlink(missing_ok=True)


def _document(path: Path) -> dict[str, str]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        sha256 = str(document["signature"]["sha256"])
        return {"release": str(document["facts"]["scope"]["release"]), "sha256": sha256}
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "there is no DPO report, or its file is damaged", where=str(path),
            remedy="entrepot report dpo",
        ) from None  # fmt: skip
