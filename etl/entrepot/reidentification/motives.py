"""The closed list of motives (`mappings/privacy/motives.yaml`), with what each allows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from entrepot.config import Site
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

MOTIVES = "mappings/privacy/motives.yaml"
Profile = Literal["engineer", "dpo", "steward", "researcher", "reader"]
Part = Literal["names", "birth_dates", "ipp", "ins", "stays", "address", "contact"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Motive(_Strict):
    """One motive; the file's head explains each key."""

    fr: str
    en: str
    reference: str
    allowed: bool
    requesters: Annotated[list[Profile], Field(min_length=1)]
    several: bool = False
    opposed: bool = False
    valid_days: Annotated[int, Field(ge=1, le=90)]
    window_hours: Annotated[int, Field(ge=1, le=720)]
    shows: Annotated[list[Part], Field(min_length=1)]


class Motives(_Strict):
    """All motives, and the profiles of which one signature each is needed."""

    approvals: Annotated[list[Profile], Field(min_length=2)]
    motives: dict[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")], Motive]


def load_motives(site: Site) -> Motives:
    """The site's own list, else the shipped one.

    Raises:
        ConfigurationError: names the file and the line; fewer than two signatures is a fault too.
    """
    return read_yaml(data_file(MOTIVES, site.overlays), Motives)
