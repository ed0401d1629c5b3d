"""Which segment belongs to which: abstract messages of HL7 v2.5 chapters 3, 4, 6, 7, 9."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from entrepot.feeds.hl7v2.message import Message, Segment, parse
from entrepot.feeds.hl7v2.scope import Scope

pytestmark = pytest.mark.core


def read(event: str, *segments: str) -> Message:
    """Segments are written NAME or NAME:label, the label being field 1."""
    lines = [f"MSH|^~\\&|A|B|C|D|2024||{event}|1|P|2.5||||||UTF-8"]
    lines += [segment.replace(":", "|") for segment in segments]
    return parse(("\r".join(lines) + "\r").encode())


def related(message: Message, name: str, row: str) -> list[str | None]:
    """Labels of what each row of one name is paired with."""
    found = [message.related(name, segment) for segment in message.named(row)]
    return [None if segment is None else segment.field(1) for segment in found]


def below(message: Message, name: str, row: str) -> list[list[str]]:
    return [
        [segment.field(1) for segment in message.all_related(name, one)]
        for one in message.named(row)
    ]


def test_results_read_their_own_order() -> None:
    message = read(
        "ORU^R01", "PID:p", "PV1:v",
        "ORC:c1", "OBR:r1", "OBX:x1", "OBX:x2", "ORC:c2", "OBR:r2", "OBX:x3",
    )  # fmt: skip
    assert related(message, "OBR", "OBX") == ["r1", "r1", "r2"]
    assert related(message, "ORC", "OBX") == ["c1", "c1", "c2"]
    assert related(message, "ORC", "OBR") == ["c1", "c2"]
    assert related(message, "PV1", "OBX") == ["v", "v", "v"]
    assert below(message, "OBX", "OBR") == [["x1", "x2"], ["x3"]]
    assert below(message, "OBX", "PID") == [["x1", "x2", "x3"]]


def test_result_does_not_get_the_comment_of_another() -> None:
    message = read(
        "ORU^R01", "PID:p", "NTE:np", "OBR:r1", "NTE:nr", "OBX:x1", "NTE:n1", "NTE:n2",
        "OBX:x2", "OBX:x3", "NTE:n3", "OBR:r2", "OBX:x4", "NTE:n4",
    )  # fmt: skip
    assert related(message, "NTE", "OBX") == ["n1", None, "n3", "n4"]
    assert below(message, "NTE", "OBX") == [["n1", "n2"], [], ["n3"], ["n4"]]
    assert related(message, "NTE", "OBR") == ["nr", None]
    assert below(message, "NTE", "OBR") == [["nr"], []]
    assert related(message, "NTE", "PID") == ["np"]
    assert related(message, "OBX", "NTE") == [None, None, "x1", "x1", "x3", "x4"]


def test_specimen_after_the_results_belongs_to_their_order() -> None:
    message = read(
        "ORU^R01", "PID:p", "OBR:r1", "OBX:x1", "OBX:x2", "SPM:s1", "OBR:r2", "OBX:x3", "SPM:s2"
    )
    assert related(message, "SPM", "OBX") == ["s1", "s1", "s2"]
    assert related(message, "SPM", "OBR") == ["s1", "s2"]


def test_specimen_before_its_orders_covers_them() -> None:
    message = read(
        "OUL^R22", "PID:p", "SPM:s1", "OBX:xs", "OBR:r1", "ORC:c1", "OBX:x1", "OBR:r2", "ORC:c2",
        "OBX:x2", "SPM:s2", "OBR:r3", "ORC:c3", "OBX:x3",
    )  # fmt: skip
    assert related(message, "SPM", "OBX") == ["s1", "s1", "s1", "s2"]
    assert related(message, "OBR", "OBX") == [None, "r1", "r2", "r3"]
    assert related(message, "ORC", "OBX")[1:] == ["c1", "c2", "c3"]
    assert related(message, "ORC", "OBR") == ["c1", "c2", "c3"]


def test_second_patient_does_not_get_the_visit_of_the_first() -> None:
    message = read(
        "ORU^R01", "PID:p1", "NK1:k1", "PV1:v1", "OBR:r1", "OBX:x1", "PID:p2", "OBR:r2", "OBX:x2"
    )
    assert related(message, "PV1", "PID") == ["v1", None]
    assert related(message, "PV1", "OBX") == ["v1", None]
    assert related(message, "PID", "OBX") == ["p1", "p2"]
    assert related(message, "OBR", "OBX") == ["r1", "r2"]
    assert below(message, "NK1", "PID") == [["k1"], []]
    assert below(message, "OBX", "PID") == [["x1"], ["x2"]]


def test_merges_pair_each_patient_with_its_own_number() -> None:
    message = read("ADT^A40", "EVN:e", "PID:p1", "MRG:m1", "PID:p2", "PD1:d", "MRG:m2", "PV1:v2")
    assert related(message, "PID", "MRG") == ["p1", "p2"]
    assert related(message, "MRG", "PID") == ["m1", "m2"]
    assert related(message, "EVN", "MRG") == ["e", "e"]
    assert related(message, "PV1", "PID") == [None, "v2"]


def test_exchange_of_beds_has_two_visits() -> None:
    message = read("ADT^A17", "EVN:e", "PID:p1", "PV1:v1", "OBX:x1", "PID:p2", "PV1:v2")
    assert related(message, "PV1", "PID") == ["v1", "v2"]
    assert related(message, "PID", "PV1") == ["p1", "p2"]


def test_movement_reads_its_visit_in_either_order() -> None:
    message = read("ADT^A02", "EVN:e", "PID:p", "PV1:v", "ZBE:z", "DG1:d1", "DG1:d2")
    assert related(message, "PV1", "ZBE") == ["v"]
    assert related(message, "ZBE", "PV1") == ["z"]
    assert related(message, "ZBE", "DG1") == ["z", "z"]
    assert related(message, "PID", "EVN") == ["p"]
    assert related(message, "MSH", "DG1") == ["|", "|"]


def test_administration_reads_its_own_route_and_order() -> None:
    message = read(
        "VXU^V04", "PID:p", "ORC:c1", "RXA:a1", "RXR:t1", "OBX:x1", "ORC:c2", "RXA:a2", "OBX:x2"
    )
    assert related(message, "RXR", "RXA") == ["t1", None]
    assert related(message, "ORC", "RXA") == ["c1", "c2"]
    assert related(message, "RXA", "OBX") == ["a1", "a2"]


def test_letter_lines_read_their_header_and_order() -> None:
    message = read(
        "MDM^T02", "EVN:e", "PID:p", "PV1:v", "ORC:c", "OBR:r", "TXA:t", "OBX:x", "OBX:y"
    )
    assert related(message, "TXA", "OBX") == ["t", "t"]
    assert related(message, "OBR", "OBX") == ["r", "r"]


def test_unknown_segments_end_no_group() -> None:
    message = read("ORU^R01", "PID:p", "OBR:r", "OBX:x1", "ZXX:z", "SAC:s", "OBX:x2")
    assert related(message, "OBR", "OBX") == ["r", "r"]
    assert related(message, "ZQQ", "OBX") == [None, None]


class Counted(list[Segment]):
    """Segments that count how often one is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[Segment]:
        for segment in super().__iter__():
            self.looks += 1
            yield segment

    def __reversed__(self) -> Iterator[Segment]:
        return iter(Counted(self[::-1]))


def test_many_results_are_paired_in_one_pass() -> None:
    many = 2_000
    message = read("ORU^R01", "PID:p", "OBR:r", *["OBX:x", "NTE:n"] * many)
    segments = Counted(message.segments)
    scope = Scope(segments, {name: message.named(name) for name in ("PID", "OBR", "OBX", "NTE")})
    found = [scope.related("OBR", row) for row in message.named("OBX")]
    assert found == [message.named("OBR")[0]] * many
    assert segments.looks == len(segments)
