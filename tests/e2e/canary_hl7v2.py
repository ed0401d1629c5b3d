"""One patient's HL7v2 messages with an identifier wherever a message can hold one.

Texts that are read hold the patient's own; comments, file names, numbers of the sender and segments
that no mapping reads hold a name that stands nowhere else (`canary_records.bird`).
"""

from __future__ import annotations

import base64

from canary_records import (
    DOCTOR,
    FAMILY,
    FORMS,
    GIVEN,
    IPP,
    LETTER,
    MENTION,
    NDA,
    RPPS,
    STREET,
    bird,
    document,
)

AUTHORITY = "CHSYN&1.2.250.1.999.1&ISO"
SENT, SEEN = "20240507101500", "20240506101500"
STAYS = f"PV1|1|I|MED^{bird()}|||||{RPPS}^{DOCTOR}^Yvonig|||||||||||{NDA}^^^{AUTHORITY}^VN" + (
    "|" * 25 + SEEN
)
PERSON = (
    f"PID|1||{IPP}^^^{AUTHORITY}^PI||{FAMILY}^{GIVEN}^^^^^L||19610823|F||"
    f"|{STREET}^^Plouzané^^29280^FRA||0298765410^PRN^PH"
)
SUBTYPES = {
    "text/plain": "TEXT^PLAIN", "text/html": "TEXT^HTML", "application/rtf": "TEXT^RTF",
    "application/pdf": "APPLICATION^PDF",
}  # fmt: skip


def _message(control: str, event: str, *segments: str) -> bytes:
    """A message with a control id, a file name and a sender's comment that tell who it is."""
    head = (
        f"MSH|^~\\&|DPI {bird()}|CHSYN^1.2.250.1.999.1^ISO|EDS|CHSYN|{SENT}||{event}"
        f"|{bird()}{control}|P|2.5^FRA|||||FRA|UNICODE UTF-8"
    )
    extra = [f"NTE|1||{bird()} {MENTION}", f"ZZZ|{bird()}|{MENTION}"]
    return "\r".join([head, f"EVN||{SENT}", PERSON, STAYS, *segments, *extra]).encode() + b"\r"


def _attached(number: int, subtype: str, content: bytes) -> bytes:
    """An attachment whose first component is the name of its file."""
    data = base64.b64encode(content).decode()
    return _message(
        f"A{number}", "ORU^R01^ORU_R01",
        f"OBR|1|{bird()}|F{IPP}{number}|11502-2^{MENTION}^LN|||{SEEN}",
        f"OBX|1|ED|11502-2^{MENTION}^LN|{bird()}|{bird()}.doc^{subtype}^Base64^{data}||||||F"
        f"|||{SEEN}|{bird()}|{RPPS}^{DOCTOR}",
        f"NTE|1||{bird()}: {LETTER}",
    )  # fmt: skip


TEXTS = _message(
    "T", "ORU^R01^ORU_R01",
    f"ORC|RE|{bird()}|F{IPP}", f"OBR|1|{bird()}|F{IPP}|58410-2^{MENTION}^LN|||{SEEN}",
    f"OBX|1|TX|11488-4^{MENTION}^LN||{LETTER}||||||F|||{SEEN}",
    f"OBX|2|FT|11502-2^{MENTION}^LN||{LETTER}\\.br\\{MENTION}||||||F|||{SEEN}",
    f"OBX|3|CWE|718-7^{MENTION}^LN||X^{MENTION}^L^Y^{MENTION}^L||||||F|||{SEEN}",
    f"OBX|4|ST|718-7^{MENTION}^LN||{MENTION}||||||F|||{SEEN}",
    f"NTE|1||{LETTER}",
)  # fmt: skip
LETTERS = _message(
    "L", "MDM^T02^MDM_T02",
    f"TXA|1|11488-4^{MENTION}|TX|{SENT}|{RPPS}^{DOCTOR}||||||{bird()}|L{IPP}||||{bird()}.rtf|LA",
    f"OBX|1|FT|11488-4^{MENTION}^LN||{LETTER}||||||F|||{SEEN}",
)  # fmt: skip
READABLE = [
    TEXTS,
    LETTERS,
    *(_attached(n, SUBTYPES[kind], content) for n, (kind, content) in enumerate(FORMS.items())
      if kind in SUBTYPES),
    _attached(20, "TEXT^PLAIN", FORMS["application/rtf"]),
    _attached(21, "TEXT^XML", document("h", f"<nonXMLBody><text>{LETTER}</text></nonXMLBody>")),
]  # fmt: skip
_HIDDEN = f"{bird()} {MENTION}".encode()
UNREADABLE = [
    _attached(30, "IMAGE^TIFF", b"II*\x00" + _HIDDEN),
    _attached(31, "TEXT^PLAIN", b"\xff\xd8\xff\xe1" + _HIDDEN),
    _attached(32, "APPLICATION^PDF", b"\x89PNG\r\n\x1a\n" + _HIDDEN),
    _attached(33, "TEXT^PLAIN", b"PK\x03\x04" + _HIDDEN),
    _attached(34, "APPLICATION^PDF", b"%PDF-1.7\n" + _HIDDEN),
    _attached(35, "TEXT^PLAIN", b"Voir " + base64.b64encode(_HIDDEN * 4)),
    _attached(36, "APPLICATION^MSWORD", _HIDDEN),
]
NOTES = 3 + 4 + 1 + 1  # two texts of a result, a letter, four forms, an RTF called text, a CDA
