"""Letters of a stay: which are written, replaced (T10) or withdrawn (T11)."""

from __future__ import annotations

import datetime as dt
from random import Random

from entrepot.synthetic.chance import stream
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Stay
from entrepot.synthetic.letter_text import Draft, compose
from entrepot.synthetic.message import Text
from entrepot.synthetic.orders import Letter
from entrepot.synthetic.times import settled

TYPES = {  # LOINC document type -> title
    "11490-0": "Lettre de liaison à la sortie",
    "34105-7": "Compte rendu d'hospitalisation",
    "11504-8": "Compte rendu opératoire",
    "34111-5": "Compte rendu de passage aux urgences",
    "11488-4": "Compte rendu de consultation",
    "18748-4": "Compte rendu d'imagerie",
}
FORMS = ("breaks", "breaks", "breaks", "lines", "repeats", "plain", "html", "rtf")


def write_letters(chart: Chart, stay: Stay) -> None:
    """Adds the stay's letters."""
    if stay.cancelled or not stay.realised:
        return
    rng = stream(chart.seed, chart.person.index, f"letters {stay.nda}")
    end = stay.end or stay.start + dt.timedelta(hours=3)
    for type_code in _wanted(stay, rng):
        when = end + dt.timedelta(minutes=rng.randint(10, 3_000))
        letter = _letter(chart, stay, type_code, when, "", rng)
        if rng.random() < 0.08:
            again = when + dt.timedelta(minutes=rng.randint(60, 8_000))
            newer = _letter(chart, stay, type_code, again, letter.document, rng)
            letter.cancelled, letter.replaced_by = True, newer.document
        elif rng.random() < 0.04:
            letter.cancelled = True
            letter.withdrawn = when + dt.timedelta(minutes=rng.randint(60, 4_000))


def _wanted(stay: Stay, rng: Random) -> list[str]:
    class_code = stay.classes[-1][1]
    if class_code == "R" or (stay.setting == "birth" and rng.random() < 0.5):
        return []
    if class_code == "O":
        return ["11488-4"] if rng.random() < 0.6 else []
    if class_code == "E":
        return ["34111-5"] if rng.random() < 0.7 else []
    extra = ["11504-8"] if stay.setting == "surgery" else ["18748-4"] if rng.random() < 0.4 else []
    return [rng.choice(("11490-0", "34105-7")), *extra] if stay.end else extra


def _letter(
    chart: Chart, stay: Stay, type_code: str, when: dt.datetime, parent: str, rng: Random
) -> Letter:
    when = settled(when.replace(second=0))
    author = stay.attending if rng.random() < 0.7 else rng.choice(chart.staff.doctors)
    draft = Draft(chart, stay, author, when, rng, [], [])
    compose(draft, TYPES[type_code])
    text, form = Text(draft.pieces), rng.choice(FORMS)
    if form in ("lines", "repeats") and any("\n" in mention.ident for mention in text.mentions):
        form = "breaks"  # a name broken over two lines cannot be told line by line
    new = Letter(
        chart.fact_id("letter"),
        stay.patient,
        stay.ipp,
        stay,
        "DOC" + chart.number("letter", 11),
        parent,
        type_code,
        TYPES[type_code],
        when,
        author,
        text,
        form,
        tuple(draft.keep),
    )
    chart.letters.append(new)
    chart.add(new)
    return new
