"""What a site did with its records, compared with tables of expected behaviour (tests/cases)."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select

from entrepot.config import Site
from entrepot.door.tables import derivation
from entrepot.keys import REGISTER
from entrepot.landing.database import zone_engine
from entrepot.landing.tables import notice, record
from entrepot.publication import gate_hold
from entrepot.register import tables
from entrepot.report.accounting import records
from roads import keyring, query

CASES = Path(__file__).resolve().parent.parent / "cases"


def lines_of(name: str) -> list[dict[str, str]]:
    with (CASES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def settings_of(config: str, format_: str = "hl7v2") -> str:
    """`charset=cp1252` or `register.accept_ins_only=true` as a whole site.yaml."""
    settings: dict[str, Any] = {
        "sources": {"adt": {"format": format_, "charset": "utf-8"}},
        "oppositions": {"required": False},
    }
    for setting in filter(None, config.split(";")):
        key, _, value = setting.partition("=")
        if key == "charset":
            settings["sources"]["adt"]["charset"] = value
        elif key == "oppositions.con_types":
            settings["oppositions"]["con_types"] = value.split(",")
        else:
            section, _, name = key.partition(".")
            settings.setdefault(section, {})[name] = yaml.safe_load(value)
    return yaml.safe_dump(settings)


def dispositions(site: Site) -> tuple[Counter[str], list[str]]:
    engine = zone_engine(site)
    query_ = (
        select(
            record.c.deliveries,
            derivation.c.disposition,
            derivation.c.reason,
            gate_hold.c.check_id,
        )
        .join(derivation, derivation.c.record_id == record.c.record_id)
        .outerjoin(gate_hold, gate_hold.c.record_id == record.c.record_id)
        .order_by(record.c.record_id)
    )
    found: Counter[str] = Counter()
    reasons = []
    with engine.connect() as connection:
        for row in connection.execute(query_):
            found["duplicate"] += row.deliveries - 1
            held = row.check_id is not None
            name = "published" if row.disposition == "staged" else row.disposition
            found["quarantined" if held else name] += 1
            reasons += [reason for reason in (row.check_id or row.reason,) if reason]
    engine.dispose()
    return +found, reasons


def notices(site: Site) -> set[str]:
    engine = zone_engine(site)
    with engine.connect() as connection:
        codes = set(connection.scalars(select(notice.c.code)))
    engine.dispose()
    return codes


def _count(site: Site, table: str) -> int:
    if table == "link":
        engine = zone_engine(site)
        with engine.connect() as connection:
            count = int(connection.scalar(select(func.count()).select_from(tables.link)) or 0)
        engine.dispose()
        return count
    if not site.warehouse.is_file():
        return 0
    return int(query(site, f"SELECT count(*) FROM cdm.{table}")[0][0])


def _values(site: Site, table: str, column: str) -> list[str]:
    if table == "identity":
        return _identity(site, f"{column}s")
    found = query(site, f"SELECT {column} FROM cdm.{table}")
    return ["NULL" if value is None else _plain(value) for (value,) in found]


def _plain(value: object) -> str:
    text = str(value)
    return re.sub(r"\.?0+$", "", text) if re.fullmatch(r"-?\d+\.\d+", text) else text


def _identity(site: Site, name: str) -> list[str]:
    engine = zone_engine(site)
    found: list[str] = []
    with engine.connect() as connection:
        for row in connection.execute(select(tables.identity)):
            payload = keyring(site).unseal(REGISTER, row.sealed, row.subject)
            values = json.loads(payload)
            found += values.get(name, values.get(name.removesuffix("s"), []))
    engine.dispose()
    return found


def failed(site: Site, check: str) -> bool:
    """Whether one statement of the table's `checks` column does not hold."""
    left, operator, right = re.split(r"(=|~|!)", check, maxsplit=1)
    if "." not in left:
        return _count(site, left) != int(right)
    table, column = left.split(".")
    values = _values(site, table, column)
    if operator == "~":
        return not any(right in value for value in values)
    if operator == "!":
        return any(right in value for value in values)
    if table == "identity":
        return right not in values
    if "|" in right:
        return not set(values) <= set(right.split("|"))
    return sorted(values) != sorted(right.split(","))


def counted(site: Site) -> Any:
    engine = zone_engine(site)
    with engine.connect() as connection:
        counted = records(connection)
    engine.dispose()
    return counted


def outcomes(site: Site) -> dict[int, tuple[str, str]]:
    """Record -> where it ended and why."""
    engine = zone_engine(site)
    with engine.connect() as connection:
        held = dict(connection.execute(select(gate_hold.c.record_id, gate_hold.c.check_id)).all())
        found = {}
        for row in connection.execute(select(derivation)):
            name = "published" if row.disposition == "staged" else row.disposition
            check = held.get(row.record_id)
            found[row.record_id] = ("quarantined", check) if check else (name, row.reason)
    engine.dispose()
    return found
