"""A synthetic hospital down the whole road: nobody's identity anywhere, clinical facts kept.

    python bench/hospital.py [--patients 1000] [--seed 5] [--out DIR] [--json FILE]

Generates the hospital in three formats, lands and runs it, writes the data protection officer's
report, opens a study space with notes, then looks for every identifier of the truth by both scans
over the whole research zone, and for every clinical fact of the letters in the published notes.
Ends with 1 when either scan finds anything, or when fewer than 98 % of the facts survive. Seconds
are of this machine, in one process beside the door's workers; memory is the largest resident size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from entrepot import report
from entrepot.config import CONFIG_NAME, Site
from entrepot.demonstration import feed_folders, fresh
from entrepot.keys import Keyring, site_keyring
from entrepot.landing.database import create_tables, write_transaction, zone_engine
from entrepot.landing.ingest import ingest
from entrepot.people import create_key, sign
from entrepot.register.oppositions import import_csv
from entrepot.report.dpo.report import write_dpo_report
from entrepot.report.scan import ScanReport, scan
from entrepot.report.scan.lineage import Places
from entrepot.report.second_scan import SecondScan, second_scan
from entrepot.report.survival import Survival, survival
from entrepot.resources import data_folder
from entrepot.run import run
from entrepot.study.definition import read_definition
from entrepot.study.life import create
from entrepot.synthetic import generate
from entrepot.vocabulary.load import load_vocabulary

GOAL = 0.98  # share of the clinical facts
SHOWN = 40
STUDY_TABLES = [
    "person", "visit_occurrence", "visit_detail", "condition_occurrence", "procedure_occurrence",
    "drug_exposure", "measurement", "observation", "note", "death", "care_site", "provider",
]  # fmt: skip
T = TypeVar("T")


class Stages:
    """Runs each stage, and keeps what it took."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, float]] = {}

    def time(self, name: str, work: Callable[[], T]) -> T:
        """Runs `work`; seconds by the clock and of processors, megabytes at most."""
        clock, processor = time.monotonic(), _processor()
        result = work()
        largest = max(
            resource.getrusage(who).ru_maxrss
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        self.taken[name] = {
            "seconds": round(time.monotonic() - clock, 1),
            "CPU seconds": round(_processor() - processor, 1),
            "MB": round(largest / 1024),
        }
        print(f"{name}: {self.taken[name]}", flush=True)
        return result


def _processor() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def land(site: Site, keyring: Keyring, hospital: Path) -> None:
    """Vocabulary, feeds, oppositions."""
    load_vocabulary(data_folder("mappings") / "demo_vocabulary", site.vocabulary)
    for source, folder in feed_folders(hospital).items():
        ingest(site, keyring, [folder], source)
    engine = zone_engine(site)
    create_tables(engine)
    with write_transaction(engine) as connection:
        import_csv(connection, keyring, hospital / "oppositions.csv", site)
    engine.dispose()


def open_study(site: Site, out: Path) -> None:
    """A study space of every person, notes included, that a data protection officer signed."""
    key, path, name = out / "dpo.key", out / "bench.yaml", "bench.dpo"
    config = site.root / CONFIG_NAME
    people = f"people:\n  {name}: {{profiles: [dpo], public_key: {create_key(key)}}}\n"
    config.write_text(f"{config.read_text(encoding='utf-8')}\n{people}", encoding="utf-8")
    content: dict[str, Any] = {
        "id": "bench", "title": "Everybody", "legal_basis": "none: synthetic", "purpose": "bench",
        "expires": "2099-12-31", "cohort": {"sql": "SELECT person_id FROM cdm.person"},
        "tables": STUDY_TABLES, "options": {"notes": True}, "approval": {"approved_by": name},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    content["approval"]["signature"] = sign(key, read_definition(path).payload)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    create(Site.open(site.root), path)


def public_texts(site: Site) -> list[str]:
    """The words of the reports: one synthetic mother is called SECRET, as hospitals do."""
    folder = Path(report.__file__).parent
    words = [*folder.glob("dpo/words/*.yaml"), *folder.glob("templates/**/*.j2")]
    return [site.config.timezone, *(path.read_text(encoding="utf-8") for path in words)]


def scan_first(site: Site, keyring: Keyring, hospital: Path, public: list[str]) -> ScanReport:
    """The first scan, ambiguous identifiers in their places included."""
    places, truth = Places(site, keyring, hospital), hospital / "truth"
    return scan(
        site.research, truth, place_text=places.text, source_text=places.source, public=public
    )


def travel(out: Path, patients: int, seed: int) -> tuple[ScanReport, SecondScan, Survival, Stages]:
    """Every stage in its order."""
    stages = Stages()
    hospital, site = fresh(out)
    made = stages.time("synthesise", lambda: generate(patients, seed, hospital))
    print(made)
    keyring = site_keyring(site)
    stages.time("land", lambda: land(site, keyring, hospital))
    result = stages.time("run", lambda: run(site))
    print(f"gate {'passed' if result.passed else f'blocked: {result.failures}'}")
    if not result.published:
        sys.exit("nothing was published, so nothing is measured")
    stages.time("DPO report", lambda: write_dpo_report(site, languages=("fr", "en")))
    public = public_texts(site)
    first = stages.time("first scan", lambda: scan_first(site, keyring, hospital, public))
    # After the first scan, which knows no columns: shifted days of care fall on others' births.
    stages.time("study space", lambda: open_study(site, out))
    second = stages.time(
        "second scan", lambda: second_scan(site.research, hospital / "truth", public)
    )
    kept = stages.time("survival", lambda: survival(site, keyring, hospital / "truth"))
    return first, second, kept, stages


def tell(first: ScanReport, second: SecondScan, kept: Survival) -> None:
    """What was found, and what was lost, by its words."""
    print(first.summary(), *first.leaks[:SHOWN], sep="\n  ")
    print(second.summary(), *second.findings[:SHOWN], sep="\n  ")
    print(*kept.lines(), sep="\n")
    for (kind, words), count in Counter((one.kind, one.words) for one in kept.lost).most_common(
        SHOWN
    ):
        print(f"  lost {count} times, {kind}: {words}")


def main() -> None:
    """Prints every figure; writes them as JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--out", type=Path, help="kept; else a temporary folder")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, {options.patients} patients")
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder)
        first, second, kept, stages = travel(out, options.patients, options.seed)
    tell(first, second, kept)
    if options.json:
        facts = {
            "patients": options.patients, "seed": options.seed, "stages": stages.taken,
            "first scan": first.summary(), "second scan": second.summary(),
            "survival": kept.lines(),
        }  # fmt: skip
        options.json.write_text(json.dumps(facts, indent=1, ensure_ascii=False))
    if not (first.clean and second.clean and kept.share >= GOAL):
        sys.exit(1)


if __name__ == "__main__":
    main()
