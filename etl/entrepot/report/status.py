"""What `status` shows: counts, never a record's content."""

from __future__ import annotations

from typing import Any

from entrepot.config import Site
from entrepot.landing.database import create_tables, zone_engine
from entrepot.report.accounting import records


def read_status(site: Site) -> dict[str, Any]:
    """`{"sources": {name: counts}, "tables": {name: rows}, "release": id}`."""
    from entrepot.publish.release import read_release

    engine = zone_engine(site)
    try:
        create_tables(engine)
        with engine.connect() as connection:
            counted = records(connection)
    finally:
        engine.dispose()
    release = read_release(site.warehouse)
    return {
        "sources": {name: counts.as_dict() for name, counts in sorted(counted.sources.items())},
        "tables": dict(release.rows) if release else {},
        "release": release.release_id if release else None,
    }
