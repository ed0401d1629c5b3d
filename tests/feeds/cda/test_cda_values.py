"""Typed values (HL7 v3 datatypes R1 as CDA R2 uses them), codings, ranges, attachments."""

from __future__ import annotations

from pathlib import Path

import pytest
from cda_samples import cda, section, valued
from hypothesis import given
from hypothesis import strategies as st

from entrepot.errors import ConfigurationError
from entrepot.feeds.cda.reader import CdaReader
from entrepot.feeds.document import Attachment, Result
from entrepot.feeds.mapping import Mapping

pytestmark = pytest.mark.core

NARRATIVE = '<content ID="r1">paille</content>'
LOINC, LOCAL = "2.16.840.1.113883.6.1", "1.2.250.1.2.3.4"
MAPPING = Mapping(mapping="m", kind="event", events=["CDA^*"], columns={})


def read(name: str, path: str, inner: str) -> Result:
    """What a reader makes of the only observation of a document."""
    return read_at(CdaReader([]), name, path, inner)


def read_at(reader: CdaReader, name: str, path: str, inner: str) -> Result:
    """What a site's reader makes of it."""
    document = reader.parse(cda(section(valued(inner), text=NARRATIVE)), "utf-8")
    node = document.nodes("//observation")[0]
    columns, attachment, notices = reader.reader(name, path, MAPPING)(document, node)
    return {column: value for column, value in columns.items() if value}, attachment, notices


@pytest.mark.parametrize(
    ("value", "columns", "notices"),
    [
        ('<value xsi:type="PQ" value="1.950" unit="m[IU]/L"/>',
         {"value_number": "1.950", "unit_code": "m[IU]/L", "value_text": "1.950"}, []),
        ('<value xsi:type="PQ" value="-2" unit="1"/>',
         {"value_number": "-2", "unit_code": "1", "value_text": "-2"}, []),
        ('<value xsi:type="INT" value="3"/>', {"value_number": "3", "value_text": "3"}, []),
        ('<value xsi:type="REAL" value="0.50"/>',
         {"value_number": "0.50", "value_text": "0.50"}, []),
        ('<value value="7" unit="g"/>',
         {"value_number": "7", "unit_code": "g", "value_text": "7"}, []),
        ('<value xsi:type="PQ" value="1,5" unit="g"/>',
         {"value_number": "1.5", "unit_code": "g", "value_text": "1,5"}, ["decimal_comma"]),
        ('<value xsi:type="PQ" value="beaucoup" unit="g"/>',
         {"value_text": "beaucoup", "unit_code": "g"}, ["value_not_numeric"]),
        ('<value xsi:type="INT" value="279035121518989"/>',
         {"value_text": "279035121518989"}, ["number_too_long"]),
        ('<value xsi:type="PQ" nullFlavor="UNK" value="0" unit="g"/>', {}, []),
        ('<value xsi:type="PQ" nullFlavor="NASK"/>', {}, []),
        ('<value xsi:type="PQ" unit="g"/>', {}, []),
        ('<value xsi:type="IVL_PQ"><low value="0.512" unit="ug/mL" inclusive="true"/></value>',
         {"value_number": "0.512", "operator": ">=", "unit_code": "ug/mL",
          "value_text": ">=0.512"}, []),
        ('<value xsi:type="IVL_PQ"><high value="0.128" unit="g" inclusive="false"/></value>',
         {"value_number": "0.128", "operator": "<", "unit_code": "g", "value_text": "<0.128"}, []),
        ('<value xsi:type="IVL_PQ"><low nullFlavor="NINF"/><high value="5" unit="g"/></value>',
         {"value_number": "5", "operator": "<=", "unit_code": "g", "value_text": "<=5"}, []),
        ('<value xsi:type="IVL_PQ"><low value="3" unit="g"/><high value="5" unit="g"/></value>',
         {"value_text": "3 - 5 g"}, []),
        ('<value xsi:type="IVL_PQ"><low value="3" unit="g"/><high value="3" unit="g"/></value>',
         {"value_number": "3", "unit_code": "g", "value_text": "3"}, []),
        (f'<value xsi:type="CD" code="260385009" codeSystem="{LOCAL}" displayName="négatif"/>',
         {"value_code": "260385009", "value_system": LOCAL, "value_text": "négatif"}, []),
        ('<value xsi:type="CD"><originalText><reference value="#r1"/></originalText></value>',
         {"value_text": "paille"}, []),
        ('<value xsi:type="CE" nullFlavor="OTH"><originalText>autre</originalText></value>',
         {"value_text": "autre"}, []),
        (f'<value xsi:type="CE" nullFlavor="OTH" code="x"><translation code="1-8" '
         f'codeSystem="{LOINC}" displayName="t"/></value>',
         {"value_code": "1-8", "value_system": LOINC, "value_text": "t"}, []),
        ('<value xsi:type="CD" nullFlavor="UNK" displayName="inconnu"/>', {}, []),
        ('<value xsi:type="BL" value="true"/>',
         {"value_code": "true", "value_system": "boolean"}, []),
        ('<value xsi:type="BL" value="false"/>',
         {"value_code": "false", "value_system": "boolean"}, []),
        ('<value xsi:type="BL" nullFlavor="UNK"/>', {}, []),
        ('<value xsi:type="ST">clair</value>', {"value_text": "clair"}, []),
        ('<value xsi:type="ST">&lt; 5.5</value>',
         {"value_number": "5.5", "operator": "<", "value_text": "< 5.5"}, []),
        ('<value xsi:type="ED"><reference value="#r1"/></value>', {"value_text": "paille"}, []),
        ('<value xsi:type="ED" mediaType="image/png" representation="B64">AAAA</value>', {},
         ["media_not_read"]),
        ('<value xsi:type="TS" value="20240331"/>', {"value_text": "2024-03-31"}, []),
        ('<value xsi:type="TS" value="202409031530+0200"/>',
         {"value_text": "2024-09-03 15:30"}, []),
        ('<value xsi:type="TS" value="hier"/>', {"value_text": "hier"}, []),
        ('<value xsi:type="TS" nullFlavor="UNK"/>', {}, []),
        ('<value xsi:type="IVL_TS"><low value="20240903"/><high value="202410"/></value>',
         {"value_text": "2024-09-03/2024-10"}, []),
        ('<value xsi:type="IVL_TS"><low value="20240903"/></value>',
         {"value_text": "2024-09-03/"}, []),
        ('<value xsi:type="IVL_TS" value="20240903"/>', {"value_text": "2024-09-03"}, []),
        ('<value xsi:type="RTO_PQ_PQ"><numerator value="1"/><denominator value="128"/></value>',
         {"value_text": "1:128"}, []),
        ('<value xsi:type="INT" value="1"/><value xsi:type="INT" value="2"/>',
         {"value_text": "1; 2"}, ["value_repeated"]),
        ("", {}, []),
    ],
)  # fmt: skip
def test_values(value: str, columns: dict[str, str], notices: list[str]) -> None:
    assert read("value", "value", value) == (columns, None, notices)


def test_a_prefix_of_the_type_is_no_matter() -> None:
    value = '<value xmlns:c="urn:hl7-org:v3" xsi:type="c:PQ" value="1.950" unit="g"/>'
    assert read("value", "value", value)[0]["value_number"] == "1.950"


RANGE = (
    '<referenceRange><observationRange><value xsi:type="IVL_PQ">{}</value>'
    '<interpretationCode code="{}"/></observationRange></referenceRange>'
)
PLAIN = '<low value="{}" unit="{unit}"/><high value="{}" unit="{unit}"/>'


@pytest.mark.parametrize(
    ("ranges", "columns"),
    [
        (RANGE.format(PLAIN.format("0.270", "4.200", unit="g"), "N"),
         {"range_low": "0.270", "range_high": "4.200"}),
        (RANGE.format('<high value="5.0" unit="g"/>', "N"), {"range_high": "5.0"}),
        (RANGE.format('<low nullFlavor="NINF"/><high value="5" unit="g"/>', "N"),
         {"range_high": "5"}),
        (RANGE.format(PLAIN.format("9", "99", unit="g"), "H")
         + RANGE.format(PLAIN.format("1", "2", unit="g"), "N"),
         {"range_low": "1", "range_high": "2"}),
        (RANGE.format(PLAIN.format("3", "6", unit="mmol"), "N"), {}),
        (RANGE.format("1.5 - 2.5", "N"), {"range_low": "1.5", "range_high": "2.5"}),
        (RANGE.format("voir commentaire", "N"), {}),
        ("", {}),
    ],
)  # fmt: skip
def test_ranges(ranges: str, columns: dict[str, str]) -> None:
    value = '<value xsi:type="PQ" value="1" unit="g"/>'
    assert read("range", ".", value + ranges) == (columns, None, [])


@pytest.mark.parametrize(
    ("code", "columns"),
    [
        (f'<targetSiteCode code="A" codeSystem="{LOCAL}" displayName="a"/>',
         {"code": "A", "system": LOCAL}),
        (f'<targetSiteCode code="A" codeSystem="{LOCAL}" displayName="a"><translation code="1-8" '
         f'codeSystem="{LOINC}" displayName="loinc"/></targetSiteCode>',
         {"code": "1-8", "system": LOINC, "alt_code": "A", "alt_system": LOCAL}),
        (f'<targetSiteCode nullFlavor="OTH" code="A"><translation code="B" codeSystem="{LOCAL}"/>'
         "</targetSiteCode>", {"code": "B", "system": LOCAL}),
        ('<targetSiteCode><originalText><reference value="#r1"/></originalText></targetSiteCode>',
         {"label": "paille"}),
        # without any code the sender's own words, else the display
        ('<targetSiteCode displayName="d"><originalText>mots</originalText></targetSiteCode>',
         {"label": "mots"}),
        ('<targetSiteCode displayName="d"/>', {"label": "d"}),
        (f'<targetSiteCode code="A" codeSystem="{LOCAL}"><originalText>mots</originalText>'
         "</targetSiteCode>", {"code": "A", "system": LOCAL}),
        (f'<targetSiteCode code="A" codeSystem="{LOCAL}"><translation code="A" '
         f'codeSystem="{LOCAL}"/></targetSiteCode>', {"code": "A", "system": LOCAL}),
        ('<targetSiteCode nullFlavor="UNK"/>', {}),
        ("", {}),
    ],
)  # fmt: skip
def test_codings(code: str, columns: dict[str, str]) -> None:
    assert read("coded", "targetSiteCode", code) == (columns, None, [])


def test_a_site_names_its_own_code_systems(tmp_path: Path) -> None:
    """A local system that the site calls SNOMED is as good as LOINC (coding_rank.csv)."""
    folder = tmp_path / "mappings" / "concepts"
    folder.mkdir(parents=True)
    lines = (
        "system,vocabulary_id,precedence,basis",
        f"{LOCAL},SNOMED,1,own",
        f"{LOINC},LOINC,1,v3",
    )
    (folder / "code_systems.csv").write_text("\n".join(lines), encoding="utf-8")
    code = (
        f'<targetSiteCode code="A" codeSystem="{LOCAL}"><translation code="1-8" '
        f'codeSystem="{LOINC}"/></targetSiteCode>'
    )
    for reader, first in ((CdaReader([]), LOINC), (CdaReader([], [tmp_path]), LOCAL)):
        columns, _, _ = read_at(reader, "coded", "targetSiteCode", code)
        assert columns["system"] == first


CPT, HCPCS, CCAM = "2.16.840.1.113883.6.12", "2.16.840.1.113883.6.285", "1.2.250.1.215.300.1"


@pytest.mark.parametrize("icd", ["2.16.840.1.113883.6.90", "2.16.840.1.113883.6.3",
                                 "2.16.840.1.113883.6.103"])  # fmt: skip
@pytest.mark.parametrize("act", [CPT, HCPCS, CCAM])
def test_a_classification_of_diseases_names_no_act(icd: str, act: str) -> None:
    """ICD-10-CM, ICD-10 and ICD-9-CM beside a vocabulary of acts: the act is what was done."""
    code = (
        f'<targetSiteCode code="Z00.0" codeSystem="{icd}">'
        f'<translation code="93000" codeSystem="{act}"/></targetSiteCode>'
    )
    read_ = read("coded", "targetSiteCode", code)[0]
    assert (read_["code"], read_["alt_code"]) == ("93000", "Z00.0")


@pytest.mark.parametrize(
    ("text", "attachment", "notices"),
    [
        ('<text mediaType="application/pdf" representation="B64">JVBERi0=</text>',
         Attachment("application/pdf", "Base64", "JVBERi0="), []),
        ('<text mediaType="text/plain">Bonjour</text>', Attachment("text/plain", "A", "Bonjour"),
         []),
        ("<text>Bonjour</text>", Attachment("text/plain", "A", "Bonjour"), []),
        ('<text mediaType="application/pdf" representation="B64" compression="DF">AAAA</text>',
         Attachment("application/compressed", "Base64", "AAAA"), []),
        ('<text mediaType="application/pdf"><reference value="lettre.pdf"/></text>', None,
         ["attachment_elsewhere"]),
        ("<text/>", None, []),
    ],
)  # fmt: skip
def test_attachments(text: str, attachment: Attachment | None, notices: list[str]) -> None:
    assert read("attachment", "text", text) == ({}, attachment, notices)


def test_an_unknown_reader_is_a_fault_of_configuration() -> None:
    with pytest.raises(ConfigurationError):
        CdaReader([]).reader("obx_value", "value", MAPPING)


@given(st.decimals(-(10**7), 10**7, places=4, allow_nan=False))
def test_a_quantity_keeps_its_digits(number: object) -> None:
    sent = format(number, "f")
    columns = read("value", "value", f'<value xsi:type="PQ" value="{sent}" unit="g"/>')[0]
    assert columns["value_number"].rstrip("0").rstrip(".") == sent.rstrip("0").rstrip(".") or (
        float(sent) == 0
    )
    assert columns["value_text"] == sent
