"""`entrepot audit`: what it prints, what it exits with, and that the road leaves its entries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calling import Call
from entrepot.audit import log_path
from entrepot.config import Site
from entrepot.errors import EXIT_BUG, EXIT_CLEAN, EXIT_USAGE
from entrepot.site_files import create_site

pytestmark = pytest.mark.core


@pytest.fixture
def chu(tmp_path: Path) -> Site:
    return create_site(tmp_path / "chu", demonstration=True)


IPP = ("--authority", "1.2.250.1.999.1", "--ipp", "80012345")


def _oppose(call: Call, site: Site) -> None:
    place = ("--site", site.root)
    assert call("oppose", "add", *IPP, *place).code == EXIT_CLEAN
    assert call("oppose", "withdraw", *IPP, *place).code == EXIT_CLEAN
    file = site.root.parent / "o.csv"
    file.write_text("authority,ipp,opposed_on,withdrawn_on\n1.2.3,80099999,2025-01-01,\n")
    assert call("oppose", "import", file, *place).code == EXIT_CLEAN
    assert call("oppose", "confirm", *place).code == EXIT_CLEAN


def test_each_opposition_leaves_an_entry_without_its_number(call: Call, chu: Site) -> None:
    _oppose(call, chu)
    text = log_path(chu).read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    assert [entry["action"] for entry in entries] == [
        "opposition_added", "opposition_withdrawn", "oppositions_imported",
        "oppositions_confirmed",
    ]  # fmt: skip
    assert "80012345" not in text
    assert "80099999" not in text
    listed = [
        json.loads(line)
        for line in call("oppose", "list", "--site", chu.root, "--json").out.splitlines()
    ]
    assert entries[0]["facts"]["person"] == entries[1]["facts"]["person"] == listed[0]["person"]
    assert len(log_path(chu).read_text().splitlines()) == 4  # looking is no act


def test_a_head_is_printed_and_checked(call: Call, chu: Site) -> None:
    place = ("--site", chu.root)
    empty = call("audit", "head", *place)
    assert (empty.code, empty.out.strip()) == (EXIT_CLEAN, f"0:{'0' * 64}")
    _oppose(call, chu)
    head = call("audit", "head", *place).out.strip()
    assert head.startswith("4:")
    assert json.loads(call("audit", "head", *place, "--json").out)["sequence"] == 4
    assert call("audit", "verify", *place, "--head", head).code == EXIT_CLEAN
    other = call("audit", "verify", *place, "--head", f"4:{'0' * 64}")
    assert other.code == EXIT_BUG
    assert "entry 4" in other.out
    for wrong in ("4", "4:zz", "x:" + "0" * 64):
        assert call("audit", "verify", *place, "--head", wrong).code == EXIT_USAGE


def test_a_broken_log_is_told_by_its_sequences(call: Call, chu: Site) -> None:
    place = ("--site", chu.root)
    _oppose(call, chu)
    lines = log_path(chu).read_bytes().splitlines(keepends=True)
    log_path(chu).write_bytes(lines[0] + lines[2].replace(b'"lines":1', b'"lines":9') + lines[3])
    said = call("audit", "verify", *place)
    assert said.code == EXIT_BUG
    assert "entry 2 is missing" in said.out
    assert "entry 3 was changed" in said.out
    assert "data protection officer" in said.out
    told = json.loads(call("audit", "verify", *place, "--json").out)
    assert not told["intact"]
    assert [(f["sequence"], f["fault"]) for f in told["faults"]] == [(2, "dropped"), (3, "changed")]
    assert call("audit", "head", *place).code == EXIT_BUG


def test_a_report_is_checked_with_the_log_of_its_day(call: Call, chu: Site) -> None:
    place = ("--site", chu.root)
    _oppose(call, chu)
    page = chu.root.parent / "audit.html"
    made = call("report", "dpo", "--lang", "en", "--out", page, *place, "--json")
    assert made.code == EXIT_CLEAN
    stated = json.loads(made.out)
    assert stated["pages"] == {"en": str(page)}
    document = Path(stated["document"])
    assert stated["sha256"] in page.read_text(encoding="utf-8")
    good = call("audit", "verify", "--report", document, *place)
    assert good.code == EXIT_CLEAN
    assert "signed by this site" in good.out
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace('"adt"', '"abt"', 1).replace("Hôpital", "Hopital", 1))
    bad = call("audit", "verify", "--report", document, *place)
    assert bad.code == EXIT_BUG
    assert "changed after it was signed" in bad.out
    document.write_text(text, encoding="utf-8")
    lines = log_path(chu).read_bytes().splitlines(keepends=True)
    log_path(chu).write_bytes(b"".join(lines[:3]))
    assert call("audit", "verify", "--report", document, *place).code == EXIT_BUG
    assert call("audit", "verify", "--report", page, *place).code == EXIT_USAGE


def test_the_report_of_a_site_without_a_run_says_so(call: Call, chu: Site) -> None:
    assert call("report", "run", "--site", chu.root).code == EXIT_USAGE
    assert call("report", "dpo", "--lang", "de", "--site", chu.root).code == EXIT_USAGE
    assert call("report", "dpo", "--out", "x.json", "--site", chu.root).code == EXIT_USAGE
    said = call("report", "dpo", "--lang", "fr,en", "--site", chu.root)
    assert said.code == EXIT_CLEAN
    assert "Public key: " in said.out
    page = (chu.reports / "dpo.fr.html").read_text(encoding="utf-8")
    assert "non précisé" in page
    assert "aucune" in page
    own = chu.root / "report" / "references.yaml"
    own.parent.mkdir()
    own.write_text('"7": ["Charte locale, article 3"]\n', encoding="utf-8")
    assert call("report", "dpo", "--site", chu.root).code == EXIT_CLEAN
    page = (chu.reports / "dpo.fr.html").read_text(encoding="utf-8")
    assert "Charte locale, article 3" in page
    assert "SEC-JOU" not in page
    own.write_text('"7": "x"\n', encoding="utf-8")
    refused = call("report", "dpo", "--site", chu.root)
    assert refused.code == EXIT_USAGE
    assert "references.yaml" in refused.err


def test_without_the_key_nothing_is_signed_or_verified(call: Call, chu: Site) -> None:
    chu.root_key.unlink()
    for words in (("audit", "verify"), ("audit", "head"), ("report", "dpo")):
        said = call(*words, "--site", chu.root)
        assert said.code == EXIT_USAGE
        assert "key" in said.err
    assert not (chu.reports / "dpo.fr.html").exists()
