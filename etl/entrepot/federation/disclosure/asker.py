"""Who asks, for what study, on which release, on which day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Asker:
    """What a budget is kept for and an answer is remembered under.

    Args:
        study: name of the study; its budget counts all its requesters together.
        requester: of whom the question was signed.
        release: id of the frozen release that is asked.
        day: of the question, in the node's own zone.
    """

    study: str
    requester: str
    release: str
    day: dt.date
