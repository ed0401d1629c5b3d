"""What stands for itself, and why the rest does not (CDA R2 4.4: context conduction, moods)."""

from __future__ import annotations

import pytest
from cda_samples import STAY, cda, observation, section, valued

from entrepot.feeds.cda.document import CdaDocument, parse
from entrepot.feeds.cda.path import compile_path

pytestmark = pytest.mark.core

CONCERN = (
    '<act classCode="ACT" moodCode="EVN"{more}><code code="CONC"/><statusCode code="active"/>'
    '<entryRelationship typeCode="{link}">{inner}</entryRelationship></act>'
)
SUBJECT = '<subject><relatedSubject classCode="PRS"><code code="MTH"/></relatedSubject></subject>'
ABSENT = 'codeSystem="2.16.840.1.113883.5.1150.1"'


def facts(document: CdaDocument) -> dict[str, list[str]]:
    """State -> codes of the facts in that state."""
    code = compile_path("code/@code")
    found: dict[str, list[str]] = {}
    for node in document.nodes("//*[@e:fact]"):
        state = compile_path("@e:fact").read(document, node)
        found.setdefault(state, []).append(code.read(document, node))
    return found


def read(*entries: str, code: str = "30954-2") -> CdaDocument:
    return parse(cda(section(*entries, code=code)))


def test_an_entry_stands_for_itself() -> None:
    document = read(valued(""))
    assert facts(document) == {"realised": ["718-7"]}
    assert document.notices == []


def test_components_stand_and_their_organizer_does_not() -> None:
    inner = f"<component>{valued('', '1-8')}</component><component>{valued('', '2-6')}</component>"
    document = read(
        f'<organizer classCode="BATTERY" moodCode="EVN"><code code="B"/>{inner}</organizer>'
    )
    assert facts(document) == {"realised": ["1-8", "2-6"]}


@pytest.mark.parametrize(
    "link", ["SUBJ", "COMP", 'SUBJ" inversionInd="true', 'SUBJ" inversionInd="false']
)
def test_a_concern_is_counted_once(link: str) -> None:
    document = read(CONCERN.format(more="", link=link, inner=valued("")))
    assert facts(document) == {"realised": ["718-7"]}


@pytest.mark.parametrize(
    "kind", ["REFR", "RSON", "MFST", "CAUS", "SPRT", 'SUBJ" inversionInd="true']
)
def test_a_quality_of_a_fact_is_none(kind: str) -> None:
    inner = f'<entryRelationship typeCode="{kind}">{valued("", "SEV")}</entryRelationship>'
    assert facts(read(valued("", "718-7", inner))) == {"realised": ["718-7"]}


def test_parts_of_a_score_stand_for_themselves() -> None:
    inner = f'<entryRelationship typeCode="COMP">{valued("", "9267-6")}</entryRelationship>'
    assert facts(read(valued("", "9269-2", inner))) == {"realised": ["9269-2", "9267-6"]}


def test_a_comment_is_no_fact_of_its_own() -> None:
    comment = '<act classCode="ACT" moodCode="EVN"><code code="48767-8"/></act>'
    inner = f'<entryRelationship typeCode="SUBJ" inversionInd="true">{comment}</entryRelationship>'
    assert facts(read(valued("", "718-7", inner))) == {"realised": ["718-7"]}


def test_doses_inside_a_treatment_are_none() -> None:
    dose = '<substanceAdministration classCode="SBADM" moodCode="EVN"/>'
    drug = (
        '<substanceAdministration classCode="SBADM" moodCode="EVN"><code code="DRUG"/>'
        f'<entryRelationship typeCode="COMP">{dose}</entryRelationship></substanceAdministration>'
    )
    assert facts(read(drug)) == {"realised": ["DRUG"]}


@pytest.mark.parametrize(
    "mood", ["INT", "RQO", "PRMS", "PRP", "ARQ", "APT", "GOL", "DEF", "EVN.CRT"]
)
def test_what_is_planned_is_not_realised(mood: str) -> None:
    document = read(observation('<code code="1-8"/>', f'classCode="OBS" moodCode="{mood}"'))
    assert facts(document) == {"planned": ["1-8"]}
    assert document.notices == [("entry_planned", "observation[1]")]


def test_what_is_inside_a_plan_is_planned() -> None:
    document = read(
        '<act classCode="ACT" moodCode="INT"><code code="P"/>'
        f'<entryRelationship typeCode="COMP">{valued("")}</entryRelationship></act>'
    )
    assert facts(document) == {"planned": ["718-7"]}
    assert document.notices == [("entry_planned", "act[1]")]


def test_a_prescription_item_is_prescribed() -> None:
    drug = (
        '<substanceAdministration classCode="SBADM" moodCode="INT">'
        '<templateId root="{}"/><code code="DRUG"/></substanceAdministration>'
    )
    document = read(drug.format("1.3.6.1.4.1.19376.1.9.1.3.2"))
    assert facts(document) == {"prescribed": ["DRUG"]}
    assert document.notices == []
    activity = drug.format("2.16.840.1.113883.10.20.22.4.16")  # C-CDA: INT is "prescribed"
    assert facts(read(activity, code="10160-0")) == {"prescribed": ["DRUG"]}
    assert facts(read(activity, code="18776-5")) == {"planned": ["DRUG"]}
    assert facts(read(drug.format("2.16.840.1.113883.10.20.22.4.42"))) == {"planned": ["DRUG"]}


SEVERITY = observation(
    '{}<statusCode code="completed"/><value xsi:type="CD" code="371924009"'
    ' codeSystem="2.16.840.1.113883.6.96"/>'
)
SEVERITIES = (
    '<templateId root="2.16.840.1.113883.10.20.22.4.8"/><code code="SEV"/>',
    '<templateId root="1.3.6.1.4.1.19376.1.5.3.1.4.1"/><code code="SEV"/>',
    '<code code="SEV" codeSystem="2.16.840.1.113883.5.4"/>',
)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        '<organizer moodCode="EVN"><component>{}</component></organizer>',
        CONCERN.format(more="", link="SUBJ", inner="{}"),
        observation(
            '<code code="1-8"/><entryRelationship typeCode="COMP">{}</entryRelationship>',
        ),
    ],
)
def test_a_severity_is_never_a_fact(severity: str, around: str) -> None:
    document = read(around.format(SEVERITY.format(severity)))
    assert "SEV" not in facts(document).get("realised", [])
    assert document.notices == []


INTERVENTION = (
    '<act classCode="ACT" moodCode="{mood}">{sign}<statusCode code="completed"/>'
    '<entryRelationship typeCode="REFR"><act classCode="ACT" moodCode="{mood}">'
    '<templateId root="2.16.840.1.113883.10.20.22.4.12"/><code code="423171007"/>'
    '<statusCode code="completed"/></act></entryRelationship>'
    '<entryRelationship typeCode="RSON"><observation moodCode="EVN"><code code="1-8"/>'
    '</observation></entryRelationship><entryRelationship typeCode="REFR"><act moodCode="EVN">'
    '<templateId root="2.16.840.1.113883.10.20.22.4.122"/><id root="1"/><code nullFlavor="NP"/>'
    "</act></entryRelationship></act>"
)


@pytest.mark.parametrize(
    "sign",
    [
        '<templateId root="2.16.840.1.113883.10.20.22.4.131"/><code code="X"/>',
        '<code code="362956003" codeSystem="2.16.840.1.113883.6.96"/>',
    ],
)
def test_an_intervention_groups_what_it_refers_to(sign: str) -> None:
    document = read(INTERVENTION.format(mood="EVN", sign=sign), code="62387-6")
    assert facts(document) == {"realised": ["423171007"]}
    assert document.notices == []
    assert "realised" not in facts(read(INTERVENTION.format(mood="INT", sign=sign)))


@pytest.mark.parametrize("indicator", ["true", "1"])
def test_a_negation_holds_for_all_inside(indicator: str) -> None:
    negated = observation('<code code="1-8"/>', f'moodCode="EVN" negationInd="{indicator}"')
    assert facts(read(negated)) == {"negated": ["1-8"]}
    concern = CONCERN.format(more=f' negationInd="{indicator}"', link="SUBJ", inner=valued(""))
    document = read(concern)
    assert facts(document) == {"negated": ["718-7"]}
    assert document.notices == [("entry_negated", "act[1]")]


@pytest.mark.parametrize(
    "entry",
    [
        valued(f'<value xsi:type="CD" code="no-known-allergies" {ABSENT}/>'),
        f'<procedure moodCode="EVN"><code code="no-known-procedures" {ABSENT}/></procedure>',
        '<substanceAdministration moodCode="EVN"><consumable><manufacturedProduct>'
        f'<manufacturedMaterial><code code="no-known-medications" {ABSENT}/>'
        "</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>",
        '<supply moodCode="EVN"><participant typeCode="DEV"><participantRole><playingDevice>'
        f'<code code="no-known-devices" {ABSENT}/></playingDevice></participantRole>'
        "</participant></supply>",
    ],
)
def test_nothing_known_is_a_negation(entry: str) -> None:
    assert list(facts(read(entry))) == ["negated"]


@pytest.mark.parametrize(
    "status", ["aborted", "cancelled", "held", "new", "suspended", "nullified", "active"]
)
def test_an_observation_that_is_not_completed(status: str) -> None:
    document = read(observation(f'<code code="1-8"/><statusCode code="{status}"/>'))
    assert facts(document) == {"unfinished": ["1-8"]}
    assert document.notices == [("entry_unfinished", "observation[1]")]


def test_an_active_treatment_is_taken() -> None:
    drug = (
        '<substanceAdministration moodCode="EVN"><code code="D"/><statusCode code="{}"/>'
        "</substanceAdministration>"
    )
    assert facts(read(drug.format("active"))) == {"realised": ["D"]}
    assert facts(read(drug.format("aborted"))) == {"unfinished": ["D"]}


def test_another_persons_history_is_not_the_patients() -> None:
    component = f"<component>{valued('')}</component>"
    family = f'<organizer classCode="CLUSTER" moodCode="EVN">{SUBJECT}{component}</organizer>'
    document = read(family)
    assert facts(document) == {"of_another": ["718-7"]}
    assert document.notices == [("entry_of_another", "organizer[1]")]
    assert facts(read(valued(""), code="10157-6")) == {"of_another": ["718-7"]}
    patient = SUBJECT.replace("PRS", "PAT")
    assert facts(read(observation(f'<code code="1-8"/>{patient}'))) == {"realised": ["1-8"]}


def test_isolates_are_numbered() -> None:
    isolate = (
        '<organizer classCode="CLUSTER" moodCode="EVN">'
        '<templateId root="1.3.6.1.4.1.19376.1.3.1.5"/>'
        f"<component>{valued('', '1-8')}</component><component><organizer moodCode='EVN'>"
        f"<component>{valued('', '2-6')}</component></organizer></component></organizer>"
    )
    document = read(isolate, isolate, valued("", "3-4"))
    number = compile_path("@e:isolate")
    assert [number.read(document, n) for n in document.nodes("//observation")] == [*"1122", ""]


def test_images_are_noticed() -> None:
    document = read('<observationMedia classCode="OBS" moodCode="EVN"/>')
    assert document.notices == [("media_not_read", "observationMedia[1]")]
    assert facts(document) == {}


@pytest.mark.parametrize(
    ("root", "numbers"),
    [
        ("1.2.250.1.998", ["NDA1"]),
        ("1.2.250.1.71.4.2.1", []),  # a professional (ANS laboratory reports)
        ("1.2.250.1.71.4.2.2", []),  # an establishment
        ("1.2.250.1.161.1.20.1.1", []),  # a multidisciplinary meeting (FRCP)
    ],
)
def test_which_ids_number_a_stay(root: str, numbers: list[str]) -> None:
    document = parse(cda(stay=STAY.replace("1.2.250.1.998", root)))
    path = "componentOf/encompassingEncounter/id[@e:stay]/@extension"
    assert compile_path(path).read_all(document) == numbers


def test_marks_of_a_sender_are_removed() -> None:
    forged = 'xmlns:e="urn:entrepot:cda:read" e:fact="realised" e:state="realised" moodCode="INT"'
    assert facts(read(observation('<code code="1-8"/>', forged))) == {"planned": ["1-8"]}
    quality = observation("", forged.replace("INT", "EVN"))
    inner = f'<entryRelationship typeCode="REFR">{quality}</entryRelationship>'
    assert facts(read(valued("", "718-7", inner))) == {"realised": ["718-7"]}
