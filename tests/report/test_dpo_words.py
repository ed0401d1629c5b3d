"""The report's words: the same in both languages, and one for each code that a fact may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from entrepot.audit import Action
from entrepot.audit.actions import FACTS
from entrepot.audit.chain import FaultKind
from entrepot.cli.audit import _TOLD
from entrepot.feeds.document import FORMATS
from entrepot.feeds.mapping import IDENTIFYING
from entrepot.report.dpo import (
    alike,
    allow_list,
    deviations,
    fixed_set,
    persons,
    plan,
    requests,
    rights,
    risk,
    scope,
    studies,
    texts,
    trail,
    zone_files,
)
from entrepot.report.dpo.words import LANGUAGES, words
from entrepot.staging.kinds import KINDS
from entrepot.text.spans import LABELS

pytestmark = pytest.mark.core
CODES = {
    "formats": FORMATS,
    "kinds": {*KINDS, *IDENTIFYING},
    "treatments": allow_list.TREATMENTS,
    "dispositions": scope.DISPOSITIONS,
    "row_dispositions": scope.ROW_DISPOSITIONS,
    "labels": texts.MASKED,
    "layers": texts.LAYERS,
    "held": persons.HELD,
    "scans": risk.SCANS,
    "bands": alike.BANDS,
    "diversity": alike.KINDS,
    "attributes": alike.read_spec(()).attributes,
    "attributes_short": alike.read_spec(()).attributes,
    "all_labels": LABELS,
    "profiles": trail.PROFILES,
    "links": studies.LINKS,
    "registers": rights.REGISTERS,
    "delays": ("recorded", "applied", "erased"),
    "actions": [str(action) for action in Action],
    "security.places": zone_files.PLACES,
    "security.sources": ("file", "command", "environment"),
    "requests.states": requests.STATES,
    "rights.scope": rights.SCOPES,
    "plan.levels": deviations.LEVELS,
    "plan.kinds": get_args(plan.Incident.model_fields["kind"].annotation),
    "plan.states": ("open", "late", "done", "dropped"),
    "measured.measures": fixed_set.SHARES,
    "measured.short": fixed_set.SHARES,
    "faults": [str(kind) for kind in FaultKind],
}


def _keys(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _keys(one, f"{path}/{key}")
    else:
        yield path


def test_both_languages_have_the_same_words() -> None:
    french, english = (words(language).texts for language in ("fr", "en"))
    assert list(_keys(french)) == list(_keys(english))
    assert all(isinstance(key, str) for key in french)  # `no:` would be a truth value in YAML


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CODES)
def test_every_code_has_its_word(language: str, name: str) -> None:
    found: Any = words(language).texts
    for part in name.split("."):
        found = found[part]
    assert set(found) == set(CODES[name])


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_section_begins_with_two_sentences(language: str) -> None:
    sections = words(language).texts["sections"]
    assert list(sections) == [str(number) for number in range(1, 14)]
    for section in sections.values():
        assert len(re.findall(r"[.](?:\s|$)", section["proves"])) == 2, section["title"]


def test_the_audit_log_knows_every_act_and_fault_by_name() -> None:
    assert set(FACTS) == set(Action)
    assert set(_TOLD) == set(FaultKind)


@pytest.mark.parametrize(
    ("language", "value", "written"),
    [("fr", 1234567, "1\u202f234\u202f567"), ("en", 1234567, "1,234,567"), ("fr", 0, "0"),
     ("fr", "<11", "<\u00a011"), ("en", "n.c.", "n.d.")],
)  # fmt: skip
def test_numbers_are_written_as_the_language_does(
    language: str, value: int | str, written: str
) -> None:
    assert words(language).number(value) == written


def test_shares_are_told_of_told_counts_alone() -> None:
    """30 stands for 21 to 30 and 150 for 141 to 150: about 25.5 of 145.5."""
    french = words("fr")
    assert french.percent(30, 150) == "≈\u202f18\u00a0%"
    assert [french.percent(*pair) for pair in (("<11", 146), (30, "n.c."), (0, 0))] == [""] * 3
    assert [french.permille(value) for value in (985, 880, 1000, -1)] == [
        "98,5\u00a0%", "88\u00a0%", "100\u00a0%", "–",
    ]  # fmt: skip


def test_french_is_set_with_its_blanks_and_apostrophes() -> None:
    assert words("fr").typeset("Qu'est-ce ? Ceci : « cela » ; 5 % !") == (
        "Qu’est-ce\u202f? Ceci\u00a0: «\u00a0cela\u00a0»\u202f; 5\u00a0%\u202f!"
    )
    assert words("fr").date("2026-11-22T09:30:00+00:00") == "22/11/2026 09:30"
    assert words("en").date("2026-11") == "2026-11"
