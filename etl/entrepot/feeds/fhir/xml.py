"""A resource in XML (R4 section 2.6.1) as the JSON that it stands for (2.6.2).

No DTD, no entities, no network; a Bundle in XML is refused, as landing does not cut it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from lxml import etree  # type: ignore[import-untyped]

from entrepot.errors import RecordFault
from entrepot.feeds.fhir.specification import NUMBERS, Element, specification
from entrepot.feeds.fhir.values import is_number

_FHIR, _XHTML = "{http://hl7.org/fhir}", "{http://www.w3.org/1999/xhtml}"


def as_json(content: bytes) -> bytes:
    """One resource in UTF-8.

    Raises:
        RecordFault: `dtd_refused`, `invalid_xml`, `resource_type_unknown`, `invalid_fhir` (an
            element repeats that R4 allows once), `fhir_xml_not_supported` (a Bundle).
    """
    if b"<!DOCTYPE" in content:
        raise RecordFault("dtd_refused")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False,
        remove_comments=True, remove_pis=True, collect_ids=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except etree.LxmlError:
        raise RecordFault("invalid_xml") from None
    if root.tag == f"{_FHIR}Bundle":
        raise RecordFault("fhir_xml_not_supported", "Bundle")
    return msgspec.json.encode(_resource(root))


def _resource(element: Any) -> dict[str, Any]:
    type_ = _name(element)
    if type_ not in specification().resources:
        raise RecordFault("resource_type_unknown", "root element")
    return {"resourceType": type_, **_object(element, type_)}


def _object(element: Any, type_: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: element.get(name) for name in ("id", "url") if element.get(name) is not None
    }
    known = {one.json: one for one in specification().types.get(type_, ())}
    for child in element:
        name = _name(child)
        if child.tag == f"{_XHTML}div":
            found["div"] = etree.tostring(child, encoding="unicode", with_tail=False)
        elif name not in known:
            found[name] = {}  # the decoder refuses it where R4 has to be whole
        else:
            _add(found, child, known[name])
    return found


def _add(found: dict[str, Any], child: Any, element: Element) -> None:
    """One element; a primitive's id and extensions go to its sibling, at the same place."""
    value: Any = None
    beside: Any = None
    if element.type == "Resource":
        value = _resource(child[0]) if len(child) else None
    elif element.primitive:
        value = _primitive(child.get("value"), element.type)
        beside = _object(child, "Element") or None
    else:
        value = _object(child, element.type)
    if element.many:
        found.setdefault(element.json, []).append(value)
        if element.primitive:
            found.setdefault(f"_{element.json}", []).append(beside)
        return
    if element.json in found or f"_{element.json}" in found:
        raise RecordFault("invalid_fhir", element.name)
    named = {element.json: value, f"_{element.json}": beside}
    found.update({name: one for name, one in named.items() if one is not None})


def _primitive(text: str | None, type_: str) -> Any:
    if text is None:
        return None
    if type_ == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if type_ in NUMBERS or type_ == "decimal":
        return msgspec.Raw(text.encode()) if is_number(text) else text
    return text


def _name(element: Any) -> str:
    """The name of an element of FHIR; '' in another namespace."""
    tag = str(element.tag)
    return tag.removeprefix(_FHIR) if tag.startswith(_FHIR) else ""
