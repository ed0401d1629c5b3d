"""What a review keeps of documents that the release no longer holds: nothing but its results."""

from __future__ import annotations

from pathlib import Path

from entrepot.config import Site
from entrepot.review.drawing import by_stratum
from entrepot.review.population import release, texts
from entrepot.review.sample import (
    SAMPLE,
    Reading,
    Sample,
    load_adjudicated,
    load_readings,
    load_sample,
    root,
    save_reading,
    write_private,
)


def forget_missing(site: Site) -> int:
    """Drops from every review the documents that left the release (opposition, erasure).

    Their ids and the offsets of their marks go; results that were reported hold counts alone.

    Returns:
        Documents dropped, over all reviews; 0 when nothing is published.
    """
    places = [path.parent for path in sorted(root(site).glob(f"*/{SAMPLE}"))]
    if not places or not site.warehouse.is_file():
        return 0
    samples = {place: load_sample(place) for place in places}
    asked = {one.note_id for sample in samples.values() for one in sample.documents}
    with release(site) as connection:
        held = set(texts(connection, sorted(asked)))
    return sum(_forget(place, sample, held) for place, sample in samples.items())


def _forget(place: Path, sample: Sample, held: set[int]) -> int:
    kept = [one for one in sample.documents if one.note_id in held]
    gone = len(sample.documents) - len(kept)
    if gone:
        for reading in load_readings(place):
            save_reading(place, _without(reading, held))
        decided = load_adjudicated(place, sample.review)
        if decided.documents:
            save_reading(place, _without(decided, held), adjudicated=True)
        left = by_stratum(kept)
        strata = [
            stratum.model_copy(update={"sampled": left[number]})
            for number, stratum in enumerate(sample.strata)
        ]
        # Last, so that what a crash interrupts is done again.
        smaller = sample.model_copy(update={"documents": kept, "strata": strata})
        write_private(place / SAMPLE, smaller.model_dump_json(indent=1))
    return gone


def _without(reading: Reading, held: set[int]) -> Reading:
    documents = {note: read for note, read in reading.documents.items() if note in held}
    return reading.model_copy(update={"documents": documents})
