"""Paths into CDA documents (XPath 1.0; a name without prefix is urn:hl7-org:v3)."""

from __future__ import annotations

import pytest
from cda_samples import cda, observation, section, valued
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from entrepot.errors import ConfigurationError
from entrepot.feeds.cda.document import CdaNode, parse
from entrepot.feeds.cda.names import PREFIXES
from entrepot.feeds.cda.path import compile_path
from entrepot.feeds.cda.reader import CdaReader
from entrepot.feeds.cda.xpath import compile_xpath, prefixed

pytestmark = pytest.mark.core

NAME = "recordTarget/patientRole/patient/name"


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("code/@code", ["34133-9"]),
        ("/ClinicalDocument/code/@code", ["34133-9"]),
        (f"{NAME}/family", ["PATÉ"]),
        (f"{NAME}/family[@qualifier = 'BR']", ["PATÉ"]),
        (f"{NAME}/family/@qualifier", ["BR"]),
        (f"{NAME}/given/@qualifier", [""]),
        ("recordTarget/patientRole/id/@extension", ["IPP1", "279035121518989"]),
        ("recordTarget/patientRole/id/@assigningAuthorityName", ["", ""]),
        ("recordTarget/patientRole/id[2]/@root", ["1.2.250.1.213.1.4.8"]),
        ("id/join('^', @root, @extension)", ["1.2.3^DOC1"]),
        ("join('^', code/@code, code/@nothing)", ["34133-9"]),
        (
            "recordTarget/patientRole/addr/join(' ', houseNumber, streetName)",
            ["28 Avenue de Breteuil"],
        ),
        ("recordTarget/patientRole/telecom/@value", ["0144534551", "zoe@example.org"]),
        ("recordTarget/patientRole/telecom[starts-with(@value, 'mailto:')]/@value",
         ["zoe@example.org"]),
        ("count(recordTarget/patientRole/id)", ["2"]),
        ("boolean(relatedDocument)", ["false"]),
        ("'constant'", ["constant"]),
        ("string(title)", ["Synthèse"]),
        ("recordTarget/patientRole/sdtc:none", []),
        ("//family", ["PATÉ"]),
        ("//patient/name/family", ["PATÉ"]),
        ("//id[@extension = 'IPP1']/@root", ["1.2.250.1.999"]),
    ],
)  # fmt: skip
def test_paths(path: str, values: list[str]) -> None:
    document = parse(cda())
    compiled = compile_path(path)
    assert compiled.read_all(document) == values
    assert compiled.read(document) == next((value for value in values if value), "")


def test_a_path_is_relative_to_its_row() -> None:
    document = parse(cda(section(valued("", "1-8"), valued("", "2-6"))))
    nodes = document.nodes("//observation")
    code = compile_path("code/@code")
    assert [code.read(document, node) for node in nodes] == ["1-8", "2-6"]
    assert compile_path("/ClinicalDocument/code/@code").read(document, nodes[1]) == "34133-9"
    assert compile_path("../../code/@code").read(document, nodes[1]) == "30954-2"


def test_a_null_flavour_reads_nothing() -> None:
    inner = '<code code="1-8"/><effectiveTime nullFlavor="UNK" value="2024"/>'
    document = parse(cda(section(observation(inner + '<text nullFlavor="NI">text</text>'))))
    node = document.nodes("//observation")[0]
    assert compile_path("effectiveTime/@value").read(document, node) == ""
    assert compile_path("effectiveTime/@nullFlavor").read(document, node) == "UNK"
    assert compile_path("text").read(document, node) == ""


def test_a_text_that_only_refers_is_the_narrative_it_refers_to() -> None:
    text = '<content ID="a1">Écho <br/>cardiaque</content>'
    entry = observation('<text><reference value="#a1"/></text>')
    document = parse(cda(section(entry, text=text)))
    node = document.nodes("//observation")[0]
    assert compile_path("text").read(document, node) == "Écho cardiaque"
    broken = parse(cda(section(entry.replace("#a1", "#a2"), text=text)))
    assert compile_path("text").read(broken, broken.nodes("//observation")[0]) == ""


def test_positions_name_the_place_and_no_value() -> None:
    document = parse(cda(section(valued("", "1-8"), valued("", "2-6"))))
    node = document.nodes("//observation")[1]
    path = compile_path("code[@code = '2-6'][1]/@code")
    assert path.position(node) == "observation[2]/code/@code"
    assert compile_path("/ClinicalDocument/title").position(node) == "/ClinicalDocument/title"
    assert node.place == "observation[2]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b[@c = 'a or b']", "h:a/h:b[@c = 'a or b']"),
        ("a[b or c and not(d)]", "h:a[h:b or h:c and not(h:d)]"),
        ("or[and]", "h:or[h:and]"),
        ("ancestor::section[1]/code", "ancestor::h:section[1]/h:code"),
        ("self::node()[* = 'x']", "self::node()[* = 'x']"),
        ("a/text() | sdtc:b", "h:a/text() | sdtc:b"),
        ("@xsi:type", "@xsi:type"),
        ("div div mod", "h:div div h:mod"),
    ],
)
def test_element_names_get_the_prefix(text: str, expected: str) -> None:
    assert prefixed(text) == expected


@pytest.mark.parametrize("text", ["a[", "a/b!", "v2:a", "concat(a", "a b", "fn:x(a)", "a/@", "|a"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ConfigurationError):
        compile_path(text)
    with pytest.raises(ConfigurationError):
        CdaReader([]).path(text, None)


EXPRESSIONS = [
    "//observation[@e:fact = 'realised']",
    "//observation[@e:fact = 'realised'][code/@code = '1-8']",
    "//observation[code]/code",
    "//code[@code = '1-8'] | //observation",
    "(//observation | //organizer)/component/observation",
    "//observation[1]",
    "//observation[position() = 2]",
    "//entry/observation/code",
    "//observation",
]


@given(
    st.sampled_from(EXPRESSIONS),
    st.lists(st.sampled_from(["1-8", "2-6", "organizer", "planned"]), max_size=6),
)
def test_the_index_finds_what_xpath_finds(expression: str, entries: list[str]) -> None:
    """The document's index and lists are a faster way to the very same elements."""
    if "position()" in expression:
        return  # a position among those of the document, see the next test
    made = []
    for kind in entries:
        if kind == "organizer":
            inner = "".join(f"<component>{valued('', code)}</component>" for code in ("1-8", "3-4"))
            made.append(f'<organizer classCode="CLUSTER" moodCode="EVN">{inner}</organizer>')
        elif kind == "planned":
            made.append(observation('<code code="1-8"/>', 'classCode="OBS" moodCode="INT"'))
        else:
            made.append(valued("", kind))
    document = parse(cda(section(*made)))
    whole = etree.XPath(prefixed(expression), namespaces=PREFIXES)(document.root)
    assert list(compile_xpath(expression).elements(document, document.root)) == whole


def test_long_lists_are_searched_without_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrepot.feeds.cda.xpath.LONGEST_LIST", 1)
    document = parse(cda(section(valued("", "1-8"), valued("", "2-6"))))
    nodes = document.nodes("//observation[@e:fact = 'realised'][code/@code = '2-6']")
    assert nodes == [CdaNode(document.named("observation")[1])]
