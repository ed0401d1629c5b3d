"""Elements of a resource that no mapping reads: paths of R4 (`Patient.maritalStatus`), no values.

The decoder skips what it need not know; here the resource is decoded once more, as plain JSON, and
walked beside the shapes that the mappings asked for.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import msgspec

from entrepot.feeds.fhir.shape import Shape

OTHER = "?"


Tree = dict[str, "Tree | None"]  # JSON name -> what is read below it; None: all of it


class UnreadElements:
    """What the mappings leave of a resource; made once all of them are compiled.

    Args:
        roots: type -> what is read of it.
        names: element names of R4; any other is told as `?`.
    """

    def __init__(self, roots: Mapping[str, Shape], names: Container[str]) -> None:
        self._trees = {type_: root.tree() for type_, root in roots.items()}
        self._names = names

    def of(self, content: bytes) -> set[str]:
        """The highest elements that nothing reads, each once.

        Args:
            content: one resource as JSON, or landing's envelope around one.
        """
        decoded = msgspec.json.decode(content)
        if "resourceType" not in decoded:
            decoded = decoded.get("resource") or {}
        type_ = decoded.pop("resourceType", "")
        found: set[str] = set()
        self._walk(decoded, self._trees.get(type_), type_, found)
        return found

    def _walk(self, element: dict[str, Any], tree: Tree | None, path: str, found: set[str]) -> None:
        if not tree:
            return
        for name, value in element.items():
            plain = name[1:] if name[0:1] == "_" else name  # id and extensions of a primitive
            if plain not in tree:
                found.add(f"{path}.{plain if plain in self._names else OTHER}")
            elif type(value) is dict:
                self._walk(value, tree[plain], f"{path}.{plain}", found)
            elif type(value) is list and tree[plain]:
                for one in value:
                    if type(one) is dict:
                        self._walk(one, tree[plain], f"{path}.{plain}", found)
