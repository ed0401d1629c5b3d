"""Loads a trained model from a folder of this machine and reads names with it, a window at a time.

Nothing is fetched: the libraries are told to stay offline before they are imported, and get a local
folder only. Weights are read as safetensors, which hold no code; code inside a model's folder is
not run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from entrepot.config import Model
from entrepot.errors import ConfigurationError

_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
_MOST_TOKENS = 512  # BERT's and CamemBERT's positions
_STRIDE = 64  # tokens that two passes of the tokenizer share
_TRAINED = frozenset(("ner", "beam_ner", "entity_ruler"))


class Found(NamedTuple):
    """Characters `start:end` of a window under a label of the model's own, with its score."""

    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True)
class Reading:
    """A loaded model.

    Args:
        read: names of one window.
        labels: those that the model says it can give; empty when it does not say.
        window: characters that it reads at once.
    """

    read: Callable[[str], Iterator[Found]]
    labels: frozenset[str]
    window: int


def load(model: Model, folder: Path) -> Reading:
    """The model of `folder`.

    Raises:
        ImportError: its library is not installed.
        Exception: what the library raises when the folder holds no model of this kind.
    """
    os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    return _LOADERS[model.kind](model, folder)


def model_hash(folder: Path) -> str:
    """SHA-256 over the relative names and the contents of the folder's files.

    Raises:
        ConfigurationError: absent, no folder, or empty.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if not files:
        raise ConfigurationError(
            "the model's folder is absent or empty",
            where=str(folder),
            remedy="copy the model there, or take text.model out of site.yaml",
        )
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()}\x00{content}\n".encode())
    return whole.hexdigest()


def _spacy(model: Model, folder: Path) -> Reading:
    import spacy

    return _pipeline(spacy.load(folder))


def _edsnlp(model: Model, folder: Path) -> Reading:
    import edsnlp

    return _pipeline(edsnlp.load(folder))


def _pipeline(nlp: Any) -> Reading:
    """spaCy's and EDS-NLP's pipelines: entities have no score of their own."""
    labels = {
        label
        for name in nlp.pipe_names
        if _factory(nlp, name) in _TRAINED
        for label in nlp.get_pipe(name).labels
    }

    def read(text: str) -> Iterator[Found]:
        for entity in nlp(text).ents:
            yield Found(entity.start_char, entity.end_char, entity.label_, 1.0)

    return Reading(read, frozenset(labels), 20_000)


def _factory(nlp: Any, name: str) -> str:
    meta = getattr(nlp, "get_pipe_meta", None)
    return str(meta(name).factory) if meta is not None else ""


def _transformers(model: Model, folder: Path) -> Reading:
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    torch.set_num_threads(1)  # texts are spread over processes already
    local = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, **local)
    network = AutoModelForTokenClassification.from_pretrained(
        folder, use_safetensors=True, **local
    ).eval()
    positions = getattr(network.config, "max_position_embeddings", _MOST_TOKENS)
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions, _MOST_TOKENS)
    stride = min(_STRIDE, tokenizer.model_max_length // 4)
    run = pipeline(
        "token-classification", model=network, tokenizer=tokenizer, device=-1,
        aggregation_strategy="simple", stride=stride,
    )  # fmt: skip
    labels = {
        label.removeprefix("B-").removeprefix("I-") for label in network.config.id2label.values()
    }

    def read(text: str) -> Iterator[Found]:
        for one in run(text):
            yield Found(one["start"], one["end"], one["entity_group"], float(one["score"]))

    return Reading(read, frozenset(labels - {"O"}), 2_000)


def _gliner(model: Model, folder: Path) -> Reading:
    import torch
    from gliner import GLiNER

    torch.set_num_threads(1)
    network = GLiNER.from_pretrained(str(folder), local_files_only=True)
    asked = list(model.labels)  # GLiNER looks for what it is asked for

    def read(text: str) -> Iterator[Found]:
        for one in network.predict_entities(text, asked, threshold=model.min_score):
            yield Found(one["start"], one["end"], one["label"], float(one["score"]))

    return Reading(read, frozenset(asked), 1_000)


_LOADERS: dict[str, Callable[[Model, Path], Reading]] = {
    "spacy": _spacy,
    "edsnlp": _edsnlp,
    "transformers": _transformers,
    "gliner": _gliner,
}
