"""What the register pass does with a record that names an erased person.

Their own is destroyed as it is registered. A child's loses its mother's number. One that joins a
number to theirs leaves that link behind, and the door excludes whoever it leads to: an erasure is
never spread by a merge that may be a mistake, and nobody comes back under another number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from entrepot.config import Site
from entrepot.keys import Keyring
from entrepot.landing.ledger import erase_keys, reseal
from entrepot.landing.masking import mask_number
from entrepot.landing.segments import SegmentReader, SegmentWriter
from entrepot.landing.tables import RecordRow
from entrepot.register.erased import Suppression, hmacs, stripped
from entrepot.register.erasures import mark
from entrepot.register.person import Identifier
from entrepot.register.registration import Registered
from entrepot.register.shared_records import Found


class Refusal:
    """Judges records against the suppression list, one batch at a time; a context manager.

    Args:
        parted: records that name an erased person to whom nothing joins their subject any more.
    """

    def __init__(
        self, connection: Connection, site: Site, keyring: Keyring, parted: Collection[int] = ()
    ) -> None:
        self._site, self._keyring, self._parted = site, keyring, parted
        self._suppression = Suppression.read(connection)
        self._refused: Found = {}
        self._masked: list[tuple[RecordRow, bytes]] = []
        self._opened = ExitStack()
        self._writer: SegmentWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    @property
    def needed(self) -> bool:
        """Whether anybody was ever erased."""
        return bool(self._suppression.numbers)

    def judge(
        self, registered: Registered, row: RecordRow, numbers: Iterable[Identifier] = ()
    ) -> Registered:
        """The registration as the list lets it stand.

        Args:
            numbers: of the subject, when the registration itself names nobody.
        """
        if not self.needed or row.wrapped_key is None:
            return registered
        own = self._suppression.own(registered, self._keyring)
        own += [hmac for one in numbers for hmac in hmacs(self._keyring, one)]
        at = registered.stated_at or row.received_at
        if found := self._suppression.covering(own, at):
            self._refused[row.record_id] = found
            return stripped(row.record_id, found[1], registered)
        named = [registered.mother] if registered.mother else []
        if row.record_id in self._parted:
            named += [one for left, right, _ in registered.links for one in (left, right)]
        gone = [n for n in named if self._suppression.covering(hmacs(self._keyring, n), at)]
        if gone:
            self._mask(row, [number.value.rpartition("/")[2] for number in gone])
            registered.mother = None if registered.mother in gone else registered.mother
            links = registered.links
            registered.links = [one for one in links if one[0] not in gone and one[1] not in gone]
        return registered

    def settle(self, connection: Connection) -> None:
        """Destroys and masks in the transaction that registers the batch.

        Raises:
            SiteBusyError: an ingest is writing, and a record has to be masked.
        """
        erase_keys(connection, self._refused)
        mark(connection, self._refused)
        for row, content in self._masked:
            reseal(connection, self._segments(), row, content)
        if self._writer is not None:
            self._writer.sync()
        self._refused, self._masked = {}, []

    def _mask(self, row: RecordRow, numbers: list[str]) -> None:
        with SegmentReader(self._site.segments, self._keyring) as reader:
            content = reader.read(row)
        masked = content
        for number in numbers:
            masked = mask_number(masked, number)
        if masked != content:
            self._masked.append((row, masked))

    def _segments(self) -> SegmentWriter:
        if self._writer is None:
            writer = SegmentWriter(self._site.segments, self._keyring)
            self._writer = self._opened.enter_context(writer)
        return self._writer
