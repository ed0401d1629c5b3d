"""Official documents read row by row: the expectations were written from the XML by hand."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from entrepot.feeds.cda.document import CdaDocument
from entrepot.feeds.extract import Extractor
from entrepot.feeds.mapping import load_mappings
from entrepot.feeds.raw_row import RawRow

pytestmark = pytest.mark.core

LOINC, SNOMED, CIM10 = "2.16.840.1.113883.6.1", "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.3"
CCAM, CIS = "1.2.250.1.215.300.1", "1.2.250.1.213.2.3.1"
CIP, CIP13 = "1.2.250.1.213.2.3.2", "1.2.250.1.213.2.3.3"


@lru_cache(maxsize=1)
def extractor() -> Extractor:
    return Extractor(load_mappings("cda"))


def document(shared: Path, name: str) -> CdaDocument:
    content = (shared / "data/cda/ans_cda_3_0" / name).read_bytes()
    parsed: Any = extractor().parse(content, "utf-8")
    assert isinstance(parsed, CdaDocument)
    return parsed


def rows(parsed: CdaDocument, mapping: str) -> list[RawRow]:
    found = (c for c in extractor().mappings(parsed.event) if c.mapping.mapping == mapping)
    return [row for compiled in found for row in compiled.rows(parsed)]


def cells(parsed: CdaDocument, mapping: str, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row.values.get(c, "") for c in columns) for row in rows(parsed, mapping)]


def events(parsed: CdaDocument) -> dict[str, int]:
    """How many rows each mapping of events makes."""
    found = (c for c in extractor().mappings(parsed.event) if c.mapping.kind == "event")
    counts = {c.mapping.mapping: len(list(c.rows(parsed))) for c in found}
    return {name: count for name, count in counts.items() if count}


VALUE = ("code", "system", "start_at", "value_number", "operator", "unit_code", "range_low",
         "range_high", "flag_code")  # fmt: skip


def test_tsh(shared: Path) -> None:
    parsed = document(shared, "BIO-CR-BIO_2024.01_TSH_1.xml")
    assert parsed.event == "CDA^11502-2"
    assert cells(parsed, "result", *VALUE) == [
        ("3016-3", LOINC, "20140402145521+0200", "1.950", "", "m[IU]/L", "0.270", "4.200", "N"),
        ("3024-7", LOINC, "20140402145521+0200", "7.67", "", "pg/mL", "9.30", "17.00", "L"),
    ]
    assert set(cells(parsed, "result", "order", "provider", "context_code")) == {
        ("2014123456789", "801234534765", "lab")
    }
    assert events(parsed) == {"result": 2}
    # the id of this encounter numbers a professional: the stay has no number
    stay = rows(parsed, "stay")[0]
    assert (stay.key, stay.key_by_person) == ([""], ["202101040735+0100"])
    assert stay.values["class_code"] == "AMB"
    note = cells(parsed, "document", "code", "title", "written_at", "number")
    assert note == [
        ("11502-2", "Compte rendu d'examens biologiques", "20210401171000+0100",
         "1.2.250.1.213.1.1.1.55.2024.9.1"),
    ]  # fmt: skip
    assert "BILAN THYROIDIEN\tRésultats\tValeurs de référence" in rows(parsed, "document")[
        0
    ].values["text"].split("\n")


def test_tsh_identity(shared: Path) -> None:
    parsed = document(shared, "BIO-CR-BIO_2024.01_TSH_1.xml")
    identity = rows(parsed, "identity")[0]
    assert list(
        zip(identity.lists["identifier_value"], identity.lists["identifier_namespace"], strict=True)
    ) == [("279035121518989", "1.2.250.1.213.1.4.10"), ("1234567890121", "1.2.3.4.567.8.9.10")]
    assert set(identity.lists["family_names"]) == {"PAT-TROIS"}
    assert set(identity.lists["given_names"]) == {"DOMINIQUE MARIE-LOUISE", "DOMINIQUE"}
    assert identity.values["birth_date"] == "19790328"
    assert set(identity.lists["phones"]) == {"0144534551", "0647151010", "0147150000"}
    assert set(identity.lists["mails"]) == {"279035121518989@patient.mssante.fr"}
    assert set(identity.lists["towns"]) == {"Paris", "PARIS", "DOMPREMY"}
    assert "28 Avenue de Breteuil" in identity.lists["streets"]
    assert set(identity.lists["relative_family"]) == {"NESSI"}
    assert {"CAMPARINI", "CHARLES", "BLEEDER", "MEDECIN5729"} <= set(
        identity.lists["professional_family"]
    )
    assert {"801234534765", "810002422979", "801234567893", "00B1057294"} <= set(
        identity.lists["professional_numbers"]
    )
    patient = rows(parsed, "patient")[0].values
    assert (patient["gender_code"], patient["departement"]) == ("F", "75007")


def test_crp_with_a_local_code(shared: Path) -> None:
    parsed = document(shared, "BIO-CR-BIO_2024.01_CRP_non_LOINC.xml")
    assert cells(parsed, "result", *VALUE) == [
        ("1234", "1.2.250.1.2.3.4", "20140402145521+0200", "1.0", "<=", "mg/L", "", "5.0", "N")
    ]


def test_glucose_in_two_units_is_two_results(shared: Path) -> None:
    parsed = document(shared, "BIO-CR-BIO_2024.01_Glycémie deux unités principales_mole_masse.xml")
    assert cells(parsed, "result", *VALUE) == [
        ("40193-5", LOINC, "20140402145521+0200", "4.89", "", "mmol/L", "3.89", "3.89", "N"),
        ("53049-3", LOINC, "20140402145521+0200", "0.88", "", "g/L", "0.70", "1.08", "N"),
    ]


def test_microbiology(shared: Path) -> None:
    parsed = document(shared, "BIO-CR-BIO_2024.01_Microbiologie_V1.xml")
    columns = ("code", "value_number", "operator", "unit_code", "value_text", "flag_code",
               "sub_code", "specimen_code")  # fmt: skip
    found = cells(parsed, "result", *columns)
    assert found[:3] == [
        ("5778-6", "", "", "", "paille", "", "", "UR"),
        ("5767-9", "", "", "", "clair", "", "", "UR"),
        ("30405-5", "500", "", "/mL", "500", "", "", "UR"),
    ]
    assert found[6:] == [
        ("51480-2", "100000", "", "/mL", "100000", "", "1", "112283007"),
        ("20-8", "0.512", ">=", "ug/mL", ">=0.512", "R", "1", "112283007"),
        ("28-1", "0.128", "<", "ug/mL", "<0.128", "I", "1", "112283007"),
        ("18928-2", "0.032", "<", "ug/mL", "<0.032", "S", "1", "112283007"),
        ("51480-2", "200000", "", "/mL", "200000", "", "2", "58800005"),
        ("20-8", "0.012", "<", "ug/mL", "<0.012", "S", "2", "58800005"),
        ("28-1", "0.013", "<", "ug/mL", "<0.013", "S", "2", "58800005"),
        ("18928-2", "0.014", "<", "ug/mL", "<0.014", "S", "2", "58800005"),
    ]
    assert cells(parsed, "specimen", "code", "start_at") == [("UR", "202401040735+0100")]
    # the specimen's id is the number of the professional who took it: it is no key
    assert rows(parsed, "specimen")[0].key[0] == ""
    assert events(parsed) == {"result": 14, "specimen": 1}


def test_vsm(shared: Path) -> None:
    parsed = document(shared, "VSM_1.4_2022.01.xml")
    assert cells(parsed, "diagnosis", "code", "system", "start_at", "end_at", "context_code") == [
        ("G45.9", CIM10, "20190811", "", "problem_list"),
        ("I20.0", CIM10, "20190811", "", "problem_list"),
        ("N10", CIM10, "20180422", "20180430", "problem_list"),
        ("I21.1", CIM10, "20180114", "20180125", "problem_list"),
    ]
    assert cells(parsed, "act", "code", "system", "start_at") == [("DDAF004", CCAM, "20180114")]
    assert cells(parsed, "allergy", "code", "system", "start_at") == [("60234100", CIS, "20180603")]
    columns = ("code", "system", "alt_code", "alt_system", "start_at", "context_code")
    assert cells(parsed, "treatment", *columns) == [
        ("63564053", CIS, "3400938022209", CIP, "20190811", "medication_list"),
        ("63245753", CIS, "3400935693099", CIP, "20190811", "medication_list"),
    ] or cells(parsed, "treatment", *columns) == [
        ("3400938022209", CIP, "63564053", CIS, "20190811", "medication_list"),
        ("3400935693099", CIP, "63245753", CIS, "20190811", "medication_list"),
    ]
    assert cells(parsed, "observation", "code", "value_number", "unit_code", "value_code") == [
        ("74011-8", "25", "{pack}/a", ""),
        ("11343-1", "", "", "398705004"),
    ]
    assert events(parsed) == {
        "diagnosis": 4, "act": 1, "allergy": 1, "treatment": 2, "observation": 2
    }  # fmt: skip
    # a grandparent's disease is nobody's diagnosis here
    assert ("entry_of_another", "organizer[1]") in parsed.notices


def test_vaccinations(shared: Path) -> None:
    parsed = document(shared, "VAC_2023.01.xml")
    found = [{row.values["code"], row.values["alt_code"]} for row in rows(parsed, "vaccination")]
    assert found[0] >= {"3400936466425"}
    assert [len(codes) for codes in found] == [2, 2, 2, 2]
    assert cells(parsed, "vaccination", "start_at", "route_code", "context_code") == [
        ("1975", "20035000", "vaccination"),
        ("20090928094914+0100", "20035000", "vaccination"),
        ("20090928094914+0100", "20035000", "vaccination"),
        ("20210409", "20035000", "vaccination"),
    ]
    assert (
        cells(parsed, "allergy_reaction", "code", "system", "category")
        == [("R50.2", CIM10, "reaction")] * 3
    )
    lots = {"235421176", "4456668", "4456672", "357904636"}
    told = {value for c in extractor().mappings(parsed.event) if c.mapping.kind == "event"
            for row in c.rows(parsed) for value in row.values.values()}  # fmt: skip
    assert not lots & told


def test_prescription(shared: Path) -> None:
    parsed = document(shared, "eP-MED-DM_2024.01_PosoStruct.xml")
    columns = ("start_at", "end_at", "route_code", "quantity", "dose_unit_code", "context_code")
    assert cells(parsed, "prescription", *columns) == [
        ("20231201", "20231206", "20053000", "2", "30009000", "prescription"),
        ("20231201", "20231206", "20003000", "1", "30067000", "prescription"),
    ]
    paracetamol = rows(parsed, "prescription")[0].values
    assert {paracetamol["code"], paracetamol["alt_code"]} == {"63107752", "3400933516390"}
    assert paracetamol["sig"] == "A prendre au cours d'un repas"
    assert cells(parsed, "vital_sign", "code", "value_number", "unit_code") == [
        ("29463-7", "55", "kg"),
        ("8302-2", "170", "cm"),
    ]
    assert cells(parsed, "stay", "site_code", "start_at") == [("750512345", "20231201093000+0100")]
    # the prescribed device is not yet given to the patient
    assert ("entry_planned", "supply[3]") in parsed.notices
    assert "device" not in events(parsed)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("BIO-CR-BIO_2021.01_CDA-R2-Niveau-1.xml", "11502-2"),
        ("DOC_NON_STRUCTURE_CDA-R2-N1.xml", "11502-2"),
        ("IMG_CR_IMG_2024.01_CDA-R2-Niveau-1.xml", "18748-4"),
    ],
)
def test_level_one(shared: Path, name: str, code: str) -> None:
    parsed = document(shared, name)
    found = rows(parsed, "document_attached")
    assert [row.values["code"] for row in found] == [code]
    assert found[0].attachment is not None
    assert (found[0].attachment.subtype, found[0].attachment.encoding) == (
        "application/pdf", "Base64"
    )  # fmt: skip
    assert found[0].attachment.data.startswith("JVBERi0")
    assert rows(parsed, "document") == []
    assert events(parsed) == {}


def test_discharge_letter(shared: Path) -> None:
    parsed = document(shared, "LDL-SES_2022.01.xml")
    stay = rows(parsed, "stay")[0]
    assert stay.key_by_person == ["20191029111700+0100"]
    assert (stay.values["class_code"], stay.values["end_at"]) == ("IMP", "20191203133000+0100")
    assert events(parsed)["administration"] == 1
    assert events(parsed)["treatment"] == 1
    codes = [code for code, _ in parsed.notices]
    assert codes.count("entry_planned") == 3  # a scan, a follow-up, an appointment


def test_a_replaced_report_names_what_it_replaces(shared: Path) -> None:
    first = rows(document(shared, "BIO-CR-BIO_2021.01_Microbiologie_V1.xml"), "statement")[0]
    second = rows(document(shared, "BIO-CR-BIO_2021.01_Microbiologie_V2.xml"), "statement")[0]
    assert first.values["set"] == second.values["set"] == "1.2.250.1.213.1.1.1.55.2021.6"
    assert (first.values["version_number"], second.values["version_number"]) == ("1", "2")
    assert second.lists["replaces"] == ["1.2.250.1.213.1.1.1.55.12345.8"]


def test_a_meeting_about_the_patient_is_no_stay(shared: Path) -> None:
    parsed = document(shared, "CANCER-FRCP_2022.01_Appareil.xml")
    assert rows(parsed, "stay") == []
    assert {row.values["stay"] for row in rows(parsed, "observation")} == {""}


def test_reimbursed_stays_are_stays(shared: Path) -> None:
    parsed = document(shared, "CNAM-HR_2021.01.xml")
    assert rows(parsed, "stay") == []
    assert cells(parsed, "stay_entry", "class_code", "start_at", "end_at")[0] == (
        "IMP", "20190515", "20190530",
    )  # fmt: skip
    assert {row.values["context_code"] for row in rows(parsed, "act")} == {"pmsi"}
    assert cells(parsed, "dispensation", "start_at", "quantity")[0] == ("20190526", "1")
