"""Quality checks as data: the typed form of `quality/checks/*.yaml`.

A check is one SQL condition on the rows of a table (scope `row`) or one query (scope `aggregate`).
`for_each` spreads it over the CDM specification, so that a new table gets its checks by itself.
Kahn's categories and the DQD names follow OHDSI DataQualityDashboard 2.8.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entrepot.errors import ConfigurationError
from entrepot.resources import data_files
from entrepot.yaml_files import read_yaml

FOLDER = "quality/checks"
ANYWHERE = "quality/anywhere"
ROAD = "quality/road"
RULES = (
    (FOLDER, "*.yaml"), ("quality/thresholds", "*.csv"), (ROAD, "*"), ("quality/profile", "*.sql"),
    ("quality/ranges", "*.csv"), ("quality/dqd", "concepts.csv"),
)  # fmt: skip
"""Files of which the road's verdict depends, by folder and pattern."""
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Category(StrEnum):
    """Kahn's harmonised categories of data quality."""

    CONFORMANCE = "conformance"
    COMPLETENESS = "completeness"
    PLAUSIBILITY = "plausibility"


class Severity(StrEnum):
    """How much a violation harms a study, in DQD's words."""

    FATAL = "fatal"
    CONVENTION = "convention"
    CHARACTERISATION = "characterisation"


class Scope(StrEnum):
    """`row`: a set of violating rows exists; `aggregate`: only a count does."""

    ROW = "row"
    AGGREGATE = "aggregate"


class Action(StrEnum):
    """What a violation does: removes the row, refuses the load, or is only shown."""

    QUARANTINE = "quarantine"
    BLOCK = "block"
    WARN = "warn"


class ForEach(StrEnum):
    """The parts of the CDM specification over which a check spreads."""

    TABLES = "tables"
    MAPPED_TABLES = "mapped_tables"
    PRIMARY_KEYS = "primary_keys"
    REQUIRED_FIELDS = "required_fields"
    FOREIGN_KEYS = "foreign_keys"
    CONCEPT_FIELDS = "concept_fields"
    DOMAIN_FIELDS = "domain_fields"
    TYPE_CONCEPT_FIELDS = "type_concept_fields"
    PERSON_FIELDS = "person_fields"
    DATE_FIELDS = "date_fields"
    DATE_PAIRS = "date_pairs"
    TEXT_FIELDS = "text_fields"
    LIMITED_TEXTS = "limited_texts"
    DATE_AND_DATETIME = "date_and_datetime"
    EVENT_TABLES = "event_tables"
    COUNTED_FIELDS = "counted_fields"
    SEXED_FIELDS = "sexed_fields"
    SOURCED_CONCEPTS = "sourced_concepts"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Relation(_Closed):
    """A key set that checks join: one line per key, so that duplicates never multiply counts.

    Args:
        source: what follows FROM; may hold the placeholders of the check that joins it.
        key: SQL expression of the key, called `id` in the relation.
        columns: name → aggregate expression.
        where: condition on the source's rows.
        having: condition on the groups.
        referenced_only: keep only keys that the checked tables name (for the vocabulary).
        across: of a source that is a query over rows: which rows it looks at together, those of
            one person (`person_id`) or those that share a value (`table.field`). Empty: all rows,
            so that no load can carry over what the release before answered.
    """

    source: str
    key: str
    columns: dict[Identifier, str] = {}
    where: str = ""
    having: str = ""
    referenced_only: bool = False
    across: Annotated[str, Field(pattern=r"^(person_id|\w+\.\w+|)$")] = ""


class Join(_Closed):
    """A left join of the checked row to a relation, on equality of `by` and the relation's key.

    Args:
        by: a column of the checked row, or an expression over it (`t.…`).
    """

    relation: str
    by: str


class Check(_Closed):
    """One rule, as written in a file.

    Args:
        id: family of the check; a spread check is called `id.table.field`.
        dqd: the equivalent check type of DataQualityDashboard, empty when there is none.
        only, exclude: `table.field` patterns (`*` matches any part) that narrow `for_each`.
        targets, exclude_targets: the same on the referenced tables of `foreign_keys`.
        table, field: where a check without `for_each` applies.
        applies: condition that puts a row in the denominator; empty: every row.
        elsewhere: the action in a database that the road did not make, where it differs.
        custom: share of the rows from which on it is how the site records: without a release
            before, it is then told and does not block.
        violated: condition of a violating row (scope `row`).
        query: SELECT of `violated` and `denominator` (scope `aggregate`).
    """

    id: Identifier
    name: str
    category: Category
    severity: Severity
    scope: Scope
    action: Action
    elsewhere: Action | None = None
    custom: float | None = Field(default=None, ge=0, le=1)
    meaning_fr: str
    meaning_en: str
    dqd: str = ""
    for_each: ForEach | None = None
    only: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("*",)
    exclude_targets: tuple[str, ...] = ()
    table: str = ""
    field: str = ""
    joins: dict[Identifier, Join] = {}
    applies: str = ""
    violated: str = ""
    query: str = ""
    file: str = ""  # where it stands; filled when it is read

    @model_validator(mode="after")
    def _whole(self) -> Self:
        row = self.scope is Scope.ROW
        if row and (not self.violated or self.query):
            raise ValueError("a check of scope row states `violated` and no `query`")
        if not row and (not self.query or self.violated or self.joins):
            raise ValueError("a check of scope aggregate states `query` alone")
        if not row and self.action is Action.QUARANTINE:
            raise ValueError("only a check of scope row can quarantine")
        if (self.for_each is None) == (not self.table):
            raise ValueError("a check states either `for_each` or `table`")
        return self


class Links(_Closed):
    """What a removed row takes with it, as `table.field` patterns over the CDM's foreign keys.

    Args:
        remove: the referring row goes too.
        clear: the referring row stays, its pointer becomes NULL.
        events: polymorphic event-id columns: the row that hangs on an event goes with it.
        facts: columns that name a row of any table by its id alone, without a person: the link
            goes with either of the two rows that it joins.
    """

    remove: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class CheckFile(_Closed):
    """One file of `quality/checks`."""

    relations: dict[Identifier, Relation] = {}
    links: Links = Links()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class CheckSet:
    """All checks of a site: shipped files, a site's overlay replacing those of the same name."""

    checks: Mapping[str, Check]
    relations: Mapping[str, Relation]
    links: Links


Entry = TypeVar("Entry", Check, Relation)


def _put(found: dict[str, Entry], name: str, entry: Entry, path: Path) -> None:
    if name in found:
        raise ConfigurationError(
            f"{name} is defined twice", where=str(path), remedy="rename one of the two"
        )
    found[name] = entry


def load_checks(overlays: Iterable[Path] = (), folders: Iterable[str] = (FOLDER,)) -> CheckSet:
    """Reads and validates every check file.

    Args:
        folders: of the data; a check of a later one replaces its namesake of a former one.

    Raises:
        ConfigurationError: an unknown key or value (file and line named), or an id used twice.
    """
    checks: dict[str, Check] = {}
    relations: dict[str, Relation] = {}
    links: list[Links] = []
    for folder in folders:
        found: dict[str, Check] = {}
        for path in data_files(folder, "*.yaml", overlays):
            content = read_yaml(path, CheckFile)
            links.append(content.links)
            for name, relation in content.relations.items():
                _put(relations, name, relation, path)
            for check in content.checks:
                _put(found, check.id, check.model_copy(update={"file": path.name}), path)
        checks |= found
    merged = Links(
        remove=tuple(pattern for link in links for pattern in link.remove),
        clear=tuple(pattern for link in links for pattern in link.clear),
        events=tuple(pattern for link in links for pattern in link.events),
        facts=tuple(pattern for link in links for pattern in link.facts),
    )
    return CheckSet(checks, relations, merged)
