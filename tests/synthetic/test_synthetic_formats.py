"""Each fact is told in one format, some in two; the formats change how, never what."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hl7_reading import lines
from synthetic_hospital import Hospital

from entrepot.errors import ConfigurationError
from entrepot.synthetic import generate

pytestmark = pytest.mark.core

CLINICAL = {"diagnosis", "act", "result", "prescription", "administration", "letter"}
TELLING = {"told", "told_in"}


def clinical(hospital: Hospital) -> list[dict[str, Any]]:
    """Statements that one format, or two, tell."""
    return [s for s in hospital.statements.values() if s["kind"] in CLINICAL]


def test_a_fact_is_told_in_one_format_and_some_in_two(mixed: Hospital) -> None:
    found = Counter(len(s["told_in"]) for s in clinical(mixed))
    assert set(found) == {1, 2}
    assert 0.02 < found[2] / sum(found.values()) < 0.10  # 5 % asked for
    for name in ("hl7v2", "fhir", "cda"):
        told = [s for s in clinical(mixed) if name in s["told_in"]]
        assert len(told) > len(clinical(mixed)) * 0.2


def test_told_in_says_what_the_records_state(mixed: Hospital) -> None:
    stated: dict[str, set[str]] = {}
    for line in mixed.messages:
        for fact in line["statements"] if not line["bad"] else ():
            stated.setdefault(fact, set()).add(line["carries"] or line["format"])
    for fact in mixed.statements.values():
        assert set(fact["told_in"]) == stated.get(fact["id"], set()), fact["id"]
        assert fact["told"] == bool(fact["told_in"])


def test_a_format_carries_what_it_can(mixed: Hospital) -> None:
    for fact in clinical(mixed):
        if fact["kind"] in {"diagnosis", "act"} or not fact.get("vaccine", True):
            assert "cda" not in fact["told_in"]


def test_identities_and_stays_are_told_in_every_format(mixed: Hospital) -> None:
    for fact in mixed.statements.values():
        if fact["kind"] in {"identity", "death"} or (fact["kind"] == "stay" and fact["told"]):
            assert {"hl7v2", "fhir"} <= set(fact["told_in"])
    stays = [s for s in mixed.statements.values() if s["kind"] == "stay"]
    assert sum("cda" in s["told_in"] for s in stays) > len(stays) / 2


def test_a_group_is_told_together(mixed: Hospital) -> None:
    """An order, the PMSI of a stay, and a letter with its replacement cannot be parted."""
    groups: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    letters = {s["document"]: s for s in clinical(mixed) if s["kind"] == "letter"}
    for fact in clinical(mixed):
        if fact["kind"] == "result":
            key = ("order", fact["order"])
        elif fact["kind"] in {"diagnosis", "act"}:
            key = ("pmsi", fact["stay"])
        else:
            continue
        groups.setdefault(key, set()).add(tuple(fact["told_in"]))
    assert all(len(told) == 1 for told in groups.values())
    replaced = [letter for letter in letters.values() if letter["replaced_by"]]
    assert replaced
    for letter in replaced:
        assert letter["told_in"] == letters[letter["replaced_by"]]["told_in"]


def test_the_truth_is_the_same_whatever_the_formats(
    hospital: Hospital, mixed: Hospital, fhir_only: Hospital
) -> None:
    def facts(one: Hospital) -> list[dict[str, Any]]:
        return [{k: v for k, v in s.items() if k not in TELLING} for s in one.statements.values()]

    assert facts(hospital) == facts(mixed) == facts(fhir_only)
    assert hospital.persons == mixed.persons == fhir_only.persons


def test_one_format_tells_all_that_it_can(hospital: Hospital, fhir_only: Hospital) -> None:
    assert {tuple(s["told_in"]) for s in clinical(hospital)} == {("hl7v2",)}
    assert {tuple(s["told_in"]) for s in clinical(fhir_only)} == {("fhir",)}
    assert {line["format"] for line in fhir_only.messages} == {"fhir"}
    assert not (fhir_only.out / "hl7v2").exists()


def test_what_cda_cannot_carry_is_not_told_by_it_alone(tmp_path: Path) -> None:
    generate(12, 7, tmp_path / "out", formats=("cda",))
    found = lines(tmp_path / "out" / "truth" / "statements.jsonl")
    assert {s["kind"] for s in found if s["told"]} == {
        "identity", "stay", "result", "prescription", "administration", "letter",
    }  # fmt: skip
    pmsi = [s for s in found if s["kind"] in {"diagnosis", "act"}]
    assert pmsi
    assert not any(s["told"] for s in pmsi)


def test_everything_twice(tmp_path: Path) -> None:
    summary = generate(4, 7, tmp_path / "out", formats=("hl7v2", "fhir"), twice=1)
    found = lines(tmp_path / "out" / "truth" / "statements.jsonl")
    assert summary.statements == len(found)
    told = {tuple(s["told_in"]) for s in found if s["kind"] in CLINICAL}
    assert told == {("hl7v2", "fhir")}


@pytest.mark.parametrize(
    ("formats", "twice"), [((), 0.0), (("hl7",), 0.0), (("fhir",), -0.1), (("fhir",), 1.1)]
)
def test_refuses_an_unknown_format_or_share(
    tmp_path: Path, formats: tuple[str, ...], twice: float
) -> None:
    with pytest.raises(ConfigurationError):
        generate(1, 1, tmp_path / "out", formats=formats, twice=twice)
