"""FHIR R4 as the road reads every format: resources decoded for the mappings' paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Union

import msgspec

from entrepot.errors import ConfigurationError, RecordFault
from entrepot.feeds.document import Result
from entrepot.feeds.facts import code_systems
from entrepot.feeds.fhir.attachments import need_embedded
from entrepot.feeds.fhir.columns import Columns, Found, Needs, ReaderFunction
from entrepot.feeds.fhir.document import DELETE, Entry, FhirDocument, FhirNode
from entrepot.feeds.fhir.nodes import Collect, nodes_of
from entrepot.feeds.fhir.operations import Plan
from entrepot.feeds.fhir.path import FhirPath, Start, compile_path, ends_of, plans_of, pruned
from entrepot.feeds.fhir.plan import Planner
from entrepot.feeds.fhir.references import renamed, type_of
from entrepot.feeds.fhir.refusal import check_skipped, check_utf8, explained
from entrepot.feeds.fhir.shape import Shape
from entrepot.feeds.fhir.specification import Specification, specification
from entrepot.feeds.fhir.straight import Each, each_of
from entrepot.feeds.fhir.unread import UnreadElements
from entrepot.feeds.mapping import Mapping, values_of

ENVELOPE = (b'{"entry":{', b'{"entry": {')  # no resource begins so: its entries are a list
_BOM = b"\xef\xbb\xbf"
_ALONE, _NO_REFERENCES = Entry(), dict[str, str]()  # of a resource that came without a Bundle
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_MODIFIER = re.compile(r"modifierExtension\.where\(\s*url\s*=\s*'([^']+)'\s*\)")


class _Envelope(msgspec.Struct, gc=False):
    entry: Entry = msgspec.field(default_factory=Entry)
    references: dict[str, str] = msgspec.field(default_factory=dict)
    resource: msgspec.Raw = msgspec.Raw()


class _Named(msgspec.Struct, gc=False):
    resourceType: str = ""  # noqa: N815 - FHIR's name


class FhirReader:
    """Reads R4 resources for a set of mappings.

    Every path that is compiled makes the decoder keep one element more, so mappings are
    compiled when the reader is made, before the first resource is parsed.

    Args:
        mappings: of FHIR.
        overlays: the site's folders, for its code systems.

    Raises:
        ConfigurationError: a mapping's path is not R4's, or its reader is unknown.
    """

    def __init__(self, mappings: Iterable[Mapping] = (), overlays: Iterable[Path] = ()) -> None:
        self._specification: Specification = specification()
        self._planner = Planner(self._specification)
        self._columns = Columns(code_systems(overlays))
        self._paths: dict[tuple[str, str], FhirPath] = {}
        self._nodes: dict[tuple[str, str], Collect | None] = {}
        self._starts: dict[str, list[Start]] = {}
        self._decoder: msgspec.json.Decoder[Any] | None = None
        self._names = frozenset(e.json for es in self._specification.types.values() for e in es)
        self._modifiers: set[str] = set()
        self._unread: UnreadElements | None = None
        self._need_always()
        for mapping in mappings:
            self._compile(mapping)

    def parse(self, content: bytes, charset: str = "utf-8") -> FhirDocument:
        """Reads one record: a resource, or what landing wrapped around one.

        Args:
            content: JSON or XML in UTF-8, whatever `charset` says (R4 section 2.6).

        Raises:
            RecordFault: `invalid_utf8`, `invalid_json`, `nesting_too_deep`,
                `resource_type_unknown`, `not_r4` (an element that R4 lacks), `invalid_fhir`
                (another JSON type), `modifier_extension_unknown`; of XML see `xml.as_json`.
        """
        check_utf8(content)
        if not content.startswith(b"{"):
            content = content.removeprefix(_BOM).lstrip()
            if content.startswith(b"<"):
                from entrepot.feeds.fhir.xml import as_json

                content = as_json(content)
        if content.startswith(ENVELOPE):
            document = self._wrapped(content)
        else:
            type_, root = self.decode(content)
            document = FhirDocument(self, type_, root, _ALONE, _NO_REFERENCES)
        check_skipped(content, self._modifiers)
        return document

    def decode(self, content: bytes | msgspec.Raw) -> tuple[str, Any]:
        """Type and contents of one resource; raises RecordFault as `parse`."""
        decoder = self._decoder or self._made()
        try:
            root = decoder.decode(content)
        except _REFUSED as error:
            raise explained(
                error, _stated_type(content, self._planner.roots), self._names
            ) from None
        return type(root).__name__, root

    def path(self, text: str, mapping: Mapping | None) -> FhirPath:
        """A path of a mapping, from its `foreach` or the root; without one, of any resource."""
        key = (text, mapping.mapping if mapping else "")
        found = self._paths.get(key)
        if found is None:
            found = self._paths[key] = self._compiled_path(text, mapping)
            self._modifiers.update(_MODIFIER.findall(text))
            self._decoder = None
        return found

    def reader(
        self, name: str, path: str, mapping: Mapping
    ) -> Callable[[FhirDocument, FhirNode | None], Result]:
        """`codeable_concept`, `value`, `range` or `attachment` at a path."""
        if name not in self._columns.readers:
            raise ConfigurationError(
                f"no FHIR reader {name}; one of {', '.join(sorted(self._columns.readers))}",
                where=mapping.mapping,
            )
        function, needs = self._columns.readers[name]
        table: dict[str, list[tuple[bool, Each]]] = {}
        error = ConfigurationError(f"{path} holds nothing for {name}", where=mapping.mapping)
        for start in self._starts_of(mapping):
            try:
                table[start.type] = self._taken(path, start, needs)
            except ConfigurationError as refusal:
                error = refusal
        self._decoder = None
        if not any(table.values()):
            raise error
        return _reading(table, function)

    def unread(
        self, document: FhirDocument, content: bytes, mappings: Iterable[Mapping]
    ) -> set[str]:
        """See `unread.UnreadElements`; of XML nothing is told."""
        json = content.removeprefix(_BOM).lstrip()
        if not json.startswith(b"{"):
            return set()
        if self._unread is None:
            self._unread = UnreadElements(self._planner.roots, self._names)
        return self._unread.of(json)

    def nodes(self, document: FhirDocument, foreach: str) -> list[FhirNode]:
        """The elements of a `foreach`; none when the type has no such element."""
        key = (document.event, foreach)
        if key not in self._nodes:
            self._nodes[key] = self._collecting(document.event, foreach)
        collect = self._nodes[key]
        found: list[FhirNode] = []
        if collect is not None and document.root is not None:
            collect(document.root, document, "", found)
        return found

    def _wrapped(self, content: bytes) -> FhirDocument:
        try:
            envelope = msgspec.json.decode(content, type=_Envelope)
        except _REFUSED as error:
            raise explained(error, "entry", self._names) from None
        entry, references = envelope.entry, envelope.references
        if entry.method == DELETE:
            deleted = type_of(entry.url)
            if deleted not in self._planner.roots:
                raise RecordFault("resource_type_unknown", "entry.request.url")
            return FhirDocument(self, f"{DELETE}^{deleted}", None, entry, references)
        if not bytes(envelope.resource):
            raise RecordFault("invalid_fhir", "entry.resource")
        type_, root = self.decode(renamed(bytes(envelope.resource), references))
        return FhirDocument(self, type_, root, entry, references)

    def _made(self) -> msgspec.json.Decoder[Any]:
        structs = tuple(root.struct() for root in self._planner.roots.values())
        self._decoder = msgspec.json.Decoder(Union[structs])  # noqa: UP007 - a tuple of types
        return self._decoder

    def _need_always(self) -> None:
        """Id, time and contained resources of every type."""
        for root in self._planner.roots.values():
            self._fill(root, {"id": None, "contained": None, "meta": {"lastUpdated": None}})
        need_embedded(self._specification, self._planner.roots)

    def _compile(self, mapping: Mapping) -> None:
        for reader in mapping.readers:
            self.reader(reader.reader, reader.path, mapping)
        for text in values_of(mapping):
            self.path(text, mapping)

    def _compiled_path(self, text: str, mapping: Mapping | None) -> FhirPath:
        if mapping is not None and any(reader.path == text for reader in mapping.readers):
            return FhirPath(text, lambda document, node: "", lambda document, node: [])
        return compile_path(self._planner, text, self._starts_of(mapping))

    def _starts_of(self, mapping: Mapping | None) -> list[Start]:
        key = mapping.mapping if mapping else ""
        if key not in self._starts:
            self._starts[key] = self._found_starts(mapping)
        return self._starts[key]

    def _found_starts(self, mapping: Mapping | None) -> list[Start]:
        starts = []
        error = None
        for name, root in self._planner.roots.items():
            if mapping is not None and not _reads_type(mapping, name):
                continue
            if mapping is None or mapping.foreach is None:
                starts.append(Start(name, root, None))
                continue
            try:
                starts.append(Start(name, root, self._foreach_shape(name, root, mapping.foreach)))
            except ConfigurationError as refusal:
                error = refusal
        if not starts and error is not None:
            raise error
        return starts

    def _foreach_shape(self, name: str, root: Shape, foreach: str) -> Shape:
        plan = self._foreach_plan(name, root, foreach)
        nodes_of(plan)
        return ends_of(plan)[0]

    def _foreach_plan(self, name: str, root: Shape, foreach: str) -> Plan:
        (_, plan), *others = plans_of(self._planner, foreach, Start(name, root, None))
        if others:
            raise ConfigurationError("foreach names one path", where=foreach)
        return plan

    def _collecting(self, type_: str, foreach: str) -> Collect | None:
        root = self._planner.roots.get(type_)
        if root is None:
            return None
        try:
            return nodes_of(self._foreach_plan(type_, root, foreach))
        except ConfigurationError:
            return None

    def _taken(self, path: str, start: Start, needs: Needs) -> list[tuple[bool, Each]]:
        taken = []
        for from_root, whole in plans_of(self._planner, path, start):
            plan = pruned(whole, needs)
            if plan is not None:
                for shape in ends_of(plan):
                    self._fill(shape, needs[shape.type])
                taken.append((from_root, each_of(plan)))
        return taken

    def _fill(self, shape: Shape, needed: dict[str, Any]) -> None:
        for name, inner in needed.items():
            for element in self._specification.elements(shape.type, name):
                below = shape.need(element)
                if inner and below is not None:
                    self._fill(below, inner)


def _reading(
    table: dict[str, list[tuple[bool, Each]]], function: ReaderFunction
) -> Callable[[FhirDocument, FhirNode | None], Result]:
    def read(document: FhirDocument, node: FhirNode | None) -> Result:
        found: Found = []
        for from_root, each in table.get(document.event, ()):
            place = document.root if from_root or node is None else node.element
            each(place, document, found)
            if found:
                return function(found)
        return function(found)

    return read


def _reads_type(mapping: Mapping, name: str) -> bool:
    events = (name, f"{DELETE}^{name}")
    return any(fnmatchcase(event, pattern) for event in events for pattern in mapping.events)


def _stated_type(content: bytes | msgspec.Raw, known: Container[str]) -> str:
    """The resource's type for a fault's position, if R4 knows it."""
    try:
        stated = msgspec.json.decode(content, type=_Named).resourceType
    except _REFUSED:
        return ""
    return stated if stated in known else ""
