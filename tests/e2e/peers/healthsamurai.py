"""FHIR → OMOP cases of HealthSamurai, as sites of ours can take them.

A file holds variants of one branch: FHIR resources and the rows that their pipeline makes of them.
Each variant is a source with a domain of its own, so that `patient-1` is another person in each.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.peers.facts import PARIS
from e2e.peers.omop_rows import Row, plain
from entrepot.resources import data_folder

Resource = dict[str, Any]
# Derived here from what published rows name, and without any clear text: not comparable by case.
DERIVED = frozenset({"care_site", "provider", "location", "payer_plan_period"})
CONTEXT = "context"  # id of what is added to a variant
_ADDED_AT = "2020-01-01T08:00:00+01:00"
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}T[\d:]{8}(?:\.\d+)?)(?:Z|[+-]\d{2}:\d{2})")


@dataclass(frozen=True)
class Variant:
    """One case.

    Args:
        file: the branch; source: its name as a feed.
        resources: fixtures, the variant's own, and the context that our rules ask for.
        expected: their rows by table.
    """

    file: str
    source: str
    resources: list[Resource]
    expected: dict[str, list[Row]]


def variants(folder: Path) -> Iterator[Variant]:
    """All variants of all files."""
    number = 0
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for case in content["cases"]:
            number += 1
            told = _on_site_clock([*content.get("fixtures", []), *case["fhir"]])
            resources = list({(r["resourceType"], r["id"]): r for r in told}.values())
            _add_context(resources)
            expected = {table: [plain(r) for r in rows] for table, rows in case["omop"].items()}
            yield Variant(path.stem, f"case{number:03d}", resources, expected)


def _on_site_clock(value: Any) -> Any:
    """Every dateTime told in the site's zone by the same clock: their rows drop the offset (their
    README, gotcha 1), ours convert it, which would hide every other difference of time."""
    if isinstance(value, dict):
        return {name: _on_site_clock(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_on_site_clock(inner) for inner in value]
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    clock = dt.datetime.fromisoformat(found[1]).replace(tzinfo=PARIS)
    return clock.isoformat()


def _add_context(resources: list[Resource]) -> None:
    """Adds what our rules need before a person is published: an identity with a year of birth,
    and a clinical event."""
    patients = {r["id"]: r for r in resources if r["resourceType"] == "Patient"}
    _give_shared_encounters(resources, patients)
    for identifier in sorted(_subjects(resources) - set(patients)):
        patients[identifier] = {"resourceType": "Patient", "id": identifier}
        resources.append(patients[identifier])
    for patient in patients.values():
        patient.setdefault("birthDate", "1980-01-01")
    stays = [r for r in resources if r["resourceType"] == "Encounter"]
    facts = [r for r in resources if r["resourceType"] not in ("Patient", "Encounter")]
    moment = next(_moments(facts), _ADDED_AT)
    for stay in stays if facts else []:  # a stay without a start is not published here
        stay.setdefault("period", {"start": moment, "end": moment})
    if not patients or stays:
        return
    for identifier in patients:
        resources.append(
            {
                "resourceType": "Encounter", "id": f"{CONTEXT}-{identifier}", "status": "finished",
                "class": {"code": "AMB"}, "subject": {"reference": f"Patient/{identifier}"},
                "period": {"start": moment, "end": moment},
            }
        )  # fmt: skip


def _moments(value: Any) -> Iterator[str]:
    """Every dateTime in a resource or a list of them."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _moments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _moments(inner)
    elif isinstance(value, str) and _MOMENT.fullmatch(value):
        yield value


def _give_shared_encounters(resources: list[Resource], patients: dict[str, Resource]) -> None:
    """One fixture Encounter serves the patients of a whole file there; here a stay of two persons
    is quarantined with all that names it."""
    if len(patients) != 1:
        return
    (only,) = patients
    for resource in resources:
        if resource["resourceType"] == "Encounter":
            resource["subject"] = {"reference": f"Patient/{only}"}


def _subjects(resources: list[Resource]) -> set[str]:
    found = set()
    for resource in resources:
        for name in ("subject", "patient", "beneficiary"):
            reference = resource.get(name, {}).get("reference", "")
            if reference.startswith("Patient/"):
                found.add(reference.removeprefix("Patient/"))
    return found


def vocabulary(cases: Path, target: Path) -> Path:
    """Our demonstration vocabulary with their concepts and relationships behind it."""
    shutil.copytree(data_folder("mappings") / "demo_vocabulary", target)
    _append(target / "CONCEPT.csv", cases / "vocab_seed_concept.csv", 1)
    _append(
        target / "CONCEPT_RELATIONSHIP.csv", cases / "vocab_seed_concept_relationship.csv", 3
    )  # fmt: skip
    return target


def _append(table: Path, seed: Path, key: int) -> None:
    """Lines of `seed` whose first `key` cells `table` does not have."""
    lines = table.read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")
    known = {tuple(line.split("\t")[:key]) for line in lines[1:]}
    with seed.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            cells = [_cell(name, row.get(name) or "") for name in names]
            if tuple(cells[:key]) not in known:
                lines.append("\t".join(cells))
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(name: str, text: str) -> str:
    return text.replace("-", "") if name.startswith("valid_") else text
