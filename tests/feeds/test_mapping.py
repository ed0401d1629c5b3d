"""The shipped mappings are valid; a wrong one is refused with its file and line."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from entrepot.errors import ConfigurationError
from entrepot.feeds.extract import Extractor
from entrepot.feeds.mapping import IDENTIFYING, load_mappings
from entrepot.resources import data_file, data_folder
from entrepot.staging.kinds import KINDS, ColumnType

pytestmark = pytest.mark.core

GOOD = """\
mapping: extra
kind: event
events: [ADT^A60]
foreach: IAM
key: [IAM-7.1]
columns:
  category: {constant: allergy, treatment: keep}
  code: {path: IAM-3.1, treatment: keep}
  label: {path: IAM-3.2, treatment: scrub}
"""


def overlay(folder: Path, text: str) -> Path:
    target = folder / "mappings" / "hl7v2"
    target.mkdir(parents=True)
    (target / "extra.yaml").write_text(text)
    return folder


def test_every_column_of_every_shipped_mapping_states_its_treatment() -> None:
    for mapping in load_mappings("hl7v2").mappings:
        if mapping.kind in IDENTIFYING:
            continue
        kind = KINDS[mapping.kind]
        for name, column in mapping.columns.items():
            free = kind.columns.get(name) is ColumnType.TEXT
            assert column.treatment in (
                {"scrub", "drop"} if free else {"keep", "key", "generalise"}
            )


def test_a_new_event_is_one_file(tmp_path: Path) -> None:
    assert not Extractor(load_mappings("hl7v2")).covers("ADT^A60")
    mappings = load_mappings("hl7v2", [overlay(tmp_path, GOOD)])
    assert Extractor(mappings).covers("ADT^A60")


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        (4, "foreech: IAM", "foreech"),
        (8, "  code: {path: IAM-3.1, treatment: encrypt}", "treatment"),
        (9, "  label: {path: IAM-3.2, treatment: keep}", "label allows drop, scrub"),
        (9, "  comment: {path: IAM-3.2, treatment: scrub}", "no column comment"),
        (8, "  code: {path: IAM-3.1}", "code states no treatment"),
        (2, "kind: allergy", "unknown kind"),
    ],
)
def test_a_wrong_mapping_names_file_and_fault(
    line: int, wrong: str, said: str, tmp_path: Path
) -> None:
    lines = GOOD.splitlines()
    lines[line - 1] = wrong
    with pytest.raises(ConfigurationError) as refused:
        load_mappings("hl7v2", [overlay(tmp_path, "\n".join(lines))])
    assert said in str(refused.value)
    assert "extra.yaml:" in str(refused.value)


def test_an_unknown_key_names_its_line(tmp_path: Path) -> None:
    wrong = GOOD.replace("foreach: IAM", "foreech: IAM")
    with pytest.raises(ConfigurationError) as refused:
        load_mappings("hl7v2", [overlay(tmp_path, wrong)])
    assert "extra.yaml:4" in str(refused.value)


def test_every_reason_in_code_and_mappings_is_in_the_list() -> None:
    with data_file("mappings/dispositions.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["code"] for row in csv.DictReader(file)}
    package = Path(__file__).resolve().parents[2] / "etl" / "entrepot"
    found = set()
    for path in package.rglob("*.py"):
        found |= set(re.findall(r'RecordFault\(\s*"([a-z0-9_]+)"', path.read_text("utf-8")))
    for path in (data_folder("mappings") / "hl7v2").glob("*.yaml"):
        found |= set(re.findall(r'"quarantine:([a-z0-9_]+)"', path.read_text("utf-8")))
    assert found - listed == set()
