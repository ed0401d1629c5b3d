"""All cases, each with names of its own, so that all can be told to one site."""

from __future__ import annotations

from properties import cases_cda, cases_facts, cases_persons, cases_values, cases_versions
from properties.case import ALL, Case, Names

__all__ = ["cases", "cases_cda", "cases_facts", "cases_persons", "cases_values", "cases_versions"]


def cases() -> list[Case]:
    """Every case."""
    found = []
    for number, make in enumerate(ALL, 1):
        names = Names(number)
        made = make(names)
        facts = tuple(sorted(made.pop("facts")))
        found.append(Case(make.__name__, names, facts, **made))
    return found
