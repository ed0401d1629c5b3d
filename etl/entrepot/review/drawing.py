"""Draws a stratified sample: each stratum its share, rounded up, so that no bound gets worse.

A stratum is a source format, a type of note and a class of length; documents in which nothing was
detected are apart, whatever else they are. Strata of which the sample would hold less than one
document are pooled. Rounding up gives a sample a little larger than asked; with at least its share
in each stratum, the bound of a simple sample of the number asked holds for the whole (see
`estimates`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from entrepot import __version__
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.review.population import Published, published, release, texts
from entrepot.review.sample import SAMPLE, Drawn, Sample, Stratum, root, write_private
from entrepot.text import lists_version as text_version

DOCUMENTS = 300
RARE = "rare"
_FREQUENT_TYPES = 4
Key = tuple[str, str, str, str]


def draw(site: Site, documents: int = DOCUMENTS, seed: str = "", expected: str = "") -> Sample:
    """Draws and keeps a sample of the published release.

    Args:
        documents: at least so many are drawn, or all there are.
        seed: the same seed draws the same documents of the same release; empty: the release's id,
            so that nobody chooses what is read.
        expected: id of the release; empty: whichever is published.

    Raises:
        ConfigurationError: nothing is published, another release is, it holds no note, or this very
            sample was drawn before.
    """
    from entrepot.publish.release import read_release

    found = read_release(site.warehouse)
    if found is None or (expected and found.release_id != expected):
        raise ConfigurationError(
            "this release is not the published one", where=expected or str(site.warehouse),
            remedy="entrepot status tells which is; entrepot run publishes one",
        )  # fmt: skip
    seed = seed or found.release_id
    name = _name(found.release_id, seed, documents)
    if (root(site) / name / SAMPLE).exists():
        raise ConfigurationError(
            f"this sample was drawn already: {name}", remedy="serve it, or give another --seed"
        )
    with release(site) as connection:
        notes = list(published(site, connection))
        if not notes:
            raise ConfigurationError("the release holds no note", where=str(site.warehouse))
        strata, chosen = _choose(notes, documents, seed)
        held = texts(connection, [note.note_id for note, _ in chosen])
    sample = Sample(
        review=name, release=found.release_id, seed=seed, software=__version__,
        drawn_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        lists=lists_version(site), strata=strata,
        documents=[
            Drawn(
                note_id=note.note_id, stratum=stratum, detected=note.detected,
                sha256=hashlib.sha256(held[note.note_id].encode()).hexdigest(),
            )
            for note, stratum in chosen
        ],
    )  # fmt: skip
    root(site).mkdir(mode=0o700, exist_ok=True)
    write_private(root(site) / name / SAMPLE, sample.model_dump_json(indent=1))
    return sample


def allocation(populations: list[int], documents: int) -> list[int]:
    """Documents to draw of each stratum: its share of `documents`, rounded up."""
    total = sum(populations)
    return [min(size, math.ceil(documents * size / total)) for size in populations]


def lists_version(site: Site) -> str:
    """Hash of every list that the text engine reads, and of its model, 16 characters."""
    text = site.config.text.placed(site.root)
    model = text.model.folder if text.model is not None else None
    return text_version(text.overlays, text.lists, model)[:16]


def _choose(
    notes: list[Published], documents: int, seed: str
) -> tuple[list[Stratum], list[tuple[Published, int]]]:
    groups = _pooled(_grouped(notes), documents, len(notes))
    keys = sorted(groups)
    sizes = allocation([len(groups[key]) for key in keys], documents)
    strata, chosen = [], []
    for number, (key, size) in enumerate(zip(keys, sizes, strict=True)):
        members = sorted(groups[key], key=lambda note: _order(seed, note.note_id))
        detected: Counter[str] = Counter()
        for note in members:
            detected.update(note.detected)
        strata.append(
            Stratum(
                detection="none" if key[0] == "none" else "some", format=key[1], type=key[2],
                length=key[3], population=len(members), sampled=size, detected=dict(detected),
            )
        )  # fmt: skip
        chosen += [(note, number) for note in members[:size]]
    # Read in no order of strata: a reader who stops early has read a sample of all of them.
    return strata, sorted(chosen, key=lambda one: _order(f"{seed}|read", one[0].note_id))


def _grouped(notes: list[Published]) -> dict[Key, list[Published]]:
    counts = Counter(note.type for note in notes)
    frequent = {name for name, _ in counts.most_common(_FREQUENT_TYPES)}
    groups: dict[Key, list[Published]] = defaultdict(list)
    for note in notes:
        if note.detected:
            type_ = note.type if note.type in frequent else RARE
            groups["some", note.format, type_, note.length].append(note)
        else:
            groups["none", "", "", ""].append(note)
    return groups


def _pooled(
    groups: dict[Key, list[Published]], documents: int, total: int
) -> dict[Key, list[Published]]:
    pooled: dict[Key, list[Published]] = defaultdict(list)
    for key, members in groups.items():
        small = len(members) * documents < total and key[0] == "some"
        pooled[("some", RARE, RARE, RARE) if small else key] += members
    return pooled


def _order(seed: str, note_id: int) -> bytes:
    return hashlib.sha256(f"{seed}|{note_id}".encode()).digest()


def _name(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:10]


def by_stratum(documents: Iterable[Drawn]) -> Counter[int]:
    """How many of these documents each stratum has."""
    return Counter(document.stratum for document in documents)
