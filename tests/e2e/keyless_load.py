"""Takes a site's load (map, gate, publish) as a user who cannot read the identifying zone.

    python keyless_load.py SITE

Runs the road as the owner first, which also imports everything: the other user may not be able to
read the interpreter's own folder. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from sqlalchemy import select

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.landing.database import zone_engine
from entrepot.load import Load
from entrepot.omop.candidate import build
from entrepot.order import LoadOrder
from entrepot.publish.release import publish
from entrepot.report.accounting import staged_counts
from entrepot.road.results import silent
from entrepot.run import run
from faults.hand_made import admission, diagnosis
from properties.stages import pseudonymise
from roads import feed

NOBODY = 65534


def refused(path: Path) -> bool:
    """Whether this user cannot open the file."""
    try:
        path.open("rb").close()
    except PermissionError:
        return True
    return False


def main(root: Path) -> None:
    """As the owner: everything staged; as nobody: the load."""
    site = Site.open(root)
    first = run(site).release_id
    feed(site, "more.hl7", admission("2", "0002", "9002") + diagnosis("3", "0002", "9002", "I10"))
    generation, as_of = pseudonymise(site)
    assert as_of is not None
    engine = zone_engine(site)
    with engine.connect() as connection:
        staged = staged_counts(connection)
        known = len(connection.execute(select(derivation)).all())
    engine.dispose()
    os.chmod(site.identifying, 0o700)
    for path in (site.research, *site.research.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    hidden = refused(site.root_key) and refused(site.identifying / "zone.sqlite")
    load = Load(site, LoadOrder(generation, as_of, (), staged))
    load.map_(build, silent)
    verdict = load.gate(silent)
    release = publish(load.candidate, site.warehouse)
    said = {
        "hidden": hidden, "known": known, "passed": verdict.passed, "first": first,
        "second": release.release_id, "rows": release.rows["person"],
    }  # fmt: skip
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
