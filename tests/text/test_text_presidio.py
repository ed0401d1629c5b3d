"""The engine behind Presidio's contract: a site's own recognisers and lists join in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from entrepot.errors import ConfigurationError
from entrepot.text import LABELS, NOBODY, Identity, Scrubber

pytestmark = pytest.mark.core


def badge_recognizer() -> Any:
    """A site's recogniser, as Presidio's documentation writes it."""
    from presidio_analyzer import Pattern, PatternRecognizer

    return PatternRecognizer(
        supported_entity="PERSON",
        name="badge",
        supported_language="fr",
        patterns=[Pattern("badge", r"(?<=badge )\w+", 0.9)],
    )


def test_the_engine_is_a_presidio_recognizer(scrubber: Scrubber) -> None:
    from presidio_analyzer import EntityRecognizer

    (engine,) = scrubber._analyzer.engine.registry.recognizers
    assert isinstance(engine, EntityRecognizer)
    assert set(scrubber._analyzer.engine.get_supported_entities("fr")) == LABELS


def test_an_ad_hoc_recognizer_joins_and_its_find_is_spread(scrubber: Scrubber) -> None:
    text = "badge Œrvik, puis ŒRVIK seul"
    assert scrubber.find(text, NOBODY, document_class="label") == []
    recognizers = (badge_recognizer(),)
    found = scrubber.find(text, NOBODY, recognizers, document_class="label")
    assert [(text[s.start : s.end], s.label, s.layer) for s in found] == [
        ("Œrvik", "NOM", "site"),
        ("ŒRVIK", "NOM", "propagation"),
    ]


def test_a_registered_recognizer_joins() -> None:
    out = Scrubber(recognizers=(badge_recognizer(),)).scrub("badge orvik", NOBODY)
    assert out.text == "badge [NOM_1]"
    assert out.entities == {"NOM:site": 1}


def test_a_recognizer_of_another_language_is_refused() -> None:
    """Presidio would leave it out without a word, and its identifiers would leak."""
    from presidio_analyzer import Pattern, PatternRecognizer

    english = PatternRecognizer(supported_entity="PERSON", patterns=[Pattern("any", "x", 0.5)])
    with pytest.raises(ConfigurationError, match="French"):
        Scrubber(recognizers=(english,)).find("RAS", NOBODY)


def test_a_site_replaces_a_list(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "text"
    folder.mkdir(parents=True)
    (folder / "eponyms.csv").write_text("eponym\nOrvik\n", encoding="utf-8")
    text = "Dr Orvik absent, signe de Orvik net"
    assert Scrubber().scrub(text, NOBODY).text == "Dr [NOM_1] absent, signe de [NOM_1] net"
    assert Scrubber((tmp_path,)).scrub(text, NOBODY).text == (
        "Dr [NOM_1] absent, signe de Orvik net"
    )


def test_a_list_without_its_column_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "text"
    folder.mkdir(parents=True)
    (folder / "units.csv").write_text("unite\nmg\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="unit"):
        Scrubber((tmp_path,)).find("RAS", NOBODY)


def test_presidio_is_imported_at_the_first_text_only() -> None:
    code = (
        "import sys, entrepot.text as t; s = t.Scrubber(); t.leaks('x', t.NOBODY); "
        "print('presidio_analyzer' in sys.modules, 'lxml' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_an_identity_has_no_printable_form(patient: Identity) -> None:
    assert "Goff" not in repr(patient)
    assert "Goff" not in str(patient)
