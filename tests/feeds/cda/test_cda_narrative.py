"""The narrative block as plain text (CDA R2 4.3.5)."""

from __future__ import annotations

import pytest
from cda_samples import cda, section
from hypothesis import given
from hypothesis import strategies as st

from entrepot.feeds.cda.document import parse
from entrepot.feeds.cda.narrative import narrative

pytestmark = pytest.mark.core


def text_of(text: str, title: str = "") -> str:
    return narrative(parse(cda(section(text=text, title=title))).named("section"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("une ligne", "une ligne"),
        ("a<br/>b", "a\nb"),
        ("<paragraph>a</paragraph><paragraph>b</paragraph>", "a\nb"),
        ("<list><caption>c</caption><item>a</item><item>b</item></list>", "c\na\nb"),
        ("<content styleCode='Bold'>Jean</content> <content>Dupont</content>", "Jean Dupont"),
        ("<content>Dup</content><content>ont</content>", "Dupont"),
        ("10<sup>9</sup>/L", "109/L"),
        (
            "<table><thead><tr><th>Examen</th><th>Valeur</th></tr></thead><tbody><tr><td>TSH</td>"
            "<td>1.950 mUI/l</td></tr></tbody></table>après",
            "Examen\tValeur\nTSH\t1.950 mUI/l\naprès",
        ),
        ("<table><tbody><tr><td>a<br/>b</td><td>c</td></tr></tbody></table>", "a\nb\tc"),
        ("a <renderMultiMedia referencedObject='i'><caption>image</caption></renderMultiMedia> b",
         "a b"),
        ("a<content revised='delete'>faux</content><content revised='insert'>b</content>", "ab"),
        ("a<footnote>note</footnote>", "anote"),
        ("a<linkHtml href='http://x.example'>lien</linkHtml>", "alien"),
        ("<script>alert(1)</script>b", "b"),
        ("  a \n\t b  ", "a b"),
        ("&lt;script&gt;", "<script>"),
        ("", ""),
    ],
)  # fmt: skip
def test_narrative(text: str, expected: str) -> None:
    assert text_of(text) == expected


def test_sections_in_order_with_their_titles() -> None:
    inner = section(text="tension", title="Examen")
    body = section(text="cœur", title="Antécédents") + inner.replace(
        "<text>", f"{section(text='fin', title='Conclusion')}<text>"
    )
    assert narrative(parse(cda(body)).named("section")) == (
        "Antécédents\ncœur\nExamen\ntension\nConclusion\nfin"
    )


@given(st.lists(st.text(st.characters(whitelist_categories=("L", "N")), min_size=1), min_size=1))
def test_no_word_is_lost_nor_joined(words: list[str]) -> None:
    cells = "".join(f"<td>{word}</td>" for word in words)
    text = text_of(f"<table><tbody><tr>{cells}</tr></tbody></table>")
    assert text.split("\t") == words
    assert text_of("".join(f"<paragraph>{word}</paragraph>" for word in words)).split("\n") == words
