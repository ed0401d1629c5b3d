"""The SQL and the rules in plain Python agree on any vocabulary, site map and batch."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from resolution_reference import (
    ALWAYS,
    AS_OF,
    Case,
    Concept,
    Link,
    SiteRow,
    reference,
    run_sql,
)

pytestmark = pytest.mark.core

ICD_SYSTEMS = ("CIM10", "cim10 ")
FAMILIES = (  # systems, vocabularies, spellings of a few neighbouring codes
    (ICD_SYSTEMS, ("CIM10", "ICD10"), ("I10", "I1.0", " i10", "I10+0", "I10.00", "I1000", "I1")),
    (ICD_SYSTEMS, ("CIM10", "ICD10"), ("E11", "E11.9", "E119", "e1198", "E119+8", "E11+")),
    (("CCAM",), ("CCAM",), ("HHFA001", "HHFA001-1", "hhfa 001", "HHFA0011", "HHFA002")),
    (("LN", "LABO", ""), ("LOINC", "LABO", ""), ("HB", " HB", "hb", "", "H")),
)
DOMAINS = st.sampled_from(["Condition", "Measurement", "Observation"])
DAY = dt.timedelta(days=1)
PERIODS = st.sampled_from(
    [ALWAYS, ALWAYS, (AS_OF, AS_OF), (ALWAYS[0], AS_OF - DAY), (AS_OF + DAY, ALWAYS[1])]
)
SOURCES, TARGETS = range(1, 6), range(11, 16)
MOSTLY = st.sampled_from([True, True, True, False])
VALID = st.sampled_from([None, None, None, "D"])
KINDS = st.sampled_from(["Maps to", "Maps to", "Maps to", "Maps to value", "Is a"])
SITE_TARGETS = st.sampled_from([0, 99, *TARGETS])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Small and crowded: neighbouring codes, few ids, so that links and fan-outs are the rule."""
    systems, vocabularies, spellings = draw(st.sampled_from(FAMILIES))
    codes, names = st.sampled_from(spellings), st.sampled_from(vocabularies)
    sources = [
        Concept(number, draw(names), draw(codes), draw(DOMAINS), False, draw(VALID))
        for number in SOURCES
    ]
    targets = [
        Concept(number, "SNOMED", f"s{number}", draw(DOMAINS), draw(MOSTLY)) for number in TARGETS
    ]
    link = st.builds(Link, st.sampled_from(SOURCES), st.sampled_from(TARGETS), KINDS, VALID)
    links = draw(st.lists(link, min_size=6, max_size=14))
    site = [
        SiteRow(draw(names), draw(codes), draw(SITE_TARGETS), *draw(PERIODS))
        for _ in range(draw(st.sampled_from([0, 0, 1, 2])))
    ]
    used = st.tuples(st.sampled_from(systems), codes)
    odd = st.sampled_from([("?", spellings[0]), (None, spellings[1]), (systems[0], None)])
    batch = [*draw(st.lists(used, min_size=4, max_size=8, unique=True)), draw(odd)]
    return Case([*sources, *targets], links, list({row[:4]: row for row in site}.values()), batch)


def few(examples: int) -> settings:
    """Each example plans a large statement: some tens of milliseconds."""
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


@few(50)
@given(cases())
def test_sql_and_rules_agree(case: Case) -> None:
    """And no code is lost or there twice, and only a code without a target has target 0."""
    rows = run_sql(case)
    assert rows == reference(case)
    ordinals: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        ordinals.setdefault((row.system, row.code), []).append(row.ordinal)
    assert set(ordinals) == {(system or "", code or "") for system, code in case.codes}
    assert all(found == list(range(len(found))) for found in ordinals.values())
    standard = {concept.id for concept in case.concepts if concept.standard}
    for row in rows:
        assert row.target_concept_id in (standard | {0})
        assert row.target_concept_id != 0 or len(ordinals[row.system, row.code]) == 1


@few(10)
@given(cases(), st.randoms(use_true_random=False))
def test_order_and_repetition_of_rows_change_nothing(case: Case, rng: random.Random) -> None:
    def mixed(rows: list[Any]) -> list[Any]:
        return rng.sample(rows, len(rows))

    other = Case(
        mixed(case.concepts), mixed(case.links * 2), mixed(case.site), mixed(case.codes * 2)
    )
    assert run_sql(other) == run_sql(case)
