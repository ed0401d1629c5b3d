"""What a site holds before and after a rotation, read without the package's own queries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa

from entrepot.config import Site
from entrepot.demonstration import feed_folders
from entrepot.keys import Keyring
from entrepot.landing.database import zone_engine
from entrepot.landing.ingest import ingest
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import SegmentReader
from entrepot.register.erasure_log import ErasureLog
from entrepot.register.person import Identifier
from faults.hand_made import admission, merge
from properties.stages import AUTHORITY_OID, NOW, Sites
from roads import feed, keyring, oppose

DPO = "claire"
PEOPLE = f"people: {{{DPO}: {{profiles: [dpo]}}, paul: {{profiles: [steward]}}}}\n"


# One person of two numbers.
MERGED = (
    admission("K1", "880001", "990001")
    + admission("K2", "880002", "990002", "20240401080000")
    + merge("K3", "880001", "880002", "20240501080000")
)


def fed(sites: Sites, hospital: Path, root: str = "", extra: str = "") -> Site:
    """A new site that has landed a hospital's feeds and opposition list, and a merge.

    Args:
        root: text of its root key's file; empty: the tests' own.
    """
    site = sites.new(PEOPLE + extra)
    if root:
        site.root_key.write_text(root)
    feed(site, "merged.hl7", MERGED)
    for source, folder in feed_folders(hospital).items():
        ingest(site, keyring(site), [folder], source, now=NOW)
    oppose(site, hospital / "oppositions.csv")
    return site


def contents(site: Site, keys: Keyring) -> dict[int, bytes]:
    """Record -> bytes, of every record that is not erased."""
    engine = zone_engine(site)
    try:
        with SegmentReader(site.segments, keys) as reader:
            rows = Ledger(engine, keys).records()
            return {row.record_id: reader.read(row) for row in rows if row.wrapped_key}
    finally:
        engine.dispose()


def erase(site: Site, record_id: int, number: str) -> None:
    """Destroys a record's data key, and enters a person into the list of erasures."""
    engine = zone_engine(site)
    Ledger(engine, keyring(site)).erase(record_id)
    engine.dispose()
    hmac = Identifier(AUTHORITY_OID, number, "").hmac(keyring(site))
    ErasureLog(site, keyring(site)).append("erase", (hmac.hex(),))


def number_of(message: bytes) -> str:
    """PID-3.1 of an HL7v2 message; empty of another record."""
    found = re.search(rb"\rPID\|[^|]*\|[^|]*\|([^^|]+)\^", message)
    return found[1].decode() if found else ""


def rows(site: Site, sql: str) -> list[tuple[object, ...]]:
    """Rows of a query on the zone's database."""
    engine = zone_engine(site)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(sql))]
    finally:
        engine.dispose()


def binary_cells(site: Site) -> set[bytes]:
    """Every binary value of the zone's tables but plain hashes: those of names of elements, and
    digests of derivations, which for a record of nobody hold no keyed value."""
    engine = zone_engine(site)
    found: set[bytes] = set()
    try:
        tables = sa.MetaData()
        with engine.connect() as connection:
            tables.reflect(connection)
            for table in tables.sorted_tables:
                for column in table.columns:
                    plain = column.name == "shape_id" or str(column) == "derivation.digest"
                    if isinstance(column.type, sa.LargeBinary) and not plain:
                        found.update(connection.scalars(sa.select(column)))
    finally:
        engine.dispose()
    return {one for one in found if one and any(one)}


def ciphertexts(site: Site) -> list[bytes]:
    """Of every landing segment."""
    return [path.read_bytes() for path in sorted(site.segments.glob("*.segment"))]


def bytes_of(folder: Path) -> bytes:
    """All files below a folder, one after the other."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@dataclass(frozen=True)
class Pseudonyms:
    """Keyed ids and keys of the staged rows."""

    ids: frozenset[int]
    keys: frozenset[str]


def pseudonyms(site: Site) -> Pseudonyms:
    """Of every staged row: columns that hold a keyed value, by their type and name."""
    ids: set[int] = set()
    keys: set[str] = set()
    for path in site.staging.rglob("*.parquet"):
        table = pq.read_table(path)
        for name in table.column_names:
            values = set(table[name].to_pylist()) - {None, ""}
            if name.endswith("_id"):
                ids |= values
            elif name.endswith("_key"):
                keys |= values
    return Pseudonyms(frozenset(ids), frozenset(keys))
