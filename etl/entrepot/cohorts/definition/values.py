"""Small values of a cohort definition: ranges, texts, windows and concepts, as Circe has them."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

# Names whose JSON spelling is not the plain PascalCase of the field.
_ACRONYMS = {"Cs": "CS"}
Id = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# About 2,700 years: beyond it date arithmetic overflows in one engine or another.
Days = Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
# Written with four decimals it still fits a DECIMAL of 38 digits in every engine.
_LARGEST = 10**15
Number = (
    Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]
    | Annotated[float, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]
)
Text = Annotated[str, msgspec.Meta(max_length=10_000)]


def pascal(name: str) -> str:
    """`provider_specialty_cs` as Circe spells it, `ProviderSpecialtyCS`."""
    words = (word.capitalize() for word in name.split("_"))
    return "".join(_ACRONYMS.get(word, word) for word in words)


class Part(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename=pascal,
):
    """A JSON object of a definition: immutable, compared by value, unknown attributes refused."""


class _AnyCase(StrEnum):
    """Circe compares these words without regard to case."""

    @classmethod
    def _missing_(cls, value: object) -> _AnyCase | None:
        return next((one for one in cls if one.value.lower() == str(value).lower()), None)


class GroupType(_AnyCase):
    """How many members of a group must hold."""

    ALL = "ALL"
    ANY = "ANY"
    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"


class LimitType(_AnyCase):
    """Which events of a person are kept, by date."""

    ALL = "All"
    FIRST = "First"
    LAST = "Last"


class CountColumn(StrEnum):
    """What a distinct count counts."""

    DAYS_SUPPLY = "DAYS_SUPPLY"
    DOMAIN_CONCEPT = "DOMAIN_CONCEPT"
    DOMAIN_SOURCE_CONCEPT = "DOMAIN_SOURCE_CONCEPT"
    DURATION = "DURATION"
    END_DATE = "END_DATE"
    ERA_OCCURRENCES = "ERA_OCCURRENCES"
    GAP_DAYS = "GAP_DAYS"
    QUANTITY = "QUANTITY"
    RANGE_HIGH = "RANGE_HIGH"
    RANGE_LOW = "RANGE_LOW"
    REFILLS = "REFILLS"
    START_DATE = "START_DATE"
    UNIT = "UNIT"
    VALUE_AS_NUMBER = "VALUE_AS_NUMBER"
    VISIT_DETAIL_ID = "VISIT_DETAIL_ID"
    VISIT_ID = "VISIT_ID"


RangeOp = Literal["lt", "lte", "eq", "!eq", "gt", "gte", "bt", "!bt"]
TextOp = Literal[
    "eq", "!eq", "contains", "!contains", "startsWith", "!startsWith", "endsWith", "!endsWith"
]


class NumericRange(Part, frozen=True):
    """A number against one bound, or between two (`bt`, both included)."""

    value: Number
    op: RangeOp
    extent: Number | None = None

    def __post_init__(self) -> None:
        _check_range(self.op, self.extent)


class DateRange(Part, frozen=True):
    """A day against one bound, or between two (`bt`, both included)."""

    value: dt.date
    op: RangeOp
    extent: dt.date | None = None

    def __post_init__(self) -> None:
        _check_range(self.op, self.extent)


class TextFilter(Part, frozen=True):
    """A text by LIKE: `%` and `_` in it are wildcards, as in Circe."""

    text: Text
    op: TextOp


class Concept(Part, rename="upper", frozen=True, forbid_unknown_fields=False):
    """A concept as a vocabulary server told it; only the id has a meaning here.

    Whatever else a server says of it (counts of records, captions) is passed over.
    """

    concept_id: Id
    concept_name: str | None = None
    standard_concept: str | None = None
    standard_concept_caption: str | None = None
    invalid_reason: str | None = None
    invalid_reason_caption: str | None = None
    concept_code: str | int | None = None
    domain_id: str | None = None
    vocabulary_id: str | None = None
    concept_class_id: str | None = None
    valid_start_date: str | int | None = None
    valid_end_date: str | int | None = None


Concepts = tuple[Concept, ...]


class ConceptSetSelection(Part, frozen=True):
    """Concepts of a set, or all but them."""

    codeset_id: Id | None = None
    is_exclusion: bool = False


class DateAdjustment(Part, frozen=True):
    """An event's dates replaced by days counted from its start or its end."""

    start_with: Literal["START_DATE", "END_DATE"] = "START_DATE"
    start_offset: Days = 0
    end_with: Literal["START_DATE", "END_DATE"] = "END_DATE"
    end_offset: Days = 0


class Period(Part, frozen=True):
    """Calendar days; an open side is absent."""

    start_date: dt.date | None = None
    end_date: dt.date | None = None


class Endpoint(Part, frozen=True):
    """One side of a window: `coeff` -1 before, 1 after; no `days` is the observation's edge."""

    coeff: Literal[-1, 1]
    days: Days | None = None


class Window(Part, frozen=True):
    """Days around an index event's start (or end), for a correlated event's start (or end)."""

    start: Endpoint
    end: Endpoint
    use_index_end: bool | None = None
    use_event_end: bool | None = None


class ResultLimit(Part, frozen=True):
    """All events of a person, or the first or last one."""

    type: LimitType = LimitType.FIRST


class ObservationWindow(Part, frozen=True):
    """Days of observation that an event needs before and after it."""

    prior_days: Days = 0
    post_days: Days = 0


def _check_range(op: str, extent: object) -> None:
    if op.endswith("bt") and extent is None:
        raise ValueError(f"operator {op} needs an Extent")
