"""Over which tables and fields of the CDM specification a check spreads (`for_each`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

from entrepot.omop.cdm import Cdm, Field, Table
from entrepot.quality.checks import Check, ForEach

MAPPED_TABLES = (
    "person",
    "visit_occurrence",
    "visit_detail",
    "condition_occurrence",
    "procedure_occurrence",
    "drug_exposure",
    "device_exposure",
    "measurement",
    "observation",
    "specimen",
    "note",
    "death",
)
"""Tables whose every row comes from a staged row; the others are derived from these."""

EVENT_TABLES = tuple(name for name in MAPPED_TABLES if name not in ("person", "death"))
EVENT_DATES: Mapping[str, str] = {
    "visit_occurrence": "visit_start_date",
    "visit_detail": "visit_detail_start_date",
    "condition_occurrence": "condition_start_date",
    "procedure_occurrence": "procedure_date",
    "drug_exposure": "drug_exposure_start_date",
    "device_exposure": "device_exposure_start_date",
    "measurement": "measurement_date",
    "observation": "observation_date",
    "specimen": "specimen_date",
    "note": "note_date",
}
"""The date by which an event of each table is placed in time."""

SEXED = {"condition_occurrence": "condition_concept_id", "procedure_occurrence":
         "procedure_concept_id"}  # fmt: skip
Place = tuple[str, str, dict[str, str]]
Limits = Mapping[tuple[str, str], tuple[str, str]]


def places(check: Check, cdm: Cdm, limits: Limits) -> Iterator[Place]:
    """Where a check applies: table, field (empty for a whole table), further placeholders.

    Args:
        limits: lowest and highest number by table and field, for `counted_fields`.
    """
    if check.for_each is None:
        yield check.table, check.field, {}
        return
    for table in cdm:
        if table.schema != "CDM":
            continue
        found = (
            _limited(table, limits) if check.for_each is ForEach.COUNTED_FIELDS
            else _SPREAD[check.for_each](table)
        )  # fmt: skip
        for field, extra in found:
            place = f"{table.name}.{field}" if field else table.name
            if chosen(place, check.only, check.exclude) and chosen(
                extra.get("target_table", ""), check.targets, check.exclude_targets
            ):
                yield table.name, field, extra


def chosen(place: str, only: tuple[str, ...], exclude: tuple[str, ...] = ()) -> bool:
    """Whether a pattern of `only` names the place and none of `exclude` does."""
    wanted = any(fnmatchcase(place, pattern) for pattern in only)
    return wanted and not any(fnmatchcase(place, pattern) for pattern in exclude)


Fields = Iterator[tuple[str, dict[str, str]]]


def _tables(table: Table) -> Fields:
    yield "", {}


def _mapped(table: Table) -> Fields:
    if table.name in MAPPED_TABLES:
        yield "", {}


def _fields(choose: Callable[[Field], bool]) -> Callable[[Table], Fields]:
    def chosen(table: Table) -> Fields:
        for field in table.fields:
            if choose(field):
                target = field.foreign_key.table if field.foreign_key else ""
                yield field.name, {"target_table": target, "domain": field.domain}

    return chosen


def _holds_concept(field: Field) -> bool:
    return field.foreign_key is not None and field.foreign_key.table == "concept"


def _is_type(field: Field) -> bool:
    return _holds_concept(field) and field.name.endswith("type_concept_id")


def _must_be_standard(field: Field) -> bool:
    # Source concepts are non-standard by nature; type concepts have their own, stricter check.
    return (
        _holds_concept(field) and not field.name.endswith("_source_concept_id")
    ) and not _is_type(field)


def _dates(table: Table) -> Fields:
    if "person_id" in table.columns:
        for field in table.fields:
            if field.kind in ("date", "datetime"):
                yield field.name, {}


def _date_pairs(table: Table) -> Fields:
    for name in table.columns:
        end = name.replace("_start_", "_end_")
        if name in {"procedure_date", "procedure_datetime"}:
            end = name.replace("procedure_", "procedure_end_")
        if end != name and end in table.columns:
            yield name, {"end_field": end}


def _limited_texts(table: Table) -> Fields:
    for field in table.fields:
        if field.length is not None:
            yield field.name, {"length": str(field.length)}


def _limited(table: Table, limits: Limits) -> Fields:
    for name in table.columns:
        if (table.name, name) in limits:
            low, high = limits[table.name, name]
            yield name, {"low": low, "high": high}


def _date_and_datetime(table: Table) -> Fields:
    for name in table.columns:
        if name.endswith("_date") and name + "time" in table.columns:
            yield name, {"datetime_field": name + "time"}


def _events(table: Table) -> Fields:
    if table.name in EVENT_TABLES:
        others = (field.name for field in table.fields if not field.primary_key)
        concept = next(name for name in table.columns if name.endswith("_concept_id"))
        some = ["person_id", EVENT_DATES[table.name], concept]
        if "value_as_number" in table.columns:
            some.append("coalesce(value_as_number, 0)")
        yield (
            "",
            {
                "other_columns": ", ".join(f'"{name}"' for name in others),
                "some_columns": ", ".join(some),
            },
        )


def _sexed(table: Table) -> Fields:
    if table.name in SEXED:
        yield SEXED[table.name], {}


def _sourced(table: Table) -> Fields:
    """Concepts that the mapping gives to a source value of the same row."""
    if table.name not in EVENT_TABLES:
        return
    for name in table.columns:
        source = name.removesuffix("_concept_id").removesuffix("_source") + "_source_value"
        if name.endswith("_concept_id") and source in table.columns:
            yield name, {"source_field": source}


_SPREAD: Mapping[ForEach, Callable[[Table], Fields]] = {
    ForEach.TABLES: _tables,
    ForEach.MAPPED_TABLES: _mapped,
    ForEach.PRIMARY_KEYS: _fields(lambda field: field.primary_key),
    ForEach.REQUIRED_FIELDS: _fields(lambda field: field.required),
    ForEach.FOREIGN_KEYS: _fields(lambda field: field.foreign_key is not None),
    ForEach.CONCEPT_FIELDS: _fields(_must_be_standard),
    ForEach.DOMAIN_FIELDS: _fields(lambda field: bool(field.domain)),
    ForEach.TYPE_CONCEPT_FIELDS: _fields(_is_type),
    ForEach.PERSON_FIELDS: _fields(lambda field: field.name == "person_id"),
    ForEach.DATE_FIELDS: _dates,
    ForEach.DATE_PAIRS: _date_pairs,
    ForEach.TEXT_FIELDS: _fields(lambda field: field.kind == "text"),
    ForEach.LIMITED_TEXTS: _limited_texts,
    ForEach.DATE_AND_DATETIME: _date_and_datetime,
    ForEach.EVENT_TABLES: _events,
    ForEach.SEXED_FIELDS: _sexed,
    ForEach.SOURCED_CONCEPTS: _sourced,
}
