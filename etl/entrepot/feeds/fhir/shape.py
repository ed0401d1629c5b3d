"""Types made for the mappings: msgspec structs that hold the elements they name, and no more.

The rest of a resource is skipped by the decoder. Only a resource's own elements are all known,
so that an element which R4 does not define, or defines in another shape, is refused instead of
overlooked.
"""

from __future__ import annotations

import keyword
from typing import Any

from msgspec import Raw, Struct, defstruct, field

from entrepot.feeds.fhir.specification import NUMBERS, Element

_JSON_TYPES: dict[str, Any] = {"boolean": bool, "decimal": Raw, **dict.fromkeys(NUMBERS, int)}


def attribute(json: str) -> str:
    """The struct's attribute that holds an element."""
    return f"{json}_" if keyword.iskeyword(json) else json


def sibling(json: str) -> str:
    """The attribute that holds id and extensions of a primitive element."""
    return f"{json}_sibling"


class _Skipped(Struct, gc=False):
    """An object of which nothing is needed but that it is one."""


class Shape:
    """What is needed of one type at one place; paths add to it as they are compiled.

    Args:
        type: the FHIR type.
        targets: of a reference: the resource types that it may name.
        root: of a resource: all its elements; the needed ones are typed.
        strict: of a resource: any other element is refused.
    """

    def __init__(
        self,
        type_: str,
        targets: tuple[str, ...] = (),
        root: tuple[Element, ...] | None = None,
        strict: bool = True,
    ) -> None:
        self.type, self.targets, self.root, self._strict = type_, targets, root, strict
        self._elements: dict[str, tuple[Element, Shape | None]] = {}
        self._siblings: dict[str, tuple[Element, Shape]] = {}

    def need(self, element: Element) -> Shape | None:
        """Needs one element; its shape, None for a primitive or a resource."""
        found = self._elements.get(element.json)
        if found is None:
            inner = None if _opaque(element) else Shape(element.type, element.targets)
            found = self._elements[element.json] = element, inner
        return found[1]

    def need_sibling(self, element: Element) -> Shape:
        """Needs what stands beside a primitive (`_birthDate`)."""
        found = self._siblings.get(element.json)
        if found is None:
            found = self._siblings[element.json] = element, Shape("Element")
        return found[1]

    def struct(self) -> type[Struct]:
        """The struct; a resource's is told by `resourceType` and knows every element."""
        fields = [_field(element, inner, True) for element, inner in self._elements.values()]
        fields += [_beside(element, inner) for element, inner in self._siblings.values()]
        if self.root is None:
            return defstruct(self.type, fields, gc=False)
        for element in self.root:
            if element.json not in self._elements:
                fields.append(_field(element, None))
            if element.primitive and element.json not in self._siblings:
                fields.append((sibling(element.json), Raw, _absent(f"_{element.json}")))
        return defstruct(
            self.type,
            fields,
            tag_field="resourceType",
            tag=self.type,
            forbid_unknown_fields=self._strict,
            gc=False,
        )

    def tree(self) -> dict[str, Any]:
        """JSON name -> tree of each element that is read; None where all of it is taken."""
        return {
            json: None if inner is None or inner.needs_nothing() else inner.tree()
            for json, (_, inner) in self._elements.items()
        }

    def needs_nothing(self) -> bool:
        """Whether it suffices to know that it is there."""
        return not self._elements and not self._siblings


_Field = tuple[str, Any, Any]


def _field(element: Element, inner: Shape | None, needed: bool = False) -> _Field:
    kind: Any = Raw
    if inner is not None:
        kind = _Skipped if inner.needs_nothing() else inner.struct()
    elif needed and element.primitive:
        kind = _JSON_TYPES.get(element.type, str)
    elif not _opaque(element):
        kind = _Skipped
    if not element.many:
        return attribute(element.json), kind, _absent(element.json)
    several: Any = list[kind | None] if element.primitive and kind is not Raw else list[kind]
    return attribute(element.json), several, field(default=(), name=element.json)


def _beside(element: Element, inner: Shape) -> _Field:
    kind: Any = inner.struct()
    name = f"_{element.json}"
    if not element.many:
        return sibling(element.json), kind, _absent(name)
    return sibling(element.json), list[kind | None], field(default=(), name=name)


def _absent(json: str) -> Any:
    return field(default=None, name=json)


def _opaque(element: Element) -> bool:
    return element.primitive or element.type == "Resource"
