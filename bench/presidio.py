"""Speed and accuracy of the text engine beside stock Presidio and Presidio with French patterns.

    python bench/presidio.py [--shared DIR] [--json FILE] [--large]

All in one run on one machine. Speed: documents per second of processor time, one process, letters
of 1 to 2 kB written by `make_known.py`; ours through `AnalyzerEngine.analyze`, and through
`entrepot deid` with its start, reading and writing (best of some rounds: the machine is shared).
Accuracy: the scorer's figures on `fr_snippets/aphp_dev.jsonl` (526 texts), no identity given; known
identifiers by the letters of `make_known.py` through `entrepot deid`. `--large`: a text of 5 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from presidio_peers import patterned, stock

ROUNDS = 3
PER_LETTER = 5  # short letters of one patient that make one of 1 to 2 kB
LETTERS = 400
GOAL = 300
FIGURES = ("redact_recall", "redact_precision", "full_documents", "direct_leak", "over_redaction")
Spans = list[dict[str, Any]]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """One JSON object per line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    """One JSON object per line."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def run(command: list[object]) -> str:
    """Standard output of a scorer or of the command."""
    done = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True)
    return done.stdout


def letters(shared: Path, work: Path) -> list[dict[str, Any]]:
    """Letters of 1 to 2 kB with the record of their patient."""
    gold, maker = work / "letters.jsonl", shared / "deid" / "make_known.py"
    options = ["--patients", LETTERS, "--per-patient", PER_LETTER, "--seed", 3]
    run([sys.executable, maker, "make", gold, *options])
    found = read_lines(gold)
    return [
        {
            "id": k,
            "text": "\n".join(one["text"] for one in found[k : k + PER_LETTER]),
            "record": found[k]["record"],
        }
        for k in range(0, len(found), PER_LETTER)
    ]


def analysed(engine: Any) -> Callable[[str], Spans]:
    """What `AnalyzerEngine.analyze` finds in a text."""

    def find(text: str) -> Spans:
        return [
            {"start": one.start, "end": one.end, "label": one.entity_type}
            for one in engine.analyze(text, "fr")
        ]

    return find


def ours() -> Any:
    """The AnalyzerEngine in which the engine is one recogniser."""
    from entrepot.text.recognizer import Analyzer

    return Analyzer().engine


def rate(find: Callable[[str], Spans], documents: list[dict[str, Any]]) -> float:
    """Documents per second of processor time, best of some rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.process_time()
        for one in documents:
            find(one["text"])
        best = max(best, len(documents) / (time.process_time() - start))
    return best


def accuracy(find: Callable[[str], Spans], shared: Path, work: Path) -> dict[str, float]:
    """The scorer's figures on the French snippets."""
    gold, out = shared / "deid" / "fr_snippets" / "aphp_dev.jsonl", work / "out.jsonl"
    write_lines(out, [{"id": one["id"], "spans": find(one["text"])} for one in read_lines(gold)])
    return scored(shared, gold, out, work)


def scored(shared: Path, gold: Path, out: Path, work: Path) -> dict[str, float]:
    """The scorer's figures for predictions."""
    report = work / "report.json"
    run([sys.executable, shared / "deid" / "score.py", gold, out, "--json", report])
    figures = json.loads(report.read_text(encoding="utf-8"))
    return {name: round(figures[name], 3) for name in FIGURES}


def deid(source: Path, out: Path) -> float:
    """Processor seconds of the command, children and start included."""
    command = Path(sys.executable).with_name("entrepot")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run([command, "deid", "--input", source, "--output", out, "--workers", 1, "--json"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def command_rate(documents: list[dict[str, Any]], work: Path) -> dict[str, float]:
    """Documents per second through `entrepot deid`, with and without its start."""
    source, out = work / "in.jsonl", work / "out.jsonl"
    write_lines(source, documents[:1])
    start = min(deid(source, out) for _ in range(ROUNDS))
    write_lines(source, documents * ROUNDS)
    spent = min(deid(source, out) for _ in range(ROUNDS))
    count = len(documents) * ROUNDS
    return {"with start": count / spent, "without start": count / (spent - start), "start": start}


def known(shared: Path, work: Path, typos: float) -> dict[str, str]:
    """Share of known identifiers found by the command, by the way they are written."""
    gold, out, maker = work / "known", work / "out.jsonl", shared / "deid" / "make_known.py"
    options = ["--patients", 400, "--typo-rate", typos, "--seed", 21]
    run([sys.executable, maker, "make", gold, *options])
    deid(gold, out)
    table = run([sys.executable, maker, "score", gold, out])
    return dict(re.findall(r"^(kind \w+|distractors touched) +\d+ of +\d+ +([\d.]+)$", table, re.M))


def large(documents: list[dict[str, Any]], work: Path) -> float:
    """Processor seconds for one text of 5 MB through the command."""
    text = "\n".join(one["text"] for one in documents)
    text = (text * (5_000_000 // len(text) + 1))[:5_000_000]
    write_lines(work / "in.jsonl", [{"id": 1, "text": text, "record": documents[0]["record"]}])
    return deid(work / "in.jsonl", work / "out.jsonl")


def measure(shared: Path, work: Path, with_large: bool) -> dict[str, Any]:
    """Every figure of the run."""
    documents = letters(shared, work)
    results: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "presidio": version("presidio-analyzer"),
        "characters (mean)": sum(len(one["text"]) for one in documents) / len(documents),
    }
    engines = {"stock": stock, "12 French patterns": patterned, "ours, analyze": ours}
    for name, make in engines.items():
        find = analysed(make())
        few = documents if name.startswith("ours") else documents[:60]
        results[name] = {"documents/s": round(rate(find, few), 1)}
        results[name] |= accuracy(find, shared, work)
    gold, out = shared / "deid" / "fr_snippets" / "aphp_dev.jsonl", work / "out.jsonl"
    speeds = {name: round(value, 2) for name, value in command_rate(documents, work).items()}
    deid(gold, out)
    results["ours, entrepot deid"] = speeds | scored(shared, gold, out, work)
    for typos in (0.0, 0.3):
        results[f"known identifiers, typo rate {typos}"] = known(shared, work, typos)
    if with_large:
        results["5 MB, processor seconds"] = round(large(documents, work), 1)
    return results


def main() -> None:
    """Prints every figure; exit 1 under the goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = os.environ.get("ENTREPOT_SHARED") or Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    if not (options.shared / "deid").is_dir():
        sys.exit(f"no de-identification material in {options.shared}: set ENTREPOT_SHARED")
    with tempfile.TemporaryDirectory() as folder:
        results = measure(options.shared, Path(folder), options.large)
    for name, value in results.items():
        print(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False))
    if results["ours, analyze"]["documents/s"] < GOAL:
        sys.exit(f"under the goal of {GOAL} documents per second")


if __name__ == "__main__":
    main()
