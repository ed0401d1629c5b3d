"""Accuracy and speed of the text engine, each beside its limit measured in the same run.

    python bench/text.py [--shared DIR] [--json FILE]

Known identifiers: letters written by `make_known.py` without and with typing errors. Texts with no
known identity: `fr_snippets/aphp_dev.jsonl`, whole and in two halves by a hash of the id; errors
may be read in the tuned half, the held-back one is only ever scored. Two other sets are scored as
a cross-check: they are not what the engine is for (interviews; Spanish).
Speed: documents per CPU second of one process on letters of 1 to 2 kB, through the Presidio
interface, against one bare regular expression pass over the same letters.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from entrepot.text import NOBODY, Identity, Scrubber, leaks

ROUNDS = 3
PER_LETTER = 5  # short letters of one patient that make one of 1 to 2 kB


def identity_of(record: dict[str, str]) -> Identity:
    """The identity record of `make_known.py`."""
    return Identity(
        family_names=(record["family"],),
        given_names=(record["given"],),
        birth_dates=(date.fromisoformat(record["birth_date"]),),
        addresses=(record["address"],),
        postcodes=(record["postcode"],),
        towns=(record["city"],),
        phones=("0" + record["phone"],),
        mails=(record["mail"],),
        numbers=(("IPP", record["ipp"]), ("SECU", record["nir"])),
    )


def read_lines(path: Path) -> list[dict[str, Any]]:
    """One JSON object per line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def write_predictions(
    scrubber: Scrubber,
    documents: list[dict[str, Any]],
    identify: Callable[..., Identity],
    path: Path,
) -> None:
    """Writes what the engine finds in `documents`, in the form both scorers read."""
    with path.open("w", encoding="utf-8") as file:
        for document in documents:
            found = scrubber.find(document["text"], identify(document))
            spans = [{"start": s.start, "end": s.end, "label": s.label} for s in found]
            file.write(json.dumps({"id": document["id"], "spans": spans}) + "\n")


def score_known(scrubber: Scrubber, shared: Path, work: Path, rate: float, seed: int) -> str:
    """The scorer's table for letters with a share `rate` of misspelt names."""
    maker, gold, predicted = shared / "deid/make_known.py", work / "known.jsonl", work / "out.jsonl"
    options = ["--patients", "400", "--typo-rate", str(rate), "--seed", str(seed)]
    run([sys.executable, str(maker), "make", str(gold), *options])
    documents = read_lines(gold)
    write_predictions(scrubber, documents, lambda d: identity_of(d["record"]), predicted)
    left = sum(
        bool(leaks(scrubber.scrub(d["text"], identity).text, identity))
        for d in documents
        for identity in [identity_of(d["record"])]
    )
    table = run([sys.executable, str(maker), "score", str(gold), str(predicted)])
    return f"{table}documents that the leak scan stops {left} of {len(documents)}\n"


def is_tuned(identifier: str) -> bool:
    """Whether a snippet is of the half whose errors may be read."""
    return hashlib.sha256(identifier.encode()).digest()[0] % 2 == 0


def score_set(scrubber: Scrubber, shared: Path, work: Path, documents: list[dict[str, Any]]) -> str:
    """The scorer's aggregated figures on `documents`, no identity given."""
    gold, predicted = work / "gold.jsonl", work / "out.jsonl"
    lines = (json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
    gold.write_text("".join(lines), encoding="utf-8")
    write_predictions(scrubber, documents, lambda _: NOBODY, predicted)
    return run([sys.executable, str(shared / "deid/score.py"), str(gold), str(predicted)])


def score_sets(scrubber: Scrubber, shared: Path, work: Path) -> dict[str, str]:
    """The snippets by halves and whole, and the two cross-checks."""
    snippets = read_lines(shared / "deid/fr_snippets/aphp_dev.jsonl")
    sets = {
        "aphp_dev, tuned half": [d for d in snippets if is_tuned(d["id"])],
        "aphp_dev, held-back half": [d for d in snippets if not is_tuned(d["id"])],
        "aphp_dev, whole": snippets,
        "rgpd_fr, not clinical": read_lines(shared / "deid/rgpd_fr/rgpd_fr.jsonl"),
        "meddocan_dev, Spanish": read_lines(shared / "deid/meddocan/meddocan_dev.jsonl"),
    }
    return {name: score_set(scrubber, shared, work, sets[name]) for name in sets}


def speed(scrubber: Scrubber, shared: Path, work: Path) -> dict[str, float]:
    """Documents per CPU second of `scrub`, of the leak scan, and of the limit."""
    gold = work / "speed.jsonl"
    maker = shared / "deid/make_known.py"
    options = ["--patients", "150", "--per-patient", str(PER_LETTER)]
    run([sys.executable, str(maker), "make", str(gold), *options])
    records = read_lines(gold)
    letters = [
        (
            "\n".join(record["text"] for record in records[k : k + PER_LETTER]),
            identity_of(records[k]["record"]),
        )
        for k in range(0, len(records), PER_LETTER)
    ]
    clean = [(scrubber.scrub(text, known).text, known) for text, known in letters]
    word = re.compile(r"[^\W\d_]+")
    return {
        "characters (mean)": sum(len(text) for text, _ in letters) / len(letters),
        "scrub": rate(letters, scrubber.scrub),
        "leak scan": rate(clean, leaks),
        "limit: one pass of words": rate(letters, lambda text, _: word.findall(text)),
    }


def rate(letters: list[tuple[str, Identity]], work: Callable[[str, Identity], object]) -> float:
    """Letters per CPU second, best of some rounds (the machine is shared)."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.process_time()
        for text, known in letters:
            work(text, known)
        best = max(best, len(letters) / (time.process_time() - start))
    return best


def run(command: list[str]) -> str:
    """Standard output of a scorer."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Prints every figure; writes them as JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    default = os.environ.get("ENTREPOT_SHARED") or Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not (options.shared / "deid").is_dir():
        sys.exit(f"no de-identification material in {options.shared}: set ENTREPOT_SHARED")
    scrubber = Scrubber()
    scrubber.find("chauffe", NOBODY)
    results: dict[str, object] = {"machine": f"{platform.machine()}, {os.cpu_count()} processors"}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for share in (0.0, 0.3):
            results[f"known, typo rate {share}"] = score_known(
                scrubber, options.shared, work, share, options.seed
            )
        results |= score_sets(scrubber, options.shared, work)
        results["documents per CPU second"] = speed(scrubber, options.shared, work)
    for name, value in results.items():
        print(f"== {name}\n{value}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
