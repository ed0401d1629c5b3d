"""A trained model as one more layer: loaded from a folder alone, mapped, pinned, whole words."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest

from entrepot.config import Model
from entrepot.errors import ConfigurationError
from entrepot.text import NOBODY, Scrubber
from entrepot.text.model_readers import model_hash

pytestmark = pytest.mark.integration

# Names that no list of the engine holds, in places that no other layer reads as a name.
SEEN = "avec l'aide de talbecq hier"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny statistical pipeline that learnt one sentence."""
    import spacy
    from spacy.training import Example

    folder = tmp_path_factory.mktemp("model") / "ner"
    nlp = spacy.blank("fr")
    ner: Any = nlp.add_pipe("ner")
    ner.add_label("PER")
    texts = [f"avec l'aide de {name} hier" for name in ("talbecq", "morzille", "quentrec")]
    examples = [
        Example.from_dict(nlp.make_doc(text), {"entities": [(15, len(text) - 5, "PER")]})
        for text in texts
    ]
    nlp.initialize(lambda: examples)
    for _ in range(25):
        nlp.update(examples)
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that knows two words by rule, and nothing else."""
    import spacy

    folder = tmp_path_factory.mktemp("model") / "ruler"
    nlp = spacy.blank("fr")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(
        [{"label": "PER", "pattern": "talbecq"}, {"label": "LIEU", "pattern": "plouvenn"}]
    )
    nlp.to_disk(folder)
    return folder


def model(folder: Path, **settings: Any) -> Model:
    given: dict[str, Any] = {"kind": "spacy", "labels": {"PER": "NOM", "LIEU": "VILLE"}}
    return Model.model_validate(given | {"folder": folder} | settings)


def engine(settings: Model) -> Scrubber:
    from entrepot.text.model import model_recognizer

    return Scrubber(recognizers=(model_recognizer(settings, settings.folder),))


def test_the_model_adds_what_no_rule_finds(
    trained: Path, scrubber: Scrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any network: a connection that is tried ends the test."""

    def refused(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert scrubber.scrub(SEEN, NOBODY).text == SEEN
    scrubbed = engine(model(trained)).scrub(SEEN, NOBODY)
    assert scrubbed.text == "avec l'aide de [NOM_1] hier"
    assert scrubbed.entities == {"NOM:model": 1}


def test_what_the_model_found_once_is_searched_everywhere(ruled: Path) -> None:
    text = f"{SEEN}. Revu. TALBECQ revient."
    out = engine(model(ruled)).scrub(text, NOBODY).text
    assert "talbecq" not in out.lower()


@pytest.mark.parametrize("before", [19_960, 19_976, 19_984, 20_000, 100_000])
def test_a_long_text_is_read_to_its_end(ruled: Path, before: int) -> None:
    """The model reads 20,000 characters at once: a name may stand over that border."""
    text = "va bien " * (before // 8) + SEEN + " va bien" * 40
    spans = engine(model(ruled)).find(text, NOBODY)
    assert [text[s.start : s.end] for s in spans] == ["talbecq"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"labels": {"PER": "NOM"}}, "LIEU is not mapped"),
        ({"labels": {"PER": "PERSONNE", "LIEU": ""}}, "PERSONNE is no label"),
        ({"sha256": "0" * 64}, "not the one that was approved"),
        ({"kind": "gliner", "labels": {}}, "only for what it is asked for"),
    ],
)
def test_a_setting_that_would_change_what_is_masked_is_refused(
    ruled: Path, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        engine(model(ruled, **settings))


def test_a_label_may_be_left_alone_by_name(ruled: Path) -> None:
    text = "habite vers plouvenn ce mois"
    masked = engine(model(ruled)).scrub(text, NOBODY).text
    kept = engine(model(ruled, labels={"PER": "NOM", "LIEU": ""})).scrub(text, NOBODY).text
    assert masked == "habite vers [VILLE_1] ce mois"
    assert kept == text


@pytest.mark.parametrize("made", ["absent", "empty", "a file", "no model"])
def test_a_folder_without_a_model_is_told(tmp_path: Path, made: str) -> None:
    folder = tmp_path / "model"
    if made in ("empty", "no model"):
        folder.mkdir()
    if made == "no model":
        (folder / "notes.txt").write_text("none", encoding="utf-8")
    if made == "a file":
        folder.write_text("none", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        engine(model(folder))
    assert refused.value.remedy
    assert str(folder) in refused.value.where


@pytest.mark.parametrize("kind", ["edsnlp", "transformers", "gliner"])
def test_a_library_that_is_not_installed_is_named(ruled: Path, kind: str) -> None:
    if importlib.util.find_spec(kind) is not None:
        pytest.skip(f"{kind} is installed here")
    with pytest.raises(ConfigurationError, match="is not installed") as refused:
        engine(model(ruled, kind=kind))
    assert "entrepot[nlp]" in refused.value.remedy


def test_the_hash_is_of_names_and_contents(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, name, content in ((one, "a", b"bc"), (other, "ab", b"c")):
        folder.mkdir()
        (folder / name).write_bytes(content)
    hashes = {model_hash(one), model_hash(other)}
    (other / "ab").rename(other / "a")
    (other / "a").write_bytes(b"bc")
    assert len(hashes) == 2
    assert model_hash(one) == model_hash(other)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(3, 5, "DUPONT"), (0, 9, "M. DUPONT"), (2, 10, "DUPONT")],
)
def test_a_name_that_is_marked_in_part_is_whole(start: int, end: int, expected: str) -> None:
    from entrepot.text.model import ModelRecognizer
    from entrepot.text.model_readers import Found, Reading

    text = "M. DUPONT va bien"
    reading = Reading(lambda _: iter([Found(start, end, "NOM", 0.9)]), frozenset(), 1000)
    (found,) = ModelRecognizer(reading, {}, 0.5).analyze(text, ["NOM"])
    assert text[found.start : found.end] == expected
