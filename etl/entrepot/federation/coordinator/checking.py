"""Whether an answer holds together (T10): of this query, in time, and of the form it must have."""

from __future__ import annotations

import datetime as dt

from pydantic import ValidationError

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses import ANALYSIS, AnswerError, ShareAnswer, read_answer
from entrepot.federation.envelopes import AnswerEnvelope, Query


def fault_of(
    asked: Query, given: AnswerEnvelope, minimum: int, round_: int, now: dt.datetime
) -> str | None:
    """A code of what is wrong with an answer; None when it may be used.

    What was sealed for the researcher is checked where it is opened.

    Args:
        minimum: persons that the study card asks for in a cell.
        round_: of a regression, the one that the node was asked for.
    """
    checks = (
        (given.study != asked.study, "other_study"),
        (now > asked.not_after, "late"),
        (given.compiler != asked.compiler, "compiler_differs"),
        ((given.payload is None) == (given.sealed is None), "form"),
        ((given.payload is not None) != (asked.delivery == "pooled"), "delivery"),
        (given.round != round_, "round"),
    )
    for wrong, code in checks:
        if wrong:
            return code
    return None if given.payload is None else fault_of_payload(asked, given, minimum)


def fault_of_payload(asked: Query, given: AnswerEnvelope, minimum: int) -> str | None:
    """The same of what an answer says: shape, ranges, thresholds, margins."""
    try:
        analysis = ANALYSIS.validate_python(asked.analysis)
        answer = read_answer(given.payload or {}, analysis, max(minimum, asked.minimum_cell))
    except AnswerError:
        return "inconsistent"
    except (ValidationError, ConfigurationError):
        return "form"
    if isinstance(answer, ShareAnswer) and answer.round != given.round:
        return "round"
    return None
