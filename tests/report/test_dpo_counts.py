"""No small count is in the report on a synthetic hospital, nor follows from it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest

from entrepot.report.dpo.disclosure import SMALL
from report.attacker import UNPRINTED, bounds
from report.dpo_hospital import GROUP, TOLD, Hospital, leaves

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group(GROUP)]


def test_no_count_from_1_to_10_is_in_it_and_none_is_exact(hospital: Hospital) -> None:
    counts = [
        (path, value) for path, value in leaves(hospital.facts)
        if type(value) is int and not TOLD.search(path)
    ]  # fmt: skip
    assert [(path, value) for path, value in counts if value % 10] == []
    assert [path for path, value in counts if value == 10] == []  # 1 to 10 is `<11`
    assert len(counts) > 100
    small = [path for path, value in leaves(hospital.facts) if value == SMALL]
    assert len(small) > 10, "a small hospital has small counts: the rule was at work"


def test_no_small_count_can_be_computed_from_the_rest(hospital: Hospital) -> None:
    """Every sum that a reader may guess, over all sections at once."""
    shown, sums = _sums(hospital.facts)
    told = [name for name, value in shown.items() if value not in (0, UNPRINTED)]
    found = bounds(shown, sums, told)
    assert len(found) > 60
    assert {name: ends for name, ends in found.items() if ends[1] - ends[0] < 2 - 1e-6} == {}


def _sums(facts: dict[str, Any]) -> tuple[dict[Hashable, Any], list[Any]]:
    shown: dict[Hashable, Any] = {}
    sums: list[Any] = []

    def names(place: str, counts: dict[str, Any]) -> list[Hashable]:
        shown.update({(place, key): value for key, value in counts.items()})
        return [(place, key) for key in counts]

    def add(place: str, counts: dict[str, Any], total: str) -> None:
        parts = [name for name in names(place, counts) if name != (place, total)]
        sums.append(((place, total), parts))

    scope = facts["scope"]
    for feed in scope["feeds"]:
        add(f"feed {feed['source']}", feed["counts"], "received")
        for fate, load in feed["load"].items():  # of a first load, all that there is
            assert load == feed["counts"][fate]
    for fate in ("quarantined", "excluded"):
        reasons = {r["reason"]: r["records"] for r in scope["reasons"] if r["disposition"] == fate}
        shown[fate] = UNPRINTED
        sums.append((fate, names(fate, reasons)))
        sums.append((fate, [(f"feed {feed['source']}", fate) for feed in scope["feeds"]]))
    tables = names("table", scope["tables"])
    names("rows", {k: scope[k] for k in ("total_rows", "mapped", "fan_out", "derived")})
    sums.append((("rows", "total_rows"), tables))
    sums.append((("rows", "total_rows"), [("rows", k) for k in ("mapped", "fan_out", "derived")]))
    for kind in scope["rows"]:
        add(kind["kind"], kind["counts"], "staged")
    sums.append((("rows", "mapped"), [(kind["kind"], "mapped") for kind in scope["rows"]]))
    for level in facts["risk"]["levels"]:
        unique, *_ = bands = names(level["name"], level["bands"])
        sums.append((("table", "person"), bands))
        for by, counts in (level["diversity"] or {}).items():
            sums.append((("table", "person"), [unique, *names(f"{level['name']} {by}", counts)]))
    assert facts["persons"]["published"] == scope["tables"]["person"]
    texts = facts["texts"]
    labels = {one["label"]: one["total"] for one in texts["found"]}
    shown["all"] = texts["all_found"]
    sums.append(("all", names("label", labels)))
    sums.append(("all", names("layer", texts["by_layer"])))
    for one in texts["found"]:
        sums.append((("label", one["label"]), names(f"of {one['label']}", one["layers"])))
    for layer in texts["by_layer"]:
        sums.append((("layer", layer), [(f"of {label}", layer) for label in labels]))
    for register in facts["rights"]["registers"]:
        name = f"register {register['name']}"
        shown[name] = register["total"]
        for by in ("states", "scopes", "channels"):
            sums.append((name, names(f"{name} {by}", register[by])))
    return shown, sums
