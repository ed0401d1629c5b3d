"""Two releases side by side: what one question is answered by each, and how a change is told."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from entrepot.omop.cdm import Cdm
from entrepot.quality.anywhere.counting import Columns
from entrepot.quality.anywhere.findings import Finding
from entrepot.quality.anywhere.settings import Limit
from entrepot.quality.checks import Action
from entrepot.quality.database import Database, QueryError, Row

_TABLE = re.compile(r"\bcdm\.(\w+)")
_MEANINGS = {
    "volume": ("Le nombre de lignes par personne a changé.", "Rows per person have changed."),
    "emptier": ("Le champ est plus souvent vide qu'avant.", "The field is empty more often."),
    "unmapped": ("Le concept 0 est plus fréquent qu'avant.", "Concept 0 is more frequent."),
    "categories": (
        "La part des personnes qui portent un concept a changé.",
        "The share of persons who have a concept has changed.",
    ),
    "values": (
        "La distribution des valeurs d'une mesure a changé.",
        "The distribution of a measurement's values has changed.",
    ),
    "remapped": (
        "Des valeurs sources ont changé de concept.", "Source values have changed their concept.",
    ),
    "lost_feed": (
        "Les jours nouveaux ont des séjours et presque pas de ces événements.",
        "The new days have visits and hardly any of these events.",
    ),
    "older": (
        "Le dernier événement est plus ancien que celui de la version précédente.",
        "The last event is older than that of the release before.",
    ),
    "emptied": ("La table avait des lignes et n'en a plus.", "The table had rows and has none."),
    "constant": (
        "Une même valeur est devenue trop fréquente.", "One value has become too frequent.",
    ),
    "shorter": ("Les textes sont plus courts qu'avant.", "Texts are shorter than before."),
}  # fmt: skip


@dataclass(frozen=True)
class Share:
    """A part of a whole, both counts."""

    part: float
    whole: float

    @property
    def percent(self) -> float:
        """0 to 100; 0 of nothing."""
        return 100 * self.part / self.whole if self.whole else 0.0


@dataclass(frozen=True)
class Pair:
    """A candidate and the release before, each asked in its own database.

    Args:
        columns: of the candidate and of the baseline; what one lacks is not compared.
        persons: how many each holds.
        unanswered: tables of which a comparison could not be asked.
    """

    cdm: Cdm
    candidate: Database
    baseline: Database
    columns: tuple[Columns, Columns]
    persons: tuple[int, int] = (0, 0)
    unanswered: dict[str, None] = field(default_factory=dict)

    def has(self, table: str, *fields: str) -> bool:
        """Whether both have the table with these fields."""
        return all(table in one and set(fields) <= set(one[table]) for one in self.columns)

    def both(self, sql: str) -> tuple[list[Row], list[Row]] | None:
        """The candidate's answer and the baseline's; None where one cannot answer."""
        try:
            return self.candidate.rows(sql), self.baseline.rows(sql)
        except QueryError:
            self.unanswered.update(dict.fromkeys(_TABLE.findall(sql)))
            return None


def finding(
    kind: str, limit: Limit, table: str, field: str, counts: tuple[float, float],
    failed: bool, reason: str,
) -> Finding:  # fmt: skip
    """A change as a finding; `counts` are what moved and among how many."""
    french, english = _MEANINGS[kind]
    name = "_".join(part for part in ("entrepot_drift", kind, table, field) if part)
    return Finding(
        name, table, field, "plausibility", "characterization", Action(limit.action),
        round(counts[0]), round(counts[1]), limit.percent or limit.points or limit.fall,
        failed, meaning_fr=french, meaning_en=english, reason=reason,
    )  # fmt: skip


def standard_error(shares: tuple[Share, Share], people: tuple[int, int]) -> float:
    """Of the difference of two shares, in points of percent; over persons, not over rows."""
    whole = shares[0].whole + shares[1].whole
    pooled = (shares[0].part + shares[1].part) / whole if whole else 0.0
    return 100 * math.sqrt(max(pooled * (1 - pooled), 1e-9) * sum(1 / max(n, 1) for n in people))
