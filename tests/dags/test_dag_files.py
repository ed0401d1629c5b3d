"""The DAG files: what they define, that parsing them is light, and how they tell faults."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from parse_dags import SECRET
from pydantic import ValidationError

from entrepot.airflow_demo import environment, prepare
from entrepot.config import Airflow, Site
from entrepot.resources import data_folder

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("parse_dags.py")
SOURCES = ("adt", "cda", "fhir", "lab", "letters", "pharma", "pmsi")
# Each takes from a tenth of a second to several; a stage of the road takes them all.
HEAVY = (
    "duckdb", "polars", "pyarrow", "pandas", "great_expectations", "presidio_analyzer", "pyspark",
    "lxml", "pypdf", "cryptography", "entrepot.stages", "entrepot.road", "entrepot.landing",
    "entrepot.door", "entrepot.register", "entrepot.omop", "entrepot.quality", "entrepot.keys",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return prepare(tmp_path_factory.mktemp("dags") / "demo", 1, 1, "hl7v2").site


@pytest.fixture(scope="module")
def parsed(site: Site) -> dict[str, Any]:
    return _parse(environment(site, 8080))


def _parse(variables: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(data_folder("dags"))],
        env=variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_source_with_an_inbox_has_a_dag(parsed: dict[str, Any]) -> None:
    dags = parsed["dags"]
    assert parsed["errors"] == []
    assert set(dags) == {
        *(f"ingest_{source}" for source in SOURCES),
        "dpo_report", "omop_load", "oppositions", "vocabulary_refresh",
    }  # fmt: skip
    for source in SOURCES:
        assert dags[f"ingest_{source}"]["outlets"] == [f"entrepot://site/landing/{source}"]


def test_a_load_starts_when_anything_it_reads_is_new(parsed: dict[str, Any]) -> None:
    load = parsed["dags"]["omop_load"]
    landed = [f"entrepot://site/landing/{source}" for source in SOURCES]
    assert load["schedule"] == [
        *landed,
        "entrepot://site/oppositions",
        "entrepot://site/vocabulary",
    ]
    assert load["runs"] == 1
    assert load["outlets"] == ["entrepot://site/warehouse"]
    assert load["tasks"] == {
        "register": [], "door": ["register"], "map": ["door"], "gate": ["map"],
        "publish": ["gate"], "waiver": ["gate"], "map_waived": ["waiver"],
        "gate_waived": ["map_waived"], "publish_waived": ["gate_waived"],
        "released": ["publish", "publish_waived"],
    }  # fmt: skip
    assert parsed["dags"]["dpo_report"]["schedule"] == ["entrepot://site/warehouse"]


def test_no_dag_catches_up(parsed: dict[str, Any]) -> None:
    dags = parsed["dags"].values()
    assert len(dags) == len(SOURCES) + 4
    assert not any(dag["catchup"] for dag in dags)


def test_parsing_imports_nothing_heavy(parsed: dict[str, Any]) -> None:
    """Airflow parses every file again each half minute."""
    imported = set(parsed["imported"])
    assert "entrepot.config" in imported
    assert [name for name in HEAVY if name in imported] == []
    assert parsed["seconds"]["files"] < parsed["seconds"]["sdk"], parsed["seconds"]


def test_faults_are_told_without_values(parsed: dict[str, Any]) -> None:
    faults = parsed["faults"]
    assert {name: fault["class"] for name, fault in faults.items()} == {
        "bug": "AirflowException",
        "configuration": "AirflowFailException",  # no retry mends it
        "busy": "AirflowException",
        "disk": "AirflowException",
    }
    assert SECRET not in json.dumps(faults)
    assert "bug: KeyError at" in faults["bug"]["text"]
    assert "wrong [here]" in faults["configuration"]["text"]


def test_without_a_site_the_files_say_what_is_missing(site: Site) -> None:
    variables = environment(site, 8080)
    del variables["ENTREPOT_SITE"]
    found = _parse(variables)
    assert found["dags"] == {}
    assert all("start Airflow with ENTREPOT_SITE=" in error for error in found["errors"])
    assert len(found["errors"]) == 6


@pytest.mark.parametrize("who", ["stewards", "dpos"])
def test_a_question_always_names_who_may_answer(who: str) -> None:
    """Airflow lets everyone answer a question that names nobody."""
    with pytest.raises(ValidationError, match=who):
        Airflow.model_validate({who: []})


def test_airflow_stays_within_the_site(site: Site) -> None:
    """Nothing of `~/airflow`, no example, no telemetry, users as site.yaml names them."""
    variables = environment(site, 8080)
    own = {name: value for name, value in variables.items() if name.startswith("AIRFLOW")}
    assert Path(own["AIRFLOW_HOME"]).is_relative_to(site.research)
    for name in ("DATABASE__SQL_ALCHEMY_CONN", "LOGGING__BASE_LOG_FOLDER"):
        assert str(site.research) in own[f"AIRFLOW__{name}"]
    assert own["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert own["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    users = own["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(",")
    assert sorted(users) == ["dpo:user", "engineer:op", "researcher:viewer"]
    assert variables["ENTREPOT_SITE"] == str(site.root)
