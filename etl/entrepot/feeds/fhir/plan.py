"""Paths given types: every step is checked against R4 and becomes a move along known structs."""

from __future__ import annotations

from entrepot.errors import ConfigurationError
from entrepot.feeds.fhir.expression import (
    Every,
    Exists,
    Index,
    Name,
    OfType,
    Resolve,
    Step,
    Steps,
    Test,
    Where,
    refused,
)
from entrepot.feeds.fhir.operations import (
    Condition,
    Filter,
    Fork,
    Found,
    Here,
    Inside,
    Jump,
    Move,
    Operation,
    OwnId,
    Pick,
    Plan,
    Single,
    Text,
    Token,
)
from entrepot.feeds.fhir.shape import Shape, attribute, sibling
from entrepot.feeds.fhir.specification import DATES, Element, Specification
from entrepot.feeds.fhir.values import text_of


class Planner:
    """Makes plans from resource shapes, which it lets grow by what a plan needs."""

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        self.roots = {
            name: Shape(
                name,
                root=specification.types[name],
                strict=name not in specification.known_by_name,
            )
            for name in sorted(specification.resources)
        }

    def plan(self, shape: Shape, steps: Steps, text: str, whole: bool = False) -> Plan:
        """The moves of a path.

        Args:
            shape: where it starts.
            text: the path as written, for the error.
            whole: it ends at an element of several parts, which is taken as a whole.

        Raises:
            ConfigurationError: R4 has no such element, or it holds no single value.
        """
        return _Planning(self, text, whole).plan(shape, steps)


class _Planning:
    def __init__(self, planner: Planner, text: str, whole: bool) -> None:
        self._planner, self._text, self._whole = planner, text, whole
        self._specification = planner.specification

    def plan(self, shape: Shape, steps: Steps) -> Plan:
        if not steps:
            return self._end(shape)
        step, rest = steps[0], steps[1:]
        if isinstance(step, Name):
            return self._name(shape, step.text, rest)
        if isinstance(step, Exists):
            return (Found(),)
        if isinstance(step, Resolve):
            return self._jump(shape, rest)
        return (self._passage(shape, step), *self.plan(shape, rest))

    def _passage(self, shape: Shape, step: Step) -> Operation:
        """A step that stays at elements of the same type."""
        if isinstance(step, Index):
            return Pick(step.number)
        if isinstance(step, Every):
            return Single()
        if isinstance(step, Where):
            return self._filter(shape, step)
        raise self._refused(f"{shape.type} is not a choice of types")

    def _end(self, shape: Shape) -> Plan:
        if self._whole:
            return (Here(shape),)
        if shape.type == "Reference":
            self._need(shape, "reference")
            return (Token(),)
        raise self._refused(f"{shape.type} is no single value")

    def _name(self, shape: Shape, name: str, rest: Steps) -> Plan:
        elements = self._specification.elements(shape.type, name)
        if not elements:
            raise self._refused(f"{shape.type} has no {name}")
        if not elements[0].choice:
            return self._element(shape, elements[0], rest)
        if rest and isinstance(rest[0], OfType):
            wanted = rest[0].type
            elements = [element for element in elements if element.type == wanted]
            if not elements:
                raise self._refused(f"{shape.type}.{name} is no {wanted}")
            return self._element(shape, elements[0], rest[1:])
        if not rest and not self._whole:
            return self._date(shape, elements, name)
        return self._fork([(shape, element, rest) for element in elements])

    def _date(self, shape: Shape, elements: list[Element], name: str) -> Plan:
        """A bare choice: its dates and the start of its period."""
        dates = [(shape, element, ()) for element in elements if element.type in DATES]
        periods = [element for element in elements if element.type == "Period"]
        start: Steps = (Name("start"),)
        if not dates and not periods:
            raise self._refused(f"{shape.type}.{name} has several types; name one with ofType()")
        return self._fork([*dates, *((shape, element, start) for element in periods)])

    def _fork(self, cases: list[tuple[Shape, Element, Steps]]) -> Plan:
        plans, error = [], None
        for shape, element, rest in cases:
            try:
                plans.append(self._element(shape, element, rest))
            except ConfigurationError as refusal:
                error = refusal
        if not plans and error is not None:
            raise error
        return (Fork(tuple(plans)),)

    def _element(self, shape: Shape, element: Element, rest: Steps) -> Plan:
        if element.primitive:
            return self._primitive(shape, element, rest)
        inner = shape.need(element)
        if inner is None:
            return self._inside(rest)
        return (_move(element), *self.plan(inner, rest))

    def _inside(self, steps: Steps) -> Plan:
        """`contained.where(resourceType = 'Practitioner')`, `contained.ofType(Practitioner)`."""
        step = steps[0] if steps else None
        name = step.type if isinstance(step, OfType) else ""
        if isinstance(step, Where) and len(step.alternatives) == len(step.alternatives[0]) == 1:
            test = step.alternatives[0][0]
            name = (test.equal or "") if test.steps == (Name("resourceType"),) else ""
        root = self._planner.roots.get(name)
        if root is None:
            raise self._refused("contained is followed by ofType() or resolve() leads to it")
        return (Inside(name), *self.plan(root, steps[1:]))

    def _jump(self, shape: Shape, rest: Steps) -> Plan:
        if shape.type != "Reference":
            raise self._refused(f"{shape.type} is no reference")
        self._need(shape, "reference")
        roots = self._planner.roots
        targets = set(shape.targets) or {"Resource"}
        if rest and isinstance(rest[0], OfType):
            targets, rest = {rest[0].type}, rest[1:]
        plans: dict[str, Plan] = {}
        error = self._refused("no such resource")
        for name in sorted(roots if "Resource" in targets else targets & set(roots)):
            try:
                plans[name] = self.plan(roots[name], rest)
            except ConfigurationError as refusal:
                error = refusal
        if not plans:
            raise error
        return (Jump(plans),)

    def _primitive(self, shape: Shape, element: Element, rest: Steps) -> Plan:
        if rest and rest[0] == Name("extension"):
            inner = shape.need_sibling(element)
            beside = Move(sibling(element.json), element.many, f"_{element.json}")
            return (beside, *self.plan(inner, rest))
        shape.need(element)
        if shape.root is not None and element.name == "id" and not rest and not self._whole:
            return (OwnId(),)
        ends = bool(rest) and isinstance(rest[-1], Exists)
        plan: list[Operation] = [_move(element)]
        for step in rest[:-1] if ends else rest:
            if isinstance(step, Index):
                plan.append(Pick(step.number))
            elif isinstance(step, Every):
                plan.append(Single())
            else:
                raise self._refused(f"{element.name} is a {element.type}, which has no parts")
        if ends:
            return (*plan, Found())
        if self._whole:
            return (*plan, Here(Shape(element.type)))
        return (*plan, Text(text_of(element, shape.type)))

    def _filter(self, shape: Shape, where: Where) -> Filter:
        return Filter(
            tuple(
                tuple(self._condition(shape, test) for test in conjunction)
                for conjunction in where.alternatives
            )
        )

    def _condition(self, shape: Shape, test: Test) -> Condition:
        if test.is_type:
            if shape.type != "Reference" or test.is_type not in self._planner.roots:
                raise self._refused(f"{shape.type} never is {test.is_type}")
            self._need(shape, "reference")
            self._need(shape, "type")
            return Condition((), None, test.is_type, shape.targets == (test.is_type,))
        plan = _Planning(self._planner, self._text, whole=False).plan(shape, test.steps)
        return Condition(plan, test.equal, "")

    def _need(self, shape: Shape, name: str) -> None:
        for element in self._specification.elements(shape.type, name):
            shape.need(element)

    def _refused(self, why: str) -> ConfigurationError:
        return refused(self._text, why)


def _move(element: Element) -> Move:
    return Move(attribute(element.json), element.many, element.json)
