"""Validity beyond what a reader needs, for the format that has published models: FHIR."""

from __future__ import annotations

INVALID_ELEMENT = "invalid_element"


def check_validity(format_: str, content: bytes, validation: str) -> None:
    """In strict mode, judges the whole record.

    Args:
        validation: `shape`, what the reader itself checks, or `strict`.

    Raises:
        RecordFault: `invalid_fhir`.
    """
    if validation == "strict" and format_ == "fhir":
        from entrepot.feeds.fhir.validation import check_strictly

        check_strictly(content)


def explained(format_: str, content: bytes) -> list[tuple[str, str]]:
    """Notices that say where a refused record is wrong; [] where no model can tell."""
    if format_ != "fhir":
        return []
    from entrepot.feeds.fhir.validation import faults

    return [(INVALID_ELEMENT, place) for place in faults(content)]
