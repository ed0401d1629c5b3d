"""One decoded resource: what its Bundle entry said of it, and the resources it contains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Raw, Struct

from entrepot.feeds.document import Embedded
from entrepot.feeds.fhir import references
from entrepot.feeds.fhir.attachments import embedded_documents
from entrepot.feeds.fhir.values import dtm

DELETE = "DELETE"
Decode = Callable[[bytes | Raw], tuple[str, Struct]]


class Entry(Struct, gc=False):
    """What a Bundle entry says that its resource does not.

    Args:
        fullUrl: stated when the resource has no id of its own.
        method: `DELETE`; the entry then has no resource.
        url: of the request.
        lastModified: when the server deleted it.
    """

    fullUrl: str = ""  # noqa: N815 - the name of the element in Bundle.entry
    method: str = ""
    url: str = ""
    lastModified: str = ""  # noqa: N815


@dataclass(frozen=True, slots=True)
class FhirNode:
    """The element that a row stands on; `place` counts from 0, as FHIRPath does."""

    place: str
    element: Any


class FhirDocument:
    """One resource.

    Args:
        event: its type, `Observation`; of a deletion `DELETE^Observation`.
        root: the decoded resource, None for a deletion.
        entry: what only its Bundle entry states.
        references: `urn:uuid:…` -> `Patient/p1`, for references within its Bundle.
    """

    __slots__ = ("_contained", "_reader", "entry", "event", "notices", "references", "root")

    control = ""

    def __init__(
        self, reader: Any, event: str, root: Any, entry: Entry, references: dict[str, str]
    ) -> None:
        self._reader = reader
        self.event = event
        self.root = root
        self.entry = entry
        self.references = references
        self.notices: list[tuple[str, str]] = []
        self._contained: list[tuple[str, Any]] | None = None

    @property
    def own_reference(self) -> str:
        """`Observation/o1`; '' when neither the resource nor its entry states an id.

        A deletion of whatever a search finds names nothing: its server knew what that was.
        """
        url = self.entry.url
        deleted = "" if "?" in url else references.token(url)
        own = deleted if self.root is None else self.own_id(self.root)
        return f"{self.event.rpartition('^')[2]}/{own}" if own else ""

    def nodes(self, foreach: str) -> list[FhirNode]:
        """The elements of a mapping's `foreach`, in document order."""
        found: list[FhirNode] = self._reader.nodes(self, foreach)
        return found

    def stated(self) -> list[tuple[str, str]]:
        """`meta.lastUpdated`, of a deletion the time that its entry states, if there is one."""
        if self.root is None:
            return [(dtm(self.entry.lastModified), "entry.response.lastModified")]
        meta = self.root.meta
        return [(dtm(meta.lastUpdated or ""), "meta.lastUpdated")] if meta is not None else []

    def embedded(self) -> list[Embedded]:
        """CDA documents among its attachments."""
        return embedded_documents(self.event, self.root)

    def own_id(self, resource: Any) -> str:
        """A resource's id, else the one that its entry's fullUrl ends in."""
        if resource.id or resource is not self.root:
            return resource.id or ""
        return references.token(self.entry.fullUrl)

    def token(self, reference: Any) -> str:
        """The id that a Reference names."""
        text = reference.reference
        if not text:
            return ""
        return references.token(self.references.get(text, text) if self.references else text)

    def type_of(self, reference: Any) -> str:
        """The type of what a Reference names; '' when nothing tells it (`urn:uuid:…`)."""
        text = reference.reference or ""
        if text.startswith("#"):
            return self.contained(reference)[0]
        return references.type_of(self.references.get(text, text)) or reference.type or ""

    def contained(self, reference: Any) -> tuple[str, Any]:
        """Type and contents of the contained resource that a Reference names; ('', None).

        Raises:
            RecordFault: a contained resource is refused.
        """
        text = reference.reference or ""
        if text == "#":
            return self.event, self.root
        if text.startswith("#"):
            for name, resource in self.all_contained():
                if resource.id == text[1:]:
                    return name, resource
        return "", None

    def all_contained(self) -> list[tuple[str, Any]]:
        """Type and contents of every contained resource; raises RecordFault as above."""
        if self._contained is None:
            raw = getattr(self.root, "contained", None) or ()
            self._contained = [self._reader.decode(one) for one in raw]
        return self._contained
