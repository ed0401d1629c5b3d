"""The list of erasures: one file beside the database, whose lines are chained under the site's key.

It outlives the database: a zone restored from a backup taken before an erasure finds it here, and
the next run takes the person out again. A line holds keyed hashes and dates, no number. How many
lines there are is noted in the research zone as well, so that a list that was itself rolled back
refuses the run (control 11; fail closed).
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from entrepot.config import Site
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import AUDIT, IDENTIFIER, LANDING, Keyring

ERASE, RETAIN, LIFT = "erase", "retention", "lift"
HEAD = "erasures.head"
_DOMAIN = b"erasures/v1\0"  # a MAC of the audit log never stands for a line of this list
GENESIS = "0" * 64
_WHERE = "site.yaml: rights.erasures"


@dataclass(frozen=True)
class Erasure:
    """One line.

    Args:
        act: `erase` (for ever), `retention` (what was stated before a date) or `lift`.
        numbers: HMACs of the person's numbers, hexadecimal.
        persons: `person_id` that these numbers give (keyed integers).
        records: addresses (HMACs) of records without a subject that name the person.
        before: of `retention`: local civil time, ISO 8601.
        key: fingerprint of the root key of that day; `lines` brings the hashes to today's.
    """

    sequence: int
    at: str
    act: str
    numbers: tuple[str, ...]
    persons: tuple[int, ...] = ()
    records: tuple[str, ...] = ()
    before: str = ""
    key: str = ""
    previous: str = GENESIS
    mac: str = field(default="", compare=False)


class ErasureLog:
    """The list of one site."""

    def __init__(self, site: Site, keyring: Keyring) -> None:
        self._site, self._keyring = site, keyring
        self.path = site.path(site.config.rights.erasures)

    def append(
        self, act: str, numbers: tuple[str, ...], persons: tuple[int, ...] = (),
        records: tuple[str, ...] = (), before: dt.datetime | None = None,
    ) -> Erasure:  # fmt: skip
        """Adds a line; when it returns, it is on the disk and nothing can lose the erasure.

        Raises:
            EntrepotError: it cannot be written, or the list is damaged; nothing is erased.
        """
        until = before.isoformat() if before else ""
        with self._opened() as descriptor:
            lines = self._read(descriptor)
            last = lines[-1] if lines else None
            line = Erasure(
                len(lines) + 1, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), act,
                tuple(sorted(numbers)), tuple(sorted(persons)), tuple(sorted(records)), until,
                self._keyring.fingerprint, last.mac if last else GENESIS,
            )  # fmt: skip
            sealed = replace(line, mac=self._mac(line))
            content = json.dumps(asdict(sealed)).encode() + b"\n"
            if os.write(descriptor, content) != len(content):
                raise EntrepotError("the list of erasures was cut short: the disk is full")
            os.fsync(descriptor)
        self._note(sealed)
        return sealed

    def lines(self) -> list[Erasure]:
        """All lines, checked.

        Raises:
            ConfigurationError: the list is damaged, or older than what is noted; no run may go on.
        """
        with self._opened() as descriptor:
            lines = self._read(descriptor)
        noted = self._noted()
        if noted > len(lines):
            raise ConfigurationError(
                f"the list of erasures has {len(lines)} lines of {noted}: erased persons would"
                " come back",
                where=_WHERE,
                remedy="restore the newest erasures.log beside the restored backup",
            )
        if lines and noted < len(lines):
            self._note(lines[-1])
        return [self._today(line) for line in lines]

    def _today(self, line: Erasure) -> Erasure:
        """A line of a former root key: its hashes carried on; its persons have other ids now."""
        if line.key == self._keyring.fingerprint:
            return line

        def carried(label: str, hashes: tuple[str, ...]) -> tuple[str, ...]:
            carry = self._keyring.carried
            return tuple(carry(label, bytes.fromhex(one), line.key).hex() for one in hashes)

        numbers, records = carried(IDENTIFIER, line.numbers), carried(LANDING, line.records)
        return replace(line, numbers=numbers, records=records, persons=())

    def _read(self, descriptor: int) -> list[Erasure]:
        """A last line without its end was never an erasure: it is taken off."""
        content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        whole, _, torn = content.rpartition(b"\n")
        if torn:
            os.ftruncate(descriptor, len(content) - len(torn))
        lines: list[Erasure] = []
        for number, text in enumerate(whole.split(b"\n") if whole else [], 1):
            line = self._genuine(text, lines[-1].mac if lines else GENESIS)
            if line is None or line.sequence != number:
                raise ConfigurationError(
                    f"line {number} of the list of erasures was changed or lost", where=_WHERE,
                    remedy="restore the list; nothing runs without it",
                )  # fmt: skip
            lines.append(line)
        return lines

    def _genuine(self, text: bytes, previous: str) -> Erasure | None:
        try:
            raw = json.loads(text)
            listed = {name: tuple(raw[name]) for name in ("numbers", "persons", "records")}
            line = Erasure(**{**raw, **listed})
        except (ValueError, TypeError, KeyError):
            return None
        genuine = hmac.compare_digest(self._mac(line), line.mac)
        return line if genuine and line.previous == previous else None

    def _mac(self, line: Erasure) -> str:
        body = json.dumps({**asdict(line), "mac": ""}, sort_keys=True).encode()
        return hmac.digest(self._key(line.key), _DOMAIN + body, hashlib.sha256).hex()

    def _key(self, fingerprint: str) -> bytes:
        """The audit key of the root that wrote a line; no key at all for a root never had."""
        for former in self._keyring.former:
            if former.fingerprint == fingerprint:
                return former.keys[AUDIT]
        return self._keyring.derive(AUDIT)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise self._refused(error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        except OSError as error:
            raise self._refused(error) from None
        finally:
            os.close(descriptor)

    def _refused(self, error: OSError) -> EntrepotError:
        return EntrepotError(
            f"the list of erasures cannot be used ({error.strerror}): nothing was erased",
            where=_WHERE,
            remedy="mend the disk or the rights of its folder; no run goes on without it",
        )

    @property
    def _head(self) -> Path:
        return self._site.research / HEAD

    def _noted(self) -> int:
        if not self._head.is_file():
            return 0
        text = self._head.read_text(encoding="ascii").strip()
        return int(text) if text.isdigit() else 0

    def _note(self, line: Erasure) -> None:
        self._head.parent.mkdir(parents=True, exist_ok=True)
        following = self._head.with_suffix(".next")
        following.write_text(f"{line.sequence}\n", encoding="ascii")
        os.replace(following, self._head)
