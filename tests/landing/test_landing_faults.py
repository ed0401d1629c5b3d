"""Kills, full disks and eyes that look at the zone's files: landing survives and tells nothing."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from landing_strategies import batch
from sqlalchemy import event

from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.keys import Keyring
from entrepot.landing.database import zone_engine
from entrepot.landing.ingest import ingest
from entrepot.landing.ledger import Ledger
from entrepot.landing.segments import SegmentReader

CANARY = "ZOÉ-CANARI-DUPONT"
HEAD = b"MSH|^~\\&|DPI|CH|EDS|EDS|20240101||ADT^A01|"


def message(number: int, padding: int = 0) -> bytes:
    return HEAD + b"%d|P|2.5\rPID|1||%d^^^CH^PI||" % (number, number) + b"x" * padding


def feed(folder: Path, padding: int = 0) -> Counter[bytes]:
    """Three files of ten messages, a duplicate in each; what was sent, with its count."""
    sent: Counter[bytes] = Counter()
    for number in range(3):
        content = [message(number * 10 + i % 9, padding) for i in range(10)]
        (folder / f"{number}.hl7").write_bytes(batch(content))
        sent.update(content)
    return sent


def landed(site: Site, keyring: Keyring) -> Counter[bytes]:
    """Every record of the ledger, read back; fails when one cannot be."""
    engine = zone_engine(site)
    found: Counter[bytes] = Counter()
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("record"):
            return found
    with SegmentReader(site.segments, keyring) as reader:
        for row in Ledger(engine, keyring).records():
            content = reader.read(row)
            assert content not in found
            found[content] = row.deliveries
    engine.dispose()
    return found


def forked(body: Callable[[], None]) -> int:
    """Runs `body` in a child process; its wait status."""
    child = os.fork()
    if child == 0:
        try:
            body()
        except EntrepotError:
            os._exit(2)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def die_at(step: int) -> None:
    """Arranges for this process to be killed at its nth write, fsync, statement or commit."""
    left = step

    def tick(*_: object, **__: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("write", "fsync"):
        original = getattr(os, name)

        def counted(*args: object, _original: Callable[..., object] = original) -> object:
            tick()
            return _original(*args)

        setattr(os, name, counted)
    for name in ("before_cursor_execute", "commit"):
        event.listen(sa.Engine, name, tick)


@pytest.mark.core
def test_killed_at_every_step_then_repeated(site: Site, keyring: Keyring, inbox: Path) -> None:
    sent = feed(inbox)
    step, killed, seen = 0, True, set()
    while killed:
        step += 1
        here = Site(site.root.with_name(f"killed-{step}"), site.config)

        def body(here: Site = here, step: int = step) -> None:
            die_at(step)
            ingest(here, keyring, [inbox], "dpi")

        killed = forked(body) == signal.SIGKILL
        before = landed(here, keyring)
        seen.add(sum(before.values()))
        assert set(before) <= set(sent)
        report = ingest(here, keyring, [inbox], "dpi")
        after = landed(here, keyring)
        assert after == before + sent
        assert report.received == sum(sent.values())
        assert report.received - report.duplicates == len(after) - len(before)
    assert step > 20
    assert seen == {0, sum(sent.values())}


@pytest.mark.integration
def test_killed_at_random_moments_over_and_over(site: Site, keyring: Keyring, inbox: Path) -> None:
    content = [message(number, 200) for number in range(12_000)]
    for number in range(6):
        (inbox / f"{number}.hl7").write_bytes(b"\r".join(content[number::6]))
    script = (
        "import sys; from pathlib import Path\n"
        "from entrepot.config import Site, SiteConfig, Source\n"
        "from entrepot.keys import Keyring\n"
        "from entrepot.landing.ingest import ingest\n"
        "site = Site(Path(sys.argv[1]), SiteConfig(sources={'dpi': Source()}))\n"
        "print('ready', flush=True)\n"
        "ingest(site, Keyring(bytes(range(32))), [Path(sys.argv[2])], 'dpi')\n"
    )
    command = [sys.executable, "-c", script, str(site.root), str(inbox)]
    chance, before = random.Random(20), 0
    for _ in range(5):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.02, 0.6))
            process.kill()
        now = landed(site, keyring)
        assert before <= sum(now.values())
        before = sum(now.values())
    report = ingest(site, keyring, [inbox], "dpi")
    after = landed(site, keyring)
    assert set(after) == set(content)
    assert report.received == len(content)
    assert sum(after.values()) == before + len(content)


@pytest.mark.core
@pytest.mark.parametrize("padding", [0, 5000], ids=["database first", "segment first"])
def test_a_full_disk_is_a_clear_error_and_the_zone_stays_whole(
    site: Site, keyring: Keyring, inbox: Path, padding: int
) -> None:
    (inbox / "small.hl7").write_bytes(message(1000))
    ingest(site, keyring, [inbox], "dpi")
    sent = feed(inbox, padding) + Counter([message(1000)])
    if not padding:
        sent += Counter(content := [message(number) for number in range(2000, 6000)])
        (inbox / "4.hl7").write_bytes(batch(content))

    def body() -> None:
        room = 120_000 if padding else 600_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        ingest(site, keyring, [inbox], "dpi")

    assert os.waitstatus_to_exitcode(forked(body)) == EntrepotError.exit_code
    before = landed(site, keyring)
    assert set(before) <= set(sent)
    ingest(site, keyring, [inbox], "dpi")
    assert landed(site, keyring) == before + sent


@pytest.mark.core
def test_the_error_of_a_full_disk_says_what_to_do(
    site: Site, keyring: Keyring, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(inbox)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(EntrepotError, match=r"No space left on device.*segment 1") as raised:
            ingest(site, keyring, [inbox], "dpi")
    assert raised.value.remedy
    assert landed(site, keyring) == {}


@pytest.mark.core
def test_no_file_of_the_zone_holds_a_plain_byte_or_a_file_name(
    site: Site, keyring: Keyring, tmp_path: Path
) -> None:
    folder = tmp_path / f"inbox-{CANARY}"
    folder.mkdir()
    words = [CANARY.encode("utf-8"), CANARY.encode("latin-1"), CANARY.encode("utf-16-le")]
    for number, word in enumerate(words):
        (folder / f"{CANARY}-{number}.hl7").write_bytes(message(number) + word)
    (folder / f"{CANARY}.gz").write_bytes(b"\x1f\x8b" + words[0])
    assert ingest(site, keyring, [folder], "dpi").received == 4
    assert len(landed(site, keyring)) == 4
    paths = list(site.root.rglob("*"))
    assert {path.name for path in paths} >= {"zone.sqlite", "00000001.segment"}
    assert not [path for path in paths if CANARY in path.name]
    stored = b"".join(path.read_bytes() for path in paths if path.is_file())
    for needle in (*words, b"DUPONT", "DUPONT".encode("utf-16-le"), b"MSH|", HEAD):
        assert needle not in stored


@pytest.mark.core
def test_everything_in_the_zone_is_the_owner_s_alone(
    site: Site, keyring: Keyring, inbox: Path
) -> None:
    feed(inbox)
    umask = os.umask(0)
    try:
        ingest(site, keyring, [inbox], "dpi")
    finally:
        os.umask(umask)
    for path in [site.identifying, *site.identifying.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path.name
