"""One line of the log: its bytes, and the MAC over just these bytes.

The MAC covers what is written, not what it means: a blank or an escape that JSON does not care for
is a change too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from entrepot.keys import AUDIT, Keyring

GENESIS = "0" * 64  # what the first entry follows
MAX_LINE = 16_384
_MARK = b',"mac":"'
_END = b'"}'
_NAMES = ("sequence", "at", "account", "login", "action", "facts", "previous")


@dataclass(frozen=True)
class Entry:
    """One act.

    Args:
        sequence: 1, 2, 3… without a gap.
        at: UTC, ISO 8601 with milliseconds.
        account: the account of the process.
        login: who logged in at the terminal, when there is one.
        facts: ids, counts and reasons.
        previous: MAC of the entry before.
        mac: HMAC-SHA256 of the line without it, hexadecimal.
    """

    sequence: int
    at: str
    account: str
    login: str
    action: str
    facts: dict[str, Any]
    previous: str
    mac: str = field(default="", compare=False)


class Sealer:
    """Writes and checks lines under the site's audit key."""

    def __init__(self, keyring: Keyring) -> None:
        self._key = keyring.derive(AUDIT)

    def line(self, entry: Entry) -> tuple[bytes, str]:
        """The entry's line without its line end, and its MAC."""
        stated = {name: getattr(entry, name) for name in _NAMES}
        body = json.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()
        mac = self._mac(body)
        return body[:-1] + _MARK + mac.encode() + _END, mac

    def genuine(self, line: bytes) -> Entry | None:
        """The entry of a line that this key wrote, byte by byte; None of any other line."""
        body, mark, rest = line.rpartition(_MARK)
        if not mark or not rest.endswith(_END):
            return None
        mac = rest.removesuffix(_END)
        if not hmac.compare_digest(self._mac(body + b"}").encode(), mac):
            return None
        return Entry(**json.loads(body + b"}"), mac=mac.decode())

    def _mac(self, body: bytes) -> str:
        return hmac.digest(self._key, body, hashlib.sha256).hex()


def stated_sequence(line: bytes) -> int | None:
    """The sequence that a line claims; None when it is no entry at all (a torn line)."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    number = found.get("sequence") if isinstance(found, dict) else None
    return number if isinstance(number, int) else -1
