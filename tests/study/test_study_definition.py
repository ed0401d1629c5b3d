"""Definitions: refused with file, line and key; what exceeds the minimum is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from studies import define

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.site_files import create_site
from entrepot.study.columns import load_columns
from entrepot.study.definition import granted, read_definition

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Nothing but its files."""
    return create_site(tmp_path_factory.mktemp("definition") / "site", demonstration=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"surprise": 1}, "surprise"),
        ({"id": "Étude 1"}, "id"),
        ({"expires": "demain"}, "expires"),
        ({"cohort": {}}, "cohort"),
        ({"cohort": {"sql": "SELECT 1", "csv": "x.csv"}}, "cohort"),
        ({"cohort": {"sql": "SELECT 4503599627370497 AS person_id"}}, "cohort"),
        ({"options": {"birth": "day"}}, "options.birth"),
        ({"readers": ["a b; DROP"]}, "readers.0"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = define(tmp_path, "essai", **changes)
    with pytest.raises(ConfigurationError, match=said) as refused:
        read_definition(path)
    assert refused.value.where.startswith(f"{path}:")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tables": ["person", "cost"]}, "cost is granted to no study"),
        ({"tables": ["note"]}, "go together"),
        ({"columns": ["person.person_source_value"]}, "person_source_value is granted to no"),
        ({"columns": ["drug_exposure.lot_number"]}, "lot_number is granted to no"),
        ({"tables": ["drug_era"]}, "needs drug_exposure"),
        ({"without": ["measurement.measurement_date"]}, "cannot be spared"),
    ],
)
def test_what_no_study_may_hold_is_refused(
    site: Site, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    definition = read_definition(define(tmp_path, "essai", **changes))
    with pytest.raises(ConfigurationError, match=said):
        granted(site, definition)


@pytest.mark.parametrize(
    ("changes", "beyond"),
    [
        ({}, []),
        ({"options": {"vocabulary": "full"}}, []),
        ({"options": {"notes": True, "datetimes": "full"}}, ["datetimes", "notes"]),
        ({"columns": ["person.location_id"]}, ["person.location_id"]),
        ({"cohort": {"sql": "SELECT person_id FROM x WHERE d > DATE '2024-03-17'"}}, ["calendar"]),
        ({"cohort": {"sql": "SELECT person_id FROM x WHERE c = 201826"}}, []),
    ],
)
def test_what_exceeds_the_minimum_is_named(
    tmp_path: Path, changes: dict[str, Any], beyond: list[str]
) -> None:
    found = read_definition(define(tmp_path, "essai", **changes)).beyond
    assert len(found) == len(beyond)
    assert all(word in one for one, word in zip(found, beyond, strict=True))


def test_identifying_columns_are_in_no_allow_list() -> None:
    """Reference on pseudonymisation, section 2: dropped or keyed, whatever a study asks."""
    places = {c.place for columns in load_columns().values() for c in columns.values()}
    assert not places & {
        "person.person_source_value", "person.day_of_birth", "drug_exposure.lot_number",
        "device_exposure.unique_device_id", "device_exposure.production_id",
        "provider.provider_name", "provider.npi", "provider.year_of_birth",
        "location.zip", "location.city", "location.address_1", "location.latitude",
        "measurement.measurement_time", "specimen.specimen_source_id",
    }  # fmt: skip


def test_every_id_is_re_keyed_and_every_date_shifted_or_derived() -> None:
    from entrepot.omop.cdm import load_cdm

    for table, columns in load_columns().items():
        for name, column in columns.items():
            field = load_cdm().table(table).field(name)
            if field.kind in ("date", "datetime"):
                assert column.treatment in ("date", "datetime", "derived", "birth_datetime"), name
            concept = field.foreign_key is not None and field.foreign_key.table == "concept"
            if field.identifier and not concept:
                assert column.treatment not in ("keep", "text"), column.place


def test_what_refers_to_a_table_that_is_left_out_is_left_out(site: Site, tmp_path: Path) -> None:
    """A space of stays without units or professionals stands by itself; required ids stay."""
    path = define(tmp_path, "essai", tables=["person", "visit_occurrence", "measurement"])
    found = granted(site, read_definition(path))
    assert not {"care_site_id", "provider_id", "visit_detail_id"} & {
        *found["measurement"], *found["visit_occurrence"],
    }  # fmt: skip
    assert {"person_id", "visit_occurrence_id", "measurement_concept_id"} <= {*found["measurement"]}
    whole = define(tmp_path, "entier", tables=["person", "care_site", "visit_occurrence"])
    assert "care_site_id" in granted(site, read_definition(whole))["visit_occurrence"]
