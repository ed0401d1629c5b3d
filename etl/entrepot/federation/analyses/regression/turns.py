"""A node's turn in a regression: what it checks before it adds its part to a sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses.answers import ShareAnswer
from entrepot.federation.analyses.asked import Asked
from entrepot.federation.analyses.parameters import Logistic
from entrepot.federation.analyses.regression.design import Design, Regression, design
from entrepot.federation.analyses.regression.disturbance import disturbance, disturbed
from entrepot.federation.analyses.regression.likelihood import (
    Sums,
    Vector,
    cox_sums,
    logistic_sums,
)
from entrepot.federation.analyses.regression.masking import LEAST_NODES, masked
from entrepot.federation.analyses.regression.path import PathError, Round, follow

if TYPE_CHECKING:
    from entrepot.federation.analyses.performing import Guard


@dataclass(frozen=True)
class RegressionTurn:
    """Args:
    node: this node's name.
    pair_secrets: 32 bytes by the name of each other node of the question; nobody else has them,
        and another question has others.
    transcript: of each earlier round, every node's answer by its name; signatures are checked.
    """

    node: str
    pair_secrets: Mapping[str, bytes]
    transcript: tuple[Mapping[str, Mapping[str, Any]], ...] = ()


def share(
    asked: Asked, analysis: Regression, guard: Guard, turn: RegressionTurn | None
) -> ShareAnswer:
    """This node's part of the sums of the round that comes next.

    Raises:
        ConfigurationError: fewer than three nodes take part.
        PathError: the earlier rounds are not those of a sound path, or hold another share of this
            node than it gave.
    """
    if turn is None or len({*turn.pair_secrets} - {turn.node}) < LEAST_NODES - 1:
        raise ConfigurationError(
            "a regression is a sum over three nodes or more", where=f"analysis {analysis.kind}"
        )
    rounds, part = _rounds(turn), _Part(design(asked, analysis), analysis, guard, turn)
    # A share of ours in the first round says that the guard let us: nobody else can make one.
    allowed = bool(rounds) or guard.regression_allowed(part.size, guard.protect(part.rows.tables))
    return ShareAnswer(
        kind=analysis.kind, threshold=guard.policy.threshold, base=guard.policy.rounding_base,
        round=len(rounds), share=part.after(rounds) if allowed else None,
    )  # fmt: skip


def _rounds(turn: RegressionTurn) -> list[Round]:
    nodes = {turn.node, *turn.pair_secrets}
    try:
        rounds: list[Round] = [
            {node: ShareAnswer.model_validate(told) for node, told in one.items()}
            for one in turn.transcript
        ]
    except ValidationError:
        raise PathError("an answer that is no share", where="transcript") from None
    if any(set(one) != nodes for one in rounds):
        raise PathError("a round over other nodes than the question's", where="transcript")
    return rounds


class _Part:
    """This node's part of the sums, at the coefficients that earlier rounds lead to."""

    def __init__(
        self, rows: Design, analysis: Regression, guard: Guard, turn: RegressionTurn
    ) -> None:
        self.rows, self._analysis, self._turn = rows, analysis, turn
        self.size = rows.matrix.shape[1]
        self._extra = disturbance(rows, analysis.kind, guard.noise, guard.policy.threshold)

    def after(self, rounds: Sequence[Round]) -> tuple[str, ...]:
        """The share of the next round, when every earlier share of ours is what we gave."""
        for number, shares in enumerate(rounds):
            beta = follow(rounds[:number], self.size).beta
            if shares[self._turn.node].share != self._share(beta, number):
                raise PathError("a share under our name is not ours", where=f"round {number}")
        path = follow(rounds, self.size)
        if path.ended:
            raise PathError("the path has ended", where=f"round {len(rounds)}")
        return self._share(path.beta, len(rounds))

    def _share(self, beta: Vector, number: int) -> tuple[str, ...]:
        sums = disturbed(self._sums(beta), self._extra, beta)
        label = f"{self._analysis.kind} {number}"
        return masked(sums.numbers(), self._turn.node, self._turn.pair_secrets, label)

    def _sums(self, beta: Vector) -> Sums:
        if isinstance(self._analysis, Logistic):
            return logistic_sums(self.rows.matrix, self.rows.event, beta)
        return cox_sums(self.rows.matrix, self.rows.days, self.rows.event, beta)
