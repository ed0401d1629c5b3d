"""Broken and hostile FHIR and CDA files: each behaves as a table says, written before the run.

The material itself stays where it is; without it these tests skip.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from outcomes import counted, dispositions, failed, lines_of, notices, settings_of

from roads import feed, new_site, travel

pytestmark = [pytest.mark.integration]

PATIENT = "00_valid_patient.json"
CONDITION = (
    b'{"resourceType": "Condition", "id": "told", "subject": {"reference": "Patient/p1"},'
    b' "onsetDateTime": "2024-01-02", "code": {"coding":'
    b' [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11.9"}]}}'
)


# What the sender's server adds when it stores a resource: nothing else dates these files.
STORED = b', "meta": {"lastUpdated": "2024-01-02T08:00:00Z"}'
_DATED = re.compile(rb'"resourceType": ?"(?:Condition|Observation|DocumentReference)"')


def _content(path: Path, dated: bool) -> bytes:
    content = path.read_bytes()
    return _DATED.sub(lambda found: found[0] + STORED, content) if dated else content


def _cases() -> list[tuple[str, dict[str, str]]]:
    return [(name, line) for name in ("fhir", "cda") for line in lines_of(f"malformed_{name}.csv")]


@pytest.mark.spread
@pytest.mark.parametrize(
    ("name", "line"),
    _cases(),
    ids=lambda case: case if isinstance(case, str) else "+".join(list(case.values())[:3]),
)
def test_malformed_file(name: str, line: dict[str, str], shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / name / "malformed"
    site = new_site(tmp_path / "site", settings_of(line["config"], name))
    beside = line["with"].split(";")
    if "patient" in beside:
        feed(site, "patient", (folder / PATIENT).read_bytes())
    feed(site, line["file"], _content(folder / line["file"], "dated" in beside))
    if "condition" in beside:
        feed(site, "condition", CONDITION)
    travel(site)

    found, reasons = dispositions(site)
    stated = (one.split(":") for one in line["dispositions"].split(";"))
    assert found == Counter({disposition: int(count) for disposition, count in stated})
    assert reasons == [reason for reason in line["reason"].split(";") if reason]
    assert notices(site) == {notice for notice in line["notices"].split(";") if notice}
    assert [check for check in line["checks"].split(";") if check and failed(site, check)] == []
    assert all(counts.balanced for counts in counted(site).sources.values())


@pytest.mark.parametrize("name", ["fhir", "cda"])
def test_every_file_of_the_set_has_a_line(name: str, shared: Path) -> None:
    folder = shared / "data" / name / "malformed"
    listed = {line["file"] for line in lines_of(f"malformed_{name}.csv")}
    assert listed == {path.name for path in folder.iterdir() if path.suffix != ".py"}
