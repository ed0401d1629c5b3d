"""Names that are also the commonest French words: masked beside a name or under their accent."""

from __future__ import annotations

import pytest

from entrepot.text import Identity, Scrubber

pytestmark = pytest.mark.core

LE = Identity(family_names=("Lê",), given_names=("Vân",))


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber()


@pytest.mark.parametrize(
    "text",
    [
        "MME V. Lê vit en famille.",
        "Son fils, Luc LE, a été prévenu.",
        "Mme V. LE vit seule.",
        "Madame Lê va bien. Lê dort.",
        "Mme.LÊ, 66 ans",
    ],
)
def test_the_name_goes(text: str, scrubber: Scrubber) -> None:
    words = scrubber.scrub(text, LE).text.replace(".", " ").replace(",", " ").split()
    assert not {"Lê", "LE", "LÊ"} & set(words)


@pytest.mark.parametrize(
    "text",
    ["Le patient le sait.", "LE 12 MARS, CONTROLE", "Vu le matin. Le soir, apyrétique."],
)
def test_the_word_stays(text: str, scrubber: Scrubber) -> None:
    assert scrubber.scrub(text, LE).text == text
