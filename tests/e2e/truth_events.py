"""Clinical rows that the truth asks for: diagnoses, acts, results, drugs, letters."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from truth_concepts import Concepts, Target
from truth_reading import Line, Truth, moment, moment_or_none
from truth_rows import Rows, add
from truth_visits import Visit

GIVEN = {"CP", "PA"}
RESULT = {"F", "C"}
# What a person reads in a CDA document beside its entries; a letter in CDA is a letter.
NARRATIVE = {"result": "11502-2", "prescription": "57833-6", "administration": "87273-9"}
WRITTEN_PRESCRIPTION = dt.timedelta(days=29)  # Themis 57


class Events:
    """Adds the clinical rows of a truth to `rows`."""

    def __init__(self, rows: Rows, concepts: Concepts, visits: dict[str, Visit]) -> None:
        self._rows, self._concepts, self._visits = rows, concepts, visits

    def add_all(self, truth: Truth) -> None:
        """Every kind of clinical fact."""
        for line in truth.holds("diagnosis"):
            self._diagnosis(line)
        for line in truth.holds("act"):
            self._act(line)
        for line in truth.holds("result"):
            if line["status"] in RESULT:
                self._result(line)
        for line in truth.holds("prescription"):
            self._drug(line, "prescription")
        for line in truth.holds("administration"):
            if line["status"] in GIVEN:
                kind = "vaccination" if line["vaccine"] else "administration"
                self._drug(line, kind)
        for line in truth.holds("letter"):
            self._note(line, line["type_code"], moment(line["at"]))
        for record in truth.documents():
            told = truth.clinical(record)[0]
            if told["kind"] in NARRATIVE:
                self._note(told, NARRATIVE[told["kind"]], moment(record["sent"]))

    def _start(self, line: Line) -> dt.datetime | None:
        visit = self._visits.get(line["stay"])
        return visit.start if visit else None

    def _uf(self, line: Line, when: dt.datetime) -> str | None:
        visit = self._visits.get(line["stay"])
        return visit.uf_at(when) if visit else None

    def _diagnosis(self, line: Line) -> None:
        meaning = self._concepts.meaning([(line["code"], "CIM10")], "condition_occurrence")
        for target in meaning.targets:
            self._coded(line, target, line["rank"], None, dt.datetime.fromisoformat(line["date"]))

    def _act(self, line: Line) -> None:
        meaning = self._concepts.meaning([(line["code"], "CCAM")], "procedure_occurrence")
        for target in meaning.targets:
            activity = (line["activity"], line["phase"])
            self._coded(line, target, None, activity, moment(line["at"]))

    def _coded(
        self, line: Line, target: Target, rank: str | None, activity: tuple[str, str] | None,
        at: dt.datetime,
    ) -> None:  # fmt: skip
        """One row of a billed code, in the table of its target's domain."""
        values = {
            "patient": line["patient"], "visit": self._start(line), "code": line["code"],
            "concept": target.concept, "source": target.source, "type": self._concepts.type["pmsi"],
        }  # fmt: skip
        if target.table == "condition_occurrence":
            status = self._concepts.status[rank or ""]
            values |= {"rank": rank, "status": status, "date": at.date()}
        elif target.table == "procedure_occurrence":
            values |= {"uf": self._uf(line, at), "activity": activity, "at": at}
        else:
            values |= {"value": target.value, "date": at.date()}
        add(self._rows, target.table, **values)

    def _result(self, line: Line) -> None:
        concepts, at = self._concepts, moment(line["at"])
        codings = [(line["code"], line["system"]), (line["local_code"], "L")]
        meaning = concepts.meaning(codings, "measurement")
        coded, unit = line["coded"], line["unit"]
        value = concepts.value(coded["code"], coded["system"]) if coded else None
        if not coded and line["number"] is None:
            value = concepts.value(line["value"], "TEXT")
        for target in meaning.targets:
            values = {
                "patient": line["patient"], "visit": self._start(line), "uf": self._uf(line, at),
                "code": meaning.code, "concept": target.concept, "source": target.source,
                "operator": concepts.operator[line["operator"]] if line["operator"] else None,
                "number": _number(line["number"]),
                "unit": concepts.unit.get(unit, 0) if unit else None, "unit_code": unit,
                "low": _number(line["low"]), "high": _number(line["high"]), "value": value,
                "text": line["value"], "at": at, "type": concepts.type["lab"],
            }  # fmt: skip
            add(self._rows, target.table, **values)

    def _drug(self, line: Line, kind: str) -> None:
        concepts = self._concepts
        codings = [(line["code"], line["system"])]
        if line["alt_code"]:
            codings.append((line["alt_code"], line["alt_system"]))
        meaning = concepts.meaning(codings, "drug_exposure")
        start, stated = moment(line["start"]), moment_or_none(line["end"])
        last = stated or (start + WRITTEN_PRESCRIPTION if kind == "prescription" else start)
        for place, target in enumerate(meaning.targets):
            values = {
                "patient": line["patient"], "visit": self._start(line),
                "uf": self._uf(line, start), "code": meaning.code, "concept": target.concept,
                "source": target.source, "start": start, "end_date": last.date(),
                "stated_end": stated.date() if stated else None,
                "quantity": None if place else Decimal(line["dose"]), "unit": line["dose_unit"],
                "route": concepts.route.get(line["route"], 0), "route_code": line["route"],
                "sig": line.get("sig"), "type": concepts.type[kind],
            }  # fmt: skip
            add(self._rows, target.table, **values)

    def _note(self, line: Line, code: str, at: dt.datetime) -> None:
        context = self._concepts.note_type.get(code, "note")
        values = {
            "patient": line["patient"], "visit": self._start(line), "code": code, "at": at,
            "type": self._concepts.type[context],
        }  # fmt: skip
        add(self._rows, "note", **values)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
