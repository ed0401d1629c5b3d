"""Paths: their grammar, and what each form reads."""

from __future__ import annotations

import pytest

from entrepot.errors import ConfigurationError
from entrepot.feeds.hl7v2.message import Message, parse
from entrepot.feeds.hl7v2.path import compile_path

pytestmark = pytest.mark.core

INS = "1.2.250.1.213.1.4.8"
HEADER = "MSH|^~\\&|A|B|C|D|2024||ORU^R01|1|P|2.5||||||UTF-8"


def read(*segments: str) -> Message:
    return parse(("\r".join([HEADER, *segments]) + "\r").encode())


@pytest.fixture
def patient() -> Message:
    return read(
        f"PID|1||11^^^CH&1.2.3&ISO^MR~22^^^CH&1.2.3&ISO^PI~33^^^INS&{INS}&ISO^INS~44^^^X"
        "||DUPONT^Zo\\T\\é~MARTIN^^X||1979",
        "OBR|1|||NFS|||20240101",
        "OBX|1|NM|a||1^2~3||||||F",
        "OBX|2|NM|b||4||||||F",
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("PID-7", "1979"),
        ("PID-3.1", "11"),
        ("PID-3.4", "CH"),
        ("PID-3.4.2", "1.2.3"),
        ("PID-3[2].1", "22"),
        ("PID-3[4].4", "X"),
        ("PID-3[9].1", ""),
        ("PID-3[5=PI].1", "22"),
        ("PID-3[5=INS].4.2", INS),
        ("PID-3[5=XX].1", ""),
        ("PID-3[5=PI|MR|].1", "11"),
        ("PID-3[5=PI|].1", "22"),
        ("PID-3[5=].1", "44"),
        (f"PID-3[4.2={INS}].1", "33"),
        ("PID-3[4.2=1.2.3;5=PI].1", "22"),
        (f"PID-3[4.2={INS};5=PI].1", ""),
        ("PID-5.2", "Zo&é"),
        ("PID-5", "DUPONT^Zo&é\nMARTIN^^X"),
        ("PID-5[1]", "DUPONT^Zo&é"),
        ("PID-5[2]", "MARTIN^^X"),
        ("PID-5[*].3", "X"),
        ("PID-5[*]", "DUPONT^Zo&é"),
        ("PID-5[2=Zo&é].1", "DUPONT"),
        ("PID-99.1", ""),
        ("PV1-2", ""),
        ("OBX-5.2", "2"),
        ("MSH-1", "|"),
        ("MSH-2", "^~\\&"),
        ("MSH-9.2", "R01"),
    ],
)
def test_read(patient: Message, path: str, value: str) -> None:
    assert compile_path(path).read(patient, None) == value
    assert patient.get(path) == value
    assert patient.get(compile_path(path)) == value


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("PID-3[*].1", ["11", "22", "33", "44"]),
        ("PID-3[*].5", ["MR", "PI", "INS", ""]),
        ("PID-3[5=PI|MR].1", ["11", "22"]),
        ("PID-3.1", ["11"]),
        ("PID-3[3].1", ["33"]),
        ("PID-99[*].1", []),
        ("PID-99.1", []),
        ("PV1-7[*].1", []),
        ("OBX-5[*].1", ["1", "3", "4"]),
        ("OBX-3", ["a", "b"]),
    ],
)
def test_read_all(patient: Message, path: str, values: list[str]) -> None:
    assert compile_path(path).read_all(patient, None) == values


def test_row_reads_its_own_segment_then_its_group(patient: Message) -> None:
    first, second = patient.named("OBX")
    assert compile_path("OBX-3").read(patient, second) == "b"
    assert compile_path("OBX-5[*].1").read_all(patient, first) == ["1", "3"]
    assert compile_path("OBR-7").read(patient, second) == "20240101"
    assert compile_path("PID-3[*].1").read_all(patient, second) == ["11", "22", "33", "44"]
    assert compile_path("OBX-3").read_all(patient, patient.named("PID")[0]) == ["a", "b"]
    assert compile_path("PV1-2").read(patient, second) == ""


@pytest.mark.parametrize(
    "path", ["PID-3", "PID-3.1", "PID-3.4.2", "PID-3[*].1", "PID-3[5=PI].1", "PID-3[1].1"]
)
def test_null_field_is_null_for_every_path_into_it(path: str) -> None:
    message = read('PID|1||""||A')
    assert compile_path(path).read(message, None) == '""'
    assert compile_path(path).read_all(message, None) == ['""']


def test_empty_repetition_is_no_match() -> None:
    message = read("PID|1||~22^^^CH^PI~||A")
    assert compile_path("PID-3[5=PI|].1").read(message, None) == "22"
    assert compile_path("PID-3[*].1").read_all(message, None) == ["", "22", ""]


def test_position(patient: Message) -> None:
    path = compile_path("OBX-5[*].1")
    assert path.position(patient.named("OBX")[1]) == "OBX[2]-5"
    assert path.position(patient.named("OBR")[0]) == "OBX-5"
    assert path.position() == "OBX-5"


@pytest.mark.parametrize(
    "text",
    ["", "PID", "PID-", "PID-0", "PID-3.0", "PID-3.", "PID-3.1.1.1", "pid-3", "PID.3", "PID-3[]",
     "PID-3[0].1", "PID-3[5].1]", "PID-3[=PI].1", "PID-3[5=PI", "PID-3[5~PI].1", " PID-3",
     "PID-3[5=PI;].1", "PID-3[5=a=b].1", "PID-3[*][1]", "PID-3[-1]", "PIDX-3", "PID-3[4.0=x]"],
)  # fmt: skip
def test_unknown_syntax_names_the_text(text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        compile_path(text)
    assert error.value.what.startswith(f"{text} is no path")


def test_path_is_compiled_once() -> None:
    assert compile_path("PID-3.1") is compile_path("PID-3.1")
