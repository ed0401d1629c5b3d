"""PMSI coding of a stay: diagnoses (DP, DR, DAS) and CCAM acts, and how they were corrected."""

from __future__ import annotations

import datetime as dt

from entrepot.synthetic import clinical
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Act, ActTold, Diagnosis, DiagnosisTold, Stay
from entrepot.synthetic.times import settled

ACTS_FOR = {  # principal diagnosis -> setting of its act
    "K37": "appendix",
    "K802": "gallbladder",
    "M169": "hip",
    "M179": "knee",
    "H259": "eye",
    "I2190": "coronary",
    "O800": "delivery",
}
SESSIONS = {"chemotherapy": ("Z511", "cancer"), "haemodialysis": ("Z491", "dialysis")}


def code_stay(chart: Chart, stay: Stay) -> None:
    """Adds the stay's diagnoses and acts; consultations and open stays have no diagnosis."""
    if stay.cancelled or not stay.realised:
        return
    if stay.end is None or stay.classes[-1][1] not in "IRE":
        _acts(chart, stay, stay.setting, stay.start + dt.timedelta(days=1))
        return
    told = stay.exits[-1][0] + chart.minutes(600, 7_000)
    principal = _principal(chart, stay)
    _diagnosis(chart, stay, told, principal, "DP")
    if stay.setting in SESSIONS:
        _diagnosis(chart, stay, told, _pick(chart, SESSIONS[stay.setting][1], stay), "DR")
    for code in _associated(chart, stay):
        _diagnosis(chart, stay, told, code, "DAS")
    _acts(chart, stay, ACTS_FOR.get(principal.code, stay.setting), told)


def allowed(chart: Chart, setting: str, when: dt.datetime) -> list[clinical.Diagnosis]:
    """Diagnoses of a setting that this patient's sex and age allow."""
    sex, age = chart.person.final.sex, chart.age_at(when)
    return [
        d
        for d in clinical.DIAGNOSES
        if setting in d.settings and d.sex in ("", sex) and age >= d.youngest
    ]


def _pick(chart: Chart, setting: str, stay: Stay) -> clinical.Diagnosis:
    return chart.rng.choice(allowed(chart, setting, stay.start))


def _principal(chart: Chart, stay: Stay) -> clinical.Diagnosis:
    if stay.setting in SESSIONS:
        wanted = SESSIONS[stay.setting][0]
        return next(d for d in clinical.DIAGNOSES if d.code == wanted)
    if stay.setting == "birth":
        return _pick(chart, "twin" if chart.person.birth_order else "birth", stay)
    if stay.setting == "maternity":
        return _pick(chart, "delivery", stay)
    return _pick(chart, "medicine" if stay.setting == "intensive" else stay.setting, stay)


def _associated(chart: Chart, stay: Stay) -> list[clinical.Diagnosis]:
    rng = chart.rng
    if stay.setting in SESSIONS or stay.setting == "birth":
        return []
    if stay.setting == "maternity":
        return [_pick(chart, "maternity", stay)] if rng.random() < 0.3 else []
    ends = [_pick(chart, "palliative", stay)] if stay.exits[-1][2] == "9" else []
    most = 1 if stay.setting == "emergency" else 4
    chronic = allowed(chart, "chronic", stay.start)
    return ends + rng.sample(chronic, min(len(chronic), rng.randint(most // 4, most)))


def _diagnosis(
    chart: Chart, stay: Stay, told: dt.datetime, code: clinical.Diagnosis, rank: str
) -> None:
    rng = chart.rng
    dotted = rng.random() < 0.2 and len(code.code) > 3 and "+" not in code.code
    written = f"{code.code[:3]}.{code.code[3:]}" if dotted else code.code
    fact = Diagnosis(
        chart.fact_id("diagnosis"),
        stay.patient,
        stay.ipp,
        stay,
        chart.number("diagnosis", 10),
        code,
        written,
        rank,
        (stay.end or stay.start).date(),
    )
    draw = rng.random()
    first = code
    if rank == "DAS" and draw < 0.06:  # coded wrong first, corrected by BAR^P05
        first = rng.choice([d for d in clinical.DIAGNOSES if "chronic" in d.settings and d != code])
    fact.tellings.append(DiagnosisTold("A", told, first, rank))
    later = told + chart.minutes(8_000, 40_000)
    if first != code:
        fact.tellings.append(DiagnosisTold("U", later, code, rank))
    elif rank == "DAS" and draw < 0.11:
        fact.tellings.append(DiagnosisTold("D", later, code, rank))
        fact.cancelled = True
    chart.add(fact)


def _acts(chart: Chart, stay: Stay, setting: str, told: dt.datetime) -> None:
    sex = chart.person.final.sex
    grown = chart.age_at(stay.start) >= 18
    found = [
        a
        for a in clinical.ACTS
        if setting in a.settings and a.sex in ("", sex) and (grown or not a.adults)
    ]
    most = 1 if stay.setting in SESSIONS or setting != stay.setting else 2
    for act in chart.rng.sample(
        found, min(len(found), chart.rng.randint(0 if most > 1 else 1, most))
    ):
        at = stay.start + chart.minutes(20, 80)
        if stay.end and (stay.end - stay.start).days >= 1:
            at = stay.start + chart.minutes(200, 1_400)
        _act(chart, stay, act, "1", at, told)
        if act.anaesthesia:
            _act(chart, stay, act, "4", at, told)


def _act(
    chart: Chart, stay: Stay, code: clinical.Act, activity: str, at: dt.datetime, told: dt.datetime
) -> None:
    act = Act(
        chart.fact_id("act"),
        stay.patient,
        stay.ipp,
        stay,
        chart.number("act", 10),
        code,
        activity,
        "0",
        settled(at.replace(second=0)),
        chart.rng.choice(chart.staff.doctors),
        tellings=[ActTold("A", told)],
    )
    if chart.rng.random() < 0.04:
        act.tellings.append(ActTold("D", told + chart.minutes(8_000, 40_000)))
        act.cancelled = True
    chart.add(act)
