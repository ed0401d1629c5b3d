"""Everything that the report states, section by section, collected between two runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from entrepot import __version__
from entrepot.config import Site
from entrepot.feeds.feeds import FeedMappings, load_feeds
from entrepot.keys import Keyring
from entrepot.lock import site_lock
from entrepot.people import people
from entrepot.report.dpo.allow_list import Format, allow_list
from entrepot.report.dpo.deviations import deviations, read_spec
from entrepot.report.dpo.disclosure import plain
from entrepot.report.dpo.evidence import Evidence, opened
from entrepot.report.dpo.measured import Measured, measured
from entrepot.report.dpo.persons import Persons, persons
from entrepot.report.dpo.plan import actions, incidents, read_plan
from entrepot.report.dpo.queries import Federation, federation
from entrepot.report.dpo.requests import Requests, requests
from entrepot.report.dpo.retention import Retention, retention
from entrepot.report.dpo.rights import Rights, rights
from entrepot.report.dpo.risk import Risk, risk
from entrepot.report.dpo.roots import Roots, roots
from entrepot.report.dpo.scope import Scope, scope
from entrepot.report.dpo.security import Security, security
from entrepot.report.dpo.studies import Space, studies
from entrepot.report.dpo.texts import Texts, texts
from entrepot.report.dpo.trail import Trail, trail
from entrepot.report.dpo.versions import Version, table_hashes, versions

SCHEMA = 2


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
class Sections:
    """Sections 1 to 12, in their order where each has its own field."""

    processing: Processing
    scope: Scope
    versions: tuple[Version, ...]
    table_hashes: dict[str, str]
    formats: tuple[Format, ...]
    persons: Persons
    texts: Texts
    measured: Measured
    risk: Risk
    rights: Rights
    trail: Trail
    studies: tuple[Space, ...]
    federation: Federation
    requests: Requests
    security: Security
    roots: Roots
    retention: Retention


def collect(site: Site, keyring: Keyring, now: dt.datetime | None = None) -> dict[str, Any]:
    """The facts as they stand between two runs, ready for JSON: small counts are withheld.

    Raises:
        SiteBusyError: a run changes them now.
        ConfigurationError: key, mapping, database or a file of the report is not the site's.
    """
    moment = now or dt.datetime.now(dt.UTC)
    plan, spec = read_plan(site), read_spec(site.overlays)
    mappings = load_feeds(site.overlays)
    with site_lock(site), opened(site, keyring, moment) as evidence:
        sections = _sections(evidence, mappings)
        found = deviations(sections, plan, spec, moment)
        told = incidents(plan, evidence.disclosure)
        evidence.disclosure.close()
    return {
        "schema": SCHEMA,
        "software": __version__,
        "site": site.config.site,
        "title": site.config.title,
        "made_at": moment.isoformat(timespec="seconds"),
        **plain(sections),
        "applied": sections.rights.applied,
        "private": sections.security.private,
        "ciphered": sections.security.ciphered,
        "deviations": plain(found),
        "incidents": plain(told),
        "actions": plain(actions(plan, moment.date())),
        "officers": [one.name for one in people(site) if "dpo" in one.profiles],
    }


def _sections(evidence: Evidence, mappings: FeedMappings) -> Sections:
    site = evidence.site
    used = versions(site, evidence.keyring, mappings)
    hashes = {one.name: one.sha256 for one in used}
    return Sections(
        _processing(site), scope(evidence), used, table_hashes(site),
        allow_list(evidence, mappings), persons(evidence), texts(evidence),
        measured(evidence, hashes["texts"], hashes["software"]), risk(evidence), rights(evidence),
        trail(evidence), studies(evidence), federation(evidence), requests(evidence),
        security(evidence), roots(evidence), retention(evidence),
    )  # fmt: skip


def _processing(site: Site) -> Processing:
    stated = site.config.processing
    date = stated.aipd_date.isoformat() if stated.aipd_date else ""
    return Processing(
        stated.controller, stated.dpo, stated.register_entry, stated.legal_basis,
        stated.aipd_version, date, tuple(stated.derogations), stated.hosting,
    )  # fmt: skip
