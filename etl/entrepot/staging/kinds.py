"""The closed set of staging kinds: what may cross the door, column by column (DESIGN 4).

Every row of a kind carries the common columns, then its own. A column's type decides its
Parquet type and what treatment a mapping may give it; nothing else can enter the research zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import pyarrow as pa


class ColumnType(StrEnum):
    """What a staging column holds."""

    TEXT = "text"  # free text: must be scrubbed
    CODE = "code"  # a code of a published or local code system
    KEY = "key"  # a pseudonym, 32 hexadecimal characters
    ID = "id"  # a keyed integer, the CDM's id
    DATE = "date"
    TIMESTAMP = "timestamp"  # local civil time of the site, no zone
    DECIMAL = "decimal"
    INTEGER = "integer"


ARROW: dict[ColumnType, pa.DataType] = {
    ColumnType.TEXT: pa.string(),
    ColumnType.CODE: pa.string(),
    ColumnType.KEY: pa.string(),
    ColumnType.ID: pa.int64(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
    ColumnType.DECIMAL: pa.decimal128(38, 10),
    ColumnType.INTEGER: pa.int32(),
}


@dataclass(frozen=True)
class Reference:
    """A business key that the door turns into a key column and, with bits, an id column.

    Args:
        name: what mappings call it (`stay`).
        key: key column (`stay_key`).
        id: id column (`visit_id`), empty when the CDM needs none.
        label: HKDF label of both.
        bits: size of the id, 53 or 63.
        exclusive: a value stated by two persons quarantines both persons' records of it.
    """

    name: str
    key: str
    id: str
    label: str
    bits: int
    exclusive: bool = False


STAY = Reference("stay", "stay_key", "visit_id", "visit/v1", 53, exclusive=True)
UNIT = Reference("unit", "unit_key", "care_site_id", "care_site/v1", 53)
CARE_UNIT = Reference("care_unit", "care_unit_key", "", "care_site/v1", 0)
PROVIDER = Reference("provider", "provider_key", "provider_id", "provider/v1", 53)
LOCATION = Reference("location", "", "location_id", "location/v1", 53)
MOTHER = Reference("mother", "mother_key", "mother_id", "person/v1", 53)
ORDER = Reference("order", "order_key", "", "event/v1", 0)
NUMBER = Reference("number", "number_key", "", "event/v1", 0)
# Content that stands in a record of its own (FHIR Binary).
BODY = Reference("body", "body_key", "", "event/v1", 0)
# Another name by which rows refer to a unit, a professional, a medication: `Practitioner/123`.
ALIAS = Reference("alias", "alias_key", "", "structure/v1", 0)
CODED = Reference("coded", "coded_key", "", "structure/v1", 0)


@dataclass(frozen=True)
class Kind:
    """One staging kind.

    Args:
        name: table name in staging.
        columns: own columns that a mapping may fill directly, with their type.
        references: business keys that a mapping may fill.
        id_bits: size of `row_id`, the CDM id of the row.
        label: HKDF label of `row_key` and `row_id`.
        personal: rows belong to a person; `structure` rows belong to the site.
        exclusive: a row key stated by two persons quarantines both.
        told_by_several: feeds may tell the same fact; `fact_key` (mappings/facts.yaml) says so.
    """

    name: str
    columns: dict[str, ColumnType]
    references: tuple[Reference, ...]
    id_bits: int
    label: str
    personal: bool = True
    exclusive: bool = False
    told_by_several: bool = False

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema: common columns, own columns, reference columns, in this order."""
        fields = [pa.field(name, ARROW[kind]) for name, kind in COMMON.items()]
        fields += [pa.field(name, ARROW[kind]) for name, kind in self.columns.items()]
        for reference in self.references:
            if reference.key:
                fields.append(pa.field(reference.key, pa.string()))
            if reference.id:
                fields.append(pa.field(reference.id, pa.int64()))
        return pa.schema(fields)


_C, _T = ColumnType.CODE, ColumnType.TEXT
_TS, _D = ColumnType.TIMESTAMP, ColumnType.DECIMAL
_I = ColumnType.INTEGER

COMMON: dict[str, ColumnType] = {
    "record_key": ColumnType.KEY,  # HMAC of the record: the lineage
    "row_number": _I,  # position of the row among the rows of its record
    "source": _C,  # the feed's name in site.yaml
    "format": _C,  # hl7v2, cda, fhir
    "event": _C,  # ADT^A01, Observation, CDA^11502-2…
    "person_key": ColumnType.KEY,  # the cluster's pseudonym; empty for structure
    "person_id": ColumnType.ID,
    "row_key": ColumnType.KEY,  # HMAC of the business key
    "row_id": ColumnType.ID,
    "version": _C,  # sorts as the sender stated it: rank|stated|event|action|content
    "stated_at": _TS,
    "action": _C,  # upsert or delete
    "mode": _C,  # snapshot or patch
    "cleared": _C,  # ",death_at,": columns that the sender deleted with ""
}

PATIENT = Kind(
    "patient",
    {
        "gender_code": _C,
        "birth_year": _I,
        "birth_month": _I,
        "death_at": _TS,
        "deceased_code": _C,
        "departement": _C,
        "birth_order": _I,
    },
    (LOCATION, MOTHER),
    53,
    "person/v1",
)

STAY_KIND = Kind(
    "stay",
    {
        "class_code": _C,  # HL7 v2-0004
        "status_code": _C,  # planned, realised, cancelled
        "site_code": _C,  # FINESS of the site
        "start_at": _TS,
        "end_at": _TS,
        "entry_code": _C,
        "exit_code": _C,
    },
    (UNIT, PROVIDER),
    53,
    "visit/v1",
    exclusive=True,
)

MOVEMENT = Kind(
    "movement",
    {
        "movement_code": _C,  # trigger event that it realises: A01, A02…
        "start_at": _TS,
        "class_code": _C,
        "nature_code": _C,  # ZBE-9
        "fact_key": ColumnType.KEY,
    },
    (STAY, UNIT, CARE_UNIT, PROVIDER),
    63,
    "event/v1",
    exclusive=True,
    told_by_several=True,
)

EVENT = Kind(
    "event",
    {
        "category": _C,  # diagnosis act result drug allergy device specimen vaccination
        "context_code": _C,  # pmsi, ehr, lab, prescription, administration, vaccination…
        "status_code": _C,  # final, preliminary, corrected, cancelled…
        "start_at": _TS,
        "end_at": _TS,
        "date_precision": _C,  # second, minute, day, month, year; empty: taken from elsewhere
        "code": _C,
        "system": _C,  # as sent: LN, CIM10, an OID…
        "alt_code": _C,
        "alt_system": _C,
        "rank_code": _C,  # DP DR DAS; A W F
        "sub_code": _C,  # which of several of one code: OBX-4
        "verification_code": _C,  # of a diagnosis: confirmed provisional differential refuted
        "value_number": _D,
        "operator": _C,
        "unit_code": _C,
        "unit_system": _C,
        "value_code": _C,
        "value_system": _C,
        "value_text": _T,
        "range_low": _D,
        "range_high": _D,
        "flag_code": _C,
        "quantity": _D,
        "days_supply": _I,
        "dose_unit_code": _C,
        "route_code": _C,
        "activity_code": _C,
        "phase_code": _C,
        "specimen_code": _C,
        "body_site_code": _C,
        "sig": _T,
        "label": _T,
        "fact_key": ColumnType.KEY,
    },
    (STAY, UNIT, PROVIDER, ORDER, CODED),
    63,
    "event/v1",
    told_by_several=True,
)

DOCUMENT = Kind(
    "document",
    {
        "code": _C,
        "system": _C,
        "status_code": _C,
        "written_at": _TS,
        "title": _T,
        "text": _T,
        "date_spans": _C,  # JSON [[start, end], …] of true dates in `text`, for study spaces
        "entities": _C,  # JSON {"NOM:known": 3, …}: what was masked, by label and layer
        "fact_key": ColumnType.KEY,
    },
    (STAY, UNIT, PROVIDER, NUMBER, BODY),
    63,
    "event/v1",
    told_by_several=True,
)

STRUCTURE = Kind(
    "structure",
    {
        "structure_type": _C,  # unit provider medication device
        "code": _C,
        "system": _C,
        "label": _T,
        "type_code": _C,
        "site_code": _C,
        "specialty_code": _C,
    },
    (ALIAS,),
    53,
    "care_site/v1",
    personal=False,
)

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (PATIENT, STAY_KIND, MOVEMENT, EVENT, DOCUMENT, STRUCTURE)
}
