"""The demonstration: a synthetic hospital down the whole road, then a scan of all that came out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import EXIT_BLOCKED, EXIT_BUG, ConfigurationError
from entrepot.keys import Keyring, site_keyring
from entrepot.resources import data_folder
from entrepot.site_files import SOURCES, create_site

Progress = Callable[[str, int, int], None]


@dataclass
class Demonstration:
    """What the demonstration shows."""

    tables: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    exit_code: int = 0
    seconds: float = 0.0
    leaks: int = 0
    release: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def demonstrate(out: Path, patients: int, seed: int, progress: Progress) -> Demonstration:
    """Runs everything in `out`, which is emptied first if it is an earlier demonstration.

    Raises:
        ConfigurationError: the folder holds something else.
    """
    from entrepot.run import run
    from entrepot.synthetic import generate

    start = time.monotonic()
    hospital, site = fresh(out)
    generate(patients, seed, hospital, lambda done: progress("synthesise", done, patients))
    keyring = site_keyring(site)
    _land(site, keyring, hospital)
    result = run(site, progress)
    shown = Demonstration(exit_code=0 if result.exit_code != EXIT_BLOCKED else EXIT_BLOCKED)
    _account(site, shown, result.passed, result.failures)
    _scan(site, keyring, hospital, shown)
    _scan_again(site, keyring, hospital, shown)
    shown.seconds = round(time.monotonic() - start, 1)
    shown.lines += [
        f"warehouse: {site.warehouse}",
        f"run report: {result.report}",
        f"gate report: {site.quality / 'data_docs' / 'index.html'}",
        f"{patients} patients in {shown.seconds} s",
    ]
    return shown


def fresh(out: Path) -> tuple[Path, Site]:
    """An empty place for the hospital and a new site, in the folder of a demonstration.

    Raises:
        ConfigurationError: the folder holds something else.
    """
    hospital, folder = out / "hospital", out / "site"
    if out.exists() and any(out.iterdir()) and not (folder / CONFIG_NAME).is_file():
        raise ConfigurationError(
            "the folder is not empty and holds no demonstration", where=str(out),
            remedy="choose another --out",
        )  # fmt: skip
    for old in (hospital, folder):
        shutil.rmtree(old, ignore_errors=True)
    return hospital, create_site(folder, title="Hôpital de démonstration", demonstration=True)


def _land(site: Site, keyring: Keyring, hospital: Path) -> None:
    from entrepot.landing.database import create_tables, write_transaction, zone_engine
    from entrepot.landing.ingest import ingest
    from entrepot.register.oppositions import import_csv
    from entrepot.vocabulary.load import load_vocabulary

    load_vocabulary(data_folder("mappings") / "demo_vocabulary", site.vocabulary)
    for source, folder in feed_folders(hospital).items():
        ingest(site, keyring, [folder], source)
    engine = zone_engine(site)
    create_tables(engine)
    with write_transaction(engine) as connection:
        import_csv(connection, keyring, hospital / "oppositions.csv", site)
    engine.dispose()


def feed_folders(hospital: Path) -> dict[str, Path]:
    """Source -> folder of what it sent, of a synthetic hospital."""
    folders = {
        source: hospital / format_ / (source if format_ == "hl7v2" else "")
        for source, format_ in SOURCES.items()
    }
    return {source: folder for source, folder in folders.items() if folder.is_dir()}


def _account(site: Site, shown: Demonstration, passed: bool, failures: tuple[str, ...]) -> None:
    from entrepot.landing.database import zone_engine
    from entrepot.publish.release import read_release
    from entrepot.report.accounting import records, rows

    engine = zone_engine(site)
    with engine.connect() as connection:
        counted = records(connection)
    engine.dispose()
    for name, c in sorted(counted.sources.items()):
        shown.lines.append(
            f"{name}: received {c.received} = duplicates {c.duplicates} + pending {c.pending}"
            f" + published {c.published} + quarantined {c.quarantined} + excluded {c.excluded}"
            f" ({'adds up' if c.balanced else 'DOES NOT ADD UP'})"
        )
    release = read_release(site.warehouse)
    if release is not None:
        found = rows(site.warehouse)
        shown.release, shown.tables = release.release_id, found.tables
        shown.lines.append(
            f"CDM rows {sum(found.tables.values())} = mapped {found.mapped}"
            f" + fan-out {found.fan_out} + derived {sum(found.derived.values())}"
            f" ({'adds up' if found.balanced else 'DOES NOT ADD UP'})"
        )
    verdict = "passed" if passed else f"blocked ({', '.join(failures)})"
    shown.lines.append(f"gate: {verdict}, release {shown.release or 'none'}")


def _scan(site: Site, keyring: Keyring, hospital: Path, shown: Demonstration) -> None:
    from entrepot.report.scan import scan
    from entrepot.report.scan.lineage import Places

    places = Places(site, keyring, hospital)
    report = scan(
        site.research, hospital / "truth", place_text=places.text, source_text=places.source
    )
    shown.leaks = len(report.leaks)
    shown.lines.append(report.summary())
    for leak in report.leaks[:20]:
        shown.lines.append(f"  {leak}")
    if not report.clean:
        shown.exit_code = EXIT_BUG


def _scan_again(site: Site, keyring: Keyring, hospital: Path, shown: Demonstration) -> None:
    """The second scan, and what the masks left of the clinical facts in texts."""
    from entrepot.report.second_scan import second_scan
    from entrepot.report.survival import survival

    report = second_scan(site.research, hospital / "truth", public=[site.config.timezone])
    shown.leaks += len(report.findings)
    shown.lines.append(report.summary())
    shown.lines += [f"  {finding}" for finding in report.findings[:20]]
    if not report.clean:
        shown.exit_code = EXIT_BUG
    if site.warehouse.is_file():
        shown.lines.append(survival(site, keyring, hospital / "truth").lines()[-1])
