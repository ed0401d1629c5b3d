"""Coded values (CD, CE, CV, CO, CS): the two best codings, else a label (CDA R2 datatypes 3.2-3.6).

`code` and every `translation` take part, ordered by the precedence of their code systems
(mappings/concepts/code_systems.csv), then as sent. With a nullFlavor (OTH) the element's own code
states nothing and its translations speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from entrepot.feeds.cda.names import hl7
from entrepot.feeds.cda.narrative import referenced

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

    from entrepot.feeds.cda.document import CdaDocument

_TRANSLATION, _ORIGINAL = hl7("translation"), hl7("originalText")
_ATTRIBUTES = ("code", "codeSystem", "displayName")
_UNKNOWN = 99
Systems = Mapping[str, tuple[str, int]]


class Coding(NamedTuple):
    """One code as sent."""

    code: str
    system: str
    display: str


def codings(element: _Element, systems: Systems) -> list[Coding]:
    """The codings of a coded element, the best first.

    Args:
        systems: code system as sent -> (vocabulary, rank), the lowest rank first.
    """
    found = [] if element.get("nullFlavor") is not None else [_coding(element)]
    found += [_coding(one) for one in element.iterchildren(_TRANSLATION)
              if one.get("nullFlavor") is None]  # fmt: skip
    distinct = list(dict.fromkeys(coding for coding in found if coding.code))
    if len(distinct) < 2:
        return distinct
    return sorted(distinct, key=lambda one: systems.get(one.system, ("", _UNKNOWN))[1])


def label(document: CdaDocument, element: _Element) -> str:
    """What an element without any code says: the original text, else its own display."""
    original = referenced(document, element.find(_ORIGINAL))
    if original or element.get("nullFlavor") is not None:
        return original
    return _attribute(element, "displayName")


def shown(document: CdaDocument, element: _Element, found: list[Coding]) -> str:
    """A coded value as text: the best coding's display, else what it says without a code."""
    display = next((one.display for one in found if one.display), "")
    return display or label(document, element)


def _coding(element: _Element) -> Coding:
    return Coding(*(_attribute(element, name) for name in _ATTRIBUTES))


def _attribute(element: _Element, name: str) -> str:
    return str(element.get(name, "")).strip()
