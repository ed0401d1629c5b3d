"""Every rule on its planted fault: exact counts, dependants go, the rest stays."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from gate_answer import Answer, answer, restricted
from gate_faults import FAULTS, Fault
from gate_hospital import LEDGER
from gate_oddities import ODDITIES

from entrepot.quality.checks import Action, Scope
from entrepot.quality.plan import Plan
from entrepot.resources import data_folder

PLANTED = (*FAULTS, *ODDITIES)
NAMES = [fault.name for fault in PLANTED]

# action, percent, rows of every rule: what a load may carry is decided here a second time, so that
# a rule or threshold that is dropped or loosened in its file shows.
RULES = {
    "required": ("quarantine", "2", 20),
    "key": ("quarantine", "0.1", 20),
    "one_death": ("quarantine", "2", 20),
    "reference": ("quarantine", "2", 20),
    "source_described": ("block", "0", 0),
    "domain": ("quarantine", "2", 20),
    "standard": ("quarantine", "2", 20),
    "type_concept": ("quarantine", "0.1", 20),
    "order": ("quarantine", "5", 20),
    "before_birth": ("quarantine", "5", 20),
    "after_death": ("quarantine", "5", 20),
    "too_early": ("quarantine", "5", 20),
    "future": ("quarantine", "5", 20),
    "within_visit": ("warn", "5", 20),
    "birth": ("quarantine", "5", 20),
    "same_person": ("quarantine", "2", 20),
    "observed": ("quarantine", "20", 20),
    "opposed": ("block", "0", 0),
    "nir": ("block", "0", 0),
    "email": ("block", "0", 0),
    "phone": ("block", "0", 0),
    "long_number": ("block", "0", 0),
    "traced": ("block", "0", 0),
    "staged": ("block", "0", 0),
    "records": ("block", "0", 0),
    "disposed": ("block", "0", 0),
    "mapped": ("block", "0", 0),
    "balance": ("block", "0", 0),
    "emptied": ("block", "20", 50),
    "concept_class": ("quarantine", "0", 0),
    "era_of_nothing": ("quarantine", "0", 0),
    "occurrences": ("quarantine", "0", 0),
    "exposures": ("quarantine", "0", 0),
    "gap_days": ("quarantine", "0", 0),
    "condition_eras": ("block", "0", 0),
    "ingredients": ("block", "0", 0),
    "one_way": ("block", "0", 0),
    "linked": ("block", "0", 0),
    "source_stated": ("block", "0", 0),
    "source_stale": ("block", "0", 0),
    "same_day": ("quarantine", "2", 20),
    "observed_then": ("warn", "5", 20),
    "stay_length": ("warn", "1", 20),
    "stay_overlap": ("warn", "5", 20),
    "period_overlap": ("quarantine", "0", 0),
    "repeated": ("warn", "10", 20),
    "one_person": ("quarantine", "0.1", 5),
    "count_low": ("warn", "5", 20),
    "days_low": ("warn", "5", 20),
    "days_high": ("warn", "5", 20),
    "count_high": ("warn", "5", 20),
    "sex": ("warn", "2", 20),
    "unit": ("quarantine", "5", 20),
    "range": ("quarantine", "1", 20),
    "empty_note": ("quarantine", "2", 20),
    "damaged": ("quarantine", "0.5", 20),
    "damaged_name": ("warn", "0.5", 20),
    "too_long": ("warn", "5", 20),
    "coherent": ("warn", "2", 20),
    "unmapped": ("warn", "100", 0),
    "business_key": ("block", "0", 0),
    "twins": ("warn", "0.5", 5),
}

# Those that ask the release before, staging and the ledger: their faults are in test_gate_drift.
RULES_OF_THE_PAST = {
    "shrunk": ("block", "15", 200),
    "lost_month": ("warn", "0", 0),
    "went_empty": ("block", "0", 0),
    "emptier": ("warn", "0", 0),
    "remapped": ("block", "5", 20),
    "rewritten": ("block", "0", 0),
    "value_drift": ("block", "0", 0),
    "value_shift": ("warn", "0", 0),
    "learnt_range": ("warn", "0.1", 20),
    "persons_lost": ("warn", "5", 20),
    "feed_stale": ("warn", "0", 0),
    "service_stale": ("warn", "0", 0),
    "feed_lost": ("block", "0", 0),
    "feed_low": ("warn", "0", 0),
    "fed": ("block", "0", 0),
    "resent": ("warn", "50", 1000),
    "feed_refused": ("warn", "10", 50),
}


@pytest.mark.core
def test_rules_and_thresholds_are_those_agreed(plan: Plan) -> None:
    shipped = {
        (
            item.check.id,
            (item.check.action.value, str(item.threshold.percent), item.threshold.rows),
        )
        for item in plan.checks
        if item.check.id != "unmapped"
    }
    agreed = {**RULES, **RULES_OF_THE_PAST}
    assert shipped == {(rule, limit) for rule, limit in agreed.items() if rule != "unmapped"}


# DQD's thresholds of standardConceptRecordCompleteness that hold in France as well.
MAPPED = {
    "person.gender_concept_id": "5", "condition_occurrence.condition_concept_id": "5",
    "condition_occurrence.condition_status_concept_id": "5", "drug_exposure.drug_concept_id": "5",
    "device_exposure.device_concept_id": "5", "measurement.measurement_concept_id": "5",
    "measurement.unit_concept_id": "5", "observation.observation_concept_id": "5",
    "specimen.specimen_concept_id": "5", "visit_occurrence.visit_concept_id": "0",
    "visit_detail.visit_detail_concept_id": "0",
}  # fmt: skip


@pytest.mark.core
def test_concept_0_is_judged_as_dqd_does_but_for_france(plan: Plan) -> None:
    unmapped = [item for item in plan.checks if item.check.id == "unmapped"]
    limits = {f"{item.table}.{item.field}": str(item.threshold.percent) for item in unmapped}
    assert {place: limit for place, limit in limits.items() if limit != "100"} == MAPPED
    assert not {"person.race_concept_id", "person.ethnicity_concept_id"} & limits.keys()


@pytest.mark.core
def test_every_french_override_is_explained() -> None:
    """What departs from DQD for France is told to people where it acts in data."""
    root = data_folder("quality").parent
    page = (root / "docs" / "reference" / "french_overrides.md").read_text(encoding="utf-8")
    with (root / "quality" / "thresholds" / "french_overrides.csv").open(encoding="utf-8") as file:
        places = [f"{row['table']}.{row['field']}" for row in csv.DictReader(file)]
    assert places
    assert [place for place in places if f"`{place}`" not in page] == []


@pytest.mark.core
def test_the_warehouse_without_a_fault_passes_untouched(plan: Plan) -> None:
    nothing = Fault("none", "SELECT 1", {})
    assert answer(plan, nothing) == Answer({}, {}, (), frozenset())


@pytest.mark.core
@pytest.mark.parametrize("fault", PLANTED, ids=NAMES)
def test_a_fault_is_counted_and_goes_with_its_dependants(plan: Plan, fault: Fault) -> None:
    found = answer(restricted(plan, _families(fault) | {"domain", "standard", "mapped"}), fault)
    assert found.violated == fault.violated
    assert found.removed == fault.removed
    assert bool(found.blocking) == fault.blocks


@pytest.mark.integration
@pytest.mark.parametrize("fault", PLANTED, ids=NAMES)
def test_no_other_rule_fires(plan: Plan, fault: Fault) -> None:
    found = answer(plan, fault)
    assert found.without("emptied") == fault.violated
    assert found.removed == fault.removed
    assert bool(found.blocking) == fault.blocks


@pytest.mark.core
def test_every_rule_has_its_fault() -> None:
    assert set().union(*map(_families, PLANTED)) | {"emptied"} == set(RULES)


def _families(fault: Fault) -> set[str]:
    return {check.split(".")[0] for check in fault.violated}


def _mutants(plan: Plan, family: str) -> dict[str, Plan]:
    """The plan without the rule, with one that never fires, with one that only warns."""
    row = next(item.check for item in plan.checks if item.check.id == family)
    blind: dict[str, object] = (
        {"violated": "t.rowid < 0"}
        if row.scope is Scope.ROW
        else {"query": f"SELECT 0 AS violated, denominator FROM ({row.query}) q"}
    )
    changes: dict[str, dict[str, object]] = {"blind": blind}
    if row.action is not Action.WARN:
        changes["only warns"] = {"action": Action.WARN}
    mutants = {
        "dropped": replace(
            plan, checks=tuple(item for item in plan.checks if item.check.id != family)
        )
    }
    for name, change in changes.items():
        mutants[name] = replace(
            plan,
            checks=tuple(
                replace(item, check=item.check.model_copy(update=change))
                if item.check.id == family
                else item
                for item in plan.checks
            ),
        )
    return mutants


@pytest.mark.integration
@pytest.mark.parametrize("family", sorted(set(RULES) - {"emptied"}))
def test_a_weakened_rule_changes_the_answer(plan: Plan, family: str) -> None:
    fault = next(fault for fault in PLANTED if family in _families(fault))
    small = restricted(plan, _families(fault))
    right = answer(small, fault)
    assert right.violated == fault.violated
    for name, mutant in _mutants(small, family).items():
        assert answer(mutant, fault) != right, name


@pytest.mark.core
def test_the_ledger_of_the_small_warehouse_adds_up() -> None:
    assert sum(LEDGER.values()) - LEDGER["records"] == 27
