"""Rows of one record, before and after treatment: told twice, named otherwise, replaced."""

from __future__ import annotations

from typing import Any

from entrepot.feeds.raw_row import RawRow


def says_the_same(one: RawRow, other: RawRow) -> bool:
    """A diagnosis that stands in two groups of one message is one diagnosis."""
    stated = (other.values, other.action, other.event_time)
    return (one.values, one.action, one.event_time) == stated


def name_stay(raw: RawRow, stays: dict[str, str]) -> None:
    """A stay that a row names by a server's id is named by its number, as other feeds do.

    Args:
        stays: a server's id of a stay -> its number.
    """
    if not stays:
        return
    stated = raw.values.get("stay", "")
    if stated in stays:
        raw.values["stay"] = stays[stated]
    if raw.mapping.key_as == "stay" and raw.key and raw.key[0] in stays:
        raw.key[0] = stays[raw.key[0]]


def drop_replaced_by_itself(rows: dict[str, list[dict[str, Any]]]) -> None:
    """A replacement that names itself as its parent (seen in official samples) deletes nothing."""
    for kind, found in rows.items():
        stated = {row["row_key"] for row in found if row["action"] == "upsert"}
        rows[kind] = [
            row for row in found if row["action"] == "upsert" or row["row_key"] not in stated
        ]
