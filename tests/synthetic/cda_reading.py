"""A tiny CDA reader of the tests' own."""

from __future__ import annotations

import base64
import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hl7_reading import attachment, local
from lxml import etree  # type: ignore[import-untyped]

NAMES = {"c": "urn:hl7-org:v3", "lab": "urn:oid:1.3.6.1.4.1.19376.1.3.2"}
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@dataclass
class Cda:
    """One document."""

    root: Any

    @classmethod
    def of(cls, content: bytes) -> Cda:
        """Parses without network, DTD or entities."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        return cls(etree.fromstring(content, parser))

    @classmethod
    def at(cls, path: Path) -> Cda:
        """Reads a file."""
        return cls.of(path.read_bytes())

    @cached_property
    def everything(self) -> str:
        """All texts and attribute values; an attachment's content as text."""
        found = []
        for element in self.root.iter():
            found += element.attrib.values()
            if element.get("representation") == "B64":
                found.append(attachment(element.text, element.get("mediaType")[5:]))
            else:
                found.append(own_text(element))
        return " ".join(found)

    def all(self, path: str) -> list[Any]:
        """Elements or attributes at a path without prefixes."""
        steps = path.removeprefix("ClinicalDocument/").split("/")
        found: list[Any] = self.root.xpath("/".join(map(_prefixed, steps)), namespaces=NAMES)
        return found

    def one(self, path: str) -> str:
        """The text of the only element or attribute at a path; '' when there is none."""
        found = self.all(path)
        assert len(found) <= 1, path
        return _text(found[0]) if found else ""

    def place(self, position: str) -> str:
        """The decoded text at a position of the truth."""
        found = self.all(position)
        assert len(found) == 1, position
        element = found[0]
        if isinstance(element, str):
            return str(element)
        if element.get("representation") == "B64":
            return attachment(element.text, element.get("mediaType").removeprefix("text/"))
        return own_text(element)


def own_text(element: Any) -> str:
    """An element's text without its children's; a `br` is a line end."""
    parts = [element.text or ""]
    for child in element:
        parts += ["\n" if etree.QName(child).localname == "br" else "", child.tail or ""]
    return "".join(parts)


def embedded(data: str) -> Cda:
    """The document inside an OBX-5."""
    return Cda.of(base64.b64decode(data))


def moment(value: str) -> dt.datetime:
    """A CDA time as local civil time of Paris, without zone."""
    return local(value)


def _prefixed(step: str) -> str:
    if step.startswith(("@", ".", "*")) or ":" in step.split("[", maxsplit=1)[0] or not step:
        return step
    return re.sub(r"^(\w+)", r"c:\1", step)


def _text(found: Any) -> str:
    return str(found) if isinstance(found, str) else own_text(found)
