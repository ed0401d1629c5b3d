"""`entrepot access-report`: what the site holds of one person, for that person (RGPD 15).

Written into the identifying zone for its owner alone, and nowhere else; the demand is logged before
anything is read.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.keys import site_keyring
from entrepot.landing.access import require_reason
from entrepot.landing.database import private_folder
from entrepot.lock import site_lock
from entrepot.people import person as named_person
from entrepot.register.oppositions import fingerprint
from entrepot.register.person import Identifier
from entrepot.register.snapshot import Snapshot
from entrepot.resources import data_file
from entrepot.rights.access_facts import AccessWords, Subject, zone_facts
from entrepot.rights.access_rows import recipients, warehouse_rows
from entrepot.rights.files import ACCESS
from entrepot.rights.target import find_root, person_ids, unattributed
from entrepot.road.inputs import Inputs
from entrepot.yaml_files import read_yaml

WORDS = "mappings/privacy/access.yaml"
DPO = "dpo"


@dataclass(frozen=True)
class AccessReport:
    """Where the report lies, and how much it tells.

    Args:
        person: fingerprint of the number, as the audit log has it.
    """

    page: Path
    facts: Path
    person: str
    records: int
    rows: int


def access_report(site: Site, number: Identifier, by: str, why: str) -> AccessReport:
    """Writes the report of the person of a number, as HTML that stands alone and as JSON.

    Raises:
        ConfigurationError: nobody has this number (or they were erased), or `by` is no data
            protection officer.
        SiteBusyError: a run works on the site.
    """
    reason = require_reason(why)
    named_person(site, by, DPO)
    keyring = site_keyring(site)
    words = read_yaml(data_file(WORDS, site.overlays), AccessWords)
    who = fingerprint(keyring, number.hmac(keyring))
    log = AuditLog(site, keyring)
    log.append(Action.ACCESS_REPORTED, {"person": who, "by": by, "reason": reason})
    with site_lock(site), Inputs.of(site) as inputs, inputs.database.connect() as connection:
        snapshot = Snapshot(connection, keyring, site.config.register_)
        root = find_root(connection, snapshot, number.hmac(keyring))
        named = tuple(row.record_id for row in unattributed(inputs, connection, snapshot, root))
        subject = Subject(site, keyring, connection, snapshot, root, named)
        told = zone_facts(subject, words)
        ids = person_ids(keyring, snapshot.persons[root].keys)
        tables = warehouse_rows(site, ids, words)
        told |= {
            "asked_at": dt.datetime.now(site.zone).isoformat(timespec="minutes"),
            "number": {"authority": number.authority, "value": number.value},
            "site": site.config.site, "title": site.config.title,
            "controller": site.config.processing.controller, "dpo": site.config.processing.dpo,
            "tables": tables, "recipients": recipients(site, keyring, ids),
        }  # fmt: skip
    page, facts = _write(site, who, told)
    rows = sum(len(table["rows"]) for table in tables)
    return AccessReport(page, facts, who, len(told["records"]), rows)


def _write(site: Site, who: str, told: Mapping[str, Any]) -> tuple[Path, Path]:
    folder = site.identifying / ACCESS
    private_folder(folder)
    environment = Environment(
        loader=PackageLoader("entrepot.rights"), autoescape=True, undefined=StrictUndefined
    )
    html = environment.get_template("access.html.j2").render(told)
    text = json.dumps(told, ensure_ascii=False, indent=2, default=str) + "\n"
    name = f"access-{who}-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}"
    written = []
    for suffix, content in ((".html", html), (".json", text)):
        path = folder / f"{name}{suffix}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        written.append(path)
    return written[0], written[1]
