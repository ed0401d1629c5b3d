"""CDA documents of others down the road: the equations add up, each unpublished one has its reason.

The material itself stays where it is; without it these tests skip.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from outcomes import counted, lines_of, outcomes, settings_of

from entrepot.config import Site
from entrepot.landing.ingest import ingest
from entrepot.report.accounting import rows
from entrepot.resources import data_file
from roads import keyring, new_site, query, travel

pytestmark = [pytest.mark.integration]

SETS = {
    "ans_cda_3_0": 45,
    "ans_mapping_cda_fhir": 3,
    "ms_fhirconverter": 22,
    "ccda_omop_python": 6,
    "hl7_ccda_examples": 444,
}
# Examples name their patient by an INS alone, or by numbers of many authorities.
SETTINGS = "register.accept_ins_only=true"


def _documents(shared: Path, name: str) -> list[Path]:
    folder = shared / "data" / "cda" / name
    suffixes = {".xml", ".ccda", ".cda"}
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes]


def _travelled(shared: Path, name: str, folder: Path) -> tuple[Site, list[Path]]:
    site = new_site(folder / "site", settings_of(SETTINGS, "cda"))
    documents = _documents(shared, name)
    ingest(site, keyring(site), documents, "adt", format="cda")
    assert travel(site).passed
    return site, documents


def _reasons() -> set[str]:
    with data_file("mappings/dispositions.csv").open(encoding="utf-8", newline="") as file:
        return {line["code"] for line in csv.DictReader(file)}


@pytest.mark.spread
@pytest.mark.parametrize("name", SETS)
def test_a_set_goes_down_the_road(name: str, shared: Path, tmp_path: Path) -> None:
    site, documents = _travelled(shared, name, tmp_path)
    assert len(documents) == SETS[name]
    found = counted(site)
    assert found.balanced
    assert found.sources["adt"].received == len(documents)
    assert found.sources["adt"].pending == 0
    assert {reason for _, reason in found.excluded} <= _reasons()
    assert rows(site.warehouse).balanced


def test_each_unpublished_official_document_has_its_reason(shared: Path, tmp_path: Path) -> None:
    site, documents = _travelled(shared, "ans_cda_3_0", tmp_path)
    by_record = outcomes(site)
    found = {
        document.name: by_record[record_id]
        for record_id, document in enumerate(documents, 1)  # one record a file, in this order
        if by_record[record_id] != ("published", "")
    }
    expected = {
        line["file"]: (line["disposition"], line["reason"]) for line in lines_of("ans_cda.csv")
    }
    assert found == expected
    published = len(documents) - len(found)
    (notes,) = query(site, "SELECT count(*) FROM cdm.note")[0]
    assert notes == published  # every document at least tells its narrative
