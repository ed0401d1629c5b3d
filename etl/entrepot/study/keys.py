"""Keys of one study: its ids and its shifts, none of which can be told from another's.

All come from `study/<id>/v1` of the site's root key. Only the stages that hold the keyring make a
space (controls 3 and 4: SEC-PSE-1, SEC-ESP-2); the space itself holds no key and no map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.keys import Keyring

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PERSON_BITS = 53
EVENT_BITS = 63
FIRST_WEEKS, LAST_WEEKS = 9, 60  # DESIGN 9: backwards, both included
_BLOCK = 64  # bytes of a SHA-256 block (RFC 2104)
_INNER, _OUTER = 0x36, 0x5C

# HMAC-SHA256 in SQL: what `Keyring.number` computes, a million ids a second on one core. The key
# stands in macros of a connection in memory; no file holds them.
_MACROS = """
CREATE OR REPLACE TEMP MACRO study_digest(kind, id) AS
  CAST('0x' || left(sha256(from_hex('{outer}') || from_hex(sha256(
    from_hex('{inner}') || encode(kind || chr(31) || CAST(id AS VARCHAR))))), 16) AS UBIGINT);
CREATE OR REPLACE TEMP MACRO study_id(kind, id) AS
  CAST(greatest(study_digest(kind, id) >> {short}, 1) AS BIGINT);
CREATE OR REPLACE TEMP MACRO study_event_id(kind, id) AS
  CAST(greatest(study_digest(kind, id) >> {long}, 1) AS BIGINT);
CREATE OR REPLACE TEMP MACRO study_days(anchor) AS
  CAST(7 * ({first} + study_digest('shift', anchor) % {span}) AS INTEGER);
"""


def study_label(study_id: str) -> str:
    """The HKDF label of a study's key."""
    return f"study/{study_id}/v1"


def study_person_id(keyring: Keyring, study_id: str, person_id: int) -> int:
    """The `person_id` in a study's space of a person of the core; of at most 53 bits."""
    return keyring.number(study_label(study_id), PERSON_BITS, "person", str(person_id))


def make_macros(connection: DuckDBPyConnection, keyring: Keyring, study_id: str) -> None:
    """Temporary macros `study_id`, `study_event_id` and `study_days` of this study.

    `study_id('person', id)` equals `study_person_id`; `study_days(anchor)` is the shift in days,
    7 times 9 to 60.
    """
    key = keyring.derive(study_label(study_id)).ljust(_BLOCK, b"\0")
    connection.execute(
        _MACROS.format(
            inner=bytes(byte ^ _INNER for byte in key).hex(),
            outer=bytes(byte ^ _OUTER for byte in key).hex(),
            short=64 - PERSON_BITS, long=64 - EVENT_BITS,
            first=FIRST_WEEKS, span=LAST_WEEKS - FIRST_WEEKS + 1,
        )
    )  # fmt: skip
