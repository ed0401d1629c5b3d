"""What letters say: sections that repeat identities among clinical words and ordinary dates."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from random import Random

from entrepot.synthetic import spelling
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Diagnosis, Stay
from entrepot.synthetic.hospital import Professional
from entrepot.synthetic.message import Ident, Said
from entrepot.synthetic.orders import Prescription, Result
from entrepot.synthetic.persons import Civil, Relative
from entrepot.synthetic.spelling import Pieces
from entrepot.synthetic.times import spoken

KEEP = (
    "petit nodule du lobe moyen",
    "signe de Blumberg négatif",
    "maladie de Parkinson",
    "teint rose",
    "score de Glasgow à 15",
    "maladie de Crohn",
    "signe de Lasègue",
    "bras gauche",
    "petit bassin",
    "maladie de Hodgkin",
    "score de Wells",
    "foyer crépitant à droite",
    "hernie de Spiegel",
    "rate palpable",
    "échelle de Braden à 18",
    "blanc d'œil clair",
    "souffle court",
    "canal de Wirsung",
)
KIN = {
    ("SPO", "M"): ("son mari", "son époux"),
    ("SPO", "F"): ("son épouse", "sa femme"),
    ("CHD", "M"): ("son fils",),
    ("CHD", "F"): ("sa fille",),
    ("MTH", "F"): ("sa mère",),
    ("SIB", "M"): ("son frère",),
    ("SIB", "F"): ("sa sœur",),
}


@dataclass
class Draft:
    """A letter being written: `pieces` in order, `keep` the clinical words that must survive."""

    chart: Chart
    stay: Stay
    author: Professional
    when: dt.datetime
    rng: Random
    pieces: Pieces
    keep: list[str]

    @property
    def civil(self) -> Civil:
        """The patient as known that day."""
        return self.chart.person.at(self.when)

    @property
    def agreed(self) -> str:
        """Ending of a participle."""
        return "" if self.civil.sex == "M" else "e"

    def say(self, *pieces: str) -> None:
        """Writes on."""
        self.pieces.extend(pieces)


def compose(draft: Draft, title: str) -> None:
    """Writes the whole letter."""
    _head(draft, title)
    _patient_block(draft)
    _opening(draft)
    _history(draft)
    _family(draft)
    _examination(draft)
    _results(draft)
    _plan(draft)
    _signature(draft)


def _day(written: str) -> Said:
    """The date of an event of care: not a birth."""
    return Said(written, "date")


def _head(draft: Draft, title: str) -> None:
    rng, gp = draft.rng, draft.chart.person.practitioner
    unit = draft.stay.unit_at(draft.when)
    draft.say("CENTRE HOSPITALIER SYNTHÉTIQUE\nService : ", unit.label, " (UF ", unit.code, ")\n")
    draft.say(*spelling.doctor(draft.author, rng))
    if rng.random() < 0.5:
        draft.say(" - RPPS ", Ident(draft.author.rpps, "RPPS", "professional"))
    if draft.author.phone:
        draft.say("\nSecrétariat : ", spelling.phone(draft.author.phone, rng, "professional"))
    draft.say("\n\nOrléans, le ", _day(spoken(draft.when.date())), "\n\n", title.upper(), "\n")
    if rng.random() < 0.6:
        draft.say(
            "\n", *spelling.doctor(gp, rng), "\n", Ident(gp.street, "ADRESSE", "professional")
        )
        draft.say("\n45000 ORLÉANS\n")


def _patient_block(draft: Draft) -> None:
    rng, civil, person = draft.rng, draft.civil, draft.chart.person
    draft.say("\n", rng.choice(("Patient : ", "Concerne : ", "Objet : ", "Nom : ")))
    draft.say(*spelling.patient(civil, rng), f", né{draft.agreed} ")
    draft.say(*spelling.birth_date(civil.birth, rng))
    lines: list[Pieces] = [
        ["\nIPP : ", Ident(draft.stay.ipp, "IPP")],
        ["\nN° de séjour : ", Ident(draft.stay.nda, "NDA")],
        [rng.choice(("\nDemeurant ", "\nAdresse : ", "\n")), *spelling.address(civil, rng)],
    ]
    if person.ins and civil.reliability == "VALI":
        lines.append(["\nN° Sécu : ", spelling.security_number(person.ins, rng)])
    for number in (civil.mobile, civil.phone):
        if number:
            lines.append([rng.choice(("\nTél : ", "\nTel. ")), spelling.phone(number, rng)])
    if civil.mail:
        lines.append(["\nCourriel : ", Ident(rng.choice((civil.mail, civil.mail.upper())), "MAIL")])
    for line in lines:
        if rng.random() < 0.45:
            draft.say(*line)
    draft.say("\n\n")


def _opening(draft: Draft) -> None:
    rng, stay, civil = draft.rng, draft.stay, draft.civil
    age = draft.chart.age_at(draft.when)
    first = spelling.patient(civil, rng)
    draft.say(rng.choice(("Cher Confrère,", "Chère Consœur,", "Cher ami,")), "\n\n")
    if stay.classes[-1][1] == "O":
        draft.say("J'ai vu ce jour en consultation ", *first, ", ", Said(f"{age} ans", "value"))
    else:
        draft.say("Nous avons pris en charge ", *first, ", ", Said(f"{age} ans", "value"))
        draft.say(", du ", _day(f"{stay.start:%d/%m/%Y}"))
        if stay.end:
            draft.say(" au ", _day(rng.choice((f"{stay.end:%d/%m/%Y}", spoken(stay.end.date())))))
    named = [
        Said(f.code.label, "diagnosis")
        for f in draft.chart.facts
        if isinstance(f, Diagnosis) and f.stay is stay and not f.cancelled and f.rank == "DP"
    ]
    reasons = ("douleurs", "bilan", "suivi", "altération de l'état général")
    draft.say(" pour : ", (named or [Said(rng.choice(reasons), "finding")])[0], ".\n")


def _history(draft: Draft) -> None:
    rng = draft.rng
    chosen = rng.sample(KEEP, 3)
    draft.keep.extend(chosen)
    past, *seen = (Said(words, "finding") for words in chosen)
    draft.say("\nAntécédents : ", past, ".\n")
    draft.say("À l'examen : ", seen[0], ", ", seen[1], ".\n")


def _family(draft: Draft) -> None:
    rng, person, civil = draft.rng, draft.chart.person, draft.civil
    for who in person.relatives:
        if rng.random() < 0.5:
            _relative(draft, who)
    if person.mother and rng.random() < 0.7:
        mother = person.mother.at(draft.when)
        draft.say("Enfant de Mme ", spelling.given(mother.given, rng, of="mother"), " ")
        draft.say(spelling.family(mother.daily, rng, of="mother"), ".\n")
    if rng.random() < 0.5:
        subject = spelling.patient(civil, rng)
        draft.say(*subject, " vit ", rng.choice((f"seul{draft.agreed}", "en couple", "en famille")))
        if rng.random() < 0.4:
            town = rng.choice((civil.address.town, civil.address.town.upper()))
            draft.say(" à ", Ident(town, "VILLE"))
        draft.say(".\n")


def _relative(draft: Draft, who: Relative) -> None:
    rng = draft.rng
    kin = rng.choice(KIN[(who.relation, who.sex)])
    draft.say(kin[0].upper() + kin[1:], ", ", *spelling.relative(who, rng), ", ")
    draft.say(rng.choice(("signale une fatigue", "a été prévenu de la sortie", "est joignable")))
    if rng.random() < 0.4:
        draft.say(" au ", spelling.phone(who.phone, rng, "relative"))
    draft.say(".\n")


def _examination(draft: Draft) -> None:
    rng, age = draft.rng, draft.chart.age_at(draft.when)
    values = (
        f"TA {rng.randint(10, 16)}/{rng.randint(6, 9)}",
        f"température {rng.choice(('36,8', '37,2', '38,4'))} °C",
        f"poids {rng.randint(45, 105) if age >= 16 else 4 + 3 * age} kg",
    )
    tension, temperature, weight = (Said(value, "value") for value in values)
    draft.say(tension, ", ", temperature, ", ", weight, ". ")
    draft.say(Said(rng.choice(("Cœur régulier.", "Auscultation libre.")), "finding"), "\n")


def _results(draft: Draft) -> None:
    found = [
        fact
        for fact in draft.chart.facts
        if isinstance(fact, Result)
        and fact.order.stay is draft.stay
        and fact.value.number
        and not fact.cancelled
    ]
    for fact in found[:4]:
        number = fact.value.written.replace(".", ",")
        draft.say(Said(f"{fact.lab.label} : {number} {fact.unit}".rstrip(), "value"))
        draft.say("" if fact.unit else " ", " (", _day(f"{fact.at:%d/%m/%Y}"), ")\n")


def _plan(draft: Draft) -> None:
    rng = draft.rng
    drugs = [
        fact
        for fact in draft.chart.facts
        if isinstance(fact, Prescription) and fact.stay is draft.stay and not fact.cancelled
    ]
    if drugs:
        draft.say("\nTraitement : ")
        for one in drugs:
            draft.say("\n- ", Said(one.drug.substance, "drug"), " ", Said(one.sig, "dose"))
        draft.say("\n")
    follow = draft.when + dt.timedelta(days=rng.randint(10, 90))
    due = _day(rng.choice((f"{follow:%d/%m/%Y}", spoken(follow.date()))))
    draft.say("\nProchain rendez-vous le ", due)
    draft.say(" avec le ", *spelling.doctor(rng.choice(draft.chart.staff.doctors), rng), ".\n")


def _signature(draft: Draft) -> None:
    rng, gp = draft.rng, draft.chart.person.practitioner
    draft.say("\nBien confraternellement,\n\n", *spelling.doctor(draft.author, rng), "\n")
    if rng.random() < 0.3:
        local = f"{spelling.slug(draft.author.given)}.{spelling.slug(draft.author.family)}"
        draft.say(Ident(f"{local}@ch-synthetique.example.org", "MAIL", "professional"), "\n")
    if rng.random() < 0.4:
        draft.say(
            "Copie : ", *spelling.doctor(gp, rng), " ; ", *spelling.patient(draft.civil, rng), "\n"
        )
