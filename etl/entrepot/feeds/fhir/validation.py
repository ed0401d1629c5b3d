"""What fhir.resources finds in a resource: explains a reject, judges every one in strict mode.

Off the hot path: a hundred times slower than the typed decoding, and its import costs 0.3 s. Its
models are those of R4B (4.3), which differ from R4 in few resources. Places and kinds of fault are
told, never a value: the models' own messages quote what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from entrepot.errors import RecordFault
from entrepot.feeds.fhir.specification import specification

MOST_FAULTS = 5
INVALID = "invalid_fhir"


class _Envelope(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


def faults(content: bytes) -> list[str]:
    """Places of the first faults (`Patient.birthDate`); [] of a valid resource or a deletion.

    Args:
        content: a record of a FHIR feed: a resource, or what landing wrapped around one.
    """
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    resource = _resource(content)
    type_ = _type(resource)
    if not type_:
        return []
    try:
        get_fhir_model_class(type_).model_validate_json(resource)
    except ValidationError as error:
        found = [_place(type_, one["loc"]) for one in error.errors(include_input=False)]
        return list(dict.fromkeys(found))[:MOST_FAULTS]
    except (KeyError, LookupError, ValueError, RecursionError):
        return [type_]
    return []


def check_strictly(content: bytes) -> None:
    """Raises RecordFault `invalid_fhir` with the place of the first fault."""
    if found := faults(content):
        raise RecordFault(INVALID, found[0])


def _resource(content: bytes) -> bytes:
    if not content.startswith((b'{"entry":{', b'{"entry": {')):
        return content
    try:
        return bytes(msgspec.json.decode(content, type=_Envelope).resource)
    except msgspec.DecodeError:
        return b""


def _type(resource: bytes) -> str:
    try:
        stated = msgspec.json.decode(resource, type=dict[str, msgspec.Raw]).get("resourceType")
        name = msgspec.json.decode(stated, type=str) if stated is not None else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return name if name in specification().resources else ""


def _place(type_: str, location: Iterable[int | str]) -> str:
    """The element's place; a name that R4 does not know may be a value and is not told."""
    known = _names()
    parts = [
        f"[{part}]" if isinstance(part, int) else f".{part if part in known else '?'}"
        for part in location
    ]
    return type_ + "".join(parts)


def _names() -> frozenset[str]:
    return frozenset(one.json for types in specification().types.values() for one in types)
