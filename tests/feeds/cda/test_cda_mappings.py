"""The shipped mappings on small documents: what is excluded, keyed, dated, told once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cda_samples import HEADER, STAY, cda, observation, section, valued

from entrepot.door.treatments import Treatments
from entrepot.errors import RecordFault
from entrepot.feeds.cda.reader import CdaReader
from entrepot.feeds.extract import Extractor
from entrepot.feeds.mapping import load_mappings
from entrepot.feeds.raw_row import RawRow
from entrepot.keys import ROOT_BYTES, Keyring
from entrepot.staging.kinds import KINDS

pytestmark = pytest.mark.core

LAB = '<templateId root="1.3.6.1.4.1.19376.1.3.1.6"/>'
PROBLEM = '<templateId root="1.3.6.1.4.1.19376.1.5.3.1.4.5"/>'
CIM10 = "2.16.840.1.113883.6.3"


@lru_cache(maxsize=1)
def extractor() -> Extractor:
    return Extractor(load_mappings("cda"))


def read(content: bytes) -> Any:
    return extractor().parse(content, "utf-8")


def rows(content: bytes, mapping: str) -> list[RawRow]:
    document = read(content)
    found = (c for c in extractor().mappings(document.event) if c.mapping.mapping == mapping)
    return [row for compiled in found for row in compiled.rows(document)]


def malformed(shared: Path, name: str) -> bytes:
    return (shared / "data/cda/malformed" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("00_valid_min.xml", None),
        ("18_restricted_V.xml", "restricted_by_label"),
        ("19_masked_INVISIBLE_PATIENT.xml", "masked_by_label"),
    ],
)
def test_labels(shared: Path, name: str, rule: str | None) -> None:
    assert extractor().exclusion_by_content(read(malformed(shared, name))) == rule


@pytest.mark.parametrize("code", ["MASQUE_PS", "INVISIBLE_REPRESENTANTS_LEGAUX"])
def test_french_masks(code: str) -> None:
    content = cda(header=HEADER.replace('code="N"', f'code="{code}"'))
    assert extractor().exclusion_by_content(read(content)) == "masked_by_label"


def test_a_label_on_a_section_keeps_the_document_out() -> None:
    label = '<confidentialityCode code="V"/><text>'
    content = cda(section(text="x").replace("<text>", label))
    assert extractor().exclusion_by_content(read(content)) == "restricted_by_label"


def test_two_patients_are_quarantined(shared: Path) -> None:
    with pytest.raises(RecordFault) as caught:
        extractor().check_content(read(malformed(shared, "15_two_record_targets.xml")))
    assert caught.value.reason == "several_subjects"
    extractor().check_content(read(cda()))


def test_the_malformed_headers(shared: Path) -> None:
    def patient(name: str) -> dict[str, str]:
        return rows(malformed(shared, name), "patient")[0].values

    assert patient("10_birth_nullflavor.xml")["birth_year"] == ""
    assert patient("11_sex_UN.xml")["gender_code"] == "UN"
    assert patient("12_bad_birth.xml")["birth_year"] not in {
        "",
        "1979",
    }  # as sent: the door refuses
    replaced = rows(malformed(shared, "14_replace_RPLC.xml"), "statement")[0]
    assert replaced.lists["replaces"] == ["1.2.250.1.999.1^DOC0"]
    attached = rows(malformed(shared, "13_n1_pdf_base64.xml"), "document_attached")[0]
    assert attached.attachment is not None
    assert attached.attachment.subtype == "application/pdf"


@pytest.mark.parametrize(("type_code", "replaces"), [("RPLC", ["9^D"]), ("APND", []), ("XFRM", [])])
def test_only_a_replacement_replaces(type_code: str, replaces: list[str]) -> None:
    related = (
        f'<relatedDocument typeCode="{type_code}"><parentDocument><id root="9" extension="D"/>'
        '<setId root="1.2.4" extension="S1"/></parentDocument></relatedDocument>'
    )
    statement = rows(cda(stay=related), "statement")[0]
    assert statement.lists["replaces"] == replaces
    assert statement.values == {"set": "1.2.4^S1", "version_number": "2"}


def test_without_a_set_the_document_is_its_own() -> None:
    header = HEADER.replace('<setId root="1.2.4" extension="S1"/>', "")
    assert rows(cda(header=header), "statement")[0].values["set"] == "1.2.3^DOC1"


def test_a_fact_is_keyed_by_its_id_or_by_its_place_in_the_record() -> None:
    value = '<value xsi:type="PQ" value="1" unit="g"/>'
    named = valued(value, more=LAB + '<id root="9" extension="R1"/>')
    with_id, without = rows(cda(section(named, valued(value, more=LAB))), "result")
    assert with_id.key == ["9^R1", "718-7", "20240330"]
    assert without.key[0] == ""
    assert without.key_in_record == ["718-7", "20240330", ""]


def test_a_fact_belongs_to_the_documents_stay_order_and_author() -> None:
    order = '<inFulfillmentOf><order><id root="9" extension="O1"/></order></inFulfillmentOf>'
    author = (
        '<author><time value="20240331"/><assignedAuthor><id root="1.2.250.1.71.4.2.1"'
        ' extension="801"/></assignedAuthor></author>'
    )
    content = cda(
        section(valued('<value xsi:type="INT" value="1"/>', more=LAB)), stay=author + order + STAY
    )
    values = rows(content, "result")[0].values
    assert (values["stay"], values["order"], values["provider"]) == ("NDA1", "O1", "801")
    stay = rows(content, "stay")[0]
    assert stay.key == ["NDA1"]
    assert (stay.values["class_code"], stay.values["start_at"], stay.values["end_at"]) == (
        "IMP", "20240320", "20240331",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("times", "code", "start"),
    [
        ('<low value="20240320"/><high value="20240331"/>', "IMP", "20240320"),
        ('<high value="20240331"/>', "IMP", ""),
        ('<high value="20240331"/>', "AMB", "20240331"),
    ],
)
def test_when_a_stay_began(times: str, code: str, start: str) -> None:
    stay = STAY.replace('<low value="20240320"/>\n<high value="20240331"/>', times)
    stay = stay.replace('code="IMP"', f'code="{code}"')
    assert rows(cda(stay=stay), "stay")[0].values["start_at"] == start


@pytest.mark.parametrize(("day", "count"), [("20240320", 0), ("20240401", 1)])
def test_the_documents_stay_told_again_is_one_stay(day: str, count: int) -> None:
    entry = (
        '<encounter classCode="ENC" moodCode="EVN"><id root="9" extension="E1"/>'
        f'<effectiveTime><low value="{day}"/></effectiveTime></encounter>'
    )
    assert len(rows(cda(section(entry, code="46240-8")), "stay_entry")) == count


def problem(inner: str = "", attributes: str = 'moodCode="EVN"') -> str:
    value = f'<value xsi:type="CD" code="I21.1" codeSystem="{CIM10}"/>'
    found = observation(
        f'{PROBLEM}<code code="282291009"/><statusCode code="completed"/>{inner}{value}', attributes
    )
    return (
        '<act classCode="ACT" moodCode="EVN"><code nullFlavor="NA"/><statusCode code="active"/>'
        '<effectiveTime><low value="20180201"/></effectiveTime>'
        f'<entryRelationship typeCode="SUBJ">{found}</entryRelationship></act>'
    )


@pytest.mark.parametrize(
    ("inner", "start"),
    [
        ('<effectiveTime><low value="20180114"/></effectiveTime>', "20180114"),
        ('<effectiveTime><low nullFlavor="UNK"/></effectiveTime>', "20180201"),
        ("", "20180201"),
    ],
)
def test_a_problem_is_one_diagnosis_at_its_onset(inner: str, start: str) -> None:
    content = cda(section(problem(inner), code="11450-4"))
    found = rows(content, "diagnosis")
    assert [(r.values["code"], r.values["start_at"], r.values["context_code"]) for r in found] == [
        ("I21.1", start, "problem_list")
    ]
    assert rows(content, "act") == rows(content, "observation") == []


def test_a_negated_problem_is_none() -> None:
    content = cda(section(problem(attributes='moodCode="EVN" negationInd="true"')))
    assert rows(content, "diagnosis") == []


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ('<value xsi:type="PQ" nullFlavor="UNK"/>', 0),
        ('<value xsi:type="CD" nullFlavor="OTH"><originalText>rare</originalText></value>', 1),
        ("", 1),
    ],
)
def test_a_value_said_to_be_absent_makes_no_row(value: str, count: int) -> None:
    assert len(rows(cda(section(valued(value, more=LAB))), "result")) == count


@pytest.mark.parametrize(
    ("value", "category"),
    [
        ('<value xsi:type="PQ" value="1" unit="g"/>', "result"),
        ('<value xsi:type="BL" value="true"/>', "observation"),
        ('<value xsi:type="CD" code="A" codeSystem="1.2"/>', "observation"),
    ],
)
def test_an_unnamed_observation_is_read_by_its_value(value: str, category: str) -> None:
    assert [r.values["category"] for r in rows(cda(section(valued(value))), "observation")] == [
        category
    ]


ACT_CODE, SNOMED = "2.16.840.1.113883.5.4", "2.16.840.1.113883.6.96"
ASSERTION = f'<code code="ASSERTION" codeSystem="{ACT_CODE}"/><effectiveTime value="20240330"/>'
NEVER_SMOKER = f'<value xsi:type="CD" code="266919005" codeSystem="{SNOMED}" displayName="x"/>'
VALUES = ("value_number", "operator", "unit_code", "value_code", "value_system", "value_text")


def told(content: bytes) -> dict[str, list[RawRow]]:
    """Rows of events by mapping."""
    found: dict[str, list[RawRow]] = {}
    for row in extractor().rows(read(content), "event"):
        found.setdefault(row.mapping.mapping, []).append(row)
    return found


@pytest.mark.parametrize("more", ["", LAB, '<templateId root="2.16.840.1.113883.10.20.22.4.78"/>'])
def test_what_is_asserted_is_the_fact(more: str) -> None:
    """C-CDA R2.1, smoking status: code ASSERTION, the meaning is the value."""
    entry = observation(f'{more}<id root="9" extension="R1"/>{ASSERTION}{NEVER_SMOKER}')
    rows_ = told(cda(section(entry, code="29762-2")))
    assert list(rows_) == ["assertion"]
    (row,) = rows_["assertion"]
    wanted = ("266919005", SNOMED, "observation", "20240330")
    assert tuple(row.values[n] for n in ("code", "system", "category", "start_at")) == wanted
    assert not any(row.values.get(name) for name in VALUES)
    assert row.key == ["9^R1", "266919005", "20240330"]


@pytest.mark.parametrize(
    ("value", "mapping"),
    [
        ('<value xsi:type="ST">fumeur</value>', "observation"),
        ('<value xsi:type="CD" nullFlavor="OTH"><originalText>chiqueur</originalText></value>',
         "assertion"),
        ('<value xsi:type="CD" nullFlavor="UNK"/>', ""),
    ],
)  # fmt: skip
def test_an_assertion_without_a_code_keeps_its_words(value: str, mapping: str) -> None:
    rows_ = told(cda(section(observation(ASSERTION + value), code="29762-2")))
    assert list(rows_) == [mapping] * bool(mapping)
    if mapping:
        values = rows_[mapping][0].values
        assert {values.get("label"), values.get("value_text")} & {"chiqueur", "fumeur"}


def test_an_asserted_problem_is_a_diagnosis_alone() -> None:
    entry = observation(PROBLEM + ASSERTION + NEVER_SMOKER)
    assert list(told(cda(section(entry)))) == ["diagnosis"]


ACTIVITY = '<templateId root="2.16.840.1.113883.10.20.22.4.13"/><id root="9" extension="P1"/>'


def activity(value: str, system: str = SNOMED) -> str:
    return observation(
        f'{ACTIVITY}<code code="268400002" codeSystem="{system}"/><statusCode code="completed"/>'
        f'<effectiveTime value="20140329"/>{value}'
    )


FINDING = f'<value xsi:type="CD" code="251135002" codeSystem="{SNOMED}"/>'


def test_the_finding_of_an_act_is_a_fact_of_its_own() -> None:
    """C-CDA Procedure Activity Observation: `value` records relevant findings."""
    rows_ = told(cda(section(activity(FINDING), code="47519-4")))
    assert sorted(rows_) == ["act", "finding"]
    found = rows_["finding"][0].values
    wanted = ("251135002", SNOMED, "observation", "20140329")
    assert tuple(found[n] for n in ("code", "system", "category", "start_at")) == wanted
    assert rows_["act"][0].values["code"] == "268400002"
    assert not any(rows_["act"][0].values.get(name) for name in VALUES)


def test_the_number_that_an_act_gave_is_a_result() -> None:
    """A procedure has no value (OMOP procedure_occurrence): the number stands beside it."""
    rows_ = told(cda(section(activity('<value xsi:type="PQ" value="62" unit="/min"/>'))))
    assert sorted(rows_) == ["act", "act_result"]
    found = rows_["act_result"][0].values
    wanted = ("268400002", "result", "62", "/min")
    assert tuple(found[n] for n in ("code", "category", "value_number", "unit_code")) == wanted
    assert found.get("system", "") == ""  # under its system the code is the procedure


@pytest.mark.parametrize("value", [FINDING, '<value xsi:type="PQ" value="62" unit="/min"/>'])
def test_an_act_that_is_a_question_keeps_its_answer(value: str) -> None:
    """A LOINC code is a measurement or an observation, which have values."""
    rows_ = told(cda(section(activity(value, "2.16.840.1.113883.6.1"))))
    assert list(rows_) == ["act"]
    values = rows_["act"][0].values
    assert {values.get("value_number"), values.get("value_code")} & {"62", "251135002"}
    assert values["category"] == "result"  # a measurement, also where the code is not mapped


@pytest.mark.parametrize("value", ["", '<value nullFlavor="NA"/>', '<value xsi:type="CD"/>'])
def test_an_act_without_a_finding_is_one_row(value: str) -> None:
    for system in (SNOMED, "2.16.840.1.113883.6.1"):
        rows_ = told(cda(section(activity(value, system))))
        assert [row.values["category"] for row in rows_.pop("act")] == ["act"]
        assert rows_ == {}


def test_a_document_elsewhere_is_no_act() -> None:
    entry = (
        '<act classCode="ACT" moodCode="EVN"><code code="DOCCLIN" displayName="clinical document"'
        ' codeSystem="2.16.840.1.113883.5.6"/><reference typeCode="REFR"><externalDocument'
        ' classCode="DOCCLIN" moodCode="EVN"><id root="9"/></externalDocument></reference></act>'
    )
    content = cda(section(entry, code="11383-7"))
    assert told(content) == {}
    assert read(content).notices == [("entry_not_read", "act[1]")]


@pytest.mark.parametrize("template", ["2.16.840.1.113883.10.20.22.4.8",
                                      "1.3.6.1.4.1.19376.1.5.3.1.4.1"])  # fmt: skip
def test_a_severity_is_no_reaction(template: str) -> None:
    severity = observation(f'<templateId root="{template}"/><code code="SEV"/>{FINDING}')
    link = f'<entryRelationship typeCode="MFST">{severity}</entryRelationship>'
    assert list(told(cda(section(valued(NEVER_SMOKER, more=link))))) == ["observation"]


def test_an_impossible_date_is_told_with_its_entry() -> None:
    good = valued("", more=LAB)
    bad = good.replace("20240330", "20241345")
    document = read(cda(section(good, bad)))
    row = extractor().rows(document, "event")[1]
    treatments = Treatments(Keyring(bytes(ROOT_BYTES)), ZoneInfo("Europe/Paris"))
    scrubbing: Any = SimpleNamespace(check_code=str, text=lambda text: (text, []))
    with pytest.raises(RecordFault) as caught:
        treatments.cells(row, KINDS["event"], "", scrubbing)
    assert caught.value.reason == "impossible_date"
    assert caught.value.position == "observation[2]/effectiveTime/@value"


def test_an_active_laboratory_report_is_preliminary() -> None:
    service = (
        '<documentationOf><serviceEvent><l:statusCode xmlns:l="urn:oid:1.3.6.1.4.1.19376.1.3.2"'
        ' code="{}"/></serviceEvent></documentationOf>'
    )
    for code, status in (("active", "preliminary"), ("completed", "final")):
        content = cda(section(text="x"), stay=service.format(code))
        assert rows(content, "document")[0].values["status_code"] == status
    assert rows(cda(section(text="x")), "document")[0].values["status_code"] == "final"


@pytest.mark.parametrize(
    ("code", "event"),
    [("74207-2", "CDA^74207-2"), ("SYNTH", "CDA^SYNTH"), ("DUPONT Zoe 1979", "CDA^?")],
)
def test_every_type_of_document_is_read(code: str, event: str) -> None:
    """Also one that is no code: the event then tells nothing of what a sender wrote there."""
    content = cda(section(valued("")), header=HEADER.replace("34133-9", code))
    document = read(content)
    assert document.event == event
    assert extractor().covers(document.event)
    assert len(rows(content, "document")) == len(rows(content, "observation")) == 1


def test_a_new_element_is_one_file(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "cda"
    folder.mkdir(parents=True)
    (folder / "pain.yaml").write_text(
        'mapping: pain\nkind: event\nevents: ["CDA^*"]\n'
        "foreach: \"//observation[@e:fact = 'realised'][code/@code = '38208-5']\"\n"
        'key: ["id/@root"]\nkey_fallback: [code/@code]\n'
        "columns:\n  category: {constant: result, treatment: keep}\n"
        "  code: {path: code/@code, treatment: keep}\n"
    )
    added = Extractor(load_mappings("cda", [tmp_path]))
    document: Any = added.parse(cda(section(valued("", "38208-5"))), "utf-8")
    found = [row for row in added.rows(document, "event") if row.mapping.mapping == "pain"]
    assert [row.values["code"] for row in found] == ["38208-5"]


def test_every_mapping_compiles() -> None:
    mappings = load_mappings("cda").mappings
    assert CdaReader(mappings) is not None
    assert {mapping.kind for mapping in mappings} == {
        "identity", "statement", "patient", "stay", "structure", "document", "event"
    }  # fmt: skip
