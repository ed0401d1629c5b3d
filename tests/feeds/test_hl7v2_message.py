"""Messages, segments, fields: HL7 v2.5 chapter 2."""

from __future__ import annotations

import pytest

from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.message import Message, parse

pytestmark = pytest.mark.core

MSH = (
    "MSH|^~\\&|DPI|CH^750000001^FINESS|EDS|EDS|20240101||ADT^A01^ADT_A01|M1|P|2.5^FRA|||||FRA|UTF-8"
)
EVN = "EVN||20240101103000"
PID = "PID|1||12^^^CH&1.2.250&ISO^PI~27903^^^INS&1.2.3&ISO^INS||PATÉ^Zoé^Zoé Anaïs||19790328|F"
PV1 = "PV1|1|I|3000^101"


def read(*segments: str, end: str = "\r", last: str = "\r") -> Message:
    return parse((end.join(segments) + last).encode())


def reason(*segments: str, last: str = "\r") -> tuple[str, str]:
    with pytest.raises(RecordFault) as fault:
        read(*segments, last=last)
    return fault.value.reason, fault.value.position


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\r \r", "\n\t\r"])
def test_segment_ends(end: str) -> None:
    message = read(MSH, EVN, PID, PV1, end=end)
    assert [segment.name for segment in message.segments] == ["MSH", "EVN", "PID", "PV1"]
    assert [segment.index for segment in message.segments] == [1, 2, 3, 4]
    assert message.get("PID-7") == "19790328"


def test_only_cr_and_lf_end_a_segment() -> None:
    message = read(MSH, EVN, "PID|1||12||A\u2028B", PV1)
    assert len(message.segments) == 4
    assert message.get("PID-5.1") == "A\u2028B"


def test_leading_blank_lines_and_byte_order_mark() -> None:
    content = "\ufeff\r\n \n" + "\r".join([MSH, EVN, PID, PV1])
    assert parse(content.encode()).structure == "ADT^A01"


def test_header_counts_its_separators_as_fields() -> None:
    header = read(MSH, EVN, PID, PV1).segments[0]
    assert header.field(1) == "|"
    assert header.field(2) == "^~\\&"
    assert header.component(1) == "|"
    assert header.component(2) == "^~\\&"
    assert header.tree(2) == [[["^~\\&"]]]
    assert header.text(2) == "^~\\&"
    assert header.repetitions(2) == ["^~\\&"]
    assert header.component(3) == "DPI"
    assert header.component(4, 1, 2) == "750000001"


def test_fields_repetitions_components() -> None:
    segment = read(MSH, EVN, PID, PV1).segments[2]
    assert segment.field(1) == "1"
    assert segment.field(2) == ""
    assert segment.field(99) == ""
    assert segment.count() == 8
    assert len(segment.repetitions(3)) == 2
    assert segment.repetitions(2) == []
    assert segment.component(3) == "12"
    assert segment.component(3, 2) == "27903"
    assert segment.component(3, 3) == ""
    assert segment.component(3, 1, 4) == "CH"
    assert segment.component(3, 1, 4, 2) == "1.2.250"
    assert segment.component(3, 2, 5) == "INS"
    assert segment.component(3, 1, 6) == ""
    assert segment.component(3, 1, 4, 4) == ""
    assert segment.component(3, 1, 1, 2) == ""
    assert segment.component(8, 2) == ""
    assert segment.component(5, 1, 3) == "Zoé Anaïs"
    assert segment.tree(3)[1] == [["27903"], [""], [""], ["INS", "1.2.3", "ISO"], ["INS"]]
    assert segment.tree(2) == []


def test_numbers_count_segments_of_one_name() -> None:
    message = read(MSH, PID, "OBX|1|ST|a||x||||||F", "NTE|1", "OBX|2|ST|b||y||||||F")
    assert [(s.name, s.number) for s in message.segments[2:]] == [
        ("OBX", 1),
        ("NTE", 1),
        ("OBX", 2),
    ]
    assert [s.field(3) for s in message.named("OBX")] == ["a", "b"]
    assert message.named("ZZZ") == []


def test_separators_are_the_message_s_own() -> None:
    message = read(
        "MSH*%!?@*DPI*CH%750000001%FINESS*EDS*EDS*2024**ADT%A01*M1*P*2.5******UTF-8",
        "EVN**2024",
        "PID*1**12%%%CH@1.2%PI!13**DU^PONT|%?T?Zoé",
        "PV1*1*I",
    )
    assert message.structure == "ADT^A01"
    assert message.get("PID-3[2].1") == "13"
    assert message.get("PID-3.4.2") == "1.2"
    assert message.get("PID-5.1") == "DU^PONT|"
    assert message.get("PID-5.2") == "@Zoé"


def test_official_french_repetition_separator_is_a_small_tilde() -> None:
    message = read(MSH.replace("~", "˜"), EVN, "PID|1||1˜2||A~B", PV1)
    assert message.get("PID-3[2].1") == "2"
    assert message.get("PID-5.1") == "A~B"


@pytest.mark.parametrize(
    ("encoding", "field", "expected"),
    [
        ("^~\\&#", "A^B&C~D", [[["A"], ["B", "C"]], [["D"]]]),
        ("^~\\", "A^B&C~D", [[["A"], ["B&C"]], [["D"]]]),
        ("^~", "A^B&C~\\F\\", [[["A"], ["B&C"]], [["\\F\\"]]]),
        ("^", "A^B&C~D", [[["A"], ["B&C~D"]]]),
    ],
)
def test_separators_left_out_do_not_exist(
    encoding: str, field: str, expected: list[list[list[str]]]
) -> None:
    message = read(MSH.replace("^~\\&", encoding), EVN, f"PID|1||1||{field}", PV1)
    assert message.named("PID")[0].tree(5) == expected


def test_null_is_not_absence() -> None:
    message = read(MSH, EVN, 'PID|1||1||""|^B^""||F~""', PV1)
    patient = message.named("PID")[0]
    assert patient.component(5) == '""'
    assert patient.component(5, 1, 2) == '""'
    assert patient.component(5, 1, 2, 3) == '""'
    assert patient.component(5, 2) == ""
    assert patient.component(6) == ""
    assert patient.component(6, 1, 3) == '""'
    assert patient.component(6, 1, 3, 2) == '""'
    assert patient.component(7) == ""
    assert patient.component(8, 2, 4) == '""'
    assert patient.text(5) == '""'


def test_text_keeps_unescaped_separators_and_gives_repetitions_as_lines() -> None:
    message = read(
        MSH.replace("ADT^A01^ADT_A01", "ORU^R01"),
        PID,
        "OBX|1|TX|a||Douleur & fièvre ^ 39~2e ligne \\T\\ fin||||||F",
        "OBX|2|SN|a||>^10||||||F",
    )
    text, number = message.named("OBX")
    assert text.text(5) == "Douleur & fièvre ^ 39\n2e ligne & fin"
    assert text.text(5, 2) == "2e ligne & fin"
    assert text.text(5, 3) == ""
    assert number.text(5) == ">^10"


def test_text_of_other_separators_is_joined_by_the_usual_ones() -> None:
    message = read(
        "MSH*%!?@*DPI*CH*EDS*EDS*2024**ORU%R01*M1*P*2.5******UTF-8",
        "PID*1**12**A*",
        "OBX*1*SN*a**>%10@2!?S?******F",
    )
    assert message.named("OBX")[0].text(5) == ">^10&2\n%"


def test_notices_of_escapes_come_once_with_their_place() -> None:
    message = read(MSH, EVN, PID, PV1, "OBX|1|TX|a||x \\Z01\\ y \\Z02\\||||||F")
    assert message.notices == [("escape_unknown", "OBX[1]-5")]  # though nobody has read it yet
    assert message.get("OBX-5") == "x \\Z01\\ y \\Z02\\"
    message.get("OBX-5.1")
    assert message.notices == [("escape_unknown", "OBX[1]-5")]


@pytest.mark.parametrize(
    ("msh9", "evn1", "structure"),
    [
        ("ADT^A01^ADT_A01", "", "ADT^A01"),
        ("ADT^A01", "", "ADT^A01"),
        ("ADT^Z99^ADT_A01", "", "ADT^Z99"),
        ("ACK", "", "ACK"),
        ("ADT^^ADT_A03", "", "ADT^A03"),
        ("ADT^^ADT_A05", "A31", "ADT^A31"),
        ("ADT", "A31", "ADT^A31"),
        ("ACK^^ACK", "", "ACK"),
    ],
)
def test_structure(msh9: str, evn1: str, structure: str) -> None:
    message = read(MSH.replace("ADT^A01^ADT_A01", msh9), f"EVN|{evn1}|2024", PID, PV1)
    assert message.structure == structure
    inferred = "^" in structure and not msh9.startswith(structure)
    assert (("event_inferred", "MSH-9") in message.notices) == inferred


@pytest.mark.parametrize(
    ("version", "known"),
    [("2.1", True), ("2.3.1", True), ("2.5^FRA^2.11", True), ("2.9", True), ("2.8.2", True),
     ("9.9", False), ("2", False), ("", False), ("2.10", False), ("3.0", False)],
)  # fmt: skip
def test_unknown_version_is_accepted_and_noticed(version: str, known: bool) -> None:
    message = read(MSH.replace("2.5^FRA", version), EVN, PID, PV1)
    assert message.version == version.partition("^")[0]
    assert (("version_unknown", "MSH-12") in message.notices) == (not known)
    assert message.control_id == "M1"


def test_charset_notices_stand_at_msh18() -> None:
    assert read(MSH.replace("UTF-8", ""), EVN, PID, PV1).notices == [
        ("charset_defaulted", "MSH-18")
    ]


@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\x0b\x1c\r", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_empty(content: bytes) -> None:
    with pytest.raises(RecordFault) as fault:
        parse(content)
    assert fault.value.reason == "empty_message"


@pytest.mark.parametrize(
    "first", [EVN, "FHS|^~\\&|DPI", "msh|^~\\&|DPI", "MSHA^~\\&A", "MSH ^~\\&"]
)
def test_no_header(first: str) -> None:
    assert reason(first, EVN, PID, PV1) == ("no_msh", "segment 1")


@pytest.mark.parametrize(
    "header",
    ["MSH", "MSH|", "MSH|^~\\&", "MSH|^~\\&|DPI", MSH[: MSH.index("|ADT")], "MSH||a|b|c|d|e|f|g|h"],
)
def test_truncated_header(header: str) -> None:
    assert reason(header) == ("truncated", "MSH")


def test_several_messages() -> None:
    assert reason(MSH, EVN, PID, PV1, "", MSH, EVN) == ("several_messages", "segment 5")


@pytest.mark.parametrize(
    "line", ["suite du texte", "obx|1", "1BX|1", "OB|1", "OBXX|1", "PID^1", "É12|"]
)
def test_segment_name(line: str) -> None:
    assert reason(MSH, EVN, PID, "", line) == ("segment_name", "segment 4")


def test_local_and_empty_segments_are_segments() -> None:
    message = read(MSH, EVN, PID, PV1, "ZBE|1||||N", "ZFU", "BTS|1")
    assert [segment.name for segment in message.segments[4:]] == ["ZBE", "ZFU", "BTS"]


def test_continued_segments_are_joined() -> None:
    message = read(
        MSH, PID, "OBX|1|TX|a||premier m", "ADD|orceau \\T", "ADD|\\ fin||||||F", "NTE|1"
    )
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "OBX", "NTE"]
    assert message.get("OBX-5") == "premier morceau & fin"
    assert message.get("OBX-11") == "F"


@pytest.mark.parametrize(
    ("segments", "position"),
    [
        ((PID, "OBX|1|TX|a||prem", "ADD|", "DSC|1"), "OBX[1]"),
        ((PID, "OBX|1|TX|a||prem", "ADD"), "OBX[1]"),
        (("ADD|orceau||||||F",), "MSH[1]"),
        ((PID, "OBX|1|TX|a||x||||||F", "DSC|1|F"), "DSC-1"),
    ],
)
def test_message_that_goes_on_in_another_is_refused(
    segments: tuple[str, ...], position: str
) -> None:
    assert reason(MSH, *segments) == ("message_continued", position)


@pytest.mark.parametrize("pointer", ["DSC|", "DSC", "DSC|12|I"])
def test_query_pointer_does_not_cut_a_message(pointer: str) -> None:
    assert read(MSH, EVN, PID, PV1, pointer).structure == "ADT^A01"


@pytest.mark.parametrize(
    ("segments", "position"),
    [
        ((MSH, EVN, "PID|1||12345678^^^CH^PI~279"), "PID-3"),
        ((MSH.replace("A01", "A31"), EVN, "PID|1||12345678"), "PID-3"),
        ((MSH, EVN, PID), "PID-8"),
        ((MSH, EVN), "EVN-2"),
        ((MSH,), "MSH-18"),
        ((MSH.replace("ADT^A01^ADT_A01", "ORU^R01"), PID), "PID-8"),
        ((MSH.replace("A01", "A40"), EVN, PID), "PID-8"),
        ((MSH, EVN, PID, "PV1|1"), "PV1-1"),
        ((MSH, EVN, PID, PV1, "ZBE|M1|20240101103000||INS"), "ZBE-4"),
        ((MSH, PID, "OBR|1|||NFS", "OBX|1|NM|718-7||12"), "OBX-5"),
    ],
)
def test_cut_message_is_refused(segments: tuple[str, ...], position: str) -> None:
    assert reason(*segments, last="") == ("truncated", position)


@pytest.mark.parametrize(
    "segments",
    [
        (MSH, EVN, PID, PV1),
        (MSH.replace("A01", "A31"), EVN, PID),
        (MSH.replace("A01", "A24"), EVN, PID, PID),
        (MSH.replace("A01", "A40"), EVN, PID, "MRG|13"),
        (MSH, PID, "OBR|1|||NFS", "OBX|1|NM|718-7||12||||||F"),
        (MSH.replace("ADT^A01^ADT_A01", "ACK"), "MSA|AA|1"),
    ],
)
def test_whole_message_without_last_line_end_is_accepted(segments: tuple[str, ...]) -> None:
    message = read(*segments, last="")
    assert not message.ended_cleanly
    assert read(*segments, last="\n").ended_cleanly


def test_end_of_an_mllp_block_is_a_clean_end() -> None:
    content = b"\x0b" + "\r".join([MSH, EVN, "PID|1||12"]).encode() + b"\x1c\r"
    assert parse(content).ended_cleanly


def test_message_frees_itself_without_the_collector() -> None:
    import gc
    import weakref

    class Watched(Message):
        __slots__ = ("__weakref__",)

    source = read(MSH, EVN, PID, PV1)
    source.get("PV1-2")
    gc.disable()
    try:
        watched = Watched(source.segments, {}, {}, "utf-8", True)
        watched.related("PV1", source.segments[2])
        gone = weakref.ref(watched)
        del watched
        assert gone() is None
    finally:
        gc.enable()
