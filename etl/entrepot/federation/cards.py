"""The study card: on what ground hospitals answer a study's questions, which ones, until when.

A node answers nothing of a study whose card its own steward has not accepted: the card is pinned
by its hash, and with it the researchers' keys. A changed card is another card.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entrepot.federation.canonical import digest
from entrepot.federation.keys import Hash, NodeName, PublicKey, StudyName

ALWAYS = ("person", "observation_period")  # without them no cohort can be told
Text = Annotated[str, Field(min_length=1, max_length=300)]
TableName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,40}$")]
Person = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]{1,80}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LegalBasis(_Strict):
    """The reference methodology that the study declares to follow, or the authorisation it has.

    `reference`: number of the declaration or of the decision. Source: CNIL, méthodologies de
    référence MR-001 to MR-008; loi Informatique et Libertés, articles 66 and 76.
    """

    kind: Literal[
        "MR-001", "MR-002", "MR-003", "MR-004", "MR-005", "MR-006", "MR-007", "MR-008",
        "CNIL-authorisation",
    ]  # fmt: skip
    reference: Text


class Decision(_Strict):
    """What a committee said: CESREES, or the scientific and ethical committee of the warehouses."""

    committee: Text
    reference: Text
    decided_on: dt.date


class CardSite(_Strict):
    """A hospital of the study: its node, the key it signs with, the key that others mask with."""

    node: NodeName
    key: PublicKey
    masking_key: PublicKey


class CardResearcher(_Strict):
    """Who may ask, and with which key."""

    name: Person
    key: PublicKey


class StudyCard(_Strict):
    """One version of a study's card.

    Args:
        starts_on, ends_on: first and last day on which a question may be answered.
        analyses: kinds of analysis that may be asked.
        tables: CDM tables that a question may read besides `person`, `observation_period` and the
            vocabulary; a node shows no other.
        minimum_cell: persons below which a count is withheld; the node's own number wins where it
            is larger.
        deliveries: `sealed` to the researcher, or `pooled` by the coordinator, which then reads
            the protected counts.
    """

    act: Literal["entrepot/federation/card"] = "entrepot/federation/card"
    study: StudyName
    title: Text
    legal_basis: LegalBasis
    decision: Decision
    starts_on: dt.date
    ends_on: dt.date
    researchers: Annotated[tuple[CardResearcher, ...], Field(min_length=1, max_length=50)]
    sites: Annotated[tuple[CardSite, ...], Field(min_length=1, max_length=200)]
    analyses: Annotated[tuple[TableName, ...], Field(min_length=1, max_length=20)]
    tables: Annotated[tuple[TableName, ...], Field(max_length=40)]
    minimum_cell: Annotated[int, Field(ge=11, le=1000)] = 11
    deliveries: Annotated[tuple[Literal["sealed", "pooled"], ...], Field(min_length=1)] = (
        "sealed",
    )

    @model_validator(mode="after")
    def _consistent(self) -> StudyCard:
        if self.ends_on < self.starts_on:
            raise ValueError("a study ends after it starts")
        for named in (
            [one.node for one in self.sites],
            [one.key for one in self.sites],
            [one.name for one in self.researchers],
            [one.key for one in self.researchers],
        ):
            if len(set(named)) != len(named):
                raise ValueError("a site, a researcher or a key stands twice")
        return self

    @property
    def sha256(self) -> Hash:
        """What the card is pinned by: the hash of its canonical spelling."""
        return digest(self.model_dump(mode="json"))

    def site(self, node: str) -> CardSite | None:
        """The hospital of this node; None when it is none of the study's."""
        return next((one for one in self.sites if one.node == node), None)

    def key_of(self, researcher: str) -> str:
        """The key of a researcher; empty when they are none of the study's."""
        found = (one.key for one in self.researchers if one.name == researcher)
        return next(found, "")

    def open_on(self, day: dt.date) -> bool:
        """Whether questions may be answered that day."""
        return self.starts_on <= day <= self.ends_on
