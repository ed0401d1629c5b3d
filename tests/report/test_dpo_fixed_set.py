"""The fixed set of section 6, and the engine measured on it."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from entrepot.errors import ConfigurationError
from entrepot.report.dpo import fixed_set
from entrepot.report.dpo.fixed_set import Text, measure, read_set
from entrepot.resources import data_folder
from entrepot.text import NOBODY, Scrubber
from entrepot.text.spans import LABELS

pytestmark = pytest.mark.integration
SHIPPED = data_folder("quality") / "deid" / "fr_written.jsonl"


def test_the_shipped_set_is_what_its_page_says() -> None:
    lines = [json.loads(line) for line in SHIPPED.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 121
    assert len({line["id"] for line in lines}) == len(lines)
    assert len({line["style"] for line in lines}) == 15
    assert sum(bool(line["spans"]) for line in lines) == 90
    assert sum("record" in line for line in lines) == 43
    assert {one["label"] for line in lines for one in line["spans"]} == LABELS
    for line in lines:
        ends = [(one["start"], one["end"]) for one in line["spans"]]
        assert all(
            line["text"][start:end].strip() == line["text"][start:end] for start, end in ends
        )
        assert all(first[1] <= then[0] for first, then in pairwise(ends))
    assert "121 short French" in SHIPPED.with_name("README.md").read_text(encoding="utf-8")


def test_the_measures_are_those_of_a_scorer_that_is_not_ours(shared: Path, tmp_path: Path) -> None:
    texts, scrubber = read_set(()), Scrubber()
    predicted, told = tmp_path / "out.jsonl", tmp_path / "score.json"
    lines = [json.loads(line) for line in SHIPPED.read_text(encoding="utf-8").splitlines()]
    with predicted.open("w", encoding="utf-8") as file:
        for line, one in zip(lines, texts, strict=True):
            spans = [
                {"start": span.start, "end": span.end, "label": span.label}
                for span in scrubber.find(one.text, NOBODY)
            ]
            file.write(json.dumps({"id": line["id"], "spans": spans}) + "\n")
    command = [sys.executable, str(shared / "deid/score.py"), str(SHIPPED), str(predicted)]
    subprocess.run([*command, "--json", str(told)], check=True, capture_output=True)
    score = json.loads(told.read_text(encoding="utf-8"))
    score = score.get("totals", score)
    found = measure(texts, scrubber, identities=False)
    assert found.recall.value == round(1000 * score["redact_recall"])
    assert found.precision.value == round(1000 * score["redact_precision"])
    assert found.full.value == round(1000 * score["full_documents"])
    assert found.over_masked.value == round(1000 * score["over_redaction"])


def test_what_is_known_of_a_patient_is_found() -> None:
    """A colour and a flower, which are this patient's names."""
    line = next(one for one in read_set(()) if one.text.startswith("Patiente BLANC Rose, 78 ans"))
    assert line.identity.family_names == ("Blanc",)
    found = measure([line], Scrubber(), identities=True)
    assert (found.recall.value, found.full.value, found.leaked.value) == (1000, 1000, 0)


def test_a_site_adds_its_own_texts_and_a_bad_line_is_named(tmp_path: Path) -> None:
    own = tmp_path / "quality" / "deid" / "ours.jsonl"
    own.parent.mkdir(parents=True)
    good = {"id": "1", "text": "Mme Dumoutier", "spans": [{"start": 4, "end": 13, "label": "NOM"}]}
    own.write_text(json.dumps(good) + "\n", encoding="utf-8")
    before = fixed_set.fingerprint(())
    assert read_set((tmp_path,))[-1] == Text("Mme Dumoutier", ((4, 13, "NOM"),), NOBODY)
    assert fixed_set.fingerprint((tmp_path,)) != before
    for bad in ('{"text": "x"}', "no", '{"text": "x", "spans": [{"start": 1, "end": 0}]}',
                '{"text": "x", "spans": [{"start": 0, "end": 1, "label": "NAME"}]}'):  # fmt: skip
        own.write_text(json.dumps(good) + "\n" + bad, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"ours\.jsonl:2"):
            read_set((tmp_path,))


def test_a_kept_measure_is_read_back() -> None:
    found = measure(read_set(())[:20], Scrubber(), identities=False)
    assert fixed_set.from_json(json.loads(json.dumps(fixed_set.as_json(found)))) == found
