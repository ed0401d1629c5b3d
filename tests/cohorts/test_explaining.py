"""What a definition states stands in its explanation, whichever way it is nested."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from calling import Call
from entrepot.cohorts import definition, read_definition
from entrepot.cohorts.definition import Criterion, DemographicCriteria
from entrepot.cohorts.explaining import LANGUAGES, explain
from entrepot.cohorts.explaining.words import words

pytestmark = pytest.mark.core

STROKE: dict[str, Any] = {
    "ConceptSets": [
        {"id": 3, "name": "Stroke", "expression": {"items": [
            {"concept": {"CONCEPT_ID": 443454, "CONCEPT_NAME": "Cerebral infarction"},
             "includeDescendants": True},
            {"concept": {"CONCEPT_ID": 441874}, "isExcluded": True}]}},
        {"id": 4, "name": "Stays", "expression": {"items": [{"concept": {"CONCEPT_ID": 9201}}]}},
    ],
    "PrimaryCriteria": {
        "CriteriaList": [{"ConditionOccurrence": {
            "CodesetId": 3, "First": True, "Age": {"Value": 18, "Op": "gte"},
            "ConditionType": [{"CONCEPT_ID": 32817, "CONCEPT_NAME": "EHR"}],
            "ConditionTypeExclude": True}}],
        "ObservationWindow": {"PriorDays": 365, "PostDays": 0},
        "PrimaryCriteriaLimit": {"Type": "All"},
    },
    "InclusionRules": [{"name": "in hospital", "expression": {
        "Type": "AT_LEAST", "Count": 1, "CriteriaList": [{
            "Criteria": {"VisitOccurrence": {"CodesetId": 4}},
            "StartWindow": {"Start": {"Days": 7, "Coeff": -1}, "End": {"Days": 2, "Coeff": 1}},
            "Occurrence": {"Type": 0, "Count": 5}}]}}],
    "ExpressionLimit": {"Type": "Last"},
    "EndStrategy": {"DateOffset": {"DateField": "EndDate", "Offset": 30}},
    "CensoringCriteria": [{"Death": {}}],
    "CollapseSettings": {"EraPad": 60},
    "CensorWindow": {"StartDate": "2019-03-01"},
}  # fmt: skip

FRENCH = """\
## Entrée

Une personne entre dans la cohorte à l’un de ces événements :

- un diagnostic dans le jeu de concepts « Stroke » [le premier de la personne ; \
âge : au moins 18 ; type de diagnostic : autre que EHR (32817)]

- L’événement doit être précédé d’au moins 365 jours d’observation et suivi d’au moins 0.
- Des événements de chaque personne : tous.

## Règles d’inclusion

Règle 1, in hospital : au moins 1 des conditions suivantes sont remplies
  - exactement 5 fois : un séjour dans le jeu de concepts « Stays », commençant entre 7 jours \
avant et 2 jours après le début de l’événement index

- Des événements qui remplissent toutes les règles : le dernier seulement.

## Sortie

- Une personne sort 30 jours après la fin de l’événement, au plus tard à la fin de sa période \
d’observation.

Une personne sort aussitôt à l’un de ces événements :

- un décès quel qu’il soit

- Les périodes d’une personne distantes d’au plus 60 jours sont réunies.
- aucun jour avant le 2019-03-01 ne compte

## Jeux de concepts

- Stroke
  - Cerebral infarction (443454), avec ses descendants
  - sans nom (441874), exclu
- Stays
  - sans nom (9201)
"""


def test_a_whole_definition_in_french() -> None:
    said = explain(read_definition(json.dumps(STROKE), "stroke"), "fr")
    assert said.splitlines() == FRENCH.splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_attribute_of_every_criterion_has_its_word(language: str) -> None:
    told = words(language)
    kinds: list[type[Criterion]] = [
        kind
        for kind in vars(definition).values()
        if isinstance(kind, type) and issubclass(kind, Criterion) and kind is not Criterion
    ]
    assert {kind.__name__ for kind in kinds} == set(told.criteria)
    plain = {"CodesetId", "CorrelatedCriteria", "DateAdjustment"}
    spoken = {"First", "Abnormal", "UserDefinedPeriod"}
    parts: list[type[msgspec.Struct]] = [*kinds, DemographicCriteria]
    for kind in parts:
        for field in msgspec.structs.fields(kind):
            name = field.encode_name
            known = name.removesuffix("CS") in told.attributes or name.endswith("Exclude")
            assert known or name in plain | spoken, (kind.__name__, name)


def test_both_languages_say_the_same_things() -> None:
    french, english = (words(language).model_dump() for language in LANGUAGES)
    assert {name: set(texts) for name, texts in french.items()} == {
        name: set(texts) for name, texts in english.items()
    }
    for name, texts in french.items():
        for key, text in texts.items():
            held, other = (re.findall(r"\{(\w+)\}", one) for one in (text, english[name][key]))
            assert sorted(held) == sorted(other), (name, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_name_and_day_of_real_definitions_is_said(language: str, shared: Path) -> None:
    """Bounds, windows, offsets, concept ids, names of rules and sets: none is left out."""
    for told in _definitions(shared):
        said = explain(read_definition(json.dumps(told), "x"), language)
        missing = {value for value in _stated(told) if value not in said}
        assert not missing, (told.get("Title"), missing)


def _definitions(shared: Path) -> Iterator[dict[str, Any]]:
    for name in ("phenotypelibrary", "sweep"):
        with gzip.open(shared / "cohorts" / f"definitions_{name}.jsonl.gz", "rt") as file:
            lines = file.readlines()[::6]
        yield from (json.loads(line)["definition"] for line in lines)


def _stated(part: Any, key: str = "") -> Iterator[str]:
    """Figures and names of the JSON, apart from what has no meaning of its own."""
    if isinstance(part, list):
        for one in part:
            yield from _stated(one, key)
    elif isinstance(part, dict):
        if key == "UserDefinedPeriod":
            part = {name: value for name, value in part.items() if value}
        for name, value in part.items():
            yield from _stated(value, name)
    elif key in {"Value", "Extent", "Days", "Offset", "GapDays", "EraPad", "CONCEPT_ID", "Text"}:
        if part is not None:
            yield str(part)
    elif key == "name" and part:
        yield str(part)


def test_the_command_says_it_and_refuses_another_language(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "stroke.json"
    file.write_text(json.dumps(STROKE), encoding="utf-8")
    assert call("cohort", "explain", str(file)).out == FRENCH
    assert "## Entry" in call("cohort", "explain", str(file), "--language", "en").out
    refused = call("cohort", "explain", str(file), "--language", "de")
    assert refused.code == 2
    assert "no such language" in refused.err


def test_the_command_tells_what_cannot_be_run(call: Call, tmp_path: Path) -> None:
    good, bad, odd = (tmp_path / f"{name}.json" for name in ("good", "bad", "odd"))
    good.write_text(json.dumps(STROKE), encoding="utf-8")
    bad.write_text(json.dumps({**STROKE, "Unknown": 1}), encoding="utf-8")
    nobodys = {"id": 9, "name": "Nobody's", "expression": {"items": []}}
    sets = [*STROKE["ConceptSets"][:1], nobodys]
    odd.write_text(json.dumps({**STROKE, "ConceptSets": sets}), encoding="utf-8")
    assert call("cohort", "validate", str(good)).code == 0
    told = call("cohort", "validate", str(good), str(bad), str(odd), "--json")
    assert told.code == 2
    first, second, third = (json.loads(line) for line in told.out.splitlines())
    assert first["valid"]
    assert (first["errors"], first["warnings"]) == ([], [])
    assert "Unknown" in second["errors"][0]
    assert third["errors"] == ["a criterion names concept set 4, which the definition lacks"]
    assert third["warnings"] == [
        "concept set 9 is named by no criterion",
        "concept set 9 includes no concept, so nothing matches it",
    ]
