"""A question as the form states it, made into the body that its researcher signs."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from entrepot.errors import ConfigurationError
from entrepot.federation.analyses import ANALYSIS
from entrepot.federation.canonical import NotCanonicalError, canonical
from entrepot.federation.coordinator.questions import SubmissionError
from entrepot.federation.envelopes import Query
from entrepot.federation.keys import NodeName
from entrepot.federation.refusals import Code

_BEFORE = dt.timedelta(minutes=5)  # a node's clock may be behind


class Draft(BaseModel):
    """What a researcher chose.

    Args:
        days: to answer in.
        audience: nodes; all sites of the card when empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cohorts: dict[str, dict[str, Any]]
    analysis: dict[str, Any]
    audience: tuple[NodeName, ...] = ()
    days: Annotated[int, Field(ge=1, le=30)] = 14
    minimum_cell: Annotated[int, Field(ge=0, le=1000)] = 0
    delivery: Literal["sealed", "pooled"]
    answers_to: str


def drafted(draft: Draft, card: Any, hash_: str, researcher: str, now: dt.datetime) -> Query:
    """The body to sign; refused early where every node would refuse it.

    Args:
        card: the study's (`StudyCard`), whose hash is `hash_`.

    Raises:
        SubmissionError: with the code of what is wrong.
    """
    from entrepot.cohorts import COMPILER_VERSION, read_definition

    try:
        for name, definition in draft.cohorts.items():
            read_definition(canonical(definition), name)
    except (ConfigurationError, NotCanonicalError):
        raise SubmissionError(Code.DEFINITION_REFUSED) from None
    try:
        ANALYSIS.validate_python(draft.analysis)
    except ValidationError:
        raise SubmissionError(Code.ANALYSIS_REFUSED) from None
    start = now.replace(microsecond=0)
    try:
        return Query(
            study=card.study, card=hash_, researcher=researcher, cohorts=draft.cohorts,
            compiler=COMPILER_VERSION, analysis=draft.analysis,
            audience=draft.audience or tuple(site.node for site in card.sites),
            nonce=secrets.token_hex(16), not_before=start - _BEFORE,
            not_after=start + dt.timedelta(days=draft.days), delivery=draft.delivery,
            answers_to=draft.answers_to, minimum_cell=draft.minimum_cell,
        )  # fmt: skip
    except ValidationError:
        raise SubmissionError(Code.UNREADABLE) from None


def spelt(query: Query) -> str:
    """The canonical spelling of a body: what is hashed and signed."""
    return canonical(query.model_dump(mode="json", exclude_none=True)).decode()
