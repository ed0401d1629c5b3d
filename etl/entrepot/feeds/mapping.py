"""The mapping files: which element becomes which staging column, and how it is protected.

An allow-list (DESIGN 4): what no mapping names never leaves the identifying zone. Files are
validated when loaded; an unknown key, column or treatment is an error naming file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from entrepot.errors import ConfigurationError
from entrepot.resources import data_files
from entrepot.staging.kinds import KINDS, ColumnType, Kind
from entrepot.yaml_files import read_yaml

Treatment = Literal["keep", "key", "generalise", "scrub", "drop"]
Action = Literal["upsert", "correct", "delete"]

# Kinds of the identifying zone: their columns are read by the register and never cross the door.
IDENTIFYING: dict[str, frozenset[str]] = {
    "identity": frozenset(
        {
            "identifier_value", "identifier_namespace", "identifier_authority", "identifier_type",
            "identity_status", "family_names", "given_names", "full_given_names", "birth_date",
            "streets", "postcodes", "towns", "phones", "mails", "numbers", "stay_numbers",
            "stay_authorities",
            "relative_family", "relative_given", "professional_family", "professional_given",
            "professional_numbers", "mother_value", "mother_namespace", "mother_authority",
            "own_reference", "subject_reference", "stay_reference", "display_names",
        }
    ),
    "statement": frozenset({"set", "name", "version_number", "replaces"}),
    "link": frozenset({"value", "namespace", "authority", "type"}),
    "opposition": frozenset({"type", "status", "date"}),
}  # fmt: skip


def _quarantine_or(value: str) -> str:
    if value not in {"keep", "drop"} and not value.startswith("quarantine:"):
        raise ValueError("one of keep, drop, quarantine:<reason>")
    return value


def _notice_or_quarantine(value: str) -> str:
    if not value.startswith(("notice:", "quarantine:")):
        raise ValueError("one of notice:<code>, quarantine:<reason>")
    return value


Unknown = Annotated[str, AfterValidator(_quarantine_or)]
WithoutKey = Annotated[str, AfterValidator(_notice_or_quarantine)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Element(_Strict):
    """Where a value is read: the first path that holds something, or a constant.

    Args:
        path: one path or several in order of preference.
        all: paths whose every repetition in every segment is taken.
        constant: a fixed value.
        values: translation of what is sent; what it lacks follows `unknown`.
        unknown: keep (as sent), drop, or quarantine:<reason>.
    """

    path: str | list[str] | None = None
    all: list[str] | None = None
    constant: str | None = None
    values: dict[str, str] | None = None
    unknown: Unknown = "keep"

    @model_validator(mode="after")
    def _one_origin(self) -> Element:
        origins = [self.path, self.all, self.constant]
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("exactly one of path, all, constant")
        return self


class Column(Element):
    """One staging column: an element and its treatment."""

    treatment: Treatment | None = None
    to: Literal["month", "year", "departement"] | None = None

    @model_validator(mode="after")
    def _generalised_to(self) -> Column:
        if (self.treatment == "generalise") != (self.to is not None):
            raise ValueError("treatment generalise and `to` go together")
        return self


class Reader(_Strict):
    """A reader of the format that fills several columns from one typed element (OBX-5 by OBX-2)."""

    reader: str
    path: str
    columns: dict[str, Treatment]


class ActionRule(Element):
    """How the row acts on earlier versions, from a code of the message."""

    @model_validator(mode="after")
    def _known_actions(self) -> ActionRule:
        unknown = sorted(set((self.values or {}).values()) - set(get_args(Action)))
        if unknown:
            raise ValueError(f"no action {unknown[0]}; one of {', '.join(get_args(Action))}")
        return self


class Mapping(_Strict):
    """One mapping file: rows of one kind from the messages of some events.

    Args:
        events: `ADT^A01`, `ORU^*`; the message's MSH-9.1 and MSH-9.2.
        foreach: one row per segment of this name; absent: one row per message.
        where: the row exists only if each path holds one of these values ("*": anything, "":
            nothing) and none of those after "!".
        key: business key of the row; `key_as` names the reference whose key it is.
        namespace: keeps keys of different things apart; default: the mapping's name.
        key_fallback: key within the record when the first part of `key` is empty.
        key_by_person: second-best key, with the person, when the number is missing (noticed).
        without_key: what to do with a row that no key identifies: leave it out with
            notice:<code>, or quarantine:<reason> the record.
        collapse: rows of one record with the same key become one, this text column joined.
        event_time: paths of the second criterion of order.
        clear: columns that this event empties (a cancelled discharge has no end).
        pair: of a link: the second identifier list, `MRG-1`, `PID` for two PID segments, or
            `reference` when the values name another resource.
        rank: precedence of a patient's attributes below the source's own rank.
    """

    mapping: str
    kind: str
    mode: Literal["snapshot", "patch"] = "snapshot"
    events: list[str]
    foreach: str | None = None
    where: dict[str, list[str]] = {}
    key: list[str | list[str]] = []
    key_as: Literal["stay", "unit", "provider", "coded"] | None = None
    namespace: str = ""
    key_fallback: list[str | list[str]] = []
    key_by_person: list[str | list[str]] = []
    without_key: WithoutKey = "notice:row_without_key"
    collapse: str | None = None
    action: ActionRule | Action = "upsert"
    event_time: list[str] = []
    clear: list[str] = []
    pair: str | None = None
    relation: Literal["link", "unlink"] | None = None
    rank: Annotated[int, Field(ge=0, le=9)] = 5
    readers: list[Reader] = []
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _closed(self) -> Mapping:
        if self.kind in IDENTIFYING:
            _only(self.columns, IDENTIFYING[self.kind], self.kind)
            return self
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind {self.kind}")
        kind = KINDS[self.kind]
        names = set(kind.columns) | {reference.name for reference in kind.references}
        read = {name for reader in self.readers for name in reader.columns}
        _only([*self.columns, *read, *self.clear], names, self.kind)
        for name, column in self.columns.items():
            _check_treatment(kind, name, column.treatment)
        for reader in self.readers:
            for name, treatment in reader.columns.items():
                _check_treatment(kind, name, treatment)
        return self


def values_of(mapping: Mapping) -> list[str]:
    """Every path that a mapping reads a value from, its readers' apart."""
    texts = [*mapping.where, *mapping.event_time]
    for part in (*mapping.key, *mapping.key_fallback, *mapping.key_by_person):
        texts += [part] if isinstance(part, str) else part
    elements: list[Element] = [*mapping.columns.values()]
    if isinstance(mapping.action, Element):
        elements.append(mapping.action)
    for element in elements:
        texts += [element.path] if isinstance(element.path, str) else element.path or []
        texts += element.all or []
    return texts


def paths_of(mapping: Mapping) -> list[str]:
    """Every path that a mapping states: of values, of readers, of its rows, of a link's sides."""
    others = [mapping.foreach or "", mapping.pair or "", *(one.path for one in mapping.readers)]
    return [*values_of(mapping), *filter(None, others)]


class Events(_Strict):
    """Records that yield no row by a named rule of a closed list (DESIGN 1).

    Args:
        excluded: rule -> events.
        excluded_when: rule -> path -> values of which one excludes the record.
        quarantined_when: reason -> path -> values of which one quarantines it.
    """

    excluded: dict[str, list[str]] = {}
    excluded_when: dict[str, dict[str, list[str]]] = {}
    quarantined_when: dict[str, dict[str, list[str]]] = {}


def _only(found: Iterable[str], allowed: Iterable[str], kind: str) -> None:
    unknown = sorted(set(found) - set(allowed))
    if unknown:
        raise ValueError(f"kind {kind} has no column {', '.join(unknown)}")


def _check_treatment(kind: Kind, name: str, treatment: Treatment | None) -> None:
    if treatment is None:
        raise ValueError(f"column {name} states no treatment")
    column_type = kind.columns.get(name)
    if column_type is None:
        allowed = {"key"}
    elif column_type is ColumnType.TEXT:
        allowed = {"scrub", "drop"}
    else:
        allowed = {"keep", "generalise", "drop"}
    if treatment not in allowed:
        raise ValueError(f"column {name} allows {', '.join(sorted(allowed))}, not {treatment}")


class MappingSet(_Strict):
    """All mappings of one format, with the fingerprint of their bytes."""

    format: str
    mappings: tuple[Mapping, ...]
    events: Events
    overlays: tuple[Path, ...] = ()
    fingerprint: str


def load_mappings(feed: str, overlays: Iterable[Path] = ()) -> MappingSet:
    """Every mapping of `mappings/<feed>`; the overlay's file replaces the shipped one.

    Raises:
        ConfigurationError: naming the file and line of the first fault.
    """
    overlays = list(overlays)
    paths = data_files(f"mappings/{feed}", "*.yaml", overlays)
    digest = hashlib.sha256()
    mappings, events = [], Events()
    for path in paths:
        digest.update(path.name.encode() + path.read_bytes())
        if path.name == "events.yaml":
            events = read_yaml(path, Events)
        else:
            mappings.append(read_yaml(path, Mapping))
    names = [mapping.mapping for mapping in mappings]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ConfigurationError(f"two mappings are named {doubled[0]}", where=f"mappings/{feed}")
    return MappingSet(
        format=feed, mappings=tuple(mappings), events=events, fingerprint=digest.hexdigest(),
        overlays=tuple(overlays),
    )  # fmt: skip
