"""Staged rows drawn at random from small pools: everything meets everything, unknowns included.

Nothing here is likely, all of it is possible: names that lead nowhere, times out of order, facts
told by several feeds, patches that delete, movements without a stay.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
from decimal import Decimal
from typing import Any

from entrepot.resources import data_folder
from omop_staging import Staging, key, number

PERSONS = [f"p{n}" for n in range(12)]
STAYS = [f"s{n}" for n in range(20)]
UNITS = [f"u{n}" for n in range(6)]
DOCTORS = [f"d{n}" for n in range(5)]
FIRST = dt.datetime(2024, 2, 27, 23, 30)
CATEGORIES = ["diagnosis", "act", "result", "drug", "allergy", "reaction", "device", "specimen",
              "vaccination", "observation"]  # fmt: skip
CONTEXTS = ["pmsi", "ehr", "lab", "prescription", "administration", "order", "dispensation", None]
VERIFIED = [None, None, "confirmed", "provisional", "refuted", "unconfirmed"]
UNITS_SENT = [None, "g/L", "mmol/L", "g/dl", "10*9/L", "G/L", "%", "mg", "UI/L", "été"]


class Scattered:
    """A staging generation of one seed."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._version = 0
        self._codes = _codes()
        self.staging = Staging()
        for make, times in (
            (self._person, 40), (self._stay, 60), (self._movement, 90), (self._event, 900),
            (self._document, 200), (self._structure, 40),
        ):  # fmt: skip
            for n in range(times):
                make(n)

    def _pick(self, *pool: Any) -> Any:
        return self._rng.choice(pool)

    def _at(self) -> dt.datetime | None:
        minutes = self._rng.choice([0, 30, 720, 1440]) * self._rng.randrange(900)
        return self._pick(None, *[FIRST + dt.timedelta(minutes=minutes)] * 6)

    def _number(self) -> Decimal | None:
        texts = (None, "0", "1", "2.5", "-0.5", "0.0000000001", "1234567890.123", "3")
        text = self._pick(*texts)
        return None if text is None else Decimal(text)

    def _common(self) -> dict[str, Any]:
        self._version += 1
        source, format_ = self._pick(("adt", "hl7v2"), ("lab", "hl7v2"), ("fhir", "fhir"),
                                     ("cda", "cda"))  # fmt: skip
        return {
            "version": f"{self._pick(0, 1)}|{self._version:06d}", "source": source,
            "format": format_, "action": self._pick(*["upsert"] * 7, "delete"),
            "stated_at": self._at(), "record_key": key(f"record {self._version // 2}"),
            "row_number": self._version,
        }  # fmt: skip

    def _whose(self) -> dict[str, Any]:
        return {"unit": self._pick(*UNITS), "provider": self._pick(*DOCTORS)}

    def _person(self, n: int) -> None:
        name = PERSONS[n] if n < len(PERSONS) else self._pick(*PERSONS)
        cleared = self._pick("", "", ",death_at,", ",gender_code,departement,")
        mother = self._pick(None, None, None, *PERSONS)
        area = self._pick(None, "75", "2A", "97")
        self.staging.add(
            "patient", name, name, **self._common() | {"row_id": number(name)},
            gender_code=self._pick("F", "M", None, "X"), cleared=cleared, departement=area,
            birth_year=self._pick(1980, 1955, 2024, None), birth_month=self._pick(1, 12, None),
            death_at=self._pick(None, None, None, self._at()),
            deceased_code=self._pick(None, "Y", "N", "false"),
            mother_id=number(mother) if mother else None,
            mother_key=key(mother) if mother else None,
            location_id=number(f"location {area}") if area else None,
        )  # fmt: skip

    def _stay(self, n: int) -> None:
        start = self._at()
        hours = self._rng.choice([0, 5, 24, 200])
        end = start and self._pick(None, start + dt.timedelta(hours=hours))
        name = STAYS[n % len(STAYS)]
        self.staging.add(
            "stay", name, PERSONS[n % len(STAYS) % len(PERSONS)], **self._common(), **self._whose(),
            class_code=self._pick("I", "E", "O", "AMB", "IMP", "EMER", None, "?"),
            status_code=self._pick(None, None, "realised", "planned", "cancelled"),
            site_code=self._pick(None, "750000001", "750000002"), start_at=start, end_at=end,
            entry_code=self._pick(None, "8", "6", "?"), exit_code=self._pick(None, "8", "9", "?"),
            cleared=self._pick("", "", ",end_at,", ",start_at,"),
        )  # fmt: skip

    def _movement(self, n: int) -> None:
        stay = self._pick(*STAYS)
        self.staging.add(
            "movement", f"m{n % 70}", PERSONS[STAYS.index(stay) % len(PERSONS)], **self._common(),
            **self._whose(), stay=stay, start_at=self._at(), class_code=self._pick("I", "E", None),
            movement_code=self._pick("A01", "A02", "A03", "A04", "A06", "A21", "A22", "A05"),
            fact_key=self._pick(None, key(f"movement {n % 15}")),
        )  # fmt: skip

    def _event(self, n: int) -> None:
        code, system = self._pick(*self._codes)
        other, other_system = self._pick((None, None), *self._codes)
        value, value_system = self._pick((None, None), (None, None), *self._codes)
        status = self._pick(*["final"] * 8, "preliminary", "not_done", "negated", None)
        self.staging.add(
            "event", f"e{n % 800}", self._pick(*PERSONS), **self._common(), **self._whose(),
            stay=self._pick(*STAYS), order=f"o{n % 40}", coded=f"c{n % 9}",
            category=self._pick(*CATEGORIES), context_code=self._pick(*CONTEXTS),
            status_code=status, start_at=self._at(), end_at=self._at(), code=code, system=system,
            alt_code=other, alt_system=other_system, rank_code=self._pick(None, "DP", "DAS", "A"),
            sub_code=self._pick(None, "medication", "reaction", "1"),
            verification_code=self._pick(*VERIFIED), value_number=self._number(),
            operator=self._pick(None, "<", ">=", "?"), unit_code=self._pick(*UNITS_SENT),
            unit_system=self._pick(None, "UCUM", "ucum ", "http://unitsofmeasure.org"),
            value_code=value, value_system=value_system,
            value_text=self._pick(None, "", "négatif", "POS", " Positif "),
            range_low=self._number(), range_high=self._number(), quantity=self._number(),
            days_supply=self._pick(None, 0, 1, 30, -3),
            route_code=self._pick(None, "PO", "IV", "?"),
            dose_unit_code=self._pick(*UNITS_SENT), activity_code=self._pick(None, "1", "4"),
            phase_code=self._pick(None, "0", "1"), sig=self._pick(None, "le soir"),
            label=self._pick(None, "", "libellé"),
            fact_key=self._pick(None, None, key(f"fact {n % 60}")),
        )  # fmt: skip

    def _document(self, n: int) -> None:
        self.staging.add(
            "document", f"t{n % 160}", self._pick(*PERSONS), **self._common(), **self._whose(),
            stay=self._pick(*STAYS), body=f"b{n % 12}", number=f"n{n}",
            event=self._pick("MDM^T02", "DocumentReference", "Binary"),
            code=self._pick(None, "11488-4", "34133-9", "?"), system="LN", written_at=self._at(),
            status_code=self._pick(None, "final", "preliminary", "deleted", "P"),
            title=self._pick(None, "", "Compte rendu"),
            text=self._pick(None, "Vu ce jour.", "é\tà\n"),
            date_spans="[]", entities="{}", fact_key=self._pick(None, key(f"letter {n % 10}")),
        )  # fmt: skip

    def _structure(self, n: int) -> None:
        kind = self._pick("unit", "provider", "medication", "device")
        code, system = self._pick(*self._codes)
        name = f"{'u' if kind == 'unit' else 'd' if kind == 'provider' else 'c'}{n % 9}"
        alias = self._pick(None, *UNITS, *DOCTORS, *(f"c{m}" for m in range(9)))
        self.staging.add(
            "structure", name, **self._common(), structure_type=kind, code=code, system=system,
            label=self._pick(None, "", "Cardiologie"), type_code=self._pick(None, "MCO"),
            **({"alias": alias} if alias else {}),
        )  # fmt: skip


def _codes() -> list[tuple[str | None, str | None]]:
    """Codes of the demonstration vocabulary, spelled as senders do; some that nobody knows."""
    path = data_folder("mappings") / "demo_vocabulary" / "CONCEPT.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    found: list[tuple[str | None, str | None]] = [
        (line["concept_code"], line["vocabulary_id"]) for line in lines
    ]
    spelled = [(line["concept_code"].replace(".", "").lower(), f" {line['vocabulary_id']} ")
               for line in lines[::5]]  # fmt: skip
    return [*found, *spelled, ("", "LN"), (None, None), *[("zz", "nowhere")] * 150,
            (" I10 ", "CIM10"),
            ("\u00a0E119\u202f", "cim10")]  # fmt: skip
