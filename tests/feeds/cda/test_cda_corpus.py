"""Documents of others, all of them: read or refused for the right reason, every fact accounted."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest

from entrepot.errors import RecordFault
from entrepot.feeds.cda.document import CdaDocument
from entrepot.feeds.cda.names import STATEMENTS
from entrepot.feeds.cda.statements import statement_of
from entrepot.feeds.extract import Extractor
from entrepot.feeds.mapping import load_mappings
from entrepot.staging.kinds import KINDS

pytestmark = pytest.mark.core

NAMESPACE = "urn:hl7-org:v3 "
SETS = ("ans_cda_3_0", "ans_mapping_cda_fhir", "ms_fhirconverter", "ccda_omop_python",
        "hl7_ccda_examples")  # fmt: skip
SHEET = "http://www.w3.org/1999/XSL/Transform stylesheet"
# Each makes its element's row by itself; a device stands on a part of a supply or a procedure.
ALONE = ("result", "vital_sign", "observation", "assertion", "diagnosis", "allergy", "act",
         "specimen", "vaccination", "treatment", "administration", "prescription",
         "dispensation")  # fmt: skip


@lru_cache(maxsize=1)
def extractor() -> Extractor:
    return Extractor(load_mappings("cda"))


def files(shared: Path, folder: str) -> list[Path]:
    found = sorted((shared / "data/cda" / folder).rglob("*"))
    return [path for path in found if path.suffix in {".xml", ".ccda"}]


def parsed(path: Path) -> CdaDocument | None:
    try:
        document: Any = extractor().parse(path.read_bytes(), "utf-8")
    except RecordFault:
        return None
    assert isinstance(document, CdaDocument)
    return document


def judged(content: bytes) -> str:
    """What expat, another parser, makes of the bytes: '' for a document, else the reason."""
    roots: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, _: roots.append(name)
    try:
        parser.Parse(content, True)
    except expat.ExpatError:
        return "invalid_xml"
    held = roots.count(f"{NAMESPACE}ClinicalDocument")
    is_document = roots[0] == f"{NAMESPACE}ClinicalDocument" or (roots[0] == SHEET and held == 1)
    return "" if is_document else "not_cda"


@pytest.mark.parametrize("folder", SETS)
def test_every_file_is_read_or_refused(shared: Path, folder: str) -> None:
    for path in files(shared, folder):
        content, reason = path.read_bytes(), ""
        try:
            extractor().parse(content, "utf-8")
        except RecordFault as fault:
            reason = fault.reason
        assert reason == judged(content), path.name


def test_every_official_document_is_read(shared: Path) -> None:
    for path in files(shared, "ans_cda_3_0"):
        document = parsed(path)
        assert document is not None, path.name
        rows = [row for kind in ("document", "patient") for row in extractor().rows(document, kind)]
        assert {row.mapping.kind for row in rows} == {"document", "patient"}, path.name


@pytest.mark.parametrize("folder", SETS[:-1])
def test_no_fact_is_lost_and_none_is_told_twice(shared: Path, folder: str) -> None:
    for path in files(shared, folder):
        document = parsed(path)
        if document is None:
            continue
        told: dict[Any, list[str]] = {}
        for compiled in extractor().mappings(document.event):
            if compiled.mapping.kind not in KINDS:
                continue
            for row in compiled.rows(document):
                node: Any = row.node
                element = None if node is None else statement_of(node.element)
                told.setdefault(element, []).append(compiled.mapping.mapping)
        counted = {position for code, position in document.notices if code == "entry_not_read"}
        for (name, state), elements in document.facts.items():
            numbers = {e: n for n, e in enumerate(document.named(name), 1)}
            for element in elements:
                if state not in {"realised", "prescribed"}:
                    continue
                by = told.get(element, [])
                assert bool(by) != (f"{name}[{numbers[element]}]" in counted), path.name
                assert sum(by.count(mapping) for mapping in ALONE) <= 1, (path.name, by)


def test_no_row_tells_who_the_patient_is(shared: Path) -> None:
    """Kept cells of events, stays and documents never hold a number or a name of the header."""
    for path in files(shared, "ans_cda_3_0"):
        document = parsed(path)
        assert document is not None
        secret: set[str] = set()
        for row in extractor().rows(document, "identity"):
            told = (values for name, values in row.lists.items() if name != "stay_authorities")
            secret |= {value for values in told for value in values if len(value) > 3}
        secret -= {"PARIS", "Paris"}  # a town may be the name of a finding's place
        for compiled in extractor().mappings(document.event):
            kept = _kept(compiled.mapping)
            for row in compiled.rows(document):
                values = {value for name, value in row.values.items() if name in kept}
                assert not values & secret, (path.name, compiled.mapping.mapping)


def _kept(mapping: Any) -> set[str]:
    if mapping.kind not in {"event", "stay", "document"}:
        return set()
    read = {name: one for reader in mapping.readers for name, one in reader.columns.items()}
    named = {name: column.treatment for name, column in mapping.columns.items()}
    return {name for name, treatment in {**named, **read}.items() if treatment == "keep"}


def test_statements_are_the_norms() -> None:
    """CDA R2 4.3.6: the entry acts, and the organizer and media among them."""
    assert set(STATEMENTS.values()) == {
        "observation", "regionOfInterest", "observationMedia", "substanceAdministration",
        "supply", "procedure", "encounter", "organizer", "act",
    }  # fmt: skip
