"""What one check says of a database, in one shape for row checks, presence and drift."""

from __future__ import annotations

from dataclasses import dataclass

from entrepot.quality.checks import Action


@dataclass(frozen=True)
class Finding:
    """One check's counts and what follows from them.

    Args:
        check_id: as DQD spells it where DQD has the check.
        key: the id in the plan, empty for what is not of the plan.
        threshold: percent of the denominator that may violate.
        failed: above the threshold.
        error: the database could not answer.
        reason: why it is judged so, where that is not plain from the numbers.
        allowed: rows up to which it passes; None where more than one number decides.
    """

    check_id: str
    table: str
    field: str
    category: str
    severity: str
    action: Action
    violated: int
    denominator: int
    threshold: float
    failed: bool
    error: bool = False
    key: str = ""
    meaning_fr: str = ""
    meaning_en: str = ""
    reason: str = ""
    allowed: float | None = None

    @property
    def not_applicable(self) -> bool:
        """Nothing to check."""
        return not (self.denominator or self.failed or self.error)

    @property
    def passed(self) -> bool:
        """Something was checked and is within the threshold."""
        return not (self.failed or self.error or self.not_applicable)

    @property
    def blocks(self) -> bool:
        """Whether the database may not be published; what could not be judged may not either."""
        return (self.failed or self.error) and self.action is not Action.WARN
