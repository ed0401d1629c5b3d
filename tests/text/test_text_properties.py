"""Invariants of the text engine on texts and identities that nobody wrote."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from entrepot.text import LABELS, NOBODY, Identity, Scrubber, cell_leaks, leaks
from entrepot.text.folding import fold, fold_text

pytestmark = pytest.mark.core

ENGINE = Scrubber()
FAMILY = [
    "Le Goff", "d'Arcy", "N'Diaye", "Müller-Durand", "De La Tour", "Kowalczyk", "Sow", "Petit",
    "Œrvik", "Strauß", "Nguyễn", "Leroy-Beaulieu", "Blanc", "Ben Salem", "Parkinson", "Le",
    "Bénard", "O'Brien", "McDonald", "Saint-Clair",
]  # fmt: skip
GIVEN = ["Zoé", "Jean-Baptiste", "Marie Thérèse", "Rose", "Maëlys", "An", "Éléonore", "Luc", "Linh"]
WORDS = [
    "le", "patient", "Mme", "Dr", "M.", "née", "né le", "IPP", "dossier n°", "Docteur", "va bien",
    "Petit", "petit", "nodule", "DUPONT", "Lefort", "Jean", "sa fille", "adressé par", "Nom :",
    "Prénom :", "12/03/2024", "20240315", "28 mars", "1979", "250000", "/mm3", "06 12 34 56 78",
    "1 79 03 29 004 123 45", "8 0 0 1 2", "12 rue des Lilas", "75013 Paris", "Brest, le",
    "a@b.fr", "www.x.fr", "[NOM_1]", "[1979]", "Hôpital", "CHU de", "œil", "e\u0301", "Parkinson",
    "signe de", "E. coli", "J.", "-", ",", ".", "\n", "\n\n", ":", "(", ")", "l'", "\u00a0", "/",
]  # fmt: skip

invariant = settings(deadline=None, max_examples=100)  # the first text loads the engine

pieces = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(FAMILY + GIVEN),
    st.text(max_size=6),
    st.integers(0, 10**12).map(str),
    st.dates(date(1900, 1, 1), date(2030, 1, 1)).map(lambda d: f"{d:%d/%m/%Y}"),
)


def joined(joints: list[str]) -> st.SearchStrategy[str]:
    """Pieces of texts with one of `joints` after each."""
    return st.lists(st.tuples(pieces, st.sampled_from(joints)), max_size=14).map(
        lambda parts: "".join(piece + joint for piece, joint in parts)
    )


texts = joined(["", " ", " ", " ", "\n", "-", ", ", "_"])
# two numbers without anything between them are one number until the first of them is masked
texts_apart = joined([" ", " ", " ", "\n", "-", ", ", "_"])
digits = st.text("0123456789", min_size=5, max_size=15).filter(lambda d: d.strip("0") != "")
identities = st.builds(
    Identity,
    family_names=st.lists(st.sampled_from(FAMILY), max_size=2).map(tuple),
    given_names=st.lists(st.sampled_from(GIVEN), max_size=2).map(tuple),
    birth_dates=st.lists(st.dates(date(1900, 1, 1), date(2030, 1, 1)), max_size=1).map(tuple),
    addresses=st.sampled_from([(), ("12 rue de l'Église",), ("3 av. Jean-Jaurès",)]),
    towns=st.sampled_from([(), ("Brest",), ("Saint-Denis",), ("Tours",)]),
    phones=st.lists(st.from_regex(r"0[1-9][0-9]{8}", fullmatch=True), max_size=1).map(tuple),
    mails=st.sampled_from([(), ("jb.legoff@exemple.fr",)]),
    numbers=st.lists(st.tuples(st.sampled_from(["IPP", "NDA", "INS"]), digits), max_size=2).map(
        tuple
    ),
)


@invariant
@given(texts, identities)
def test_spans_are_sorted_apart_and_within_the_text(text: str, identity: Identity) -> None:
    end = 0
    for span in ENGINE.find(text, identity):
        assert end <= span.start < span.end <= len(text)
        assert span.label in LABELS
        end = span.end


@invariant
@given(texts, identities)
def test_what_is_not_masked_is_not_changed(text: str, identity: Identity) -> None:
    spans = [s for s in ENGINE.find(text, identity) if s.label != "DATE"]
    rest = [text[a:b] for a, b in zip(
        [0, *(s.end for s in spans)], [*(s.start for s in spans), len(text)], strict=True
    )]  # fmt: skip
    out = ENGINE.scrub(text, identity).text
    pattern = r"\[(?:[A-Z_]+_\d+|\d{4})\]".join(map(re.escape, rest))
    assert re.fullmatch(pattern, out)


@invariant
@given(texts_apart, identities)
def test_scrubbing_its_own_output_changes_nothing(text: str, identity: Identity) -> None:
    once = ENGINE.scrub(text, identity).text
    assert ENGINE.scrub(once, identity).text == once


@invariant
@given(texts, identities)
def test_the_leak_scan_never_stops_what_was_scrubbed(text: str, identity: Identity) -> None:
    """The scan is the stricter judge of the two only where the engine is at fault."""
    assert leaks(ENGINE.scrub(text, identity).text, identity) == []


@invariant
@given(texts, identities)
def test_kept_dates_are_the_same_characters(text: str, identity: Identity) -> None:
    kept = [text[s.start : s.end] for s in ENGINE.find(text, identity) if s.label == "DATE"]
    scrubbed = ENGINE.scrub(text, identity)
    assert [scrubbed.text[a:b] for a, b in scrubbed.date_spans] == kept


def spellings(name: str) -> st.SearchStrategy[str]:
    """Ways to write a name that the reference asks to recognise."""
    plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    joints = [" ", "-", "", "\n"] if re.search(r"[ \-]", name) else [""]
    return st.builds(
        lambda form, joint, case: case(re.sub(r"[ \-]", joint, form)),
        st.sampled_from([name, plain, unicodedata.normalize("NFD", name)]),
        st.sampled_from(joints),
        st.sampled_from([str, str.upper]),
    )


def squeezed(text: str) -> str:
    """Folded letters and digits: what a reader would still recognise."""
    return "".join(c for c in fold(text) if c.isalnum())


@invariant
@given(texts, texts, st.sampled_from([n for n in FAMILY if n != "Le"]), st.data())
def test_a_planted_family_name_never_survives(
    before: str, after: str, name: str, data: st.DataObject
) -> None:
    written = data.draw(spellings(name))
    out = ENGINE.scrub(f"{before} {written} {after}", Identity(family_names=(name,))).text
    places = [m.start() for m in re.finditer(re.escape(written), out)]
    assert places == [] or not re.search(rf"(?<!\w){re.escape(written)}(?!\w)", out)


@invariant
@given(texts, texts, digits, st.sampled_from(["", " ", ".", "-"]), st.integers(1, 4))
def test_a_planted_number_never_survives(
    before: str, after: str, number: str, joint: str, size: int
) -> None:
    written = joint.join(number[k : k + size] for k in range(0, len(number), size))
    text = f"{before} {written} {after}"
    out = ENGINE.scrub(text, Identity(numbers=(("IPP", number),))).text
    assert written not in out or number in squeezed(before + " ") + "|" + squeezed(after)


@invariant
@given(texts, texts, st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.sampled_from(
    ["%d/%m/%Y", "%d.%m.%y", "%d-%m-%Y", "%Y-%m-%d", "%Y%m%d", "%d%m%Y", "%d %m %Y"]
))  # fmt: skip
def test_a_planted_birth_date_never_survives(
    before: str, after: str, birth: date, form: str
) -> None:
    written = birth.strftime(form)
    out = ENGINE.scrub(f"{before}; {written}; {after}", Identity(birth_dates=(birth,))).text
    assert not re.search(rf"(?<!\d){re.escape(written)}(?!\d)", out)


@invariant
@given(texts_apart, texts_apart, st.one_of(
    st.from_regex(r"0[1-9]( [0-9]{2}){4}", fullmatch=True),
    st.from_regex(r"\+33 [1-9](\.[0-9]{2}){4}", fullmatch=True),
    st.from_regex(r"[12] [0-9]{2} (0[1-9]|1[0-2]) (29|2A|97) [0-9]{3} [0-9]{3}", fullmatch=True),
    st.from_regex(r"[a-z]{1,9}\.[a-z]{2,9}@[a-z]{2,9}\.fr", fullmatch=True),
))  # fmt: skip
def test_an_unknown_persons_formatted_identifier_never_survives(
    before: str, after: str, written: str
) -> None:
    assert written not in ENGINE.scrub(f"{before} {written} {after}", NOBODY).text


@invariant
@given(
    st.text(max_size=40),
    st.sampled_from(["Kowalczyk", "Œrvik", "Strauß", "Éléonore", "Bénard"]),
    st.sampled_from(["NFC", "NFD"]),
    st.text(max_size=40),
)
def test_offsets_are_those_of_the_given_text(before: str, name: str, form: str, after: str) -> None:
    """Whatever grows or vanishes before it, the span covers the name and nothing more."""
    written = unicodedata.normalize(form, name)
    text = f"{before} | {written} | {after}"
    start = len(before) + 3
    spans = ENGINE.find(text, Identity(family_names=(name,)))
    assert any((s.start, s.end) == (start, start + len(written)) for s in spans)


@invariant
@given(st.text())
def test_folding_maps_every_character(text: str) -> None:
    folded = fold_text(text)
    assert len(folded.plain) == len(folded.lower)
    for k in range(len(folded.plain)):
        start, end = folded.span(k, k + 1)
        assert 0 <= start < end <= len(text)
        assert folded.lower[k] in fold(text[start:end])


@invariant
@given(identities, st.data())
def test_the_leak_scan_is_not_blind(identity: Identity, data: st.DataObject) -> None:
    """A number or a distinctive name left in a text is always found."""
    numbers = [number for _, number in identity.numbers]
    assume(numbers)
    number = data.draw(st.sampled_from(numbers))
    assert leaks(f"voir {number}, merci", identity)
    if len(number.lstrip("0")) >= 7:
        assert cell_leaks(number, identity)


@pytest.mark.parametrize(
    "piece", ["a", "1", " ", "1 ", "A.", "é", "[", "@", "1/", "M. ", "Le Goff ", "-"]
)
def test_repetitive_texts_cost_no_more_than_others(piece: str) -> None:
    """Nothing grows with the square of a text: 50 kB of anything end in seconds."""
    text = piece * (50_000 // len(piece))
    assert ENGINE.scrub(text, Identity(family_names=("Le Goff",), given_names=("Rose",))).text
    assert isinstance(leaks(text[:50_000], NOBODY), list)
