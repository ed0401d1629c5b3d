"""References in their many forms (R4 section 2.3.0): the id and the type that they name."""

from __future__ import annotations

import re
from functools import lru_cache

_TYPED = re.compile(r"(?:^|/)([A-Z][A-Za-z]{2,60})/[A-Za-z0-9\-.]{1,64}$")
_URN = re.compile(r"urn:(?:uuid|oid):(.+)", re.IGNORECASE)


_SEARCH = re.compile(r"[^?]*\?identifier=(?:[^|&]*\|)?(?=[^|&]+\Z)")


@lru_cache(maxsize=4096)  # the resources of one person name the same patient and stays
def token(reference: str) -> str:
    """The id that a reference ends in; '' for `#contained` and a search by other than a number.

    `Patient/123`, `http://host/fhir/Patient/123/_history/2` and `urn:uuid:123` name 123;
    `Practitioner?identifier=system|123` names who has the number 123.
    """
    if "?" in reference:
        return _SEARCH.sub("", reference) if _SEARCH.match(reference) else ""
    if "#" in reference:
        return ""
    urn = _URN.fullmatch(reference)
    if urn is not None:
        return urn[1]
    return _unversioned(reference).rstrip("/").rpartition("/")[2]


def type_of(reference: str) -> str:
    """The resource type that a reference or a search states; '' when it states none."""
    path, search, _ = reference.partition("?")
    match = _TYPED.search(f"{path}/any" if search else _unversioned(path))
    return match[1] if match else ""


def _unversioned(reference: str) -> str:
    return reference.partition("/_history")[0] if "/_history" in reference else reference


def renamed(content: bytes, references: dict[str, str]) -> bytes:
    """The resource as the server stores it: names within the Bundle become those that hold after it
    (R4 section 3.1.0.11.2: in references and in addresses)."""
    for name, stored in references.items():
        content = content.replace(f'"{name}"'.encode(), f'"{stored}"'.encode())
    return content
