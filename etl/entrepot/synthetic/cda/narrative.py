"""Narrative blocks: what a person reads, with the names that stand in it."""

from __future__ import annotations

from entrepot.synthetic.cda.header import Version
from entrepot.synthetic.cda.tree import Node, node
from entrepot.synthetic.chance import stream
from entrepot.synthetic.message import Text, lines
from entrepot.synthetic.spelling import doctor, patient


def greeting(version: Version) -> Node:
    """`Patient : … ; validé par …`."""
    person = version.chart.person
    rng = stream(version.chart.seed, person.index, f"cda {version.of} {version.rank}")
    civil = person.at(version.when)
    pieces = [*patient(civil, rng), " ; validé par ", *doctor(version.author, rng)]
    return node("paragraph", Text(["Patient : ", *pieces]))


def paragraphs(text: Text) -> list[Node]:
    """The blocks of a letter, its single line ends kept."""
    return [node("paragraph", block) for block in lines(text, "\n\n") if block.strip("\n")]
