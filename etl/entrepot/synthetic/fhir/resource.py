"""One FHIR resource as a record: its versions, its bytes, and where it names somebody."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from entrepot.synthetic.fhir.elements import FR_CORE, Element, Number
from entrepot.synthetic.message import Attachment, Ident, Place, Text
from entrepot.synthetic.times import instant

_NUMBER = "\ue000"  # a private character before the digits of a number
_NUMBERS = re.compile(f'"{_NUMBER}(-?[0-9.]+)"')


@dataclass
class Resource:
    """One version of one resource, or its deletion.

    Attributes:
        kind: resource type. key: logical id; empty in a Bundle that lets the server choose.
        content: the elements but for type, id and meta; `profile` is FR Core's, put into meta.
        sent: meta.lastUpdated, local civil time. style: local or utc, how it is written.
        arrival: when the export that holds it was written.
        facts: ids of the statements that it states. other: a second patient it speaks of.
        bundle: key of the Bundle that carries it; empty in NDJSON.
        deleted: a request to delete it. cut: its line ends in the middle.
    """

    format: ClassVar[str] = "fhir"
    source: ClassVar[str] = "fhir"
    carries: ClassVar[str] = ""
    kind: str
    key: str
    content: Element
    patient: str
    sent: dt.datetime
    facts: tuple[str, ...] = ()
    arrival: dt.datetime = dt.datetime.min
    bundle: str = ""
    deleted: bool = False
    cut: bool = False
    style: str = "local"
    other: str = ""
    id: str = ""
    version: int = 1
    of: str = "patient"
    marks: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arrival = max(self.arrival, self.sent)

    @property
    def event(self) -> str:
        """Resource type."""
        return self.kind

    @property
    def control_id(self) -> str:
        """`Observation/…`, the resource that it is a version of."""
        return f"{self.kind}/{self.key}" if self.key else ""

    def whole(self) -> Element:
        """The resource with type, id and meta; of a deletion, its request."""
        if self.deleted:
            address = Text([f"{self.kind}/", Ident(self.key, "AUTRE_ID", self.of)])
            return {"request": {"method": "DELETE", "url": address}}
        content = dict(self.content)
        profile = content.pop("profile", "")
        head: Element = {"resourceType": self.kind}
        if self.key:
            head["id"] = self.key if self.of == "site" else Ident(self.key, "AUTRE_ID", self.of)
        meta: Element = {
            "versionId": str(self.version),
            "lastUpdated": instant(self.sent, self.style),
        }
        if profile:
            meta["profile"] = [f"{FR_CORE}{profile}"]
        return head | {"meta": meta} | content


def places_in(whole: Element) -> list[Place]:
    """Every identifier of a written resource with its path (`Patient.name[0].family`)."""
    if "resourceType" not in whole:
        return list(_places(whole["request"], "request"))
    return list(_places(whole, str(whole["resourceType"])))


def _places(value: Any, path: str) -> Iterator[Place]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _places(member, f"{path}.{name}")
    elif isinstance(value, Ident):
        yield Place(value, path, None, None)
    elif isinstance(value, Text):
        spanned = not path.endswith(".div")
        for start, end, ident in value.mentions:
            yield Place(ident, path, *((start, end) if spanned else (None, None)))
    elif isinstance(value, Attachment):
        for start, end, ident in value.text.mentions:
            yield Place(ident, path, *((start, end) if value.plain else (None, None)))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, f"{path}[{number}]")


def written(value: Any, indent: int | None = None) -> str:
    """JSON text; a `Number` keeps its digits."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(_marked(value), ensure_ascii=False, separators=separators, indent=indent)
    return _NUMBERS.sub(r"\1", text)


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _marked(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return _NUMBER + value if isinstance(value, Number) else value
