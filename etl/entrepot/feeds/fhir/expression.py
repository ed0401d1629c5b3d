"""The grammar of our subset of FHIRPath (N1): text to steps, without any knowledge of types.

::

    code.coding.code                       identifier[0].value, name.first().family
    value.ofType(Quantity).value           identifier[*].value (one value for each repetition)
    identifier.where(use = 'usual' or type.coding.code = 'PI').value
    name.where(period.exists()).family     subject.where(resolve() is Patient)
    extension('http://…').value.ofType(code)
    medication.ofType(CodeableConcept) | medication.resolve().code
    contained.where(resourceType = 'Practitioner').name.family
    %resource.subject (the root, although the row has a node), %self (the row's node itself)
    %reference (`Patient/p1`: what the resource is), %entry.url (what only its Bundle entry says)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from entrepot.errors import ConfigurationError

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<variable>%[a-z]+)|'(?P<string>(?:[^'\\]|\\.)*)'"
    r"|(?P<number>[0-9]{1,6})|(?P<symbol>[.()\[\]*=|]))"
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Name:
    """An element."""

    text: str


@dataclass(frozen=True, slots=True)
class OfType:
    """One type of a choice, or one resource type of a reference."""

    type: str


@dataclass(frozen=True, slots=True)
class Index:
    """One item of the collection, counted from 0."""

    number: int


@dataclass(frozen=True, slots=True)
class Every:
    """`[*]`: `read_all` gives one value for each item."""


@dataclass(frozen=True, slots=True)
class Resolve:
    """The contained resource that a reference names."""


@dataclass(frozen=True, slots=True)
class Exists:
    """`true` if there is one, else ''."""


@dataclass(frozen=True, slots=True)
class Test:
    """A path equals a literal, exists (`equal` None), or resolves to a type (`steps` empty)."""

    steps: Steps
    equal: str | None = None
    is_type: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """The items for which one of the alternatives holds, each of them a conjunction."""

    alternatives: tuple[tuple[Test, ...], ...]


Step = Name | OfType | Index | Every | Resolve | Exists | Where
Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """Steps from a variable (`%resource`), or from the row's node when it is empty."""

    variable: str
    steps: Steps


def parse(text: str) -> tuple[Expression, ...]:
    """Reads a path: alternatives in order of preference, joined by `|`.

    Raises:
        ConfigurationError: the text is outside the grammar above.
    """
    return _Parser(text).expressions()


def refused(text: str, why: str = "") -> ConfigurationError:
    """The error for a path that cannot be compiled."""
    return ConfigurationError(
        f"{text} is no path into FHIR R4{why and f': {why}'}",
        remedy="forms: code.coding.code, identifier.where(use = 'official').value, name[0].given, "
        "value.ofType(Quantity).value, extension('url').value.ofType(code), %resource.id",
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        self._at = place = 0
        stripped = text.rstrip()
        while place < len(stripped):
            match = _TOKEN.match(stripped, place)
            if match is None:
                raise refused(text, f"character {place + 1}")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self._tokens.append(("end", ""))

    def expressions(self) -> tuple[Expression, ...]:
        found = [self._expression()]
        while self._takes("|"):
            found.append(self._expression())
        if self._tokens[self._at][0] != "end":
            raise self._refused()
        return tuple(found)

    def _expression(self) -> Expression:
        kind, value = self._tokens[self._at]
        if kind != "variable":
            return Expression("", self._steps())
        self._at += 1
        return Expression(value, self._steps() if self._takes(".") else ())

    def _steps(self) -> Steps:
        steps = list(self._step())
        while self._takes("."):
            steps += self._step()
        return tuple(steps)

    def _step(self) -> list[Step]:
        name = self._next("name")
        steps: list[Step] = self._function(name) if self._takes("(") else [Name(name)]
        while self._takes("["):
            kind, value = self._tokens[self._at]
            self._at += 1
            if kind != "number" and value != "*":
                raise self._refused()
            steps.append(Index(int(value)) if kind == "number" else Every())
            self._expect("]")
        return steps

    def _function(self, name: str) -> list[Step]:
        steps: list[Step]
        if name == "where":
            steps = [Where(self._alternatives())]
        elif name == "ofType":
            steps = [OfType(self._next("name"))]
        elif name == "extension":
            url = _unescaped(self._next("string"))
            steps = [Name(name), Where(((Test((Name("url"),), url),),))]
        elif name in _WITHOUT_ARGUMENT:
            steps = [_WITHOUT_ARGUMENT[name]]
        else:
            raise self._refused()
        self._expect(")")
        return steps

    def _alternatives(self) -> tuple[tuple[Test, ...], ...]:
        found = [self._conjunction()]
        while self._takes("or"):
            found.append(self._conjunction())
        return tuple(found)

    def _conjunction(self) -> tuple[Test, ...]:
        found = [self._test()]
        while self._takes("and"):
            found.append(self._test())
        return tuple(found)

    def _test(self) -> Test:
        steps = self._steps()
        if self._takes("="):
            for word in ("true", "false"):
                if self._takes(word):
                    return Test(steps, word)
            return Test(steps, _unescaped(self._next("string")))
        if self._takes("is"):
            if steps != (Resolve(),):
                raise self._refused()
            return Test((), is_type=self._next("name"))
        if not isinstance(steps[-1], Exists):
            raise self._refused()
        return Test(steps)

    def _takes(self, value: str) -> bool:
        kind, found = self._tokens[self._at]
        if found != value or kind == "string":
            return False
        self._at += 1
        return True

    def _expect(self, value: str) -> None:
        if not self._takes(value):
            raise self._refused()

    def _next(self, kind: str) -> str:
        found, value = self._tokens[self._at]
        if found != kind:
            raise self._refused()
        self._at += 1
        return value

    def _refused(self) -> ConfigurationError:
        return refused(self._text, f"part {self._at + 1}")


_WITHOUT_ARGUMENT: dict[str, Step] = {
    "first": Index(0),
    "resolve": Resolve(),
    "exists": Exists(),
}


def _unescaped(literal: str) -> str:
    return _ESCAPED.sub(r"\1", literal)
