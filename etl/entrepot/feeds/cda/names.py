"""Namespaces and clinical statements of CDA R2 as this package names them."""

from __future__ import annotations

HL7 = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
READ = "urn:entrepot:cda:read"  # what `statements` writes on clinical statements

# Prefixes of paths; a name without prefix is HL7's. `pharm` and `lab` are IHE's, used by ANS.
PREFIXES = {
    "h": HL7,
    "xsi": XSI,
    "sdtc": "urn:hl7-org:sdtc",
    "lab": "urn:oid:1.3.6.1.4.1.19376.1.3.2",
    "pharm": "urn:ihe:pharm:medication",
    "e": READ,
}


def hl7(name: str) -> str:
    """An element's qualified name as lxml spells it."""
    return f"{{{HL7}}}{name}"


# What shipped mappings look for in a whole document: found in the one pass that reads statements.
INDEXED = {
    hl7(name): name
    for name in (
        "section", "assignedPerson", "assignedEntity", "assignedAuthor", "associatedEntity",
        "relatedEntity", "relatedSubject", "informationRecipient", "participantRole",
    )
}  # fmt: skip
ROOT = hl7("ClinicalDocument")
STATEMENTS = {
    hl7(name): name
    for name in (
        "observation", "act", "procedure", "substanceAdministration", "supply", "encounter",
        "organizer", "observationMedia", "regionOfInterest",
    )
}  # fmt: skip
