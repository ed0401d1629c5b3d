"""Mappings and generated resources for the tests of FHIR."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from entrepot.feeds.fhir.document import FhirDocument
from entrepot.feeds.fhir.reader import FhirReader
from entrepot.feeds.mapping import Mapping

Resource = dict[str, Any]


def mapping_of(*events: str, foreach: str | None = None, **columns: str) -> Mapping:
    """An identity mapping (any column may hold any path) of some resource types."""
    names = ["identifier_value", "identifier_namespace", "family_names", "given_names", "numbers"]
    named = dict(zip(names, columns.values(), strict=False))
    return Mapping.model_validate(
        {
            "mapping": f"test_{'_'.join(events)}_{foreach}",
            "kind": "identity",
            "events": list(events),
            "foreach": foreach,
            "columns": {name: {"path": path} for name, path in named.items()},
        }
    )


def document(reader: FhirReader, resource: Resource) -> FhirDocument:
    """A resource as the reader parses it."""
    return reader.parse(json.dumps(resource).encode(), "utf-8")


def read(resource: Resource, path: str) -> str:
    """What a path reads from a resource."""
    reader = FhirReader()
    compiled = reader.path(path, mapping_of(str(resource["resourceType"])))
    return compiled.read(document(reader, resource), None)


def read_all(resource: Resource, path: str) -> list[str]:
    """Every value that a path reads from a resource."""
    reader = FhirReader()
    compiled = reader.path(path, mapping_of(str(resource["resourceType"])))
    return compiled.read_all(document(reader, resource), None)


WORDS = st.sampled_from(["official", "usual", "PI", "INS-NIR", "é", "x y", "1.2.3"])
TEXTS = st.one_of(WORDS, st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable()))


def _some(**elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Resource]:
    return st.fixed_dictionaries({}, optional=elements)


CODINGS = _some(system=TEXTS, code=TEXTS, display=TEXTS)
CONCEPTS = _some(coding=st.lists(CODINGS, min_size=1, max_size=3), text=TEXTS)
EXTENSIONS = st.fixed_dictionaries(
    {"url": st.sampled_from(["http://a", "http://b"])}, optional={"valueString": TEXTS}
)
IDENTIFIERS = _some(use=WORDS, type=CONCEPTS, value=TEXTS)
NAMES = _some(
    use=WORDS, family=TEXTS, given=st.lists(TEXTS, min_size=1, max_size=3),
    extension=st.lists(EXTENSIONS, min_size=1, max_size=2),
)  # fmt: skip
PATIENTS = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "id": st.from_regex(r"[A-Za-z0-9\-.]{1,12}", fullmatch=True),
        "identifier": st.lists(IDENTIFIERS, min_size=1, max_size=4),
        "name": st.lists(NAMES, min_size=1, max_size=3),
        "active": st.booleans(),
        "gender": WORDS,
        "maritalStatus": CONCEPTS,
        "extension": st.lists(EXTENSIONS, min_size=1, max_size=3),
        "multipleBirthInteger": st.integers(1, 9),
        "deceasedBoolean": st.booleans(),
        "generalPractitioner": st.lists(
            st.fixed_dictionaries({"reference": st.sampled_from(["Practitioner/7", "urn:uuid:8"])}),
            min_size=1,
            max_size=2,
        ),
        "_birthDate": _some(extension=st.lists(EXTENSIONS, min_size=1, max_size=2)),
    },
)
