"""Bytes to document: charsets, declarations, bounds (XML 1.0; CDA R2; shared malformed set)."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from cda_samples import PATIENT, cda, section, valued
from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.errors import RecordFault
from entrepot.feeds.cda import document as cda_document
from entrepot.feeds.cda.document import MAX_DEPTH, parse
from entrepot.feeds.cda.narrative import narrative

pytestmark = pytest.mark.core

MALFORMED = {
    "02_latin1_bytes_utf8_declared.xml": "charset_mismatch",
    "04_xxe_file.xml": "dtd_refused",
    "05_xxe_param_http.xml": "dtd_refused",
    "06_billion_laughs.xml": "dtd_refused",
    "07_quadratic_blowup.xml": "dtd_refused",
    "08_truncated.xml": "invalid_xml",
    "09_not_cda_root.xml": "not_cda",
    "16_no_namespace.xml": "not_cda",
    "20_deep_10000.xml": "nesting_too_deep",
}
ACCEPTED = [
    "00_valid_min.xml",
    "01_latin1_declared.xml",
    "03_bom_utf16.xml",
    "10_birth_nullflavor.xml",
    "11_sex_UN.xml",
    "12_bad_birth.xml",
    "13_n1_pdf_base64.xml",
    "14_replace_RPLC.xml",
    "15_two_record_targets.xml",
    "17_prefixed_namespace.xml",
    "18_restricted_V.xml",
    "19_masked_INVISIBLE_PATIENT.xml",
]
DTDS = [
    "<!DOCTYPE x>",
    '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE x [<!ENTITY e "v">]>',
    "<!-- a comment --><?a pi?>\n<!DOCTYPE x>",
    "<!DOCTYPE\nx>",
    "<!ENTITY e 'v'>",
]


def refusal(content: bytes, charset: str = "utf-8") -> str:
    with pytest.raises(RecordFault) as caught:
        parse(content, charset)
    return caught.value.reason


@pytest.mark.parametrize(("name", "reason"), MALFORMED.items())
def test_malformed_set_is_refused(shared: Path, name: str, reason: str) -> None:
    assert refusal((shared / "data/cda/malformed" / name).read_bytes()) == reason


@pytest.mark.parametrize("name", ACCEPTED)
def test_malformed_set_is_accepted(shared: Path, name: str) -> None:
    document = parse((shared / "data/cda/malformed" / name).read_bytes())
    assert document.event == "CDA^34133-9"
    assert document.stated() == [("20240101103000+0100", "effectiveTime")]


def test_the_malformed_set_is_covered(shared: Path) -> None:
    names = {path.name for path in (shared / "data/cda/malformed").iterdir()}
    assert names == {*MALFORMED, *ACCEPTED}


@pytest.mark.parametrize("name", ["00_valid_min.xml", "01_latin1_declared.xml", "03_bom_utf16.xml"])
def test_accents_are_right_in_every_charset(shared: Path, name: str) -> None:
    document = parse((shared / "data/cda/malformed" / name).read_bytes())
    assert [e.text for e in document.named("family")] == ["PATÉ"]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("dtd", DTDS)
def test_any_dtd_is_refused_in_any_encoding(dtd: str, codec: str) -> None:
    declared = "UTF-16" if "16" in codec else "UTF-8"
    text = cda().decode().replace("UTF-8", declared).replace("?>\n", f"?>\n{dtd}")
    assert refusal(text.encode(codec)) == "dtd_refused"


def test_a_dtd_is_refused_before_any_file_is_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET", encoding="utf-8")
    dtd = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    content = cda(section(text="&e;")).decode().replace("?>\n", f"?>\n{dtd}")
    assert refusal(content.encode()) == "dtd_refused"


@pytest.mark.parametrize(
    ("declared", "codec", "reason"),
    [
        ("UTF-8", "utf-16", "charset_mismatch"),
        ("UTF-16", "utf-8", "charset_mismatch"),
        ("ISO-8859-1", "utf-8-sig", "charset_mismatch"),
        ("EBCDIC-CP-FR", "latin-1", "charset_unknown"),
        ("zlib", "latin-1", "charset_unknown"),
        ("UTF-8", "latin-1", "charset_mismatch"),
    ],
)
def test_bytes_against_their_declaration(declared: str, codec: str, reason: str) -> None:
    text = cda().decode().replace("UTF-8", declared)
    assert refusal(text.encode(codec)) == reason


@pytest.mark.parametrize(
    ("declared", "codec", "notice"),
    [
        ("ISO-8859-1", "utf-8", "charset_mojibake_repaired"),
        ("US-ASCII", "utf-8", "charset_mismatch_repaired"),
        ("ISO-8859-1", "cp1252", "charset_cp1252_repaired"),
        ("windows-1252", "cp1252", ""),
        ("ISO-8859-15", "iso8859-15", ""),
    ],
)
def test_repairs_without_doubt_are_noticed(declared: str, codec: str, notice: str) -> None:
    patient = PATIENT if codec != "cp1252" else PATIENT.replace("Zoé", "Zo\u0153")
    text = cda(patient=patient).decode().replace("UTF-8", declared)
    document = parse(text.encode(codec))
    assert [code for code, _ in document.notices] == ([notice] if notice else [])
    assert [e.text for e in document.named("family")] == ["PATÉ"]


def test_an_undeclared_charset_is_the_sources() -> None:
    text = cda().decode().partition("\n")[2]
    assert parse(text.encode("latin-1"), "8859/1").event == "CDA^34133-9"
    assert refusal(text.encode("latin-1"), "UTF-8") == "charset_mismatch"
    assert parse(text.encode(), "8859/1").notices == []


def nested(levels: int) -> bytes:
    return cda(section(text="<content>" * levels + "x" + "</content>" * levels))


def test_depth_is_bounded_at_libxml2s_own_limit() -> None:
    assert narrative(parse(nested(MAX_DEPTH - 6)).named("section")).endswith("x")
    assert refusal(nested(MAX_DEPTH + 1)) == "nesting_too_deep"


def test_depth_is_bounded_in_huge_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cda_document, "MAX_TEXT", 1000)
    assert refusal(nested(5000)) == "nesting_too_deep"


def test_size_and_markup_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cda_document, "MAX_MARKUP", 5000)
    assert refusal(cda(section(text="<br/>" * 6000))) == "record_too_large"
    monkeypatch.setattr(cda_document, "MAX_BYTES", 100)
    assert refusal(cda()) == "record_too_large"


def test_a_text_of_more_than_ten_megabytes_is_read() -> None:
    body = cda(stay="").decode().replace(
        "</ClinicalDocument>",
        '<component><nonXMLBody><text mediaType="application/pdf" representation="B64">'
        + "QUFB" * 2_700_000 + "</text></nonXMLBody></component></ClinicalDocument>",
    )  # fmt: skip
    document = parse(body.encode())
    assert len(document.root.findtext(".//{*}nonXMLBody/{*}text")) == 10_800_000


def test_an_auto_presentable_document_is_the_one_it_holds() -> None:
    inner = cda(section(valued('<value xsi:type="INT" value="3"/>'))).decode().partition("\n")[2]
    sheet = (
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0">'
        f'<d:Contenu xmlns:d="urn:asip-sante:ci-sis">{inner}</d:Contenu></xsl:stylesheet>'
    )
    document = parse(sheet.encode())
    assert document.event == "CDA^34133-9"
    assert [n.place for n in document.nodes("/ClinicalDocument//observation")] == ["observation[1]"]
    assert refusal(sheet.replace("</d:Contenu>", f"{inner}</d:Contenu>").encode()) == "not_cda"


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"\xef\xbb\xbf", b"{}", b"MSH|^~\\&|", b"<", b"<!--", b"<?xml", b"\xff\xfe", b"\0"],
)
def test_what_is_no_document(content: bytes) -> None:
    assert refusal(content) in {"invalid_xml", "charset_mismatch", "charset_unknown"}


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_only_a_record_fault_escapes_from_damaged_bytes(data: st.DataObject) -> None:
    content = bytearray(cda(section(valued('<value xsi:type="PQ" value="1" unit="g"/>'))))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    with contextlib.suppress(RecordFault):
        assert parse(bytes(content[:cut])).event.startswith("CDA^")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_only_a_record_fault_escapes_from_any_bytes(content: bytes) -> None:
    with pytest.raises(RecordFault):
        parse(content)
