"""One line of the log: its bytes, and the MAC over just these bytes.

The MAC covers what is written, not what it means: a blank or an escape that JSON does not care for
is a change too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
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
    """Writes lines under the site's audit key, and checks lines under that of their time.

    A former root's key is good for the entries up to its last one: whoever has got hold of it
    cannot write a later one, nor another in their place, as the first entry under the next root
    holds the MAC of the last.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._key, first = keyring.derive(AUDIT), 1
        self._keys: list[tuple[range, bytes]] = []
        for one in keyring.former:
            self._keys.append((range(first, one.last_entry + 1), one.keys[AUDIT]))
            first = one.last_entry + 1
        self._keys.append((range(first, sys.maxsize), self._key))

    def line(self, entry: Entry) -> tuple[bytes, str]:
        """The entry's line without its line end, and its MAC."""
        stated = {name: getattr(entry, name) for name in _NAMES}
        body = json.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()
        mac = _mac(self._key, body)
        return body[:-1] + _MARK + mac.encode() + _END, mac

    def genuine(self, line: bytes) -> Entry | None:
        """The entry of a line that the key of its time wrote, byte by byte; None of any other."""
        body, mark, rest = line.rpartition(_MARK)
        if not mark or not rest.endswith(_END):
            return None
        mac = rest.removesuffix(_END)
        for numbers, key in reversed(self._keys):
            if hmac.compare_digest(_mac(key, body + b"}").encode(), mac):
                entry = Entry(**json.loads(body + b"}"), mac=mac.decode())
                return entry if entry.sequence in numbers else None
        return None


def _mac(key: bytes, body: bytes) -> str:
    return hmac.digest(key, body, hashlib.sha256).hex()


def stated_sequence(line: bytes) -> int | None:
    """The sequence that a line claims; None when it is no entry at all (a torn line)."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    number = found.get("sequence") if isinstance(found, dict) else None
    return number if isinstance(number, int) else -1
