"""What a patient lives through: which stays, when, and what happens in each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from entrepot.synthetic import stays
from entrepot.synthetic.chart import Chart
from entrepot.synthetic.coding import code_stay
from entrepot.synthetic.facts import Death, Stay
from entrepot.synthetic.labwork import order_labs
from entrepot.synthetic.letters import write_letters
from entrepot.synthetic.times import END, settled
from entrepot.synthetic.treatment import treat

Starter = Callable[[Chart, dt.datetime], Stay]
USUAL: tuple[tuple[int, Starter], ...] = (
    (36, stays.consultation),
    (22, stays.through_emergency),
    (12, stays.emergency),
    (14, lambda chart, start: stays.planned(chart, start, "surgery")),
    (9, lambda chart, start: stays.planned(chart, start, "medicine")),
    (3, stays.cancelled_admission),
    (4, lambda chart, start: stays.pre_admission_only(chart, start, cancelled=False)),
)


def live(chart: Chart) -> None:
    """Fills the chart: stays in the order of time, then what happened in each, then death."""
    start = _own_stays(chart)
    for _ in range(0 if chart.person.dies else chart.rng.randint(2, 3)):
        if start > END:
            break
        start = _next(chart, _usual(chart)(chart, start))
    _last(chart, start)
    chart.stays.sort(key=lambda stay: (stay.start, stay.nda))
    for stay in chart.stays:
        stays.close(stay)
        for happens in (code_stay, order_labs, treat, write_letters):
            happens(chart, stay)
    _false_death(chart)


def _usual(chart: Chart) -> Starter:
    if chart.age_at(chart.person.first_seen) < 5:
        return chart.rng.choice((stays.consultation, stays.emergency))
    weights = [weight for weight, _ in USUAL]
    return chart.rng.choices([starter for _, starter in USUAL], weights)[0]


def _own_stays(chart: Chart) -> dt.datetime:
    """The stays that the patient's role asks for; returns when the next one may start."""
    person, rng = chart.person, chart.rng
    start = settled(person.first_seen.replace(hour=rng.randint(7, 19), minute=rng.randint(0, 59)))
    if "newborn" in person.role or "twin" in person.role:
        return _next(chart, stays.maternity(chart, person.first_seen, "birth", 4))
    if person.delivery:
        _next(chart, stays.consultation(chart, start))
        labour = settled(person.delivery - dt.timedelta(hours=5))
        return _next(chart, stays.maternity(chart, labour, "maternity", 4))
    if person.role == "chemotherapy":
        return _sessions(chart, start, "chemotherapy", 14, 5)
    if person.role == "dialysis":
        return _sessions(chart, start, "haemodialysis", 3, 8)
    if person.role == "cancelled_pre_admission":
        return _next(chart, stays.pre_admission_only(chart, start, cancelled=True))
    return _next(chart, _usual(chart)(chart, start))


def _sessions(
    chart: Chart, start: dt.datetime, setting: str, every: int, times: int
) -> dt.datetime:
    for number in range(times):
        stay = stays.session(chart, settled(start + dt.timedelta(days=every * number)), setting)
    return _next(chart, stay)


def _next(chart: Chart, stay: Stay) -> dt.datetime:
    """A time after `stay`, days to months later, in the day."""
    rng = chart.rng
    told = [at for at, _, _ in stay.exits]
    last = max([stay.start, *told])
    return settled(
        (last + dt.timedelta(days=rng.randint(20, 110))).replace(hour=rng.randint(7, 20))
    )


def _last(chart: Chart, start: dt.datetime) -> None:
    person = chart.person
    if person.role == "open_stay":
        stays.open_stay(chart, max(start, END - dt.timedelta(days=chart.rng.randint(2, 8))))
    elif person.dies:
        stay = stays.last_stay(chart, start)
        told, end, _ = stay.exits[-1]
        chart.add(Death(chart.fact_id("death"), person.id, stay.ipp, end or told, stay.nda))
        person.history = [change for change in person.history if change.since < told]
        person.believe(told, "died", death=end)


def _false_death(chart: Chart) -> None:
    """A death entered by mistake is a statement that was taken back."""
    for change in chart.person.history:
        if change.reason == "death_by_mistake" and change.civil.death:
            chart.add(
                Death(
                    chart.fact_id("death"),
                    chart.person.id,
                    chart.ipp_at(change.since),
                    change.civil.death,
                    "",
                    cancelled=True,
                )
            )
