"""Sections 1 to 5 of the report on a synthetic hospital, against the truth and plain SQL."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict

import pytest
import yaml

import roads
from entrepot.report.dpo.disclosure import WITHHELD
from entrepot.resources import data_folder
from entrepot.site_files import SOURCES
from report.dpo_hospital import GROUP, PROCESSING, Hospital, is_told

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group(GROUP)]


def test_section_1_is_the_configuration_word_for_word(hospital: Hospital) -> None:
    stated = hospital.facts["processing"]
    assert {name: stated[name] for name in PROCESSING} == PROCESSING
    assert stated["hosting"] == ""
    page = hospital.report.pages["fr"].read_text(encoding="utf-8")
    assert "&lt;100 mois&gt; &amp;" in page
    assert "non précisé" in page


def test_section_2_counts_what_the_hospital_sent(hospital: Hospital) -> None:
    sent = Counter(line["source"] for line in hospital.truth("messages"))
    again = Counter(m["source"] for m in hospital.truth("messages") if m["duplicate_of"])
    feeds = {feed["source"]: feed["counts"] for feed in hospital.facts["scope"]["feeds"]}
    assert set(feeds) == set(sent) == set(SOURCES)
    for source, counts in feeds.items():
        assert is_told(counts["received"], sent[source]), source
        assert is_told(counts["duplicates"], again[source]), source
    assert hospital.facts["scope"]["records_balanced"]
    assert hospital.facts["scope"]["rows_balanced"]


def test_section_2_agrees_with_sql_on_the_release(hospital: Hospital) -> None:
    for table, shown in hospital.facts["scope"]["tables"].items():
        ((count,),) = roads.query(hospital.site, f"SELECT count(*) FROM cdm.{table}")
        assert is_told(shown, count), table
    staged = dict(
        roads.query(hospital.site, "SELECT kind, count(*) FROM etl.row_disposition GROUP BY 1")
    )
    for kind in hospital.facts["scope"]["rows"]:
        assert is_told(kind["counts"]["staged"], staged[kind["kind"]])
    assert hospital.facts["table_hashes"] == roads.hashes(hospital.site)
    hashed = {
        v["name"] for v in hospital.facts["versions"] if re.fullmatch("[0-9a-f]{64}", v["sha256"])
    }
    assert hashed == {
        "software", "mappings", "facts", "omop", "concepts", "texts", "rules", "configuration",
        "vocabulary",
    }  # fmt: skip


def test_section_3_is_the_allow_list_of_the_mapping_files(hospital: Hospital) -> None:
    """The YAML read here by itself, not by the models that compile it."""
    for format_ in hospital.facts["formats"]:
        wanted = set()
        for path in (data_folder("mappings") / format_["format"]).glob("*.yaml"):
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
            if path.name == "events.yaml" or raw["kind"] in {
                "identity", "statement", "link", "opposition",
            }:  # fmt: skip
                continue
            for name, column in raw["columns"].items():
                wanted.add((raw["kind"], name, column["treatment"], column.get("to", "")))
            for reader in raw.get("readers", []):
                wanted |= {(raw["kind"], name, how, "") for name, how in reader["columns"].items()}
            if raw.get("key"):
                wanted.add((raw["kind"], "row_key", "key", ""))
        told = {(c["kind"], c["column"], c["treatment"], c["to"]) for c in format_["allowed"]}
        assert told == wanted
        assert sum(format_["treatments"].values()) == len(wanted)
        assert all(place["elements"] for c in format_["allowed"] for place in c["places"])


def test_section_3_counts_a_field_that_nothing_reads(hospital: Hospital) -> None:
    """PV1 of the feeds themselves, cut at their separators alone."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    bad = {m["message"] for m in hospital.truth("messages") if m["bad"] or m["duplicate_of"]}
    lines = {(m["file"], m["ordinal"]): m for m in hospital.truth("messages")}
    for path in sorted((hospital.folder / "hl7v2").rglob("*.hl7")):
        name = path.relative_to(hospital.folder).as_posix()
        content = path.read_bytes().decode("latin-1")
        for ordinal, message in enumerate(re.split(r"(?=MSH\|\^~)", content)[1:], 1):
            line = lines.get((name, ordinal))
            if line is None or line["message"] in bad:
                continue
            for segment in re.split(r"[\r\n]+", message):
                fields = segment.split("|")
                for number, text in enumerate(fields):
                    if fields[0] == "PV1" and number and text:
                        seen[line["source"], f"PV1-{number}"].add(line["message"])
    mapped = "".join(
        p.read_text("utf-8") for p in (data_folder("mappings") / "hl7v2").glob("*.yaml")
    )
    told = {
        (one["source"], one["element"]): one["records"]
        for format_ in hospital.facts["formats"]
        for one in format_["unread"]
        if one["element"].startswith("PV1-")
    }
    assert told
    for (source, element), records in told.items():
        assert records % 10 == 0
        assert records < len(seen[source, element]) + 10
        if not re.search(rf"\b{element}\b", mapped):  # of no event at all
            assert records >= len(seen[source, element]) - _held_back(hospital, source)
    nowhere = {element for _, element in told if not re.search(rf"\b{element}\b", mapped)}
    assert nowhere


def _held_back(hospital: Hospital, source: str) -> int:
    """Sound records of a source that the door did not read: of opposed persons, in quarantine."""
    opposed = {p["patient"] for p in hospital.truth("persons") if p["opposed"]}
    return sum(
        m["source"] == source and (m["patient"] in opposed or m["other"] in opposed)
        for m in hospital.truth("messages")
    ) + sum(
        one["records"] if isinstance(one["records"], int) else 10
        for one in hospital.facts["scope"]["reasons"]
        if one["disposition"] == "quarantined"
    )


def test_section_4_counts_persons(hospital: Hospital) -> None:
    persons = hospital.facts["persons"]
    ((published,),) = roads.query(hospital.site, "SELECT count(*) FROM cdm.person")
    assert is_told(persons["published"], published)
    assert isinstance(persons["published"], int)
    known = persons["known"]
    assert known == WITHHELD or published <= known <= len(hospital.truth("persons")) + 15
    ipps = [person["ipps"] for person in hospital.truth("persons")]
    assert is_told(persons["of_several_numbers"], sum(len(numbers) > 1 for numbers in ipps))
    assert [space["collisions"] for space in persons["keys"]] == [0] * 6
    assert {(space["kind"], space["bits"]) for space in persons["keys"]} >= {
        ("patient", 53), ("stay", 53), ("event", 63),
    }  # fmt: skip


def test_section_5_counts_maskings_by_layer(hospital: Hospital) -> None:
    import pyarrow.parquet as pq

    found: Counter[tuple[str, str]] = Counter()
    documents = untouched = 0
    for path in hospital.site.staging.glob("*/document/*.parquet"):
        for row in pq.read_table(path).to_pylist():
            documents += 1
            stated = json.loads(row["entities"])
            untouched += bool(row["text"]) and not stated
            for name, count in stated.items():
                found[tuple(name.split(":"))] += count  # type: ignore[index]
    texts = hospital.facts["texts"]
    assert is_told(texts["documents"], documents)
    assert is_told(texts["untouched"], untouched)
    for one in texts["found"]:
        for layer, shown in one["layers"].items():
            assert is_told(shown, found[one["label"], layer])
    assert {layer for _, layer in found} >= {"known", "formats", "context"}
    assert isinstance(texts["attachments"], int)
    assert texts["attachments"] > 0
