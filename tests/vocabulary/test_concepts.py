"""`mappings/concepts`: every id has its basis, and what the French feeds demand stands there."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import pytest

from entrepot.errors import ConfigurationError
from entrepot.resources import data_files
from entrepot.vocabulary.concepts import (
    CUSTOM_IDS,
    FILES,
    FOLDER,
    check_concepts,
    create_tables,
    named_concepts,
    read_lines,
    unverified_concepts,
)

pytestmark = pytest.mark.core


def _ids(name: str, column: str = "concept_id") -> dict[Any, int]:
    """Key of the line -> concept id."""
    keys = next(file.key for file in FILES if file.name == name)
    return {
        tuple(line[key] for key in keys) if len(keys) > 1 else line[keys[0]]: line[column]
        for line in read_lines(name)
    }


def _confirmed(shared: Path) -> dict[int, dict[str, str]]:
    with (shared / "reference" / "verified_concepts.csv").open(encoding="utf-8") as stream:
        return {int(row["concept_id"]): row for row in csv.DictReader(stream)}


def test_every_file_is_known_and_every_line_reads() -> None:
    assert {path.stem for path in data_files(FOLDER, "*.csv")} == {file.name for file in FILES}
    for file in FILES:
        assert read_lines(file.name), file.name


def test_verified_ids_are_confirmed_by_a_third_party_table(shared: Path) -> None:
    """Exists there, is standard, valid, and of the domain that the CDM field wants."""
    confirmed = _confirmed(shared)
    for concept in named_concepts():
        if concept.status != "verified" or concept.concept_id == 0:
            continue
        row = confirmed[concept.concept_id]
        assert (row["standard_concept"], row["invalid_reason"]) == ("S", ""), concept
        assert concept.domain_id in ("", row["domain_id"]), concept


def test_unverified_means_that_no_table_confirms_it(shared: Path) -> None:
    confirmed = _confirmed(shared)
    unverified = unverified_concepts()
    assert unverified
    assert not [concept for concept in unverified if concept.concept_id in confirmed]


def test_every_concept_has_a_basis_and_none_is_a_custom_one() -> None:
    for concept in named_concepts():
        assert concept.basis, concept
        assert 0 <= concept.concept_id < CUSTOM_IDS, concept


def test_concepts_that_are_not_standard_are_not_named() -> None:
    """8521, 8551 (gender), 8940 (office), 38000176-38000180 (old drug types): rules 2, 3 and 5."""
    named = {concept.concept_id for concept in named_concepts()}
    assert not named & {8521, 8551, 8940, 44814653, *range(38000175, 38000181)}


def test_gender_has_two_standard_concepts() -> None:
    gender = _ids("gender", "gender_concept_id")
    assert (gender["M"], gender["F"]) == (8507, 8532)
    assert not {"1", "2"} & set(gender)  # codes of the PMSI, not of HL7 table 0001
    assert {gender[code] for code in ("O", "U", "A", "N", "UN", "other", "unknown")} == {0}


def test_visit_classes() -> None:
    visits = {line["code"]: line for line in read_lines("visit_class")}
    expected = {"I": 9201, "O": 9202, "E": 9203, "R": 9202, "HAD": 581476, "VR": 722455}
    assert {code: visits[code]["visit_concept_id"] for code in expected} == expected
    assert not any(visits[code]["realised"] for code in ("P", "PRENC"))
    assert all(visits[code]["realised"] for code in ("I", "O", "E", "R", "HAD", "SMR", "PSY"))


def test_entry_and_exit_modes_of_the_pmsi() -> None:
    places = _ids("entry_exit")
    assert places["entry", "8"] == places["exit", "8"] == 0  # home: no standard concept
    hospital = {places[side, mode] for side in ("entry", "exit") for mode in ("7", "0")}
    assert hospital == {38004515}
    assert places["exit", "9"] == _ids("constants")["discharge_deceased"]
    # PAM France says «convenance personnelle» with the PMSI's code of a transfer
    assert places["exit", "6"] == 0


def test_diagnosis_rank_and_type_concepts() -> None:
    status, types = _ids("condition_status"), _ids("type_concepts")
    assert (status["DP"], status["DAS"], status["W"]) == (32902, 32908, 32899)
    assert status["DR"] == status["DAD"] == 0
    expected = {
        "pmsi": 32821,
        "ehr": 32817,
        "encounter": 32827,
        "lab": 32856,
        "prescription": 32838,
        "administration": 32818,
        "vaccination": 32818,
        "order": 32833,
        "dispensation": 32825,
        "death_insee": 32848,
        "discharge_letter": 32824,
    }
    assert {context: types[context] for context in expected} == expected


@pytest.mark.parametrize(
    ("unit", "ucum", "concept_id"),
    [
        ("G/L", "10*9/L", 9444),  # not gauss, not grams
        ("T/L", "10*12/L", 8734),  # not tesla
        ("g/L", "g/L", 8636),
        ("\u00b5mol/L", "umol/L", 8749),  # micro sign
        ("\u03bcmol/L", "umol/L", 8749),  # Greek letter mu
        ("umol/L", "umol/L", 8749),
        ("UI/L", "[IU]/L", 8923),
        ("U/L", "U/L", 8645),
        ("mUI/L", "m[IU]/L", 9040),
        ("/mm3", "/mm3", 8785),
        ("mL/min/1,73m²", "mL/min/{1.73_m2}", 720870),
        ("mmol/L", "mmol/L", 8753),
        ("g/dL", "g/dL", 8713),
        ("%", "%", 8554),
        ("mmol/mol", "mmol/mol", 9579),
    ],
)
def test_french_units(unit: str, ucum: str, concept_id: int) -> None:
    """Exact case: what a French laboratory writes is not what UCUM reads (French feeds)."""
    lines = {line["unit_code"]: line for line in read_lines("units")}
    assert (lines[unit]["ucum_code"], lines[unit]["unit_concept_id"]) == (ucum, concept_id)


def test_unit_codes_are_those_of_the_confirmed_table(shared: Path) -> None:
    """The UCUM code is the table's own; older spellings there are named in the basis."""
    confirmed = _confirmed(shared)
    for line in read_lines("units"):
        if line["unit_concept_id"]:
            theirs = confirmed[line["unit_concept_id"]]["concept_code"]
            same = theirs.replace("iU", "IU") == line["ucum_code"]
            assert same or f"there as {theirs}" in line["basis"], line


def test_every_micro_unit_has_both_spellings() -> None:
    units = {line["unit_code"]: line["unit_concept_id"] for line in read_lines("units")}
    for unit, concept_id in units.items():
        for one, other in (("\u00b5", "\u03bc"), ("\u03bc", "\u00b5")):
            if one in unit:
                assert units[unit.replace(one, other)] == concept_id


def test_operators() -> None:
    operators = _ids("operators", "operator_concept_id")
    expected = {"<": 4171756, "<=": 4171754, ">=": 4171755, ">": 4172704, "=": 4172703}
    assert {sign: operators[sign] for sign in expected} == expected


def test_code_systems_as_sent() -> None:
    first = {
        line["system"]: line["vocabulary_id"]
        for line in read_lines("code_systems")
        if line["precedence"] == 1
    }
    expected = {
        "LN": "LOINC",
        "2.16.840.1.113883.6.1": "LOINC",
        "CIM-10": "CIM10",
        "I10": "CIM10",
        "2.16.840.1.113883.6.3": "CIM10",
        "CCAM": "CCAM",
        "1.2.250.1.215.300.1": "CCAM",
        "ATC": "ATC",
        "SCT": "SNOMED",
        "CVX": "CVX",
        "L": "ENTREPOT_LOCAL",
        "": "ENTREPOT_LOCAL",
    }
    assert {system: first[system] for system in expected} == expected
    folded = [
        (line["system"].upper(), line["vocabulary_id"]) for line in read_lines("code_systems")
    ]
    assert len(folded) == len(set(folded))


def test_note_types_name_known_contexts() -> None:
    contexts = _ids("type_concepts")
    assert all(line["type_context"] in contexts for line in read_lines("note_types"))


def test_tables_of_the_sql_have_typed_columns() -> None:
    with duckdb.connect() as connection:
        create_tables(connection)
        kinds = dict(
            connection.execute(
                "SELECT table_name || '.' || column_name, data_type FROM duckdb_columns()"
                " WHERE database_name = 'temp'"
            ).fetchall()
        )
        assert kinds["units.unit_concept_id"] == "BIGINT"
        assert kinds["visit_class.realised"] == "BOOLEAN"
        assert kinds["source_to_concept_map.valid_end_date"] == "DATE"
        assert connection.execute(
            "SELECT unit_concept_id FROM units WHERE unit_code = 'G/L'"
        ).fetchone() == (9444,)


def test_a_contradicting_vocabulary_is_reported() -> None:
    """Ids drift: 8940 lost its standard flag, so every id is checked against what is loaded."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE concept AS SELECT * FROM (VALUES (9201, 'Visit', 'S'),"
            " (9203, 'Visit', NULL), (32856, 'Measurement', 'S')) t(concept_id, domain_id,"
            " standard_concept)"
        )
        faults = {
            (concept.concept_id, fault)
            for concept, fault in check_concepts(connection)
            if concept.concept_id in (9201, 9202, 9203, 32856)
        }
    assert faults == {(9202, "absent"), (9203, "not_standard"), (32856, "other_domain")}


GENDER = "code,gender_concept_id,label,status,basis\n"
FAULTY = {
    "a column is missing": ("code,label,status,basis\nM,x,verified,y\n", 1, "gender_concept_id"),
    "an id is no number": (GENDER + "M,one,x,verified,y\n", 2, "gender_concept_id"),
    "a key twice": (GENDER + "M,8507,x,verified,y\nM,8532,x,verified,y\n", 3, "twice"),
    "an unknown status": (GENDER + "M,8507,x,sure,y\n", 2, "status"),
    "a field too few": (GENDER + "M,8507,x,verified\n", 2, "fields"),
}


@pytest.mark.parametrize(("content", "line", "fault"), FAULTY.values(), ids=FAULTY.keys())
def test_a_faulty_overlay_is_named_with_its_line(
    content: str, line: int, fault: str, tmp_path: Path
) -> None:
    path = tmp_path / FOLDER / "gender.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=fault) as raised:
        read_lines("gender", [tmp_path])
    assert raised.value.where == f"{path}:{line}"


def test_an_overlay_replaces_the_shipped_file(tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "gender.csv"
    path.parent.mkdir(parents=True)
    path.write_text(GENDER + "H,8507,homme,verified,site\n", encoding="utf-8")
    assert [line["code"] for line in read_lines("gender", [tmp_path])] == ["H"]
