"""Accuracy on others' data: letters of `make_known.py`, public fictitious snippets.

The goals are those of the reference on pseudonymisation, section 4.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from entrepot.text import NOBODY, Identity, Scrubber, leaks

pytestmark = pytest.mark.integration


def identity_of(document: dict[str, Any]) -> Identity:
    """The identity record that `make_known.py` writes beside a letter."""
    record = document["record"]
    return Identity(
        family_names=(record["family"],),
        given_names=(record["given"],),
        birth_dates=(date.fromisoformat(record["birth_date"]),),
        addresses=(record["address"],),
        postcodes=(record["postcode"],),
        towns=(record["city"],),
        phones=("0" + record["phone"],),
        mails=(record["mail"],),
        numbers=(("IPP", record["ipp"]), ("INS", record["nir"])),
    )


def predict(
    scrubber: Scrubber, gold: Path, out: Path, identify: Callable[[dict[str, Any]], Identity]
) -> list[dict[str, Any]]:
    """Writes what is found in each document of `gold`; returns the documents."""
    documents = [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines()]
    with out.open("w", encoding="utf-8") as file:
        for document in documents:
            found = scrubber.find(document["text"], identify(document))
            spans = [{"start": s.start, "end": s.end, "label": s.label} for s in found]
            file.write(json.dumps({"id": document["id"], "spans": spans}) + "\n")
    return documents


def run(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)], check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize("typos", [0.0, 0.3])
def test_known_identifiers(scrubber: Scrubber, shared: Path, tmp_path: Path, typos: float) -> None:
    maker, gold, out = shared / "deid" / "make_known.py", tmp_path / "gold", tmp_path / "out"
    run(maker, "make", gold, "--patients", 150, "--typo-rate", typos, "--seed", 7)
    documents = predict(scrubber, gold, out, identity_of)
    rows = re.findall(r"^(.+?) +\d+ of +\d+ +([\d.]+)$", run(maker, "score", gold, out), re.M)
    shares = {name: float(share) for name, share in rows}
    exact = [v for k, v in shares.items() if k.startswith("kind ") and k != "kind typo"]
    assert len(exact) >= 8
    assert set(exact) == {1.0}
    assert shares.get("kind typo", 1.0) >= 0.97
    assert shares["distractors touched"] <= 0.01
    for document in documents:
        identity = identity_of(document)
        assert leaks(scrubber.scrub(document["text"], identity).text, identity) == []


@pytest.mark.parametrize("tuned", [True, False], ids=["tuned", "held back"])
def test_snippets_without_identity(
    scrubber: Scrubber, shared: Path, tmp_path: Path, *, tuned: bool
) -> None:
    """Both halves reach the goals: errors were read in one of them only."""
    whole = shared / "deid" / "fr_snippets" / "aphp_dev.jsonl"
    gold, out = tmp_path / "gold", tmp_path / "out"
    lines = [
        line
        for line in whole.read_text(encoding="utf-8").splitlines()
        if (sha256(json.loads(line)["id"].encode()).digest()[0] % 2 == 0) is tuned
    ]
    gold.write_text("\n".join(lines) + "\n", encoding="utf-8")
    predict(scrubber, gold, out, lambda _: NOBODY)
    report = tmp_path / "report.json"
    run(shared / "deid" / "score.py", gold, out, "--json", report)
    figures = json.loads(report.read_text(encoding="utf-8"))
    assert figures["redact_recall"] >= 0.985
    assert figures["redact_precision"] >= 0.88
    assert figures["full_documents"] >= 0.88
