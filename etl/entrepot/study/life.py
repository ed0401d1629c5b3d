"""The life of a study space: created, refreshed from the release in place, expired, closed.

Called by the data protection officer's side, which holds the keys. A space is replaced in one step:
readers who hold the former file open keep it until they close it.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.durable import sync
from entrepot.errors import ConfigurationError, EntrepotError, GateBlockedError
from entrepot.keys import Keyring, site_keyring
from entrepot.landing.settings import read_setting
from entrepot.lock import site_lock
from entrepot.publish.release import read_release
from entrepot.register.withdrawn import withdrawn_ids
from entrepot.study.cohorts import keep_cohort, read_cohort
from entrepot.study.definition import (
    Definition,
    Granted,
    granted,
    read_definition,
    require_approval,
)
from entrepot.study.draft import Cut, build_draft, opened
from entrepot.study.finishing import finish
from entrepot.study.judging import judge, unchecked
from entrepot.study.keys import FIRST_WEEKS, LAST_WEEKS
from entrepot.study.linkability import linkability
from entrepot.study.persons import mothers, opened_register
from entrepot.study.server import drop_space, load_space, require_server
from entrepot.study.space import CLOSED, FILE_MODE, OPEN, Facts, Space, open_spaces, workshop

# What a key rotation writes of the release in place: its ids are those of the former key.
PUBLISHED, NOTHING = "published_generation", "-1"


def create(site: Site, path: Path, today: dt.date | None = None) -> Facts:
    """Makes the space of a definition; returns its facts.

    Raises:
        ConfigurationError: the definition, its approval, its cohort or the site is not fit, or the
            study is open already.
        GateBlockedError: the space would not pass the gate's checks; nothing was made.
        EntrepotError: the release cannot be read, the disk is full, PostgreSQL refuses.
    """
    definition = read_definition(path)
    space = Space(site, definition.id)
    known = space.facts()
    if known is not None:
        raise ConfigurationError(
            f"the study {definition.id} is {known['status']}", where=str(space.folder),
            remedy="entrepot study refresh, or choose another id: a closed one is never reused",
        )  # fmt: skip
    day = _refuse_expired(definition, today)
    with site_lock(site):
        keyring = site_keyring(site)
        facts = {"created": str(day), "withdrawn": 0}
        facts = _make(space, keyring, definition, path, facts, Action.STUDY_CREATED, day)
    return facts


def refresh(site: Site, study_id: str, path: Path | None = None, today: dt.date | None = None
) -> Facts:  # fmt: skip
    """Builds an open space anew from the release in place, under the same keys.

    Args:
        path: a newer definition of the same id, approved again; by default the one in force.

    Raises:
        as `create`; and ConfigurationError when the study is not open.
    """
    space = Space(site, study_id)
    known = _open_facts(space)
    source = path or space.definition
    definition = read_definition(source)
    if definition.id != study_id:
        raise ConfigurationError(f"this defines {definition.id}", where=str(source))
    if definition.target != known["target"]:
        raise ConfigurationError(
            f"the space is in {known['target']}", where="target",
            remedy="close it and create one of another id",
        )  # fmt: skip
    day = _refuse_expired(definition, today)
    with site_lock(site):
        facts = {"created": known["created"], "withdrawn": known["withdrawn"]}
        return _make(
            space, site_keyring(site), definition, source, facts, Action.STUDY_REFRESHED, day
        )


def close(
    site: Site, study_id: str, by: str = "", reason: str = "", today: dt.date | None = None
) -> Facts:
    """Removes a space physically; `study.json` stays as evidence, without a row.

    Raises:
        ConfigurationError: the study is not open.
        EntrepotError: PostgreSQL refuses; the space is open still.
    """
    space = Space(site, study_id)
    with site_lock(site):
        return _close(space, site_keyring(site), by, reason or "closed", today)


def expire(site: Site, keyring: Keyring, today: dt.date | None = None) -> list[str]:
    """Closes every space whose day has passed; their ids. The caller holds the site's lock."""
    day = today or _today()
    due = [
        space for space, facts in open_spaces(site) if dt.date.fromisoformat(facts["expires"]) < day
    ]
    for space in due:
        _close(space, keyring, "", "expired", day)
    return [space.study_id for space in due]


def _make(
    space: Space, keyring: Keyring, definition: Definition, path: Path, facts: Facts,
    action: Action, day: dt.date,
) -> Facts:  # fmt: skip
    site = space.site
    require_approval(site, definition)
    tables = granted(site, definition, str(path))
    if definition.target == "postgresql":
        require_server(site, definition)
    with _workshop(site) as work:
        following, built = _build(space, keyring, definition, tables, path, work)
        told = {
            **_described(definition), **facts, "status": OPEN, "refreshed": str(day),
            "key": keyring.fingerprint, "shift_weeks": [FIRST_WEEKS, LAST_WEEKS],
            "columns": {name: list(columns) for name, columns in tables.items()}, **built,
        }  # fmt: skip
        AuditLog(site, keyring).append(action, _stated(told))
        # The facts first: a space that nobody knows of would never be cleaned.
        former = space.facts()
        space.write_facts(told)
        try:
            _put_in_place(space, definition, path, following)
        except BaseException:
            space.restore_facts(former)
            raise
    return told


def _build(
    space: Space, keyring: Keyring, definition: Definition, tables: Granted, path: Path, work: Path
) -> tuple[Path, Facts]:
    """A finished file in `work` that passes the gate's checks, and what is told of it."""
    site, draft, following = space.site, work / "draft.duckdb", work / "space.duckdb"
    release = read_release(site.warehouse)
    if release is None:
        raise ConfigurationError("nothing is published yet", remedy="entrepot run")
    cohort = read_cohort(space, definition, path)
    with opened_register(site, keyring) as (register, snapshot):
        if read_setting(register, PUBLISHED) == NOTHING:
            raise ConfigurationError(
                "nothing is published under the root key in force", where=str(site.warehouse),
                remedy="entrepot run, then entrepot study refresh",
            )  # fmt: skip
        gone = withdrawn_ids(site, keyring, snapshot, definition.id)
        cut = Cut(cohort, gone, mothers(register, keyring, snapshot))
    with opened(work, site.config.memory_limit) as connection:
        left_out = build_draft(connection, site, keyring, definition, tables, cut, draft)
        end_day = connection.execute("SELECT end_day FROM study_window").fetchall()[0][0]
        connection.execute("DETACH draft")
        rows, small = finish(connection, draft, following, (), site.config.studies.smallest_unit)
        verdict = judge(connection, site, following, end_day)
        told = linkability(connection, site, following)
    if not verdict.passed:
        raise GateBlockedError(
            f"the space does not pass: {', '.join(verdict.failing[:5])}", where=space.study_id,
            remedy="nothing was made; see what the check says of the release",
        )  # fmt: skip
    checked = {
        "passed": True, "checks": verdict.checks, "warned": list(verdict.warned),
        "not_applicable": unchecked(site),
    }  # fmt: skip
    return following, {
        "release": release.release_id, "persons": rows.get("person", 0), "tables": rows,
        "left_out": left_out, "suppressed": small, "gate": checked, "linkability": told,
    }  # fmt: skip


def _put_in_place(space: Space, definition: Definition, path: Path, following: Path) -> None:
    if path.resolve() != space.definition.resolve():
        shutil.copyfile(path, space.definition)
        space.definition.chmod(FILE_MODE)
    if definition.cohort.csv is not None:
        keep_cohort(space, definition, path)
    if definition.target == "postgresql":
        load_space(space, definition, following)
    else:
        replace_file(following, space.file)


def replace_file(following: Path, target: Path) -> None:
    """Puts a finished file in its place in one step, durably; the group may read it."""
    beside = target.with_name(f".{target.name}.next")
    try:
        if following != beside:
            shutil.copyfile(following, beside)
        beside.chmod(FILE_MODE)
        sync(beside)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
    sync(target.parent)


def _close(space: Space, keyring: Keyring, by: str, reason: str, day: dt.date | None) -> Facts:
    known = _open_facts(space)
    told = {**known, "status": CLOSED, "closed": str(day or _today()), "closed_because": reason}
    stated = {**_stated(told), "reason": reason[:500], "by": by or known["approved_by"]}
    AuditLog(space.site, keyring).append(Action.STUDY_CLOSED, stated)
    if known["target"] == "postgresql":
        drop_space(space)
    space.file.unlink(missing_ok=True)
    shutil.rmtree(space.private, ignore_errors=True)
    space.write_facts(told)
    return told


def _described(definition: Definition) -> Facts:
    return {
        "id": definition.id, "title": definition.title, "purpose": definition.purpose,
        "legal_basis": definition.legal_basis, "target": definition.target,
        "expires": str(definition.expires), "approved_by": definition.approval.approved_by,
        "signed": bool(definition.approval.signature), "beyond": definition.beyond,
        "readers": definition.readers,
    }  # fmt: skip


def _stated(facts: Facts) -> dict[str, str | int]:
    """What the audit log says of it: names and counts."""
    return {
        "study": facts["id"], "by": facts["approved_by"], "persons": facts["persons"],
        "rows": sum(facts["tables"].values()), "release": facts["release"],
        "target": facts["target"], "expires": facts["expires"],
    }  # fmt: skip


def _open_facts(space: Space) -> Facts:
    known = space.facts()
    if known is None or known["status"] != OPEN:
        raise ConfigurationError(
            f"no open study {space.study_id}", where=str(space.folder), remedy="entrepot study list"
        )
    return known


def _refuse_expired(definition: Definition, today: dt.date | None) -> dt.date:
    day = today or _today()
    if definition.expires < day:
        raise ConfigurationError(
            f"the study expired on {definition.expires}", where="expires",
            remedy="entrepot study close, or a definition approved anew",
        )  # fmt: skip
    return day


def _today() -> dt.date:
    return dt.datetime.now().astimezone().date()


@contextmanager
def _workshop(site: Site) -> Iterator[Path]:
    """A folder of the identifying zone for the draft; what a killed run left goes first."""
    root = workshop(site)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True, mode=0o700)
    try:
        yield Path(tempfile.mkdtemp(dir=root))
    except OSError as error:
        raise EntrepotError(
            f"the space cannot be written ({error.strerror})", where=str(root),
            remedy="free space of the size of the warehouse, then try again",
        ) from None  # fmt: skip
    finally:
        shutil.rmtree(root, ignore_errors=True)
