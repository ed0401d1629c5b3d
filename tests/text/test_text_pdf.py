"""PDF: text of the text layer; a scan, a damaged or an encrypted file is refused."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.errors import RecordFault
from entrepot.text import Identity, joined_leaks, text_of
from pdf_page import pdf

pytestmark = pytest.mark.core


def test_the_text_layer_is_read() -> None:
    found = text_of(pdf("Patiente suivie pour un diab\xe8te", "depuis deux ans."), "PDF")
    assert "diabète" in found
    assert "depuis deux ans." in found
    assert text_of(pdf("Compte rendu de consultation"), "application/pdf")


@pytest.mark.parametrize(
    "content",
    [
        pdf(),
        pdf("p. 1"),
        b"%PDF-1.4\n",
        pdf("Compte rendu de consultation")[:120],
        b"no pdf at all",
    ],
    ids=["scan", "page number alone", "empty", "cut", "other"],
)
def test_a_file_without_text_layer_is_refused(content: bytes) -> None:
    with pytest.raises(RecordFault) as caught:
        text_of(content, "application/pdf")
    assert caught.value.reason == "attachment_unreadable"


@settings(deadline=None)  # the first example imports the library
@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_give_text_or_the_fault(noise: bytes, at: int) -> None:
    whole = pdf("Compte rendu de consultation du service")
    reason = ""
    try:
        assert text_of(whole[:at] + noise + whole[at + len(noise) :], "PDF")
    except RecordFault as fault:
        reason = fault.reason
    assert reason in {"", "attachment_unreadable"}


def test_what_the_library_warns_of_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        text_of(pdf("Compte rendu de consultation").replace(b"/Size 6", b"/Size 6 /Size 7"), "PDF")
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Vu ce jour D UPON TEL en consultation", True),
        ("Vu ce jour D.\u00a0U P O N T E L", True),
        ("Vu ce jour un patient de bon teint", False),
        ("lundi\nupontel", False),  # two lines are two places of the page
        ("", False),
    ],
)
def test_a_name_in_pieces_is_a_name(text: str, found: bool) -> None:
    identity = Identity(family_names=("DUPONTEL",), given_names=("Anne",))
    assert bool(joined_leaks(text, identity)) is found
