"""One small hospital for the tests of rights: a mother, her newborn, and somebody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from entrepot.config import CONFIG_NAME, Site
from entrepot.register.person import Identifier
from entrepot.rights.erasing import Erased
from properties.stages import AUTHORITY_OID, SETTINGS, Sites
from properties.told import Told, ipps
from rights.scanned import Traces

SEED = 7
MOTHER, NEWBORN, OTHER = 1, 2, 3
PEOPLE = "people: {c.moreau: {profiles: [dpo]}, p.vigne: {profiles: [steward]}}\nworkers: 1\n"
STUDY = "s1"
DEFINITION = f"""\
id: {STUDY}
title: Étude
legal_basis: MR-004
purpose: Décrire
expires: 2099-12-31
cohort: {{sql: SELECT person_id FROM cdm.person}}
tables: [person, visit_occurrence, condition_occurrence, measurement]
approval: {{approved_by: c.moreau}}
"""


@dataclass(frozen=True)
class Hospital:
    """A site that ran, with a study space of everybody, and what was landed in it."""

    site: Site
    messages: list[Told]
    sites: Sites
    copy: Callable[[], Site]


def number(patient: int) -> Identifier:
    """The patient's first IPP."""
    return Identifier(AUTHORITY_OID, ipps(SEED, patient)[0], "")


@dataclass(frozen=True)
class Case:
    """A site before and after the mother was erased, and what was of her.

    Args:
        cpu: seconds that the erasure used.
    """

    before: Site
    site: Site
    result: Erased
    traces: Traces
    cpu: float


def configure(site: Site, extra: str) -> Site:
    """The site with further settings."""
    path: Path = site.root / CONFIG_NAME
    path.write_text(SETTINGS + PEOPLE + extra)
    return Site.open(site.root)
