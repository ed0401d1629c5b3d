"""`quality/anywhere.yaml`: how a database that the road did not make is judged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

FILE = "quality/anywhere.yaml"
Percent = Annotated[float, Field(ge=0, le=100)]
Rows = Annotated[int, Field(ge=0)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Closed):
    """What a comparison may show before it blocks or warns; unused numbers stay 0."""

    action: Literal["block", "warn"]
    percent: Percent = 0
    points: Percent = 0
    fall: Percent = 0
    rise: float = 0
    share: Percent = 0
    distance: float = 0
    errors: float = 0
    rows: Rows = 0
    persons: Rows = 0
    visits: Rows = 0
    days: Rows = 0
    top: Rows = 0


class Stopped(_Closed):
    """When a feed has stopped, by the visits since its last event.

    Args:
        log_odds: of that many visits without one event by chance, as a natural logarithm.
        days: since the last event of a table; below, its events may be under way.
        parameter_days: the same for one measurement among others.
        late: table → days that its events come after the stay (PMSI is sent by months).
    """

    log_odds: float
    days: Rows
    parameter_days: Rows
    late: dict[str, Rows]
    action: Literal["block", "warn"]


class Drift(_Closed):
    """Limits of what may have changed since the release before."""

    late: dict[str, Rows]
    vanished: Limit
    changed: Limit
    changed_text: Limit
    known_share: Annotated[float, Field(ge=1)]
    volume: Limit
    emptier: Limit
    categories: Limit
    values: Limit
    remapped: Limit
    lost_feed: Limit
    older: Limit
    shorter: Limit
    emptied: Limit
    constant: Limit


class Settings(_Closed):
    """The whole file."""

    rows: Rows
    tables: tuple[str, ...]
    cut_vocabulary: bool
    stopped: Stopped
    drift: Drift


def load_settings(overlays: Iterable[Path] = ()) -> Settings:
    """Reads the file; a site's overlay comes first.

    Raises:
        ConfigurationError: an unknown key or value (file and line named).
    """
    return read_yaml(data_file(FILE, tuple(overlays)), Settings)
