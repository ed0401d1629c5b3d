"""Throughput of `entrepot ingest` beside its limit: the same bytes written and fsynced bare.

Only the ratio taken in one run means anything on a shared machine. Usage:

    python bench/landing.py [--megabytes N] [--message-bytes N [N ...]]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from entrepot.config import Site, SiteConfig, Source
from entrepot.keys import Keyring
from entrepot.landing.ingest import ingest

HEAD = b"MSH|^~\\&|DPI|CH|EDS|EDS|20240101103000||ORU^R01^ORU_R01|%012d|P|2.5\rPID|1||%012d\r"
OBX = b"OBX|1|NM|718-7^Hemoglobine^LN||13.4|g/dL^^UCUM|12-16||||F|||20240101103000\r"
WRITE_BYTES = 1 << 20


def write_feed(path: Path, total: int, size: int) -> int:
    """Writes messages of about `size` bytes until `total`; returns how many."""
    body = OBX * max(1, (size - len(HEAD % (0, 0))) // len(OBX))
    number = 0
    with path.open("wb") as file:
        while file.tell() < total:
            file.write(HEAD % (number, number % 5000) + body)
            number += 1
    return number


def bare_write(source: Path, target: Path) -> None:
    """The limit: read the feed and write it, durably."""
    with source.open("rb") as file, target.open("wb") as copy:
        while chunk := file.read(WRITE_BYTES):
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())


def seconds(body: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of `body`."""
    wall, cpu = time.perf_counter(), time.process_time()
    body()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(folder: Path, megabytes: int, size: int) -> None:
    """One line of the table: messages of one size."""
    feed = folder / "feed.hl7"
    messages = write_feed(feed, megabytes << 20, size)
    site = Site(folder / "site", SiteConfig(sources={"dpi": Source()}))
    keyring = Keyring(bytes(32))
    bare, _ = seconds(lambda: bare_write(feed, folder / "bare"))
    first, cpu = seconds(lambda: ingest(site, keyring, [feed], "dpi"))
    again, _ = seconds(lambda: ingest(site, keyring, [feed], "dpi"))
    mega = feed.stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size:>9,} {messages:>9,} {mega / bare:>10.1f} {mega / first:>12.1f}"
        f" {bare / first:>7.3f} {messages / first:>11,.0f} {messages / cpu:>12,.0f}"
        f" {messages / again:>13,.0f} {peak:>9.0f}"
    )


def main() -> None:
    """Prints one line per message size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument(
        "--message-bytes", type=int, nargs="+", default=[500, 2000, 20_000, 500_000]
    )
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(
        "  message  messages  bare MB/s  ingest MB/s   ratio  messages/s  per CPU s"
        "  duplicates/s  peak MB"
    )
    for size in arguments.message_bytes:
        with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
            measure(Path(folder), arguments.megabytes, size)


if __name__ == "__main__":
    main()
