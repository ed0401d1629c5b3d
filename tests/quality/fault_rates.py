"""Prints how many faults of the second suite are stopped and named: minutes, not a test.

python tests/quality/fault_rates.py FOLDER single|fifth [tuned|held_back] [--alone] [family …]
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from fault_bench import Bench
from other_faults import OtherFault, put_fifth, put_single, read_faults
from other_hospital import DAY, Style, write_other

from entrepot.errors import EntrepotError


def main(folder: Path, mode: str, part: str, alone: bool, families: set[str]) -> None:
    """Writes the two releases into `folder` and judges one copy after the other."""
    clean, before = folder / "clean.duckdb", folder / "before.duckdb"
    style = Style(seed="r" if part == "held_back" else "b")
    older = dataclasses.replace(style, until=style.until - 92 * DAY)
    for path, one in ((clean, style), (before, older)):
        path.unlink(missing_ok=True)
        write_other(path, one)
    faults = [
        one for one in read_faults()
        if one.held_back == (part == "held_back") and (not families or one.family in families)
    ]  # fmt: skip
    bench = Bench(before)
    missed = (
        singles(bench, clean, faults) if mode == "single" else fifths(bench, clean, faults, alone)
    )
    for one in missed:
        sys.stdout.write(f"  missed: {one.family}: {one.name}\n")


def singles(bench: Bench, clean: Path, faults: list[OtherFault]) -> list[OtherFault]:
    """Faults of one row that quarantine.csv does not name."""
    asked = [one for one in faults if one.one_row]
    typed = [one for one in asked if "ALTER" in one.change]
    others = [one for one in asked if one not in typed]
    groups = [typed, *(others[n::3] for n in range(3))]
    missed = []
    for group in groups:
        wanted = put_single(clean, clean.with_name("faulty.duckdb"), group)
        told = bench.told(clean.with_name("faulty.duckdb"), alone=True)
        missed += [one for one in group if one.name in wanted and not wanted[one.name] & told]
    sys.stdout.write(f"{len(asked) - len(missed)} of {len(asked)} single rows named\n")
    return missed


def fifths(bench: Bench, clean: Path, faults: list[OtherFault], alone: bool) -> list[OtherFault]:
    """Faults of a fifth of a table that do not block."""
    asked = [one for one in faults if one.a_fifth]
    missed = []
    for one in asked:
        put_fifth(clean, clean.with_name("faulty.duckdb"), one)
        try:
            path = clean.with_name("faulty.duckdb")
            blocked = not bench.judged(path, alone=alone and not one.needs_baseline).passed
        except EntrepotError:
            blocked = True  # a clear error is no silent pass
        if not blocked:
            missed.append(one)
    sys.stdout.write(f"{len(asked) - len(missed)} of {len(asked)} fifths blocked\n")
    return missed


if __name__ == "__main__":
    words = [word for word in sys.argv[2:] if word != "--alone"]
    main(Path(sys.argv[1]), words[0], words[1] if len(words) > 1 else "tuned",
         "--alone" in sys.argv, set(words[2:]))  # fmt: skip
