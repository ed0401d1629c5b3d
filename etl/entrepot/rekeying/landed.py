"""The landed records under the new root key: content, data key and address, all made anew.

The content is sealed again, not its data key alone: whoever has the former root and an old copy of
the database has the former data keys. What was erased has no key, so its ciphertext goes with the
former segment files; its address is carried over, or the record could come back.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.keys import LANDING, Keyring
from entrepot.landing.database import write_transaction
from entrepot.landing.ledger import ERASED
from entrepot.landing.segments import KEY_WRAP, SegmentReader, SegmentWriter
from entrepot.landing.tables import RecordRow, data_key, record
from entrepot.rekeying.recoding import Roots

BATCH_RECORDS = 500
BATCH_BYTES = 32 << 20
_PATTERN = "[0-9]*.segment"


def last_segment(site: Site) -> int:
    """Number of the last segment file, 0 when there is none."""
    return max((int(path.stem) for path in site.segments.glob(_PATTERN)), default=0)


def require_space(site: Site) -> None:
    """Refuses to begin what the disk cannot hold: former and new segments stand side by side.

    Raises:
        EntrepotError: says how much is needed.
    """
    needed = sum(path.stat().st_size for path in site.segments.glob(_PATTERN))
    free = shutil.disk_usage(site.root).free
    if needed > free:
        raise EntrepotError(
            f"a rotation writes landing anew: {needed >> 20} MiB, and {free >> 20} MiB are free",
            where="identifying/landing",
            remedy="free space on the identifying zone's disk",
        )


def reseal(
    site: Site, engine: sa.Engine, roots: Roots, last: int, progress: Callable[[int], None]
) -> None:
    """Seals every record of the segments up to `last` again, in segments after it.

    A killed call is repeated: what it did is done, and bytes without a line are nobody's.

    Args:
        progress: called with the number of records done.
    """
    _begin_segment(site, last + 1)
    with (
        SegmentReader(site.segments, roots.old) as reader,
        SegmentWriter(site.segments, roots.new) as segments,
    ):
        for batch in _batches(engine, last):
            with write_transaction(engine) as connection:
                lines = [_resealed(row, reader.read(row), segments, roots) for row in batch]
                segments.sync()
                _update(connection, lines)
            progress(len(batch))


def carry_erased(connection: sa.Connection, new: Keyring) -> None:
    """Addresses of records whose content is gone: a second delivery must still be known."""
    erased = sa.select(record.c.record_id, record.c.address).join(data_key)
    rows = connection.execute(erased.where(data_key.c.wrapped_key == ERASED)).all()
    if rows:
        connection.execute(
            sa.update(record)
            .where(record.c.record_id == sa.bindparam("id"))
            .values(address=sa.bindparam("carried")),
            [{"id": row.record_id, "carried": new.carry(LANDING, row.address)} for row in rows],
        )


def check(connection: sa.Connection, new: Keyring) -> int:
    """Unwraps every data key; returns the number of records that have one.

    Raises:
        EntrepotError: a key does not open under the new root.
    """
    query = sa.select(record.c.address, data_key.c.wrapped_key).join(data_key)
    found = 0
    for row in connection.execute(query.where(data_key.c.wrapped_key != ERASED)):
        try:
            new.unseal(KEY_WRAP, row.wrapped_key, row.address)
        except InvalidTag:
            raise EntrepotError(
                "a data key does not open under the new root key",
                where="identifying zone, data_key",
                remedy="keep identifying/keys as it is and tell the maintainers",
            ) from None
        found += 1
    return found


def remove_former(site: Site, last: int) -> None:
    """Deletes the segment files that were sealed under the old root."""
    for path in site.segments.glob(_PATTERN):
        if int(path.stem) <= last:
            path.unlink()


def _begin_segment(site: Site, number: int) -> None:
    """The writer appends to the last segment: an empty one keeps it off the former ones."""
    if last_segment(site) < number:
        site.segments.mkdir(parents=True, exist_ok=True, mode=0o700)
        (site.segments / f"{number:08d}.segment").touch(mode=0o600)


def _batches(engine: sa.Engine, last: int) -> Iterator[Sequence[RecordRow]]:
    """Rows still sealed under the old root; each batch is done before the next is asked for."""
    query = (
        sa.select(record, data_key.c.wrapped_key)
        .join(data_key)
        .where(record.c.segment <= last, data_key.c.wrapped_key != ERASED)
        .order_by(record.c.record_id)
    )
    after = 0
    while True:
        with engine.connect() as connection:
            page = query.where(record.c.record_id > after).limit(BATCH_RECORDS)
            rows = [RecordRow._make(row) for row in connection.execute(page)]
        if not rows:
            return
        rows = rows[: _within(rows)]
        after = rows[-1].record_id
        yield rows


def _within(rows: Sequence[RecordRow]) -> int:
    """How many of them fit a transaction's memory; at least one."""
    size = 0
    for number, row in enumerate(rows):
        size += row.length
        if number and size > BATCH_BYTES:
            return number
    return len(rows)


def _resealed(
    row: RecordRow, content: bytes, segments: SegmentWriter, roots: Roots
) -> dict[str, object]:
    address = _address(row, content, roots)
    location = segments.append(content, address)
    return {"id": row.record_id, "new_address": address, **location._asdict()}


def _address(row: RecordRow, content: bytes, roots: Roots) -> bytes:
    """Made of the content; carried over when the ledger kept only a digest of it."""
    if roots.old.digest(LANDING, row.source, content) == row.address:
        return roots.new.digest(LANDING, row.source, content)
    return roots.new.carry(LANDING, row.address)


def _update(connection: sa.Connection, lines: list[dict[str, object]]) -> None:
    moved = [
        {"id": one["id"], "new_address": one["new_address"],
         **{f"to_{name}": one[name] for name in ("segment", "offset", "length")}}
        for one in lines
    ]  # fmt: skip
    own = record.c.record_id == sa.bindparam("id")
    connection.execute(
        sa.update(record)
        .where(own)
        .values(
            address=sa.bindparam("new_address"), segment=sa.bindparam("to_segment"),
            offset=sa.bindparam("to_offset"), length=sa.bindparam("to_length"),
        ),
        moved,
    )  # fmt: skip
    connection.execute(
        sa.update(data_key)
        .where(data_key.c.record_id == sa.bindparam("id"))
        .values(wrapped_key=sa.bindparam("wrapped")),
        [{"id": one["id"], "wrapped": one["wrapped_key"]} for one in lines],
    )
