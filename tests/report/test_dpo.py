"""The DPO's report on a synthetic hospital: its facts against the truth and against plain SQL."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import browser
import roads
from entrepot.audit import Action, AuditLog
from entrepot.config import CONFIG_NAME, Site
from entrepot.report.dpo.disclosure import SMALL, WITHHELD
from entrepot.report.dpo.report import DpoReport, write_dpo_report
from entrepot.report.scan import scan
from entrepot.resources import data_folder
from entrepot.site_files import SOURCES
from entrepot.synthetic.generate import generate
from report.attacker import UNPRINTED, bounds

pytestmark = pytest.mark.integration
# Fewer than 28 have no opposition; the manual's images show more than withheld counts.
PATIENTS, SEED = (150 if browser.wanted_screenshots() else 28), 7
PROCESSING = {
    "controller": "CHU de Vaugirard", "dpo": "dpo@example.org", "register_entry": "2025-017",
    "legal_basis": "RGPD 6(1)(e) et 9(2)(j)", "aipd_version": "2.1", "aipd_date": "2025-06-30",
    "derogations": ["Textes conservés <100 mois> & \"relus\""],
}  # fmt: skip
# Whole numbers that count no person, record or document: they are told as they are.
TOLD = re.compile(
    r"schema|unread_rare|collisions|bits|key_bits|treatments|remaining|columns|max_age_days"
    r"|proofs|median_days|longest_days|trail"
)


@dataclass(frozen=True)
class Hospital:
    """A synthetic hospital, its site and the report of its first load."""

    folder: Path
    site: Site
    report: DpoReport

    @property
    def facts(self) -> dict[str, Any]:
        """The facts, read back from the signed file."""
        document = json.loads(self.report.document.read_text(encoding="utf-8"))
        facts: dict[str, Any] = document["facts"]
        return facts

    def truth(self, name: str) -> list[dict[str, Any]]:
        """Lines of one file of the truth."""
        path = self.folder / "truth" / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    folder = tmp_path_factory.mktemp("dpo")
    generate(PATIENTS, SEED, folder / "hospital")
    site = roads.new_site(folder / "site")
    path = site.root / CONFIG_NAME
    text = path.read_text(encoding="utf-8") + yaml.safe_dump({"processing": PROCESSING})
    path.write_text(text, encoding="utf-8")
    site = Site.open(site.root)
    roads.feed_hospital(site, folder / "hospital")
    assert roads.travel(site).published
    return Hospital(folder / "hospital", site, write_dpo_report(site))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, f"{path}.{key}")
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, path)
    else:
        yield path, value


def _is(shown: int | str, count: int) -> bool:
    """Whether a fact tells a count, or what must stand for it."""
    if shown == WITHHELD:
        return count > 10
    return shown == (SMALL if 0 < count < 11 else count)


def test_no_count_from_1_to_10_is_in_it(hospital: Hospital) -> None:
    small = [
        (path, value)
        for path, value in _leaves(hospital.facts)
        if type(value) is int and 0 < value < 11 and not TOLD.search(path)
    ]
    assert small == []
    counted = [v for path, v in _leaves(hospital.facts) if v == SMALL and not TOLD.search(path)]
    assert len(counted) > 10, "a small hospital has small counts: the rule was at work"


def test_no_small_count_can_be_computed_from_the_rest(hospital: Hospital) -> None:
    """Every sum that a reader may guess, over all sections at once."""
    shown, sums = _sums(hospital.facts)
    found = bounds(shown, sums)
    assert len(found) > 20
    assert {name: ends for name, ends in found.items() if ends[1] - ends[0] < 0.5} == {}


def _sums(facts: dict[str, Any]) -> tuple[dict[Hashable, Any], list[Any]]:
    shown: dict[Hashable, Any] = {}
    sums: list[Any] = []

    def names(place: str, counts: dict[str, Any]) -> list[Hashable]:
        shown.update({(place, key): value for key, value in counts.items()})
        return [(place, key) for key in counts]

    def add(place: str, counts: dict[str, Any], total: str) -> None:
        parts = [name for name in names(place, counts) if name != (place, total)]
        sums.append(((place, total), parts))

    scope = facts["scope"]
    for feed in scope["feeds"]:
        add(f"feed {feed['source']}", feed["counts"], "received")
        for fate, load in feed["load"].items():  # of a first load, all that there is
            assert load == feed["counts"][fate]
    for fate in ("quarantined", "excluded"):
        reasons = {r["reason"]: r["records"] for r in scope["reasons"] if r["disposition"] == fate}
        shown[fate] = UNPRINTED
        sums.append((fate, names(fate, reasons)))
        sums.append((fate, [(f"feed {feed['source']}", fate) for feed in scope["feeds"]]))
    tables = names("table", scope["tables"])
    names("rows", {k: scope[k] for k in ("total_rows", "mapped", "fan_out", "derived")})
    sums.append((("rows", "total_rows"), tables))
    sums.append((("rows", "total_rows"), [("rows", k) for k in ("mapped", "fan_out", "derived")]))
    for kind in scope["rows"]:
        add(kind["kind"], kind["counts"], "staged")
    sums.append((("rows", "mapped"), [(kind["kind"], "mapped") for kind in scope["rows"]]))
    for level in facts["risk"]["levels"]:
        sums.append((("table", "person"), names(level["name"], level["bands"])))
    assert facts["persons"]["published"] == scope["tables"]["person"]
    texts = facts["texts"]
    labels = {one["label"]: one["total"] for one in texts["found"]}
    shown["all"] = texts["all_found"]
    sums.append(("all", names("label", labels)))
    sums.append(("all", names("layer", texts["by_layer"])))
    for one in texts["found"]:
        sums.append((("label", one["label"]), names(f"of {one['label']}", one["layers"])))
    for layer in texts["by_layer"]:
        sums.append((("layer", layer), [(f"of {label}", layer) for label in labels]))
    rights = facts["rights"]
    add("right", {k: rights[k] for k in ("total", "standing", "withdrawn")}, "total")
    sums.append((("right", "total"), names("channel", rights["by_channel"])))
    return shown, sums


def test_both_languages_tell_the_same_facts(hospital: Hospital) -> None:
    told = {
        language: re.findall(r'data-fact="([^"]*)"', page.read_text(encoding="utf-8"))
        for language, page in hospital.report.pages.items()
    }
    assert set(told) == {"fr", "en"}
    assert told["fr"] == told["en"]
    assert len(told["fr"]) > 500
    texts = [re.sub(r"<style>.*?</style>|<[^>]+>", "", p.read_text(encoding="utf-8"), flags=re.S)
             for p in hospital.report.pages.values()]  # fmt: skip
    assert "Périmètre du chargement" in texts[0]
    assert "Scope of the load" in texts[1]
    for word in ("Rapport", "Chargement", " le ", " des "):
        assert word not in texts[1].replace("Hôpital", ""), word


def test_every_count_of_the_facts_is_printed(hospital: Hospital) -> None:
    page = hospital.report.pages["fr"].read_text(encoding="utf-8")
    printed = set(re.findall(r'data-fact="([^"]*)"', page))
    aside = re.compile(
        r"schema|by_source|scope.tables|treatments|bands"
    )  # drawn, or not for people
    for path, value in _leaves(hospital.facts):
        if type(value) is int and not aside.search(path):
            assert str(value) in printed, path


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
        assert _is(counts["received"], sent[source]), source
        assert _is(counts["duplicates"], again[source]), source
    assert hospital.facts["scope"]["records_balanced"]
    assert hospital.facts["scope"]["rows_balanced"]


def test_section_2_agrees_with_sql_on_the_release(hospital: Hospital) -> None:
    for table, shown in hospital.facts["scope"]["tables"].items():
        ((count,),) = roads.query(hospital.site, f"SELECT count(*) FROM cdm.{table}")
        assert _is(shown, count), table
    staged = dict(
        roads.query(hospital.site, "SELECT kind, count(*) FROM etl.row_disposition GROUP BY 1")
    )
    for kind in hospital.facts["scope"]["rows"]:
        assert _is(kind["counts"]["staged"], staged[kind["kind"]])
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
    assert _is(persons["published"], published)
    assert isinstance(persons["published"], int)
    known = persons["known"]
    assert known == WITHHELD or published <= known <= len(hospital.truth("persons")) + 15
    ipps = [person["ipps"] for person in hospital.truth("persons")]
    assert _is(persons["of_several_numbers"], sum(len(numbers) > 1 for numbers in ipps))
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
    assert _is(texts["documents"], documents)
    assert _is(texts["untouched"], untouched)
    for one in texts["found"]:
        for layer, shown in one["layers"].items():
            assert _is(shown, found[one["label"], layer])
    assert {layer for _, layer in found} >= {"known", "formats", "context"}
    assert isinstance(texts["attachments"], int)
    assert texts["attachments"] > 0


def test_section_7_agrees_with_classes_counted_here(hospital: Hospital) -> None:
    rows = roads.query(
        hospital.site,
        "SELECT p.person_id, gender_concept_id, year_of_birth, month_of_birth, county"
        " FROM cdm.person p LEFT JOIN cdm.location USING (location_id)",
    )
    risk = hospital.facts["risk"]
    for name, columns in (("sex_year", slice(1, 3)), ("sex_month_home", slice(1, 5))):
        sizes = Counter(row[columns] for row in rows)
        bands = next(level["bands"] for level in risk["levels"] if level["name"] == name)
        edges = {"1": (1, 1), "2-4": (2, 4), "5-10": (5, 10), "11-50": (11, 50)}
        for band, (low, high) in edges.items():
            persons = sum(size for size in sizes.values() if low <= size <= high)
            assert _is(bands[band], persons), (name, band)
    days: dict[int, list[Any]] = defaultdict(list)
    for person, day in roads.query(
        hospital.site, "SELECT person_id, visit_start_date FROM cdm.visit_occurrence"
    ):
        days[person].append(day)
    sequences = Counter(tuple(sorted(found)) for found in days.values())
    assert _is(risk["with_stay"], len(days))
    assert _is(risk["same_stays"], sum(count == 1 for count in sequences.values()))
    assert _is(risk["same_diagnosis"], _same_diagnosis(hospital, rows))
    assert [one["remaining"] for one in risk["scans"]] == [0, 0, 0, 0]
    assert all(one["columns"] > 3 for one in risk["scans"])


def _same_diagnosis(hospital: Hospital, rows: list[tuple[Any, ...]]) -> int:
    borne: dict[int, set[int]] = defaultdict(set)
    for person, concept in roads.query(
        hospital.site,
        "SELECT person_id, condition_concept_id FROM cdm.condition_occurrence"
        " WHERE condition_concept_id <> 0",
    ):
        borne[person].add(concept)
    classes: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for person, sex, year, _, home in rows:
        classes[sex, year, home].append(person)
    return sum(
        len(members)
        for members in classes.values()
        if len(members) > 1 and set.intersection(*(borne[one] for one in members))
    )


def test_section_8_proves_that_oppositions_are_applied(hospital: Hospital) -> None:
    with (hospital.folder / "oppositions.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines
    rights = hospital.facts["rights"]
    assert _is(rights["total"], len(lines))
    assert _is(rights["withdrawn"], sum(bool(line["withdrawn_on"]) for line in lines))
    assert hospital.facts["applied"]
    places = {proof["place"]: proof["rows"] for proof in rights["proofs"]}
    assert {"cdm.person", "cdm.note", "cdm.drug_era", "staging.event"} <= set(places)
    assert set(places.values()) == {0}


def test_the_proof_finds_what_it_looks_for(hospital: Hospital) -> None:
    """Somebody opposes now: until the next run their rows are still there, and are counted."""
    from entrepot.landing.database import write_transaction, zone_engine
    from entrepot.register.oppositions import add
    from entrepot.register.person import Identifier
    from entrepot.report.dpo.report import collect

    person = next(p for p in hospital.truth("persons") if p["role"] == "plain" and not p["opposed"])
    authority = _authority(hospital)
    engine, keyring = zone_engine(hospital.site), roads.keyring(hospital.site)
    with write_transaction(engine) as connection:
        for ipp in person["ipps"]:
            number = Identifier(authority, ipp, "")
            assert add(connection, keyring, number, dt.date(2025, 1, 1), "desk")
    facts = collect(hospital.site, keyring)
    with write_transaction(engine) as connection:
        connection.exec_driver_sql("DELETE FROM opposition WHERE channel = 'desk'")
    engine.dispose()
    assert not facts["applied"]
    assert sum(proof["rows"] for proof in facts["rights"]["proofs"]) > 0
    assert collect(hospital.site, keyring)["applied"]


def _authority(hospital: Hospital) -> str:
    with (hospital.folder / "oppositions.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))["authority"]


def test_section_9_tells_who_did_what(hospital: Hospital) -> None:
    trail = hospital.facts["trail"]
    assert trail["intact"]
    assert trail["actions"][Action.OPPOSITIONS_IMPORTED]
    assert trail["head"].startswith(f"{trail['entries']}:")
    log = AuditLog(hospital.site, roads.keyring(hospital.site))
    log.append(Action.APPROVED, {"what": "report", "by": "Mme Vigne"})
    assert write_dpo_report(hospital.site, out=hospital.folder.parent / "later.html").facts[
        "trail"
    ]["actions"][Action.APPROVED]


def test_nobody_of_the_hospital_is_in_it(hospital: Hospital, tmp_path: Path) -> None:
    """Words of a report without any data are its own: one patient is called SECRET."""
    own = write_dpo_report(roads.new_site(tmp_path / "empty"))
    found = {}
    for name, report in (("own", own), ("hospital", hospital.report)):
        folder = tmp_path / name
        folder.mkdir()
        for path in (*report.pages.values(), report.document):
            (folder / path.name).write_bytes(path.read_bytes())
        found[name] = scan(folder, hospital.folder / "truth")
        assert found[name].files == 3
        assert found[name].distinctive > 1000
    words = {leak.origin for leak in found["own"].leaks}
    assert len(words) < 5
    assert [leak for leak in found["hospital"].leaks if leak.origin not in words] == []


def test_the_page_stands_alone_in_a_browser(hospital: Hospital) -> None:
    for page_file in hospital.report.pages.values():
        seen = browser.Seen()
        with browser.page(seen) as page:
            page.goto(page_file.as_uri())
            numbers = page.locator("section h2 .number").all_inner_texts()
            assert [int(number) for number in numbers] == list(range(1, 14))
            assert page.locator("section .proves").count() == 13
            assert page.locator(".none strong").count() == 5  # 6 and 10 to 13
            assert page.locator("figure svg").count() >= 8
            for plot in page.locator("figure svg").all():
                boxes = [bar.bounding_box() for bar in plot.locator("rect").all()]
                assert boxes
                assert all(box is not None and box["width"] > 0.5 for box in boxes)
            overflow = "document.documentElement.scrollWidth > window.innerWidth"
            assert not page.evaluate(overflow)
        assert seen == browser.Seen(), "no error, no request"


def test_print_shows_what_the_screen_folds(hospital: Hospital, tmp_path: Path) -> None:
    from pypdf import PdfReader

    with browser.page() as page:
        page.goto(hospital.report.pages["fr"].as_uri())
        assert not page.locator("details code", has_text="PID-8").first.is_visible()
        page.pdf(path=str(tmp_path / "dpo.pdf"), prefer_css_page_size=True)
    reader = PdfReader(tmp_path / "dpo.pdf")
    width, height = float(reader.pages[0].mediabox.width), float(reader.pages[0].mediabox.height)
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297)
    text = "".join(found.extract_text() for found in reader.pages)
    assert "PID-8" in text
    assert "gender_code" in text


@pytest.mark.skipif(not browser.wanted_screenshots(), reason="made with ENTREPOT_SCREENSHOTS=1")
def test_images_of_the_manual(hospital: Hospital) -> None:
    images = Path(__file__).parents[2] / "docs" / "images"
    for name, anchor in {"": "", "_list": "s3", "_texts": "s5", "_risk": "s7"}.items():
        with browser.page(height=1250) as page:
            page.goto(hospital.report.pages["fr"].as_uri() + (f"#{anchor}" if anchor else ""))
            if anchor == "s3":
                hl7 = page.locator("h3", has_text="HL7 v2")
                opened = page.locator("details", has_text="PID-8").first
                opened.evaluate("found => { found.open = true; }")
                hl7.evaluate("found => found.scrollIntoView()")
            browser.screenshot(page, images / f"dpo_report{name}.png", whole=False)
