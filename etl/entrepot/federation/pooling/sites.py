"""Which hospitals were asked, which answered, and what may be said of whom."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from entrepot.federation.analyses.answers import Answer

State = Literal["answered", "refused", "late", "missing"]
LEAST_NAMED = 3  # of fewer answers a sum nearly says whose figures it is made of


@dataclass(frozen=True)
class Missing:
    """A node that gave no answer; it is shown as such and never counted as 0."""

    state: Literal["refused", "late", "missing"] = "missing"


@dataclass(frozen=True)
class Site:
    """One node. `name` is empty where names are hidden."""

    name: str
    state: State


Answers: TypeAlias = Mapping[str, Answer | Missing]


def sites(answers: Answers) -> tuple[Site, ...]:
    """Every node that was asked; with fewer than three answers none by its name.

    The names of those who did not answer would tell the others.
    """
    hidden = hides_names(answers)
    found = [
        Site("" if hidden else name, one.state if isinstance(one, Missing) else "answered")
        for name, one in answers.items()
    ]
    return tuple(sorted(found, key=lambda site: (site.name, site.state)))


def labelled(answers: Answers) -> list[tuple[str, Answer]]:
    """Answers with what each site may be called, in an order that says nothing of hidden names."""
    given = [(name, one) for name, one in answers.items() if not isinstance(one, Missing)]
    if not hides_names(answers):
        return sorted(given, key=lambda pair: pair[0])
    given.sort(key=lambda pair: hashlib.sha256(pair[1].model_dump_json().encode()).digest())
    return [(f"site {number + 1}", one) for number, (_, one) in enumerate(given)]


def hides_names(answers: Answers) -> bool:
    """Whether fewer than three nodes answered."""
    return sum(not isinstance(one, Missing) for one in answers.values()) < LEAST_NAMED
