"""The synthetic hospitals of this folder's tests: 60 patients, every case once."""

from __future__ import annotations

import pytest
from synthetic_hospital import Hospital

from entrepot.synthetic import generate


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """60 patients of seed 7, told in HL7 v2 alone."""
    out = tmp_path_factory.mktemp("synthetic") / "out"
    return Hospital(out, generate(60, 7, out, formats=("hl7v2",)))


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """The same patients, told in three formats."""
    out = tmp_path_factory.mktemp("mixed") / "out"
    return Hospital(out, generate(60, 7, out, formats=("hl7v2", "fhir", "cda")))


@pytest.fixture(scope="session")
def fhir_only(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """The same patients, told in FHIR alone."""
    out = tmp_path_factory.mktemp("fhir") / "out"
    return Hospital(out, generate(60, 7, out, formats=("fhir",)))
