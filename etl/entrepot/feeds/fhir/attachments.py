"""Attachments (R4 Attachment, Binary): the one to read as text, and the CDA among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from entrepot.feeds.document import Attachment, Embedded
from entrepot.feeds.encapsulated import decoded, is_cda
from entrepot.feeds.fhir.shape import Shape
from entrepot.feeds.fhir.specification import Specification

ELSEWHERE = "attachment_elsewhere"
PARTS = ("contentType", "data", "url")
_TEXT = ("text/", "application/rtf", "application/xhtml", "application/xml")
_WITHDRAWN = "entered-in-error"
_CARRIERS = {"DocumentReference": ("content", "attachment"), "DiagnosticReport": ("presentedForm",)}


def need_embedded(specification: Specification, roots: dict[str, Shape]) -> None:
    """Has the attachments of documents and reports decoded: a CDA may be among them."""
    for type_, names in _CARRIERS.items():
        shape = roots[type_]
        for name in names:
            shape = _needed(specification, shape, name)
        for part in PARTS:
            _needed(specification, shape, part)
        _needed(specification, roots[type_], "status")
    for part in PARTS[:2]:
        _needed(specification, roots["Binary"], part)


def embedded_documents(type_: str, root: Any) -> list[Embedded]:
    """The CDA documents that a resource carries, in its order.

    Raises:
        RecordFault: `attachment_unreadable`.
    """
    found = []
    for place, attachment in _attachments(type_, root):
        if attachment.data:
            one = encoded(attachment)
            content = decoded(one, place)
            if is_cda(one, content):
                withdrawn = getattr(root, "status", None) == _WITHDRAWN
                found.append(Embedded(content, place, withdrawn))
    return found


def best(attachments: Iterable[Any]) -> tuple[Attachment | None, list[str]]:
    """Of several forms of one document the first that is text, else the first that is here.

    A content that stays elsewhere (`url`) is not fetched: a notice tells.
    """
    given = list(attachments)
    here = [attachment for attachment in given if attachment.data]
    if not here:
        elsewhere = any(getattr(attachment, "url", None) for attachment in given)
        return None, [ELSEWHERE] if elsewhere else []
    texts = [one for one in here if (one.contentType or "").lower().startswith(_TEXT)]
    return encoded((texts or here)[0]), []


def encoded(attachment: Any) -> Attachment:
    """An R4 Attachment or Binary as the door takes it."""
    return Attachment(attachment.contentType or "", "Base64", attachment.data)


def _attachments(type_: str, root: Any) -> Iterator[tuple[str, Any]]:
    if type_ == "Binary":
        yield "data", root
    elif type_ == "DiagnosticReport":
        for number, form in enumerate(root.presentedForm):
            yield f"presentedForm[{number}].data", form
    elif type_ == "DocumentReference":
        for number, content in enumerate(root.content):
            if content.attachment is not None:
                yield f"content[{number}].attachment.data", content.attachment


def _needed(specification: Specification, shape: Shape, name: str) -> Shape:
    (element,) = specification.elements(shape.type, name)
    return shape.need(element) or shape
