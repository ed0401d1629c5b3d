"""The report: its facts, its pages in two languages, its signed JSON."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import site_keyring
from entrepot.report.dpo.facts import collect
from entrepot.report.dpo.pages import LANGUAGES, render
from entrepot.report.dpo.signing import digest, signed

NAME = "dpo"


@dataclass(frozen=True)
class DpoReport:
    """Where the report lies.

    Args:
        pages: language -> HTML file.
        document: the signed JSON.
        sha256: of the canonical facts, as every page states it.
    """

    pages: dict[str, Path]
    document: Path
    sha256: str
    public_key: str
    facts: dict[str, Any]


def write_dpo_report(
    site: Site,
    *,
    languages: tuple[str, ...] = LANGUAGES,
    out: Path | None = None,
    now: dt.datetime | None = None,
) -> DpoReport:
    """Writes `dpo.<language>.html` and `dpo.json`; the signature is logged first.

    Args:
        out: the page's file (of several languages, `.<language>` is put before its ending); the
            JSON lies beside it. By default in the site's `research/reports`.

    Raises:
        SiteBusyError: a run holds the site.
        ConfigurationError: key, mapping or database is not the site's.
        EntrepotError: the log or a file cannot be written.
    """
    if out is not None and out.suffix == ".json":
        raise ConfigurationError(
            "the page and its facts are two files", where=str(out), remedy="--out FILE.html"
        )
    keyring = site_keyring(site)
    facts = collect(site, keyring, now)
    document = signed(facts, keyring)
    sha256 = digest(facts)
    pages = _pages(site, out, languages)
    target = pages[languages[0]].with_name(f"{_stem(out)}.json")
    files = {page: render(document, name, site.root) for name, page in pages.items()}
    files[target] = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    stated = {"report": NAME, "sha256": sha256, "release": facts["scope"]["release"]}
    log = AuditLog(site, keyring)
    log.append(Action.REPORT_SIGNED, {**stated, "language": " ".join(languages)})
    _write(files)
    return DpoReport(pages, target, sha256, document["signature"]["public_key"], facts)


def _write(files: dict[Path, str]) -> None:
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise EntrepotError(
                f"the report cannot be written ({error.strerror})", where=str(path),
                remedy="free space or mend its folder's rights, then repeat the command",
            ) from None  # fmt: skip


def _pages(site: Site, out: Path | None, languages: tuple[str, ...]) -> dict[str, Path]:
    if out is not None and len(languages) == 1:
        return {languages[0]: out}
    folder = out.parent if out is not None else site.reports
    return {one: folder / f"{_stem(out)}.{one}.html" for one in languages}


def _stem(out: Path | None) -> str:
    return NAME if out is None else out.stem
