"""The report: its facts as one typed model, its pages in two languages, its signed JSON."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entrepot import __version__
from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.feeds.feeds import load_feeds
from entrepot.keys import Keyring, load_keyring
from entrepot.lock import site_lock
from entrepot.report.dpo.allow_list import Format, allow_list
from entrepot.report.dpo.disclosure import plain
from entrepot.report.dpo.evidence import Evidence, opened
from entrepot.report.dpo.pages import LANGUAGES, render
from entrepot.report.dpo.persons import Persons, persons
from entrepot.report.dpo.rights import Rights, rights
from entrepot.report.dpo.risk import Risk, risk
from entrepot.report.dpo.scope import Scope, scope
from entrepot.report.dpo.signing import digest, signed
from entrepot.report.dpo.texts import Texts, texts
from entrepot.report.dpo.trail import Trail, trail
from entrepot.report.dpo.versions import Version, table_hashes, versions

NAME = "dpo"
SCHEMA = 1


@dataclass(frozen=True)
class Processing:
    """Section 1, as `site.yaml` states it; empty: not stated."""

    controller: str
    dpo: str
    register_entry: str
    legal_basis: str
    aipd_version: str
    aipd_date: str
    derogations: tuple[str, ...]
    hosting: str


@dataclass(frozen=True)
class Facts:
    """Everything that a page prints; what has no data yet has no field."""

    schema: int
    software: str
    site: str
    title: str
    made_at: str
    processing: Processing
    scope: Scope
    versions: tuple[Version, ...]
    table_hashes: dict[str, str]
    formats: tuple[Format, ...]
    persons: Persons
    texts: Texts
    risk: Risk
    rights: Rights
    applied: bool
    trail: Trail


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


def collect(site: Site, keyring: Keyring, now: dt.datetime | None = None) -> dict[str, Any]:
    """The facts as they stand between two runs, ready for JSON: small counts are withheld.

    Raises:
        SiteBusyError: a run changes them now.
        ConfigurationError: key, mapping or database is not the site's.
    """
    moment = now or dt.datetime.now(dt.UTC)
    mappings = load_feeds(site.overlays)
    with site_lock(site), opened(site, keyring, moment) as evidence:
        facts = _facts(evidence, versions(site, keyring, mappings), allow_list(evidence, mappings))
        evidence.disclosure.close()
    found: dict[str, Any] = plain(facts)
    return found


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
    keyring = load_keyring(site.root_key, site.config.key_command)
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


def _facts(
    evidence: Evidence, used: tuple[Version, ...], formats: tuple[Format, ...]
) -> Facts:  # fmt: skip
    site = evidence.site
    right = rights(evidence)
    return Facts(
        SCHEMA, __version__, site.config.site, site.config.title,
        evidence.now.isoformat(timespec="seconds"), _processing(site), scope(evidence), used,
        table_hashes(site), formats, persons(evidence), texts(evidence), risk(evidence), right,
        right.applied, trail(evidence),
    )  # fmt: skip


def _processing(site: Site) -> Processing:
    stated = site.config.processing
    date = stated.aipd_date.isoformat() if stated.aipd_date else ""
    return Processing(
        stated.controller, stated.dpo, stated.register_entry, stated.legal_basis,
        stated.aipd_version, date, tuple(stated.derogations), stated.hosting,
    )  # fmt: skip


def _pages(site: Site, out: Path | None, languages: tuple[str, ...]) -> dict[str, Path]:
    if out is not None and len(languages) == 1:
        return {languages[0]: out}
    folder = out.parent if out is not None else site.reports
    return {one: folder / f"{_stem(out)}.{one}.html" for one in languages}


def _stem(out: Path | None) -> str:
    return NAME if out is None else out.stem
