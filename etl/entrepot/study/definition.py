"""A study's definition: a YAML file that a person signs, checked before anything is built."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.people import person, verify
from entrepot.study.columns import Column, load_columns
from entrepot.yaml_files import read_yaml

ACT = "study"
APPROVERS = ("dpo", "steward")
ALWAYS = ("person", "observation_period")  # a space without them is no CDM
ERAS = {"condition_era": "condition_occurrence", "drug_era": "drug_exposure"}
# A year in the cohort's SQL binds persons to the calendar: the shift of somebody with events at
# both ends of that time is narrowed, down to one value in the worst case.
_CALENDAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# A definition lies beside the space; concept ids have at most ten figures, person ids 53 bits.
_NUMBER = re.compile(r"\d{11,}")

Text = Annotated[str, Field(min_length=1, max_length=500)]
Role = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_$.-]{0,62}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cohort(_Strict):
    """Who is in: SQL over the release, or a CSV `subject_id,cohort_start_date,cohort_end_date`."""

    sql: str = ""
    csv: Path | None = None  # a relative one is of the definition's folder

    @model_validator(mode="after")
    def _one(self) -> Cohort:
        if bool(self.sql.strip()) == (self.csv is not None):
            raise ValueError("a cohort is either sql or csv")
        if _NUMBER.search(self.sql):
            raise ValueError("person ids stand in a csv, which is kept where the keys are")
        return self


class Options(_Strict):
    """What departs from the minimum; whatever does has to be signed."""

    datetimes: Literal["day", "full"] = "day"  # day: midnight; full: the time of day
    birth: Literal["year", "month"] = "year"
    notes: bool = False
    events: Literal["all", "cohort"] = "all"  # cohort: between the cohort's dates alone
    vocabulary: Literal["used", "full"] = "used"


class Approval(_Strict):
    """Who approved it, with the Ed25519 signature of `Definition.payload`."""

    approved_by: Annotated[str, Field(min_length=1, max_length=80)]
    signature: Annotated[str, Field(pattern=r"^([0-9a-f]{128})?$")] = ""


class Definition(_Strict):
    """One study space, as its file says."""

    # Ids are names of folders, schemas and roles.
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Text
    legal_basis: Text
    purpose: Text
    expires: dt.date
    cohort: Cohort
    tables: Annotated[list[str], Field(min_length=1)]
    columns: list[str] = []  # `table.column` beyond the default, by name
    without: list[str] = []  # `table.column` of the default that the study does not need
    options: Options = Options()
    target: Literal["duckdb", "postgresql"] = "duckdb"
    readers: list[Role] = []  # PostgreSQL roles that become members of the space's own
    approval: Approval

    @property
    def payload(self) -> dict[str, Any]:
        """What is signed: everything but the signature itself."""
        content = self.model_dump(mode="json")
        content["approval"].pop("signature")
        return {"act": ACT, **content}

    @cached_property
    def beyond(self) -> list[str]:
        """What asks for more than the minimum, in a fixed order; empty: a name is enough."""
        asked = [
            f"options.{name}: {value}"
            for name, value in self.options.model_dump().items()
            if value != Options.model_fields[name].default and name != "vocabulary"
        ]
        calendar = ["cohort: calendar"] if _CALENDAR.search(self.cohort.sql) else []
        return asked + [f"columns: {place}" for place in sorted(self.columns)] + calendar


Granted = Mapping[str, Mapping[str, Column]]


def read_definition(path: Path) -> Definition:
    """The definition of a file.

    Raises:
        ConfigurationError: names file, line and key.
    """
    return read_yaml(path, Definition)


def require_approval(site: Site, definition: Definition) -> None:
    """A data protection officer or steward approved it, and signed what exceeds the minimum.

    Raises:
        ConfigurationError: nobody of that name and profile, no signature where one is needed, or
            a signature of something else.
    """
    approval = definition.approval
    approver = person(site, approval.approved_by, *APPROVERS)
    if approval.signature:
        verify(approver, definition.payload, approval.signature)
    elif definition.beyond or site.config.studies.signed:
        asked = ", ".join(definition.beyond) or "site.yaml: studies.signed"
        raise ConfigurationError(
            f"this has to be signed: {asked}", where="approval.signature",
            remedy="entrepot study sign DEFINITION --key FILE prints the signature",
        )  # fmt: skip


def granted(site: Site, definition: Definition, where: str = "") -> Granted:
    """Table -> column -> treatment of everything that the study may hold.

    A column that refers to a table which the study leaves out is left out with it.

    Raises:
        ConfigurationError: a table or column that the allow-list does not grant, or cannot spare.
    """
    allowed = load_columns(site.overlays)
    tables = {*definition.tables, *ALWAYS}
    _refuse_unknown(definition, allowed, where)
    found: dict[str, dict[str, Column]] = {}
    for table in sorted(tables):
        found[table] = {
            name: column
            for name, column in allowed[table].items()
            if (column.grant == "default" or column.place in definition.columns)
            and column.place not in definition.without
            and not _refers_outside(column, tables)
        }
    return found


def _refers_outside(column: Column, tables: set[str]) -> bool:
    from entrepot.omop.cdm import load_cdm

    cdm = load_cdm()
    target = cdm.table(column.table).field(column.name).foreign_key
    return (
        target is not None and cdm.table(target.table).schema == "CDM"
        and target.table not in tables
    )  # fmt: skip


def _refuse_unknown(definition: Definition, allowed: Granted, where: str) -> None:
    for table in definition.tables:
        if table not in allowed:
            raise ConfigurationError(f"tables: {table} is granted to no study", where=where)
        if table in ERAS and ERAS[table] not in definition.tables:
            raise ConfigurationError(f"tables: {table} needs {ERAS[table]}", where=where)
    if ("note" in definition.tables) != definition.options.notes:
        raise ConfigurationError("table note and options.notes go together", where=where)
    for place in [*definition.columns, *definition.without]:
        table, _, name = place.partition(".")
        if table not in {*definition.tables, *ALWAYS} or name not in allowed[table]:
            raise ConfigurationError(f"columns: {place} is granted to no study", where=where)
    for place in definition.without:
        table, _, name = place.partition(".")
        if _is_needed(allowed[table][name]):
            raise ConfigurationError(f"without: {place} cannot be spared", where=where)


def _is_needed(column: Column) -> bool:
    from entrepot.omop.cdm import load_cdm

    return load_cdm().table(column.table).field(column.name).required
