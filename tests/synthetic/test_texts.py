"""texts.jsonl says what stands in the letters: who is named, which clinical facts are said."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hl7_reading import lines
from synthetic_hospital import Hospital

from entrepot.synthetic.clinical import DIAGNOSES, DRUGS

pytestmark = pytest.mark.core

KINDS = {"drug", "dose", "diagnosis", "finding", "value", "date"}


@pytest.fixture(scope="module")
def texts(hospital: Hospital) -> list[dict[str, Any]]:
    return lines(hospital.out / "truth" / "texts.jsonl")


def words(line: dict[str, Any], kind: str) -> list[str]:
    """What a text says of one kind."""
    return [
        line["text"][fact["start"] : fact["end"]] for fact in line["facts"] if fact["kind"] == kind
    ]


def test_every_letter_and_comment_has_its_text(
    hospital: Hospital, texts: list[dict[str, Any]]
) -> None:
    letters = {name for name, line in hospital.statements.items() if line["kind"] == "letter"}
    assert {line["statement"] for line in texts if line["kind"] == "letter"} == letters
    comments = [line["statement"] for line in texts if line["kind"] == "comment"]
    assert comments
    assert {hospital.statements[name]["kind"] for name in comments} == {"result"}


def test_the_message_says_that_very_text(hospital: Hospital, texts: list[dict[str, Any]]) -> None:
    sent: dict[str, set[str]] = defaultdict(set)
    for message, read in hospital.sound:
        if message["source"] == "letters" and not message["cancel"]:
            sent[message["statements"][0]].add(read.get("OBX-5"))
    whole = {line["statement"]: line["text"] for line in texts}
    told = [
        name
        for name in sent
        if hospital.statements[name]["form"] == "breaks" and sent[name] != {""}
    ]
    assert len(told) > 20
    assert all(sent[name] == {whole[name]} for name in told)


def test_who_is_named_is_who_is_listed(hospital: Hospital, texts: list[dict[str, Any]]) -> None:
    listed = {(line["patient"], line["label"], line["value"]) for line in hospital.identifiers}
    for line in texts:
        told = line["kind"] == "letter" and hospital.statements[line["statement"]]["told"]
        for one in line["identifiers"] if told else ():
            value = line["text"][one["start"] : one["end"]]
            assert (line["patient"], one["label"], value) in listed


def test_facts_are_what_the_statements_say(hospital: Hospital, texts: list[dict[str, Any]]) -> None:
    substances, labels = {drug.substance for drug in DRUGS}, {one.label for one in DIAGNOSES}
    sigs: dict[str, set[str]] = defaultdict(set)
    for line in hospital.statements.values():
        if line["kind"] == "prescription":
            sigs[line["patient"]].add(line["sig"])
    said: Counter[str] = Counter()
    for line in texts:
        said.update(fact["kind"] for fact in line["facts"])
        assert set(words(line, "drug")) <= substances
        assert set(words(line, "dose")) <= sigs[line["patient"]]
        assert set(words(line, "diagnosis")) <= labels
        assert all(re.search(r"\d", value) for value in words(line, "value"))
        assert all(re.fullmatch(r"\d\d?(er)?[ /]\S+[ /]\d{4}", day) for day in words(line, "date"))
        keep = hospital.statements[line["statement"]].get("keep", [])
        assert set(keep) <= set(words(line, "finding"))
    assert set(said) == KINDS
    assert min(said.values()) > 100


def test_a_fact_is_nobodys_name(texts: list[dict[str, Any]]) -> None:
    for line in texts:
        spans = sorted((one["start"], one["end"]) for one in line["identifiers"] + line["facts"])
        assert all(start < end for start, end in spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
