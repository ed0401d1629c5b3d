"""Which format tells which fact: one drawn for each group of facts, for some a second one.

A group is what one message, resource or document must tell together: an order, the PMSI of a
stay, a prescription, a dose, a letter with what replaces it. The draw is keyed by the group alone.
Identities, stays and movements are told in every format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from entrepot.errors import ConfigurationError
from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.clinical import Vaccine
from entrepot.synthetic.facts import Act, Diagnosis, Fact
from entrepot.synthetic.orders import Administration, Letter, Order, Prescription, Result

HL7V2, FHIR, CDA = FORMATS = ("hl7v2", "fhir", "cda")
TWICE = 0.05


def check(formats: Sequence[str], twice: float) -> None:
    """Raises ConfigurationError for an unknown format, none at all, or no share."""
    if not formats or set(formats) - set(FORMATS):
        raise ConfigurationError(f"formats are some of {', '.join(FORMATS)}")
    if not 0 <= twice <= 1:
        raise ConfigurationError("the share of facts told twice must lie between 0 and 1")


def allotted(chart: Chart, formats: Sequence[str], twice: float) -> dict[str, tuple[str, ...]]:
    """The formats of each clinical fact by its id, the first drawn first; none when none can."""
    known = [name for name in FORMATS if name in formats]
    found: dict[str, tuple[str, ...]] = {}
    for key, facts, able in groups(chart):
        chosen: tuple[str, ...] = tuple(name for name in known if name in able)
        if HL7V2 not in known and _taken_back_by_message(facts):
            chosen = tuple(name for name in chosen if name != CDA)
        if len(chosen) > 1:
            rng = stream(chart.seed, chart.person.index, f"format {key}")
            first = rng.choice(chosen)
            others = [name for name in chosen if name != first]
            again = rng.random() < twice
            chosen = (first, rng.choice(others)) if again else (first,)
        found |= dict.fromkeys([fact.id for fact in facts], chosen)
    return found


def part(chart: Chart, allotment: dict[str, tuple[str, ...]], name: str) -> Chart:
    """The chart with the clinical facts that one format tells, and all that are not clinical."""

    def told(fact: Fact) -> bool:
        return name in allotment.get(fact.id, (name,))

    return replace(
        chart,
        facts=[fact for fact in chart.facts if told(fact)],
        orders=[order for order in chart.orders if told(order.results[0])],
        letters=[letter for letter in chart.letters if told(letter)],
    )


def groups(chart: Chart) -> Iterator[tuple[str, list[Fact], tuple[str, ...]]]:
    """Each group: its key, its facts, the formats that can carry it."""
    for order in chart.orders:
        able = FORMATS if _reportable(order) else (HL7V2, FHIR)
        yield f"order {order.filler}", list(order.results), able
    for stay in chart.stays:
        coded: list[Fact] = [
            f for f in chart.facts if isinstance(f, (Diagnosis, Act)) and f.stay is stay
        ]
        if coded:
            yield f"pmsi {stay.nda}", coded, (HL7V2, FHIR)
    for fact in chart.facts:
        if isinstance(fact, Prescription):
            yield fact.id, [fact], FORMATS
        elif isinstance(fact, Administration):
            able = FORMATS if isinstance(fact.drug, Vaccine) else (HL7V2, FHIR)
            yield fact.id, [fact], able
    chains: dict[str, list[Fact]] = {}
    for letter in chart.letters:
        chains.setdefault(letter.parent or letter.document, []).append(letter)
    for document, chain in chains.items():
        yield f"letter {document}", chain, FORMATS


def withdrawn(order: Order) -> bool:
    """Whether the laboratory took the whole report back."""
    return all(result.cancelled for result in order.results)


def _reportable(order: Order) -> bool:
    """A CDA report holds validated results only, and numbers isolates anew in each version."""
    told = [(result, status) for report in order.reports for result, status, _ in report.lines]
    deleted = any(status == "D" and result.sub_id for result, status in told)
    return not deleted and all(status != "P" for _, status in told)


def _taken_back_by_message(facts: list[Fact]) -> bool:
    """A CDA document is withdrawn, and not replaced, by the HL7 message that carries it alone."""
    first = facts[0]
    if isinstance(first, Result):
        return withdrawn(first.order)
    if isinstance(first, Letter):
        return any(isinstance(fact, Letter) and fact.withdrawn for fact in facts)
    return isinstance(first, Prescription) and first.cancelled
