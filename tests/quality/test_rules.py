"""Every rule on its planted fault: exact counts, dependants go, the rest stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_answer import Answer, answer, restricted
from gate_faults import FAULTS, Fault
from gate_hospital import LEDGER

from entrepot.quality.checks import Action, Scope
from entrepot.quality.plan import Plan

NAMES = [fault.name for fault in FAULTS]

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
}


@pytest.mark.core
def test_rules_and_thresholds_are_those_agreed(plan: Plan) -> None:
    shipped = {
        (
            item.check.id,
            (item.check.action.value, str(item.threshold.percent), item.threshold.rows),
        )
        for item in plan.checks
    }
    assert shipped == set(RULES.items())


@pytest.mark.core
def test_the_warehouse_without_a_fault_passes_untouched(plan: Plan) -> None:
    nothing = Fault("none", "SELECT 1", {})
    assert answer(plan, nothing) == Answer({}, {}, (), frozenset())


@pytest.mark.core
@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_a_fault_is_counted_and_goes_with_its_dependants(plan: Plan, fault: Fault) -> None:
    found = answer(restricted(plan, _families(fault) | {"domain", "standard", "mapped"}), fault)
    assert found.violated == fault.violated
    assert found.removed == fault.removed
    assert bool(found.blocking) == fault.blocks


@pytest.mark.integration
@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_no_other_rule_fires(plan: Plan, fault: Fault) -> None:
    found = answer(plan, fault)
    assert found.without("emptied") == fault.violated
    assert found.removed == fault.removed
    assert bool(found.blocking) == fault.blocks


@pytest.mark.core
def test_every_rule_has_its_fault() -> None:
    assert set().union(*map(_families, FAULTS)) | {"emptied"} == set(RULES)


def _families(fault: Fault) -> set[str]:
    return {check.split(".")[0] for check in fault.violated}


def _mutants(plan: Plan, family: str) -> dict[str, Plan]:
    """The plan without the rule, with one that never fires, with one that only warns."""
    row = next(item.check for item in plan.checks if item.check.id == family)
    blind = (
        {"violated": "t.rowid < 0"}
        if row.scope is Scope.ROW
        else {"query": f"SELECT 0 AS violated, denominator FROM ({row.query}) q"}
    )
    changes = {"blind": blind, "only warns": {"action": Action.WARN}}
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
@pytest.mark.parametrize("family", sorted(set(RULES) - {"emptied", "within_visit"}))
def test_a_weakened_rule_changes_the_answer(plan: Plan, family: str) -> None:
    fault = next(fault for fault in FAULTS if family in _families(fault))
    small = restricted(plan, _families(fault))
    right = answer(small, fault)
    assert right.violated == fault.violated
    for name, mutant in _mutants(small, family).items():
        assert answer(mutant, fault) != right, name


@pytest.mark.core
def test_the_ledger_of_the_small_warehouse_adds_up() -> None:
    assert sum(LEDGER.values()) - LEDGER["records"] == 27
