"""Stays and their movements: what happened, and how admissions told, corrected or cancelled it."""

from __future__ import annotations

import datetime as dt

from entrepot.synthetic.chart import Chart
from entrepot.synthetic.facts import Movement, Stay, Told
from entrepot.synthetic.hospital import Unit, units
from entrepot.synthetic.times import settled

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
CANCELS = {"A01": "A11", "A04": "A11", "A05": "A38", "A02": "A12", "A03": "A13", "A06": "Z99"}


def consultation(chart: Chart, start: dt.datetime) -> Stay:
    """External consultation (A04): realised; often nobody tells its end."""
    stay = chart.stay(start, "O", "clinic")
    _insert(chart, stay, "A04", start, _unit(chart, "clinic"))
    if chart.rng.random() < 0.4:
        discharge(chart, stay, start + chart.minutes(20, 90))
    return stay


def emergency(chart: Chart, start: dt.datetime) -> Stay:
    """Emergency visit without admission."""
    stay = chart.stay(start, "E", "emergency")
    _insert(chart, stay, "A04", start, _unit(chart, "emergency"))
    discharge(chart, stay, start + chart.minutes(90, 600))
    return stay


def through_emergency(chart: Chart, start: dt.datetime) -> Stay:
    """Emergency, then admission under the same NDA (A06)."""
    stay = chart.stay(start, "E", "medicine")
    _insert(chart, stay, "A04", start, _unit(chart, "emergency"))
    admitted = settled(start + chart.minutes(150, 700))
    observed = chart.rng.random() < 0.3
    _become(
        chart, stay, "A06", "I", admitted, _unit(chart, "observation" if observed else "medicine")
    )
    if observed and chart.rng.random() < 0.25:
        back = settled(admitted + chart.minutes(240, 600))
        _become(chart, stay, "A07", "E", back, _unit(chart, "emergency"))
        discharge(chart, stay, back + chart.minutes(60, 200))
        return stay
    _ward(chart, stay, admitted, chart.rng.randint(2, 9))
    return stay


def planned(chart: Chart, start: dt.datetime, setting: str) -> Stay:
    """Planned admission, often after a pre-admission (A05)."""
    pre = chart.rng.random() < 0.6
    stay = chart.stay(start, "P" if pre else "I", setting, chart.rng.choice("8887"))
    ward = _unit(chart, setting)
    if pre:
        _pre_admission(chart, stay, start, ward)
    admission = _insert(chart, stay, "A01", start, ward, "I")
    if pre:
        stay.classes.append((admission.tellings[0].at, "I"))
    _ward(chart, stay, start, chart.rng.randint(1, 7))
    return stay


def pre_admission_only(chart: Chart, start: dt.datetime, cancelled: bool) -> Stay:
    """A pre-admission that was never realised; cancelled by A38 or left as it is."""
    stay = chart.stay(start, "P", "surgery")
    stay.realised = False
    movement = _pre_admission(chart, stay, start, _unit(chart, "surgery"))
    if cancelled:
        _cancel(chart, stay, movement, start - chart.minutes(600, 2000))
        stay.cancelled = True
    return stay


def session(chart: Chart, start: dt.datetime, setting: str) -> Stay:
    """One séance of chemotherapy or dialysis: class R, in and out on one day."""
    stay = chart.stay(start, "R", setting)
    _insert(chart, stay, "A01", start, _unit(chart, setting))
    discharge(chart, stay, start + chart.minutes(180, 330))
    return stay


def maternity(chart: Chart, start: dt.datetime, setting: str, days: int) -> Stay:
    """A mother's or a newborn's stay."""
    stay = chart.stay(start, "I", setting, "N" if setting == "birth" else "8")
    _insert(chart, stay, "A01", start, _unit(chart, "maternity"))
    discharge(chart, stay, settled(start + days * DAY))
    return stay


def last_stay(chart: Chart, start: dt.datetime) -> Stay:
    """Emergency, admission, intensive care, death: exit mode 9."""
    stay = chart.stay(start, "E", "intensive")
    _insert(chart, stay, "A04", start, _unit(chart, "emergency"))
    admitted = settled(start + chart.minutes(120, 400))
    _become(chart, stay, "A06", "I", admitted, _unit(chart, "medicine"))
    _insert(
        chart, stay, "A02", settled(admitted + chart.minutes(600, 2000)), _unit(chart, "intensive")
    )
    discharge(chart, stay, settled(admitted + chart.minutes(4000, 9000)), "9")
    return stay


def open_stay(chart: Chart, start: dt.datetime) -> Stay:
    """Admitted and not gone when the feed ends."""
    stay = chart.stay(start, "I", "medicine", "7")
    _insert(chart, stay, "A01", start, _unit(chart, "medicine"))
    return stay


def cancelled_admission(chart: Chart, start: dt.datetime) -> Stay:
    """An admission told by mistake and cancelled (A11): there was no stay."""
    stay = chart.stay(start, "I", "surgery")
    stay.cancelled = True
    movement = _insert(chart, stay, "A01", start, _unit(chart, "surgery"))
    _cancel(chart, stay, movement, movement.tellings[0].at + chart.minutes(30, 300))
    return stay


def discharge(chart: Chart, stay: Stay, end: dt.datetime, mode: str = "") -> None:
    """Discharge (A03); now and then it is cancelled (A13) and told again a day later."""
    end, mode = settled(end), mode or chart.rng.choice("88888887760")
    unit = stay.unit_at(end)
    movement = _insert(chart, stay, "A03", end, unit)
    told = movement.tellings[0].at
    stay.exits.append((told, end, mode))
    inpatient = stay.classes[-1][1] == "I"
    if inpatient and mode != "9" and chart.rng.random() < 0.08:
        back = told + chart.minutes(60, 300)
        _cancel(chart, stay, movement, back)
        stay.exits.append((back, None, ""))
        if chart.rng.random() < 0.8:
            discharge(chart, stay, settled(end + DAY), mode)


def close(stay: Stay) -> None:
    """Gives every movement its end: the next movement that holds, else the end of the stay."""
    held = sorted(
        (m for m in stay.movements if not m.cancelled and m.realised),
        key=lambda m: (m.start, m.number),
    )
    for number, movement in enumerate(held, 1):
        movement.end = held[number].start if number < len(held) else stay.end
        if movement.event == "A03":
            movement.end = movement.start


def _ward(chart: Chart, stay: Stay, since: dt.datetime, days: int) -> None:
    end = settled(
        (since + days * DAY).replace(hour=chart.rng.randint(9, 17)) + chart.minutes(0, 59)
    )
    if days >= 2 and chart.rng.random() < 0.7:
        _transfer(chart, stay, settled(since + chart.minutes(500, 2000)), end)
    if days >= 4 and chart.rng.random() < 0.3:
        out = settled(since + 2 * DAY + chart.minutes(300, 600))
        here = stay.unit_at(out)
        _insert(chart, stay, "A21", out, here)
        _insert(chart, stay, "A22", settled(out + DAY), here)
    discharge(chart, stay, end)


def _transfer(chart: Chart, stay: Stay, start: dt.datetime, end: dt.datetime) -> None:
    here = stay.unit_at(start)
    right, wrong = chart.rng.sample(
        [u for u in units("medicine") + units("surgery") if u != here], 2
    )
    draw = chart.rng.random()
    if draw < 0.18:  # told with the wrong unit, then updated
        movement = _insert(chart, stay, "A02", start, wrong)
        movement.unit = right
        at = movement.tellings[0].at + chart.minutes(20, 900)
        movement.tellings.append(Told("Z99", "UPDATE", at, start, right))
    elif draw < 0.30:  # told, then cancelled
        movement = _insert(chart, stay, "A02", start, wrong)
        _cancel(chart, stay, movement, movement.tellings[0].at + chart.minutes(20, 240))
    elif draw < 0.46:  # remembered after the patient has gone
        movement = _insert(chart, stay, "A02", start, right)
        late = Told("A02", "INSERT", end + chart.minutes(60, 3000), start, right, historic=True)
        movement.tellings = [late]
        if draw > 0.41:  # and it never took place
            movement.tellings.append(
                Told("Z99", "CANCEL", late.at + HOUR, start, right, historic=True)
            )
            movement.cancelled = True
    else:
        movement = _insert(chart, stay, "A02", start, right)
        if chart.rng.random() < 0.15:  # the interface was down
            told = movement.tellings[0]
            movement.tellings = [told._replace(delay=chart.minutes(600, 15_000))]


def _pre_admission(chart: Chart, stay: Stay, start: dt.datetime, ward: Unit) -> Movement:
    movement = chart.movement(stay, "A05", start, ward, "P")
    movement.realised = False
    told = start - chart.minutes(5_000, 20_000)
    stay.classes[0] = (told, "P")
    movement.tellings.append(Told("A05", "INSERT", told, start, ward))
    return movement


def _insert(
    chart: Chart, stay: Stay, event: str, start: dt.datetime, unit: Unit, class_code: str = ""
) -> Movement:
    code = class_code or stay.classes[-1][1]
    movement = chart.movement(stay, event, start, unit, code)
    told = start + dt.timedelta(seconds=chart.rng.randint(30, 700))
    movement.tellings.append(Told(event, "INSERT", told, start, unit))
    return movement


def _become(
    chart: Chart, stay: Stay, event: str, code: str, start: dt.datetime, unit: Unit
) -> None:
    movement = _insert(chart, stay, event, start, unit, code)
    stay.classes.append((movement.tellings[0].at, code))


def _cancel(chart: Chart, stay: Stay, movement: Movement, at: dt.datetime) -> None:
    movement.cancelled = True
    event = CANCELS[movement.event]
    movement.tellings.append(Told(event, "CANCEL", at, movement.start, movement.unit))


def _unit(chart: Chart, setting: str) -> Unit:
    return chart.rng.choice(units(setting))
