"""What CDA's context says of each clinical statement, written on it for paths to ask.

CDA R2 conducts mood, negation and subject from a statement to those inside it (context
conduction), which a path on one element cannot see. `mark` writes, in the namespace `e:`,

* `e:state` on every statement: `realised`, or why it is no fact of the patient: `planned`
  (moodCode other than EVN), `prescribed` (moodCode INT of a prescription template), `negated`,
  `unfinished` (statusCode), `of_another` (a subject, family history);
* `e:fact` on a statement that stands for itself (an entry, or a component of a grouper): its
  state. What only qualifies the statement above it (severity, comment, reason, reference) and what
  only groups others has none; a severity never has, wherever a sender put it;
* `e:section`: the code of its section;
* `e:isolate` inside a microbiological isolate: the isolate's number in the document;
* `e:stay` on the ids of the encompassing encounter that number a stay.

A code that says that nothing is known (IPS `no-known-allergies`) is a negation. The ids of an
encompassing encounter may number a professional, an establishment (ANS laboratory reports) or a
multidisciplinary meeting (FRCP): none of these is a stay.

What a sender wrote in that namespace is removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from entrepot.feeds.cda.names import INDEXED, READ, STATEMENTS, hl7

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

STATE, FACT, SECTION, ISOLATE, STAY = (
    f"{{{READ}}}{name}" for name in ("state", "fact", "section", "isolate", "stay")
)
REALISED, PLANNED, NEGATED = "realised", "planned", "negated"
PRESCRIBED, UNFINISHED, OF_ANOTHER = "prescribed", "unfinished", "of_another"

_ENDED = {"", "completed", "normal"}
_RUNNING = {"active"}
_LASTING = {"organizer", "substanceAdministration", "supply"}
_FAMILY = {"10157-6"}  # LOINC: history of family member diseases
_ISOLATE_ORGANIZER = "1.3.6.1.4.1.19376.1.3.1.5"  # IHE PaLM
_ABSENT = "2.16.840.1.113883.5.1150.1"  # IPS absent and unknown data
_PERSONS = "1.2.250.1.71.4.2."  # ANS: numbers of professionals (.1) and establishments (.2)
_MEETINGS = "1.2.250.1.161.1.20."  # INCa: multidisciplinary cancer meetings
_PRESCRIPTIONS = (
    "1.3.6.1.4.1.19376.1.9.1.3.2",  # IHE Pharmacy prescription item, CI-SIS eP-MED
    "2.16.840.1.113883.10.20.22.4.16",  # C-CDA medication activity: INT is "prescribed"
)
_QUALITIES = (
    "2.16.840.1.113883.10.20.22.4.8",  # C-CDA severity observation
    "1.3.6.1.4.1.19376.1.5.3.1.4.1",  # IHE PCC severity
    "2.16.840.1.113883.10.20.22.4.145",  # C-CDA criticality of an allergy
    "2.16.840.1.113883.10.20.22.4.122",  # C-CDA entry reference: what it names is told elsewhere
)
_SEVERITY = ("SEV", "2.16.840.1.113883.5.4")  # ActCode
_INTERVENTION = "2.16.840.1.113883.10.20.22.4.131"  # C-CDA intervention act: groups by REFR
_INTERVENTIONS = ("362956003", "2.16.840.1.113883.6.96")  # its code
_PLAN = "18776-5"  # LOINC: plan of treatment
_COUNTED = {PLANNED, NEGATED, UNFINISHED, OF_ANOTHER}
_WITHIN = frozenset({"", "COMP", "SUBJ"})  # to what a grouper holds; senders invert some of them
_MEDIA = {"observationMedia", "regionOfInterest"}
_SECTION, _SUBJECT, _STATUS = hl7("section"), hl7("subject"), hl7("statusCode")
_RELATION = hl7("entryRelationship")
_TEMPLATE, _CODE, _RELATED = hl7("templateId"), hl7("code"), hl7("relatedSubject")
_VALUE = hl7("value")
_PRODUCTS = {  # where a drug and a device are named
    hl7("consumable"): "/".join(
        hl7(step) for step in ("manufacturedProduct", "manufacturedMaterial", "code")
    ),
    hl7("participant"): "/".join(
        hl7(step) for step in ("participantRole", "playingDevice", "code")
    ),
}
_ENCOUNTER = f"{hl7('componentOf')}/{hl7('encompassingEncounter')}"
_GROUPABLE = [tag for tag, name in STATEMENTS.items() if name not in {"act", *_MEDIA}]


@dataclass(slots=True)
class _Context:
    """What a section or a statement conducts to those inside it."""

    name: str
    state: str = REALISED
    stands: bool = True  # what it contains stands for itself
    fact: bool = False
    section: str = ""
    isolate: str = ""
    within: frozenset[str] = _WITHIN  # links to what stands for itself


_BODY = _Context("section")
Facts = dict[tuple[str, str], list["_Element"]]
Notices = list[tuple[str, str]]


@dataclass(slots=True)
class Marked:
    """What the pass over a document found.

    Args:
        facts: statements that stand for themselves, by element name and state.
        named: the elements of INDEXED, by name.
        notices: one for each fact that is left out, and for each image.
    """

    facts: Facts = field(default_factory=dict)
    named: dict[str, list[_Element]] = field(
        default_factory=lambda: {name: [] for name in INDEXED.values()}
    )
    notices: Notices = field(default_factory=list)


def mark(root: _Element) -> Marked:
    """Marks a document's statements and stay numbers, in one pass."""
    _mark_stay(root)
    seen: dict[_Element, _Context] = {}
    counts: dict[str, int] = {}
    marked = Marked()
    for element in root.iter(*STATEMENTS, *INDEXED):
        tag = element.tag
        name = STATEMENTS.get(tag)
        if name is None:
            marked.named[INDEXED[tag]].append(element)
            if tag == _SECTION:
                seen[element] = _section(element, _above(element, seen))
            continue
        above = _above(element, seen)
        counts[name] = counts.get(name, 0) + 1
        context = seen[element] = _statement(element, name, above)
        if name == "organizer" and _has_template(element, _ISOLATE_ORGANIZER):
            counts["isolate"] = counts.get("isolate", 0) + 1
            context.isolate = str(counts["isolate"])
        _write(element, context)
        if context.fact:
            marked.facts.setdefault((name, context.state), []).append(element)
        if code := _notice(context, above):
            marked.notices.append((code, f"{name}[{counts[name]}]"))
    return marked


def statement_of(element: _Element) -> _Element | None:
    """The statement that an element belongs to: itself, or the nearest around it."""
    found = element
    while found is not None and found.tag not in STATEMENTS:
        found = found.getparent()
    return found


def _mark_stay(root: _Element) -> None:
    for encounter in root.iterfind(_ENCOUNTER):
        ids = encounter.findall(hl7("id"))
        meeting = any(one.get("root", "").startswith(_MEETINGS) for one in ids)
        for one in ids:
            one.attrib.pop(STAY, None)
            if not meeting and not one.get("root", "").startswith(_PERSONS):
                one.set(STAY, "number")


def _above(element: _Element, seen: dict[_Element, _Context]) -> _Context:
    """The context of the nearest section or statement around an element."""
    parent = element.getparent()
    while parent is not None:
        found = seen.get(parent)
        if found is not None:
            return found
        parent = parent.getparent()
    return _BODY


def _section(element: _Element, above: _Context) -> _Context:
    code = _child(element, _CODE)
    value = "" if code is None else code.get("code", "")
    another = value in _FAMILY or _has_subject(_child(element, _SUBJECT))
    return _Context("section", OF_ANOTHER if another else above.state, section=value)


def _statement(element: _Element, name: str, above: _Context) -> _Context:
    intervention = name == "act" and _is_intervention(element)
    groups = name == "organizer" or intervention or (name == "act" and _has_components(element))
    stands = above.stands and _stands(element, name, above) and not _is_quality(element, name)
    state = above.state if above.state != REALISED else _state(element, name, groups, above.section)
    return _Context(
        name, state, stands and (groups or name in {"observation", "procedure", "encounter"}),
        stands and not groups and name not in _MEDIA, above.section, above.isolate,
        _WITHIN | {"REFR"} if intervention else _WITHIN,
    )  # fmt: skip


def _is_intervention(act: _Element) -> bool:
    return _has_template(act, _INTERVENTION) or _coded(act) == _INTERVENTIONS


def _is_quality(element: _Element, name: str) -> bool:
    """What says something of another statement and nothing of the patient by itself."""
    if name not in {"observation", "act"}:
        return False
    return _has_template(element, *_QUALITIES) or _coded(element) == _SEVERITY


def _coded(element: _Element) -> tuple[str | None, str | None]:
    code = _child(element, _CODE)
    return (None, None) if code is None else (code.get("code"), code.get("codeSystem"))


def _stands(element: _Element, name: str, above: _Context) -> bool:
    """Whether the statement is more than a quality of the one above it."""
    if above.name in {"section", "organizer"}:
        return True
    link = element.getparent()
    kind = link.get("typeCode", "")
    if kind not in above.within or (link.get("inversionInd") == "true" and name != "observation"):
        return False
    if above.name == "act":
        return name != "act" or kind != "SUBJ"
    if name == "act":
        return _has_components(element)
    return name == "observation" and kind != "SUBJ"


def _has_components(act: _Element) -> bool:
    """An act that holds statements of other classes (a concern, a laboratory chapter)."""
    for link in act.iterchildren(_RELATION):
        if link.get("typeCode", "") in _WITHIN:
            admitted = _GROUPABLE if link.get("inversionInd") != "true" else _GROUPABLE[:1]
            if _child(link, *admitted) is not None:
                return True
    return False


def _state(element: _Element, name: str, groups: bool, section: str) -> str:
    mood = element.get("moodCode", "EVN")
    if mood != "EVN":
        ordered = mood == "INT" and name == "substanceAdministration" and section != _PLAN
        return PRESCRIBED if ordered and _has_template(element, *_PRESCRIPTIONS) else PLANNED
    if element.get("negationInd") in {"true", "1"}:
        return NEGATED
    status = ""
    for child in element.iterchildren(_STATUS, _SUBJECT, _CODE, _VALUE, *_PRODUCTS):
        if child.get("codeSystem") == _ABSENT:
            return NEGATED
        tag = child.tag
        if tag == _STATUS:
            status = child.get("code", "")
        elif tag == _SUBJECT and _has_subject(child):
            return OF_ANOTHER
        elif tag in _PRODUCTS and _absent_product(child.find(_PRODUCTS[tag])):
            return NEGATED
    lasting = groups or name in _LASTING
    return REALISED if status in _ENDED or (lasting and status in _RUNNING) else UNFINISHED


def _absent_product(code: _Element | None) -> bool:
    return code is not None and code.get("codeSystem") == _ABSENT


def _has_subject(subject: _Element | None) -> bool:
    related = None if subject is None else _child(subject, _RELATED)
    return related is not None and related.get("classCode") != "PAT"


def _child(element: _Element, *tags: str) -> _Element | None:
    return next(element.iterchildren(*tags), None)


def _has_template(element: _Element, *roots: str) -> bool:
    return any(found.get("root") in roots for found in element.iterchildren(_TEMPLATE))


def _write(element: _Element, context: _Context) -> None:
    values = (
        (STATE, context.state),
        (FACT, context.state if context.fact else ""),
        (SECTION, context.section),
        (ISOLATE, context.isolate),
    )
    for name, value in values:
        if value:
            element.set(name, value)
        elif element.get(name) is not None:
            del element.attrib[name]


def _notice(context: _Context, above: _Context) -> str:
    """One notice for the outermost statement that is left, and one for each image."""
    if context.name in _MEDIA:
        return "media_not_read"
    outermost = above.name == "section" or above.state != context.state
    if context.state in _COUNTED and outermost and above.stands:
        return f"entry_{context.state}"
    return ""
