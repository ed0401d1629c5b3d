"""Takes a number out of a record that belongs to somebody else.

A mother's number in her child's message, another person's number in a FHIR link: the record stays,
the number becomes hyphens of the same length, which the register takes for no number. Names stay:
they are the child's own relatives, and the text engine must go on finding them in the child's
notes.
"""

from __future__ import annotations

import re

HYPHEN = b"-"
MIN_ALONE = 8  # a shorter number would be found by chance among values: only where numbers stand
_WORD = rb"[A-Za-z0-9]"
_PERSON_SEGMENT = re.compile(rb"^(PID|NK1|MRG)\b[^\r\n]*", re.MULTILINE)
_SEPARATOR = rb"[|^~&]"
# Where a number stands in FHIR (a value, a reference to a person) and in CDA (an extension).
_NUMBER_PLACES = (
    rb'("value"\s*:\s*")(%s)(")', rb'(Patient/)(%s)(")', rb'(\bextension\s*=\s*")(%s)(")',
)  # fmt: skip


def is_masked(number: str) -> bool:
    """Whether hyphens stand where a number was, or the end of a reference."""
    last = number.rpartition("/")[2]
    return bool(last) and not last.strip("-")


def mask_number(content: bytes, number: str) -> bytes:
    """The record's bytes with hyphens wherever the number stands; the length stays.

    Within an encapsulated attachment (Base64) it is not looked for.
    """
    plain = number.encode()
    escaped, mask = re.escape(plain), HYPHEN * len(plain)
    if len(number) >= MIN_ALONE:
        alone = rb"(?<!" + _WORD + rb")" + escaped + rb"(?!" + _WORD + rb")"
        content = re.sub(alone, mask, content)
    for place in _NUMBER_PLACES:
        content = re.sub(place % escaped, rb"\g<1>" + mask + rb"\g<3>", content)
    between = re.compile(rb"(?<=" + _SEPARATOR + rb")" + escaped + rb"(?=" + _SEPARATOR + rb"|$)")
    return _PERSON_SEGMENT.sub(lambda segment: between.sub(mask, segment.group()), content)
