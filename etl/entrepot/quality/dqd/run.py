"""All of DQD's checks over one database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from entrepot.quality.database import Database
from entrepot.quality.dqd.counts import Counting
from entrepot.quality.dqd.types import load_catalogue
from entrepot.quality.dqd.verdicts import Result, judge


def dqd_results(database: Database, today: dt.date, overlays: Iterable[Path] = ()) -> list[Result]:
    """DQD 2.8.4's results, one per check, in the order of the catalogue.

    Args:
        today: what DQD's `GETDATE()` stands for.

    Raises:
        ConfigurationError: a file of `quality/dqd` is wrong.
    """
    catalogue, columns = load_catalogue(overlays), database.columns()
    counts = Counting(catalogue, database, columns, today).counts()
    return judge(catalogue, counts, columns)
