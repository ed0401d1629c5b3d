"""XPath 1.0 as mappings write it: a name without prefix is HL7's (`urn:hl7-org:v3`).

Compiled once. Plain steps (`patient/name/family`) go through lxml's own child search, which costs
a third of an XPath evaluation. What an expression looks for in the whole document (`//name`,
`//name[@e:fact = 'realised']`) comes from the document's index, which one pass makes for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree  # type: ignore[import-untyped]

from entrepot.errors import ConfigurationError
from entrepot.feeds.cda.names import PREFIXES, hl7

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

    from entrepot.feeds.cda.document import CdaDocument

# lxml hands a list of n elements to libxml2 in n² comparisons: a longer one is searched anew.
LONGEST_LIST = 5000

_TOKEN = re.compile(
    r"(?P<literal>'[^']*'|\"[^\"]*\")"
    r"|(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
    r"|(?P<variable>\$\w+)"
    r"|(?P<name>[A-Za-z_][\w.-]*(?::[A-Za-z_*][\w.-]*)?)"
    r"|(?P<mark>::|//|\.\.|!=|<=|>=|[/.@()\[\],|=<>+*-])"
    r"|(?P<space>\s+)"
)
_PLAIN = re.compile(r"[A-Za-z_][\w-]*(?:/[A-Za-z_][\w-]*)*")
_ANYWHERE = re.compile(rf"//(?P<name>[A-Za-z]\w*)(?:/(?P<steps>{_PLAIN.pattern}))?")
_ABOVE = re.compile(
    rf"(?:ancestor::(?P<name>[A-Za-z]\w*)\[1\]|(?P<up>\.\.(?:/\.\.)*))(?:/(?P<steps>{_PLAIN.pattern}))?"
)
_SOUGHT = re.compile(
    r"(?P<before>^|[(|]\s*)//(?P<name>[A-Za-z]\w*)(?![\w:(])"
    r"(?:\[@e:fact\s*=\s*'(?P<state>\w+)'\])?(?!\[\s*[0-9])"
)
_NO_NAME = hl7("")
_OPERATORS = {"and", "or", "div", "mod"}
_BEFORE_OPERAND = {
    "", "/", "//", "@", "::", "(", "[", ",", "|", "=", "!=", "<", ">", "<=", ">=", "+", "-",
    "and", "or", "div", "mod",
}  # fmt: skip

Evaluate = Callable[["CdaDocument", "_Element"], Any]


@dataclass(frozen=True, slots=True)
class XPath:
    """A compiled expression; both take the document and a context element.

    Args:
        text: as written.
        elements: the elements it finds.
        evaluate: whatever it gives: elements, texts, a text, a number, a truth value.
    """

    text: str
    elements: Callable[[CdaDocument, _Element], Iterable[_Element]] = field(
        compare=False, repr=False
    )
    evaluate: Evaluate = field(compare=False, repr=False)


@lru_cache(maxsize=4096)
def compile_xpath(text: str) -> XPath:
    """Compiles one expression.

    Raises:
        ConfigurationError: it is no XPath, or names a prefix that is not known here.
    """
    text = text.strip()
    if text in {"", "."}:
        return XPath(text, _itself, _itself)
    if _PLAIN.fullmatch(text):
        found = _plain(text)
        return XPath(text, found, found)
    if above := _ABOVE.fullmatch(text):
        found = _climbing(above["name"], above["up"], above["steps"])
        return XPath(text, found, found)
    if anywhere := _ANYWHERE.fullmatch(text):
        found = _indexed(anywhere["name"], anywhere["steps"])
        return XPath(text, found, found)
    evaluate = _evaluation(text)
    return XPath(text, lambda document, element: _elements(evaluate(document, element)), evaluate)


def _itself(document: CdaDocument, element: _Element) -> list[_Element]:
    return [element]


def _plain(text: str) -> Evaluate:
    first, *others = (hl7(step) for step in text.split("/"))
    if not others:
        return lambda document, element: list(element.iterchildren(first))

    def found(document: CdaDocument, element: _Element) -> list[_Element]:
        reached = list(element.iterchildren(first))
        for step in others:
            if not reached:
                break
            reached = [child for one in reached for child in one.iterchildren(step)]
        return reached

    return found


def _climbing(name: str | None, up: str | None, steps: str | None) -> Evaluate:
    """`ancestor::organizer[1]/code`, `../../code`: from an element around the context."""
    below = _itself if steps is None else _plain(steps)
    tag, levels = hl7(name or ""), (up or "").count("..")

    def found(document: CdaDocument, element: _Element) -> list[_Element]:
        around = element.getparent()
        if tag != _NO_NAME:
            while around is not None and around.tag != tag:
                around = around.getparent()
        else:
            for _ in range(levels - 1):
                around = None if around is None else around.getparent()
        return [] if around is None else below(document, around)

    return found


def _indexed(name: str, steps: str | None) -> Evaluate:
    if steps is None:
        return lambda document, element: document.named(name)
    below = "/".join(hl7(step) for step in steps.split("/"))
    return lambda document, element: [
        found for one in document.named(name) for found in one.iterfind(below)
    ]


def _elements(found: Any) -> list[_Element]:
    """The elements of a result; a text or a number holds none."""
    return [one for one in found if etree.iselement(one)] if isinstance(found, list) else []


def _evaluation(text: str) -> Evaluate:
    sought: dict[str, tuple[str, str]] = {}

    def variable(match: re.Match[str]) -> str:
        name = f"v{len(sought)}"
        sought[name] = (match["name"], match["state"] or "")
        return f"{match['before']}${name}"

    whole = _compiled(text)
    with_lists = _SOUGHT.sub(variable, text)
    if not sought:
        return lambda document, element: whole(element)
    compiled = _compiled(with_lists)
    only = not re.search(r"//|::|\bcount\b|\bboolean\b|\bnumber\b|\bstring\b", with_lists)

    def evaluate(document: CdaDocument, element: _Element) -> Any:
        lists = {n: document.named(*asked) for n, asked in sought.items()}
        longest = max(map(len, lists.values()))
        if longest == 0 and only:
            return []
        return compiled(element, **lists) if longest <= LONGEST_LIST else whole(element)

    return evaluate


def _compiled(text: str) -> Any:
    try:
        return etree.XPath(prefixed(text), namespaces=PREFIXES)
    except etree.XPathSyntaxError:
        raise _refused(text) from None


def prefixed(text: str) -> str:
    """The expression with the prefix `h:` on each element name that has none.

    Raises:
        ConfigurationError: a character that no expression has, or an unknown prefix.
    """
    out, place, before = [], 0, ""
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _refused(text)
        token, place = match[0], match.end()
        if match["name"] is not None:
            out.append(_named(text, token, before, text[place:].lstrip()))
        else:
            out.append(token)
        before = before if match["space"] else out[-1]
    return "".join(out)


def _named(text: str, name: str, before: str, after: str) -> str:
    """A name as it must be written: prefixed when it tests an element."""
    prefix, colon, _ = name.partition(":")
    if name in _OPERATORS and before not in _BEFORE_OPERAND:
        return name
    if after.startswith("::") or (after.startswith("(") and not colon):
        return name  # an axis, a function or a node test
    if colon and prefix not in PREFIXES:
        raise _refused(text)
    return name if colon or before == "@" else f"h:{name}"


def _refused(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"{text} is no path into a CDA document",
        remedy="XPath 1.0; prefixes: " + ", ".join(sorted(set(PREFIXES) - {"h"})),
    )
