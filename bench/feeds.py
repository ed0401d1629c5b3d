"""Landing, register, door and staging of each format, beside a bare parse of the same bytes.

    python bench/feeds.py [--patients 40] [--formats fhir hl7v2 cda] [--times 1] [--profile]

One synthetic hospital (entrepot.synthetic, all formats) is written; each format's files then go
through a site of their own with one worker. All figures are CPU seconds of the process, the best
of `--times`. The limit, in the same process on the same bytes: `msgspec.json.decode` of each
line or Bundle, `str.split` down to fields of each HL7 v2 file, expat without handlers.

What a pass pays once (mappings compiled, lists of names read) is the cost of a site of a few
patients; it is taken off with their bytes and stands in a column of its own. A process of its own
does the same with four times the patients: CPU must grow with the bytes, memory must not.
`--profile` prints instead the functions that take most of their own time in each stage.
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import json
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "etl"))

from entrepot.demonstration import feed_folders
from entrepot.door import derivation
from entrepot.feeds.feeds import load_feeds
from entrepot.keys import site_keyring
from entrepot.landing.database import create_tables, zone_engine
from entrepot.landing.ingest import ingest
from entrepot.register.registering import register_all
from entrepot.register.snapshot import Snapshot
from entrepot.site_files import create_site
from entrepot.synthetic import generate

FORMATS = ("fhir", "hl7v2", "cda")
STAGES = ("landing", "register", "door", "staging")
BARE_SECONDS = 0.3  # of CPU, over which the best bare parse is sought
FEW, GROWTH = 3, 4  # patients of the small site; size of the large one
HEAD = 15  # functions of a profile


@dataclass
class Clock:
    """CPU seconds by stage; a stage inside another is not counted to the outer one."""

    profiled: bool = False
    spent: dict[str, float] = field(default_factory=dict)
    profiles: dict[str, cProfile.Profile] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _since: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what is done inside to `name`."""
        self._turn(name)
        try:
            yield
        finally:
            self._turn(None)

    def _turn(self, name: str | None) -> None:
        now = time.process_time()
        if self._open:
            running = self._open[-1]
            self.spent[running] = self.spent.get(running, 0.0) + now - self._since
            if self.profiled:
                self.profiles[running].disable()
        if name is None:
            self._open.pop()
        else:
            self._open.append(name)
        if self._open and self.profiled:
            self.profiles.setdefault(self._open[-1], cProfile.Profile()).enable()
        self._since = time.process_time()


@dataclass(frozen=True)
class Feed:
    """One format's files of a synthetic hospital: source -> folder."""

    format: str
    folders: dict[str, Path]

    def files(self) -> list[bytes]:
        """The content of every file, unpacked."""
        paths = [p for folder in self.folders.values() for p in sorted(folder.rglob("*"))]
        read = {".gz": lambda path: gzip.decompress(path.read_bytes())}
        return [read.get(p.suffix, Path.read_bytes)(p) for p in paths if p.is_file()]


@dataclass
class Cost:
    """Best CPU seconds by stage, records, bytes (unpacked), the bare parse of the same bytes."""

    records: int
    size: int
    bare: float
    stages: dict[str, float]


def hospital(folder: Path, patients: int) -> dict[str, Feed]:
    """Writes a hospital of that many patients; its feeds by format."""
    generate(patients, 1, folder)
    found = feed_folders(folder)
    return {
        name: Feed(name, {s: f for s, f in found.items() if f.is_relative_to(folder / name)})
        for name in FORMATS
    }


def road(feed: Feed, folder: Path, clock: Clock) -> int:
    """The feed through a new site, as far as staging; the number of its distinct records."""
    site = create_site(folder, demonstration=True)
    mappings, keyring = load_feeds(), site_keyring(site)
    with clock.stage("landing"):
        for source, files in feed.folders.items():
            ingest(site, keyring, [files], source)
    engine, write, done = zone_engine(site), derivation.write_generation, [0]

    def staged(*args: Any, **named: Any) -> int:
        with clock.stage("staging"):
            return write(*args, **named)

    try:
        create_tables(engine)
        with clock.stage("register"):
            register_all(site, engine, keyring, mappings, done.append)
        derivation.write_generation = staged
        with clock.stage("door"):
            with engine.connect() as connection:
                snapshot = Snapshot(connection, keyring, site.config.register_)
            door = derivation.DoorPass(site, engine, keyring, mappings)
            door.run(snapshot, "bench", 1, lambda count: None)
    finally:
        derivation.write_generation = write
        engine.dispose()
    return sum(done)


def bare_fhir(content: bytes) -> None:
    """Each line of NDJSON, or a Bundle as a whole."""
    lines = content.splitlines() if b"\n{" in content else [content]
    for line in lines:
        with suppress(msgspec.DecodeError):  # some of the hospital's files are spoilt
            msgspec.json.decode(line)


def bare_hl7v2(content: bytes) -> None:
    """Lines and their fields."""
    for line in content.decode("latin-1").split("\r"):
        line.split("|")


def bare_cda(content: bytes) -> None:
    """Through expat, nothing of it kept."""
    with suppress(expat.ExpatError):
        expat.ParserCreate().Parse(content, True)


BARE: dict[str, Callable[[bytes], None]] = {
    "fhir": bare_fhir, "hl7v2": bare_hl7v2, "cda": bare_cda,
}  # fmt: skip


def bare(format_: str, files: list[bytes]) -> float:
    """Best CPU seconds of the bare parse."""
    parse, best, started = BARE[format_], float("inf"), time.process_time()
    while time.process_time() - started < BARE_SECONDS:
        before = time.process_time()
        for content in files:
            parse(content)
        best = min(best, time.process_time() - before)
    return best


def cost(feed: Feed, folder: Path, times: int) -> Cost:
    """What the feed costs; each stage's best of several sites."""
    files, stages = feed.files(), dict.fromkeys(STAGES, float("inf"))
    found = Cost(0, sum(map(len, files)), bare(feed.format, files), stages)
    del files
    for number in range(times):
        clock = Clock()
        found.records = road(feed, folder / f"{feed.format}{number}", clock)
        stages.update({name: min(stages[name], clock.spent.get(name, 0.0)) for name in STAGES})
    return found


def measured(patients: int, times: int, formats: list[str]) -> dict[str, Any]:
    """Format -> costs of few patients and of all; the process's peak in MB."""
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as name:
        few, many = hospital(Path(name) / "few", FEW), hospital(Path(name) / "many", patients)
        for format_ in formats:  # imports and the text engine's start are no cost of a feed
            road(few[format_], Path(name) / f"warm-{format_}", Clock())
        told: dict[str, Any] = {
            format_: {
                "few": asdict(cost(few[format_], Path(name) / "small", times)),
                "many": asdict(cost(many[format_], Path(name) / "site", times)),
            }
            for format_ in formats
        }
    told["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return told


def child(options: argparse.Namespace, patients: int, times: int) -> dict[str, Any]:
    """`measured` in a process of its own."""
    command = [sys.executable, __file__, "--child", "--patients", str(patients)]
    command += ["--times", str(times), "--formats", *options.formats]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def spent(told: dict[str, Any]) -> float:
    """CPU seconds of all stages beyond those of the few patients."""
    return sum(told["many"]["stages"][name] - told["few"]["stages"][name] for name in STAGES)


def report(format_: str, told: dict[str, Any]) -> None:
    """The table of one format."""
    few, many = (Cost(**told[name]) for name in ("few", "many"))
    limit, records, size = many.bare, many.records - few.records, (many.size - few.size) / 1e6
    print(f"{format_}: {many.records} records, {many.size / 1e6:.1f} MB;"
          f" bare parse {limit:.4f} CPU s, {many.size / limit / 1e6:.0f} MB/s")  # fmt: skip
    print("            CPU s  records/s   MB/s   x bare   once")
    total = dict.fromkeys(STAGES, 0.0) | {n: many.stages[n] - few.stages[n] for n in STAGES}
    total["all"], once = sum(total.values()), few.stages | {"all": sum(few.stages.values())}
    limit *= size * 1e6 / many.size
    for name, seconds in total.items():
        print(f"  {name:8} {seconds:7.2f} {records / seconds:10,.0f} {size / seconds:6.2f}"
              f" {seconds / limit:8.0f} {once[name]:6.2f}")  # fmt: skip


def profile(options: argparse.Namespace) -> None:
    """The functions that take most of their own time, by format and stage."""
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as name:
        folder = Path(name)
        warm, feeds = hospital(folder / "few", FEW), hospital(folder / "many", options.patients)
        for format_ in options.formats:
            road(warm[format_], folder / f"few-{format_}", Clock())
            clock = Clock(profiled=True)
            road(feeds[format_], folder / f"many-{format_}", clock)
            for stage in STAGES:
                print(f"== {format_}, {stage}")
                pstats.Stats(clock.profiles[stage]).sort_stats("tottime").print_stats(HEAD)


def main() -> None:
    """Prints a table for each format, then how CPU and memory grow."""
    parser = argparse.ArgumentParser(description="Formats through the stages, beside bare parses")
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--times", type=int, default=1, help="take each stage's best of so many")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.profile:
        profile(options)
        return
    if options.child:
        print(json.dumps(measured(options.patients, options.times, options.formats)))
        return
    told = child(options, options.patients, options.times)
    for format_ in options.formats:
        report(format_, told[format_])
    larger = child(options, GROWTH * options.patients, 1)
    for format_ in options.formats:
        now, then = told[format_], larger[format_]
        size, growth = then["many"]["size"] / now["many"]["size"], spent(then) / spent(now)
        print(f"{format_}: {size:.1f} x the bytes, {growth:.1f} x the CPU")
    print(f"peak memory {told['peak']:.0f} MB; {GROWTH} x the patients {larger['peak']:.0f} MB,"
          f" {larger['peak'] / told['peak']:.2f} x")  # fmt: skip


if __name__ == "__main__":
    main()
