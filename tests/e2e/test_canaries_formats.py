"""Nothing of a person that a record can hide anywhere reaches research zone, logs or faults.

One site takes the records of `canary_records` and `canary_hl7v2`, good, bad and broken; then every
file of its research zone is searched, and all that was logged, printed or kept to explain a
refusal.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

import canary_hl7v2 as messages
import canary_records as canary
import pytest
from sqlalchemy import MetaData, select

import roads
from entrepot.config import Site
from entrepot.errors import RecordFault
from entrepot.feeds.feeds import Feeds, load_feeds
from entrepot.landing.database import zone_engine
from entrepot.landing.ingest import ingest
from entrepot.report.quarantine import read_quarantine
from entrepot.report.scan import scan

pytestmark = pytest.mark.integration

SPOKEN = "said by a library when the road was travelled"
SETTINGS = """\
site: canaries
title: Canaris
as_of: 2025-01-01T00:00:00
workers: 1
sources:
  fhir: {format: fhir}
  cda: {format: cda}
  lab: {}
oppositions: {required: false}
"""


@dataclass(frozen=True)
class Travelled:
    """The site after its run, and everything that was said on the way."""

    site: Site
    folder: Path
    heard: str


@pytest.fixture(scope="module")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> Travelled:
    folder = tmp_path_factory.mktemp("canaries")
    site = roads.new_site(folder / "site", SETTINGS)
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.captureWarnings(True)
    try:
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            warnings.simplefilter("always")
            _feed(site, folder / f"{canary.FAMILY} {canary.IPP}")
            result = roads.travel(site)
            logging.getLogger("a.library").debug(SPOKEN)
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        root.setLevel(level)
    assert result.passed, result.failures
    return Travelled(site, folder, heard.getvalue())


def _feed(site: Site, folder: Path) -> None:
    """One file of FHIR lines, a Bundle and single documents; their very names tell who it is."""
    folder.mkdir()
    good = [json.dumps(resource) for resource in [*canary.resources(), canary.SCAN]]
    lines = folder / f"{canary.bird()}.ndjson"
    lines.write_text("\n".join([*good, *canary.BAD_LINES.values()]), encoding="utf-8")
    bundle = folder / f"{canary.bird()}.json"
    bundle.write_text(json.dumps(canary.BUNDLE), encoding="utf-8")
    ingest(site, roads.keyring(site), [lines, bundle], "fhir")
    for name, content in (canary.DOCUMENTS | canary.BAD_DOCUMENTS).items():
        path = folder / f"{canary.bird()}-{name}"
        path.write_bytes(content)
        ingest(site, roads.keyring(site), [path], "cda")
    path = folder / f"{canary.bird()}.hl7"
    path.write_bytes(b"".join([*messages.READABLE, *messages.UNREADABLE]))
    ingest(site, roads.keyring(site), [path], "lab")


def _identifiers() -> list[tuple[str, str]]:
    own = [
        ("NOM", canary.FAMILY), ("PRENOM", canary.GIVEN), ("IPP", canary.IPP),
        ("TEL", canary.PHONE), ("MAIL", canary.MAIL), ("NDA", canary.NDA),
        ("ADRESSE", canary.STREET), ("NOM_PS", canary.DOCTOR), ("RPPS", canary.RPPS),
        ("DATE_NAISSANCE", "1961-08-23"),
    ]  # fmt: skip
    return own + [("NOM", name) for name in canary.BIRDS]


def _truth(folder: Path) -> Path:
    """The canaries as the scan reads identifiers."""
    folder.mkdir(exist_ok=True)
    lines = [
        {"patient": f"P{n}", "label": label, "value": value, "of": "patient", "places": []}
        for n, (label, value) in enumerate(_identifiers())
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "identifiers.jsonl").write_text(text, encoding="utf-8")
    for name in ("statements", "persons"):
        (folder / f"{name}.jsonl").write_text("", encoding="utf-8")
    return folder


def _found(travelled: Travelled, text: str, name: str) -> list[str]:
    """Labels of the canaries in a text."""
    zone = travelled.folder / name
    zone.mkdir(exist_ok=True)
    (zone / "text.txt").write_text(text or "-", encoding="utf-8")
    return [leak.label for leak in scan(zone, _truth(travelled.folder / "truth")).leaks]


def named_leaks(site: Site, folder: Path) -> list[tuple[str, str, str]]:
    """File, place and value of each canary in the research zone; every one is searched for."""
    report = scan(site.research, _truth(folder / "truth"))
    assert not report.undecoded
    assert report.ambiguous == 0
    named = [name for _, name in _identifiers()]
    ranks = [leak.origin.rpartition(":")[2] for leak in report.leaks]
    values = [named[int(rank) - 1] if rank.isdigit() else "a full name" for rank in ranks]
    return [
        (leak.file, leak.where, value) for leak, value in zip(report.leaks, values, strict=True)
    ]


def test_nothing_is_in_the_research_zone(travelled: Travelled) -> None:
    assert len(canary.BIRDS) > 100
    assert named_leaks(travelled.site, travelled.folder) == []


def test_the_scan_would_find_each_canary(travelled: Travelled) -> None:
    everything = "\n".join(value for _, value in _identifiers())
    assert len(_found(travelled, everything, "all")) == len(_identifiers())


def test_nothing_was_logged_or_printed(travelled: Travelled) -> None:
    assert SPOKEN in travelled.heard  # the loggers of libraries are heard to the level of debugging
    assert _found(travelled, travelled.heard, "heard") == []


def test_nothing_is_in_what_the_zone_tells_of_refusals(travelled: Travelled) -> None:
    """What `entrepot quarantine list` shows, and every position that the zone keeps."""
    held, rows = read_quarantine(travelled.site)
    told = held + rows
    engine, tables = zone_engine(travelled.site), MetaData()
    tables.reflect(engine, only=("record", "notice", "registration", "derivation"))
    with engine.connect() as connection:
        for table in tables.tables.values():
            named = [c for c in table.c if c.name.endswith(("event", "reason", "position", "code"))]
            told += [dict(row._mapping) for row in connection.execute(select(*named))]
    engine.dispose()
    assert len(held) > 10
    assert _found(travelled, json.dumps(told, default=str), "refusals") == []


def test_the_clinical_words_are_published(travelled: Travelled) -> None:
    """Every attachment, narrative and text is there, without its names."""
    texts = [text for (text,) in roads.query(travelled.site, "SELECT note_text FROM cdm.note")]
    kept = [text for text in texts if canary.KEPT in text]
    # four forms in each format, conclusion and form of a report, narrative of a document
    assert len(kept) == len(texts) == 2 * len(canary.FORMS) + 3 + messages.NOTES
    assert all("[NOM_1]" in text and "[IPP_1]" in text for text in kept)


def test_what_cannot_be_read_or_is_broken_waits_in_quarantine(travelled: Travelled) -> None:
    engine = zone_engine(travelled.site)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT r.format, d.reason FROM derivation d JOIN record r"
            " ON r.record_id = d.record_id WHERE d.disposition <> 'staged'"
        ).all()
    engine.dispose()
    expected = [("fhir", "attachment_unreadable")]
    expected += [("hl7v2", "attachment_unreadable")] * len(messages.UNREADABLE)
    expected += [("fhir", reason) for reason in canary.BAD_LINES]
    expected += [("cda", reason) for reason in canary.BAD_DOCUMENTS]
    assert sorted(tuple(row) for row in found) == sorted(expected)


@pytest.mark.parametrize("format_", ["fhir", "cda"])
def test_a_refusal_quotes_nothing(travelled: Travelled, format_: str) -> None:
    """Neither the fault nor what led to it says a word of the content."""
    extractor = Feeds(load_feeds()).extractor(format_)
    bad = canary.BAD_DOCUMENTS.values() if format_ == "cda" else canary.BAD_LINES.values()
    said = []
    for content in bad:
        try:
            extractor.parse(content if isinstance(content, bytes) else content.encode(), "utf-8")
        except RecordFault as fault:
            lines = "".join(traceback.format_exception(fault))
            said.append(f"{fault!r} {fault} {fault.position} {lines}")
    assert len(said) >= 3
    assert _found(travelled, "\n".join(said), f"faults-{format_}") == []
