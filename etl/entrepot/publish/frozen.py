"""Releases that stay as they were for the studies that began on them.

A weekly load would open differences: the same question before and after tells of the persons who
came between. A study's questions are all answered from one release, kept here by a hard link until
its last study ends; who opposes or is erased meanwhile leaves the views at once, and the file too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.durable import sync
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.omop.cdm import load_cdm
from entrepot.publish.ddl import ddl, quoted
from entrepot.publish.release import read_release
from entrepot.publish.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = "federation"
# Free text never answers a federated question, and its tables are not even shown.
HIDDEN = frozenset({"note", "note_nlp"})
# Tables without a person, and the columns by which visible rows refer to them.
PLACES = {
    "care_site": ("care_site_id", ("person", "visit_occurrence", "visit_detail")),
    "provider": ("provider_id", ("person", "visit_occurrence", "visit_detail")),
    "location": ("location_id", ("person",)),
}


@dataclass(frozen=True)
class Frozen:
    """A release that a study stands on.

    Args:
        release: its id; it stays when persons leave the file.
        vocabulary: hash of the hashes of its vocabulary tables: two nodes that state another one
            may mean other things by one concept set.
    """

    release: str
    vocabulary: str
    path: Path


def vocabulary() -> tuple[str, ...]:
    """Names of the vocabulary's tables."""
    return tuple(table.name for table in load_cdm().vocabulary_tables)


def freeze(site: Site) -> Frozen:
    """Keeps the published release; nothing happens when it is kept already.

    Raises:
        ConfigurationError: nothing is published yet.
        EntrepotError: it cannot be kept.
    """
    found = read_release(site.warehouse)
    if found is None:
        raise ConfigurationError("nothing is published yet", remedy="entrepot run")
    path = _path(site, found.release_id)
    if not path.exists():
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _keep(site.warehouse, path)
        except OSError as error:
            raise _refused(error) from None
        if read_frozen(site, found.release_id) is None:  # another was published at this moment
            path.unlink()
            return freeze(site)
    return _stated(path, found.release_id)


def read_frozen(site: Site, release: str) -> Frozen | None:
    """A release that is kept; None when it is gone, or is another than its name says."""
    path = _path(site, release)
    found = read_release(path) if release.isalnum() and path.is_file() else None
    return _stated(path, release) if found and found.release_id == release else None


def withdraw(site: Site, persons: Collection[int]) -> int:
    """Takes persons out of every kept release, at once; returns how many were in one.

    Raises:
        EntrepotError: a file cannot be written anew; whoever called must not go on.
    """
    kept = [read_frozen(site, path.stem) for path in kept_files(site)] if persons else []
    limit = site.config.federation.memory_limit
    return sum(take_out(one, persons, limit) for one in kept if one is not None)


def forget(site: Site, kept: Collection[str]) -> list[str]:
    """Removes the releases that no open study stands on; returns their ids."""
    gone = [path for path in kept_files(site) if path.stem not in kept]
    for path in gone:
        path.unlink()
    return [path.stem for path in gone]


def take_out(frozen: Frozen, persons: Collection[int], memory_limit: str) -> int:
    """Writes a kept release anew without these persons; returns how many were in it.

    What was deleted would stay readable in the file's free blocks. Rows of tables that no study is
    shown are left behind too.

    Raises:
        EntrepotError: it cannot be written; the release stays as it was.
    """
    import duckdb

    following = frozen.path.with_name(f".{frozen.path.name}.next")
    spill = following.with_suffix(".spill")
    try:
        following.unlink(missing_ok=True)
        with _engine(memory_limit, spill) as engine:
            engine.execute(f"ATTACH {literal(frozen.path)} AS former (READ_ONLY)")
            engine.execute("CREATE TABLE gone (person_id BIGINT PRIMARY KEY)")
            engine.execute("INSERT INTO gone SELECT unnest(?::BIGINT[])", [sorted(set(persons))])
            found = engine.execute(
                "SELECT count(*) FROM former.cdm.person WHERE person_id IN (FROM gone)"
            ).fetchone()
            if not found or not found[0]:
                return 0
            _write(engine, following)
        following.chmod(0o400)
        sync(following)
        os.replace(following, frozen.path)
        sync(frozen.path.parent)
    except (OSError, duckdb.Error) as error:
        raise _refused(error) from None
    finally:
        following.unlink(missing_ok=True)
        shutil.rmtree(spill, ignore_errors=True)
    return int(found[0])


def _write(engine: DuckDBPyConnection, following: Path) -> None:
    engine.execute(f"ATTACH {literal(following)} AS following")
    engine.execute("USE following")
    engine.execute(ddl("duckdb"))
    cdm = load_cdm()
    personal = {table.name for table in cdm.person_tables}
    for name in sorted((personal - HIDDEN) | set(PLACES) | set(vocabulary()) | {"cdm_source"}):
        columns = ", ".join(quoted(one, "duckdb") for one in cdm.table(name).columns)
        without = " WHERE person_id NOT IN (FROM memory.gone)" if name in personal else ""
        engine.execute(
            f"INSERT INTO cdm.{name} ({columns}) SELECT {columns} FROM former.cdm.{name}{without}"
        )
    engine.execute("CREATE SCHEMA etl")
    engine.execute("CREATE TABLE etl.release AS FROM former.etl.release")
    engine.execute("CHECKPOINT following")


@contextmanager
def _engine(memory_limit: str, spill: Path) -> Iterator[DuckDBPyConnection]:
    import duckdb

    engine = duckdb.connect(
        config={
            "memory_limit": memory_limit, "temp_directory": str(spill),
            "preserve_insertion_order": "false", "autoload_known_extensions": "false",
        }
    )  # fmt: skip
    try:
        yield engine
    finally:
        engine.close()


def _keep(source: Path, path: Path) -> None:
    """A published file is never changed, only replaced: a second name keeps it."""
    try:
        path.hardlink_to(source)
    except OSError:  # another file system, or one without hard links
        following = path.with_name(f".{path.name}.next")
        shutil.copyfile(source, following)
        following.chmod(0o400)
        sync(following)
        following.replace(path)


def kept_files(site: Site) -> list[Path]:
    """Files of the releases that are kept."""
    return sorted((site.research / FOLDER).glob("*.duckdb"))


def _path(site: Site, release: str) -> Path:
    return site.research / FOLDER / f"{release}.duckdb"


def _stated(path: Path, release: str) -> Frozen:
    found = read_release(path)
    hashes = found.hashes if found else {}
    words = {name: hashes.get(name, "") for name in vocabulary()}
    told = json.dumps(words, sort_keys=True, separators=(",", ":"))
    return Frozen(release, hashlib.sha256(told.encode()).hexdigest(), path)


def _refused(error: Exception) -> EntrepotError:
    what = getattr(error, "strerror", None) or type(error).__name__
    return EntrepotError(
        f"a release cannot be kept for its studies ({what})", where=f"research/{FOLDER}",
        remedy="free space on this disk, then repeat the command",
    )  # fmt: skip
