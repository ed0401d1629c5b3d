"""Generated HL7v2 messages and the ways in which a sender packs them into a file."""

from __future__ import annotations

from hypothesis import strategies as st

from entrepot.errors import RecordFault
from entrepot.landing.arrival import Arrival, Mark

Told = tuple[str, str]  # of a fault: reason and position


def told(fault: RecordFault | None) -> Told | None:
    """A fault by its two words, which can be compared."""
    return (fault.reason, fault.position) if fault else None


def shape(arrival: Arrival) -> tuple[bytes, Told | None, tuple[Mark, ...], bytes]:
    """An arrival by values that can be compared."""
    return arrival.content, told(arrival.fault), arrival.marks, arrival.digest


# Bytes of a field: everything but segment ends and MLLP's two block bytes; and the very words
# that would start a message, an envelope or a file if they stood at a segment start.
_FIELD_BYTES = st.binary(max_size=20).map(lambda raw: raw.translate(None, delete=b"\r\n\x0b\x1c"))
_FIELD = st.one_of(
    _FIELD_BYTES,
    st.sampled_from(
        [b"MSH|^~\\&|X", b"BTS|9", b"FHS|^~\\&|", b"\xef\xbb\xbf", "Zoé ÉCLAIR".encode(), b" \0 "]
    ),
)
_SEPARATORS = st.sampled_from(
    [b"|^~\\&", b"*%!\\@", b"^~|\\&", b"|^~\\&#", b"|^~}", b"|^\xcb\x9c\\&"]
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """One message as HL7 defines it: segments closed by CR, here without the last CR."""
    encoding = draw(_SEPARATORS)
    separator = encoding[:1]
    head = b"MSH" + encoding + separator + draw(_FIELD)
    body = [
        separator.join([name, *draw(st.lists(_FIELD, max_size=4))])
        for name in draw(st.lists(st.sampled_from([b"EVN", b"PID", b"OBX", b"ZBE"]), max_size=4))
    ]
    return b"\r".join([head, *body])


def framed(message: bytes) -> bytes:
    """The message in an MLLP block (HL7 transport specification: VT, data, FS, CR)."""
    return b"\x0b" + message + b"\r\x1c\r"


def batch(content: list[bytes], count: int | None = None) -> bytes:
    """The messages in a file of one batch (HL7 v2, section 2.10.3)."""
    total = len(content) if count is None else count
    parts = [b"FHS|^~\\&|DPI", b"BHS*%!\\@*DPI", *content, b"BTS*%d" % total, b"FTS|1"]
    return b"\r".join(parts) + b"\r"


@st.composite
def packed(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """Messages, and one file that holds them in one of the usual ways."""
    content = draw(st.lists(messages(), min_size=1, max_size=6))
    way = draw(st.sampled_from(["lines", "framed", "batch", "mixed"]))
    end = draw(st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\r\n\n"]))
    if way == "lines":
        file = end.join(content) + draw(st.sampled_from([b"", end]))
    elif way == "framed":
        file = b"".join(framed(message) for message in content)
    elif way == "batch":
        file = batch(content)
    else:
        file = b"".join(draw(st.sampled_from([framed, batch_of_one]))(m) for m in content)
    return content, draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + file


def batch_of_one(message: bytes) -> bytes:
    return batch([message])
