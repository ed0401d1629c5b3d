"""The hand-over from one root key to the next: the audit log, and what is kept of the former.

The log's chain is closed by a last entry under the former key; the first entry under the new one
holds its MAC. The former log's key stays, sealed, for entries up to the last one and no later.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from entrepot.audit import Action, AuditLog, read_entries
from entrepot.audit.head import HeadRecord
from entrepot.config import Site
from entrepot.former_roots import FormerRoot, read_former, write_former
from entrepot.keys import LANDING, Keyring
from entrepot.rekeying import recoding, roots
from entrepot.rekeying.recoding import Roots

# Of what was signed and cannot be signed again: the log's head in a report.
_ATTESTED = ("report_head/v1",)


def close(site: Site, both: Roots, line: Row[Any]) -> Roots:
    """Closes the log under the former root and writes what is kept of it; may be repeated.

    Returns:
        The roots, the new one with what is kept.
    """
    facts = {**_stated(line), "step": "closed", "persons": line.persons, "records": line.records}
    last = AuditLog(site, both.old).append(Action.KEYS_ROTATED, facts).sequence
    path = roots.former_keys(site)
    # After a kill in between, the file is sealed under the new root already.
    older = both.old.former or read_former(path, Keyring(both.new.root()))
    kept = both.old.retained(
        line.version - 1, last, [LANDING, *recoding.retained_labels()],
        [*_ATTESTED, *_studies(site, both.old)],
    )  # fmt: skip
    former = (*(one for one in older if one.version < kept.version), kept)
    write_former(path, both.new, former)
    return Roots(both.old, Keyring(both.new.root(), former))


def open_(site: Site, new: Keyring, line: Row[Any]) -> None:
    """Writes the log's first entry under the new root, once."""
    head = HeadRecord(site).read()
    last: FormerRoot = new.former[-1]
    if head is None or head.sequence <= last.last_entry:
        AuditLog(site, new).append(Action.KEYS_ROTATED, {**_stated(line), "step": "opened"})


def _stated(line: Row[Any]) -> dict[str, Any]:
    return {
        "version": line.version, "old": line.old, "new": line.new, "by": line.by,
        "reason": line.reason,
    }  # fmt: skip


def _studies(site: Site, old: Keyring) -> list[str]:
    """Labels of the keys of every study there was: an id of its space may come back years later."""
    from entrepot.study.keys import study_label

    named = {str(one.facts.get("study", "")) for one in read_entries(site, old)}
    folder = site.research / "studies"
    named |= {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return [study_label(name) for name in sorted(named - {""})]
