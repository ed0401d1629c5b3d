"""Why a resource is refused: named reasons with places, never a value.

What the decoder does not see (it skips what no mapping names) is looked for in the bytes: UTF-8,
depth, and modifier extensions, which change the meaning of what they stand on (R4 section 2.4.2).
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

import msgspec

from entrepot.errors import RecordFault

MAX_DEPTH = 64
_PATH = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `([^`]*)`")
# One where R4 has several, an object where it has a text: the shapes of R5, STU3, DSTU2.
_OTHER_SHAPE = re.compile(r"Expected `(?:array|object)|Expected `[^`]*`, got `(?:array|object)`")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_AS_ROUND = bytes.maketrans(b"{}[]", b"()()")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_MODIFIER = b"modifierExtension"
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]", re.IGNORECASE)


def check_skipped(content: bytes, known_modifiers: Container[str]) -> None:
    """Looks into what the decoder skipped of a content that it found to be JSON.

    Raises:
        RecordFault: `nesting_too_deep`, `modifier_extension_unknown`.
    """
    check_depth(content)
    # rfind: of such long words it skips more than `in` does
    if content.rfind(_MODIFIER) >= 0 or (b"\\" in content and _ESCAPED_LETTER.search(content)):
        _check_modifiers(content, known_modifiers)


def check_utf8(content: bytes) -> None:
    """Raises RecordFault `invalid_utf8` with the byte."""
    if content.isascii():
        return
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordFault("invalid_utf8", f"byte {error.start + 1}") from None


def check_depth(content: bytes) -> None:
    """Raises RecordFault `nesting_too_deep` above `MAX_DEPTH` objects and arrays.

    In FHIR every array stands in an object, so that few objects cannot be deep.
    """
    if content.count(b"{") <= MAX_DEPTH // 2:
        return
    if not _fits(content) and not _fits(_STRING.sub(b"", content)):  # brackets may be in a text
        raise RecordFault("nesting_too_deep")


def _fits(content: bytes) -> bool:
    """Whether taking away the innermost pairs `MAX_DEPTH` times leaves nothing."""
    brackets = content.translate(_AS_ROUND, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"()", b"")
        if not brackets:
            return True
    return False


def _check_modifiers(content: bytes, known: Container[str]) -> None:
    """Every modifier extension has to be one that a mapping names."""
    try:
        places: list[Any] = [msgspec.json.decode(content)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RecordFault("invalid_json") from None
    while places:
        place = places.pop()
        if isinstance(place, list):
            places += place
        elif isinstance(place, dict):
            for name, value in place.items():
                if name == "modifierExtension" and not _all_known(value, known):
                    raise RecordFault("modifier_extension_unknown", name)
                places.append(value)


def _all_known(extensions: Any, known: Container[str]) -> bool:
    if not isinstance(extensions, list):
        return False
    return all(isinstance(one, dict) and one.get("url") in known for one in extensions)


def explained(error: Exception, type_: str, names: Container[str]) -> RecordFault:
    """The fault for what the decoder refused.

    Args:
        error: what it raised.
        type_: the resource's type, '' when unknown.
        names: element names that may be shown: any other could be a value.
    """
    if isinstance(error, RecursionError):
        return RecordFault("nesting_too_deep")
    if isinstance(error, UnicodeDecodeError):
        return RecordFault("invalid_utf8")
    if not isinstance(error, msgspec.ValidationError):
        return RecordFault("invalid_json")
    return _explained(str(error), type_, names)


def _explained(text: str, type_: str, names: Container[str]) -> RecordFault:
    if text.endswith(("`$.resourceType`", "required field `resourceType`")):
        return RecordFault("resource_type_unknown", "resourceType")
    unknown = _UNKNOWN_FIELD.match(text)
    if unknown is not None:
        shown = unknown[1].removeprefix("_")
        return RecordFault("not_r4", ".".join(filter(None, [type_, shown * (shown in names)])))
    place = _PATH.search(text)
    inside = place[1] if place else ""
    at_root = inside.count(".") == 1
    reason = "not_r4" if at_root and _OTHER_SHAPE.match(text) else "invalid_fhir"
    return RecordFault(reason, f"{type_}{inside}".lstrip("."))
