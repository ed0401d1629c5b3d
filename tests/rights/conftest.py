"""A site that ran, and the mother erased in a copy of it; tests work on copies of both."""

from __future__ import annotations

import itertools
import shutil
import time

import pytest

from entrepot.config import Site
from entrepot.publish.frozen import freeze
from entrepot.rights.erasing import erase
from entrepot.study.life import create
from properties.stages import Sites, land
from properties.told import hospital
from rights.scanned import traces
from rights.small_hospital import (
    DEFINITION,
    MOTHER,
    NEWBORN,
    OTHER,
    PEOPLE,
    SEED,
    STUDY,
    Case,
    Hospital,
    number,
)
from roads import travel


@pytest.fixture(scope="session")
def case(published: Hospital) -> Case:
    site, before = published.copy(), published.copy()
    known, start = traces(site, number(MOTHER)), time.process_time()
    result = erase(site, number(MOTHER), "c.moreau", "demande du 3 mai")
    return Case(before, site, result, known, time.process_time() - start)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    folder = tmp_path_factory.mktemp("rights")
    sites, count = Sites(folder), itertools.count()
    messages = hospital(SEED, (MOTHER, NEWBORN, OTHER), ("hl7v2",), twice=0)
    site = sites.new(PEOPLE)
    land(site, messages)
    assert travel(site).published
    freeze(site)  # as for a federated study
    (folder / f"{STUDY}.yaml").write_text(DEFINITION)
    assert create(site, folder / f"{STUDY}.yaml")["persons"] == 3

    def copy() -> Site:
        root = folder / f"copy{next(count)}"
        shutil.copytree(site.root, root)
        return Site.open(root)

    return Hospital(site, messages, sites, copy)
