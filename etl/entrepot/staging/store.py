"""The staging store: Parquet, one file per kind and bucket of persons, in immutable generations.

A generation is a folder; the ledger's database names the one that counts, in the transaction that
records what was derived. Untouched files of the generation before are hard-linked, touched buckets
are written anew without the rows of re-derived records: nothing removed stays on disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from entrepot.durable import sync
from entrepot.staging.kinds import KINDS, Kind

SITE_BUCKET = "site"
_ORDER = [("person_key", "ascending"), ("row_key", "ascending"), ("version", "ascending"),
          ("record_key", "ascending"), ("row_number", "ascending")]  # fmt: skip


def bucket_of(person_key: str, buckets: int) -> str:
    """The bucket of a person; rows of the site have their own."""
    return f"{int(person_key[:8], 16) % buckets:04d}" if person_key else SITE_BUCKET


def generation_folder(staging: Path, generation: int) -> Path:
    """Where a generation's files lie."""
    return staging / f"{generation:08d}"


def write_generation(
    staging: Path,
    base: int,
    added: Mapping[str, pa.Table],
    removed: Mapping[str, set[str]],
    buckets: int,
    *,
    anew: bool = False,
) -> int:
    """Writes generation `base + 1` and makes it durable; returns its number.

    Args:
        added: kind -> new rows.
        removed: bucket -> record keys whose rows go (SITE_BUCKET for structure rows).
        anew: nothing of the former generation is kept (the number of buckets changed).
    """
    generation = base + 1
    folder = generation_folder(staging, generation)
    shutil.rmtree(folder, ignore_errors=True)  # left by a killed run: never committed
    for kind in KINDS.values():
        (folder / kind.name).mkdir(parents=True)
        old = {} if anew else _files(generation_folder(staging, base) / kind.name)
        _write_kind(old, folder, kind, added.get(kind.name), removed, buckets)
    _sync_tree(folder)
    return generation


def remove_other_generations(staging: Path, keep: int) -> None:
    """Deletes every generation but the one in force: former rows leave the disk."""
    kept = generation_folder(staging, keep)
    for folder in sorted(staging.glob("[0-9]*")) if staging.is_dir() else []:
        if folder != kept:
            shutil.rmtree(folder)


def _write_kind(
    old: Mapping[str, Path],
    folder: Path,
    kind: Kind,
    added: pa.Table | None,
    removed: Mapping[str, set[str]],
    buckets: int,
) -> None:
    fresh = _by_bucket(kind, added, buckets)
    for bucket in sorted({*old, *fresh, SITE_BUCKET}):
        target = folder / kind.name / f"{bucket}.parquet"
        gone = removed.get(bucket, set())
        if bucket in old and bucket not in fresh and not gone:
            os.link(old[bucket], target)
            continue
        tables = [fresh[bucket]] if bucket in fresh else []
        if bucket in old:
            tables.append(_without(pq.read_table(old[bucket]), gone))
        rows = pa.concat_tables(tables) if tables else kind.schema.empty_table()
        _write(rows.sort_by(_ORDER), target)


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.parquet"))}


def _by_bucket(kind: Kind, rows: pa.Table | None, buckets: int) -> dict[str, pa.Table]:
    if rows is None or rows.num_rows == 0:
        return {}
    names = [bucket_of(key or "", buckets) for key in rows["person_key"].to_pylist()]
    column = pa.array(names)
    return {
        name: rows.filter(pc.equal(column, name)).cast(kind.schema) for name in sorted(set(names))
    }


def _without(rows: pa.Table, record_keys: Iterable[str]) -> pa.Table:
    gone = pa.array(sorted(record_keys), type=pa.string())
    return rows.filter(pc.invert(pc.is_in(rows["record_key"], value_set=gone)))


def _write(rows: pa.Table, path: Path) -> None:
    pq.write_table(rows, path, compression="zstd", store_schema=False)


def _sync_tree(folder: Path) -> None:
    for path in [*sorted(folder.rglob("*")), folder, folder.parent]:
        sync(path)
