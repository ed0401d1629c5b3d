"""From what readers marked to recall and its bounds, for the whole release.

**Leaking documents.** x of n read documents hold a miss. Documents differ in their risk, so x is a
sum of unequal draws; such a sum is more concentrated than a binomial one of the same mean
(Hoeffding, 1956), so the bound of Clopper and Pearson on x of n holds for the mean of the sample.
The release weighs strata otherwise than the sample by ratios between r_min and r_max; the bounds
are multiplied by them. Strata that nobody has read count as leaking throughout.

**Recall** = detected / (detected + missed). Detected are all tags of the release: counted, not
estimated. Missed are bounded from x misses among E entities (tags and misses) of the read
documents: at most E · p · max(N_h / n_h), p the exact bound of x of E. This takes entities as
separate draws; misses come in clusters, so a second bound takes each document as one draw: E is
replaced by E² / Σ e_i² (Kish's design effect at its worst, all entities of a document alike).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from entrepot.review.bounds import clopper_pearson
from entrepot.review.sample import Drawn, Stratum


@dataclass(frozen=True)
class Share:
    """An estimated share with both ends of its 95 % interval; None: nothing to tell it from."""

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Recall:
    """How much of what must be hidden was hidden.

    Args:
        detected: tags of the release; misses: seen in the read documents.
        missed_per_document: estimated for the release.
        low_clustered: lower end when each document is one draw.
    """

    detected: int
    misses: int
    missed_per_document: float
    recall: Share
    low_clustered: float | None


@dataclass(frozen=True)
class Judged:
    """A read document: its stratum, tags, misses and over-masked tags by label."""

    drawn: Drawn
    missed: Counter[str]
    over: Counter[str]


class Estimator:
    """One sample, as far as it was read."""

    def __init__(self, strata: Sequence[Stratum], judged: Sequence[Judged]) -> None:
        self._strata, self._judged = strata, judged
        self._read = Counter(one.drawn.stratum for one in judged)
        self._total = sum(stratum.population for stratum in strata)
        self._weight = {
            number: strata[number].population / count for number, count in self._read.items()
        }
        covered = sum(strata[number].population for number in self._read)
        self._unread = (self._total - covered) / self._total if self._total else 0.0

    def leaking(self) -> Share:
        """Share of the release's documents that hold at least one miss."""
        return self._documents([bool(one.missed) for one in self._judged])

    def recall(self, label: str = "") -> Recall:
        """Recall of one label, or of all."""
        missed = [_of(one.missed, label) for one in self._judged]
        tagged = [_of(one.drawn.detected, label) for one in self._judged]
        detected = sum(_of(stratum.detected, label) for stratum in self._strata)
        entities = [m + t for m, t in zip(missed, tagged, strict=True)]
        total = sum(self._weights()[n] * count for n, count in enumerate(missed))
        return Recall(
            detected, sum(missed), total / self._total if self._total else 0.0,
            self._bounded(sum(missed), sum(entities), total, detected),
            self._clustered(sum(missed), entities, detected),
        )  # fmt: skip

    def over_masked(self, label: str = "") -> Share:
        """Share of the tags that stand for no identifier."""
        over = [_of(one.over, label) for one in self._judged]
        tagged = [_of(one.drawn.detected, label) for one in self._judged]
        if not sum(tagged):
            return Share(None, None, None)
        weights = self._weights()
        found = sum(w * o for w, o in zip(weights, over, strict=True))
        whole = sum(w * t for w, t in zip(weights, tagged, strict=True))
        low, high = clopper_pearson(sum(over), sum(tagged))
        spread = max(weights) / min(weights)
        return Share(found / whole, low / spread, min(1.0, high * spread))

    def _documents(self, hit: Sequence[bool]) -> Share:
        n = len(hit)
        if not n:
            return Share(None, None, None)
        weights = self._weights()
        estimate = sum(w for w, one in zip(weights, hit, strict=True) if one) / self._total
        low, high = clopper_pearson(sum(hit), n)
        ratios = [weight * n / self._total for weight in weights]
        return Share(estimate, low * min(ratios), min(1.0, high * max(ratios) + self._unread))

    def _bounded(self, misses: int, entities: int, total: float, detected: int) -> Share:
        """Recall of known `detected` and of the misses that the sample lets there be."""
        if not self._judged or not (detected or misses) or self._unread:
            return Share(None, None, None)
        low, high = clopper_pearson(misses, entities)
        return Share(
            detected / (detected + total),
            _recall(detected, max(self._weight.values()) * entities * high),
            _recall(detected, min(self._weight.values()) * entities * low),
        )

    def _clustered(self, misses: int, entities: Sequence[int], detected: int) -> float | None:
        whole, squares = sum(entities), sum(count * count for count in entities)
        if not self._judged or not detected or not squares or self._unread:
            return None
        worth = whole * whole / squares
        _, high = clopper_pearson(misses * worth / whole, worth)
        return _recall(detected, max(self._weight.values()) * whole * high)

    def _weights(self) -> list[float]:
        return [self._weight[one.drawn.stratum] for one in self._judged]


def _recall(detected: int, missed: float) -> float:
    return detected / (detected + missed) if detected + missed else 0.0


def _of(counts: Mapping[str, int], label: str) -> int:
    return counts.get(label, 0) if label else sum(counts.values())
