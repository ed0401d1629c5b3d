"""The results of a review: what its folder keeps and the DPO's report prints."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.review.agreement import Agreement, agreements, judged
from entrepot.review.estimates import Estimator, Judged, Recall, Share
from entrepot.review.sample import (
    RESULTS,
    Sample,
    load_adjudicated,
    load_readings,
    load_sample,
    root,
    write_private,
)
from entrepot.text.spans import LABELS


@dataclass(frozen=True)
class StratumResult:
    """What was read of one stratum."""

    detection: str
    format: str
    type: str
    length: str
    population: int
    read: int
    leaking: int


@dataclass(frozen=True)
class LabelResult:
    """One label: its recall, and the share of its tags that mask too much."""

    recall: Recall
    over_masked: Share
    over: int  # tags of the read documents that mask too much


@dataclass(frozen=True)
class ReviewResult:
    """One human review of a release's published texts.

    Args:
        population: documents of the release; `sampled` were drawn, `read` by somebody,
            `read_twice` by two readers or more; `adjudicated`: decided after readers differed.
        lists: hash of the text engine's lists when the sample was drawn.
        misses: by label; a miss that two readers marked counts once.
        leaking: share of documents that hold a miss (`estimates` says how it is bounded).
        overall, labels: recall and over-masking; labels without any tag or miss are left out.
    """

    review: str
    release: str
    drawn_at: str
    ended_at: str
    software: str
    lists: str
    readers: tuple[str, ...]
    population: int
    sampled: int
    read: int
    read_twice: int
    leaking_documents: int
    leaking: Share
    misses: Mapping[str, int]
    overall: LabelResult
    labels: Mapping[str, LabelResult]
    adjudicated: int
    agreement: tuple[Agreement, ...]
    strata: tuple[StratumResult, ...]

    @property
    def complete(self) -> bool:
        """Two readers or more have read every document."""
        return self.read_twice == self.sampled


def evaluate(place: Path) -> ReviewResult:
    """The results of a review's folder, as far as it was read.

    Raises:
        ConfigurationError: nobody has read a document, or a file is damaged.
    """
    sample, readings = load_sample(place), load_readings(place)
    readings = [one for one in readings if one.documents]
    decided = load_adjudicated(place, sample.review).documents
    found = judged(sample.documents, readings, decided)
    if not found:
        raise ConfigurationError(
            "nobody has read a document of this review", where=sample.review,
            remedy=f"entrepot review serve --review {sample.review} --reader NAME",
        )  # fmt: skip
    estimator = Estimator(sample.strata, found)
    labels = {label: _result(estimator, found, label) for label in sorted(LABELS)}
    return ReviewResult(
        review=sample.review, release=sample.release, drawn_at=sample.drawn_at,
        ended_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        software=sample.software, lists=sample.lists,
        readers=tuple(one.reader for one in readings),
        population=sum(stratum.population for stratum in sample.strata),
        sampled=len(sample.documents), read=len(found),
        read_twice=sum(
            sum(one.drawn.note_id in reading.documents for reading in readings) > 1 for one in found
        ),
        leaking_documents=sum(bool(one.missed) for one in found),
        leaking=estimator.leaking(),
        misses={name: one.recall.misses for name, one in labels.items() if one.recall.misses},
        overall=_result(estimator, found, ""),
        labels={n: one for n, one in labels.items() if one.recall.detected or one.recall.misses},
        adjudicated=sum(one.drawn.note_id in decided for one in found),
        agreement=tuple(agreements(sample.documents, readings)),
        strata=tuple(_stratum(sample, number, found) for number in range(len(sample.strata))),
    )  # fmt: skip


def save(place: Path, result: ReviewResult) -> Path:
    """Writes the results as JSON into the review's folder."""
    path = place / RESULTS
    write_private(path, json.dumps(dataclasses.asdict(result), ensure_ascii=False, indent=1))
    return path


def results(site: Site) -> list[ReviewResult]:
    """Every review that was reported, oldest first.

    Raises:
        ConfigurationError: a file of results is damaged.
    """
    found = [_load(path) for path in sorted(root(site).glob(f"*/{RESULTS}"))]
    return sorted(found, key=lambda one: one.drawn_at)


def _result(estimator: Estimator, found: list[Judged], label: str) -> LabelResult:
    over = sum(one.over[label] if label else one.over.total() for one in found)
    return LabelResult(estimator.recall(label), estimator.over_masked(label), over)


def _stratum(sample: Sample, number: int, found: list[Judged]) -> StratumResult:
    stratum = sample.strata[number]
    members = [one for one in found if one.drawn.stratum == number]
    return StratumResult(
        *stratum.key, stratum.population, len(members), sum(bool(one.missed) for one in members)
    )


def _load(path: Path) -> ReviewResult:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return ReviewResult(
            **{
                **raw,
                "readers": tuple(raw["readers"]),
                "leaking": Share(**raw["leaking"]),
                "overall": _label(raw["overall"]),
                "labels": {name: _label(one) for name, one in raw["labels"].items()},
                "agreement": tuple(
                    Agreement(**{**one, "readers": tuple(one["readers"])})
                    for one in raw["agreement"]
                ),
                "strata": tuple(StratumResult(**one) for one in raw["strata"]),
            }
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "the review's results are damaged", where=str(path), remedy="entrepot review report ID"
        ) from None


def _label(raw: dict[str, Any]) -> LabelResult:
    recall = {**raw["recall"], "recall": Share(**raw["recall"]["recall"])}
    return LabelResult(Recall(**recall), Share(**raw["over_masked"]), raw["over"])
