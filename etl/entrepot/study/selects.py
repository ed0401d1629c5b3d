"""The SELECT of each table of a space, from the treatments of its granted columns."""

from __future__ import annotations

from collections.abc import Mapping

from entrepot.omop.cdm import load_cdm
from entrepot.publish.ddl import quoted
from entrepot.study.columns import Column

# The order in which tables are filled: what is pointed to comes first.
EVENTS = (
    "visit_occurrence", "visit_detail", "condition_occurrence", "procedure_occurrence",
    "drug_exposure", "device_exposure", "measurement", "observation", "specimen", "note", "death",
)  # fmt: skip
# Tables whose rows come from a staged event or document, whose precision is known.
_TOLD = frozenset(EVENTS[2:10])
_SHORT = {"person", "visit", "provider", "care_site", "location"}
_POINTERS = {"visit_occurrence_id": "visit_occurrence", "visit_detail_id": "visit_detail"}
_DATED = ("date", "datetime")


def event_select(table: str, columns: Mapping[str, Column], *, full: bool, bound: bool) -> str:
    """Rows of one event table that the space shows, of the persons of `study_person`.

    Args:
        columns: granted ones, by name.
        full: times of day stay.
        bound: only events between the cohort's dates.
    """
    told = (
        f"""LEFT JOIN study_precision x
      ON x.cdm_table = '{table}' AND x.cdm_id = s.{_key(table)}"""
        if table in _TOLD
        else ""
    )
    pointers = [name for name in columns if name in _POINTERS and _POINTERS[name] != table]
    joins = "\n".join(
        f"LEFT JOIN draft.cdm.{_POINTERS[name]} {name} ON {name}.{name} = {_keyed(columns[name])}"
        for name in pointers
    )
    cells = ",\n  ".join(_cell(table, column, full) for column in columns.values())
    return f"""SELECT {cells}
FROM (
  SELECT s.*, m.study_person_id, m.days, m.born, {_precision(table)} AS told
  FROM core.cdm.{table} s JOIN study_person m ON m.person_id = s.person_id {told}
  {_between(table) if bound else ""}
) t {joins}
CROSS JOIN study_window w
WHERE {_shown(table, columns)}"""


def _precision(table: str) -> str:
    if table not in _TOLD:
        return "'day'"
    day = f"CAST(s.{_first_date(table)} AS DATE)"
    # Staged anew since the release: a first day of a month may be all that was told.
    return f"""coalesce(x.precision, CASE WHEN day({day}) = 1 AND month({day}) = 1 THEN 'year'
    WHEN day({day}) = 1 THEN 'month' ELSE 'day' END)"""


def _between(table: str) -> str:
    day = f"CAST(s.{_first_date(table)} AS DATE)"
    return f"""WHERE {day} >= coalesce(m.first_day, {day})
    AND {day} <= coalesce(m.last_day, {day})"""


def _shown(table: str, columns: Mapping[str, Column]) -> str:
    dated = [name for name, column in columns.items() if column.treatment in _DATED]
    shown = [f"study_inside({_day(name)}, w.first_day, w.end_day)" for name in dated]
    shown.append("t.told <> 'export'")
    if table == "visit_detail":
        shown.append("visit_occurrence_id.visit_occurrence_id IS NOT NULL")
    return "\n  AND ".join(shown)


def _cell(table: str, column: Column, full: bool) -> str:
    name = quoted(column.name, "duckdb")
    treatment = column.treatment
    if treatment == "person":
        cell = "t.study_person_id"
    elif column.name in _POINTERS and _POINTERS[column.name] != table:
        cell = f"{name}.{name}"
    elif treatment == "date":
        cell = _day(column.name)
    elif treatment == "datetime":
        whole = str(full).lower()
        cell = f"study_moment(t.{name}, t.days, t.told, t.born, {whole})"
    elif treatment in ("text", "note"):
        cell = f"{_shown_text(table, column)}"
    elif treatment == "keep":
        cell = f"t.{name}"
    else:
        cell = _keyed(column)
    return f"{cell} AS {name}"


def _day(name: str) -> str:
    return f"study_day(t.{name}, t.days, t.told, t.born)"


def _shown_text(table: str, column: Column) -> str:
    if column.treatment == "note":
        return "(SELECT text FROM study_text u WHERE u.note_id = t.note_id)"
    return (
        f"coalesce((SELECT shown FROM study_masked u WHERE u.value = t.{column.name}),"
        f" t.{column.name})"
    )


def _keyed(column: Column) -> str:
    function = "study_id" if column.treatment in _SHORT else "study_event_id"
    return f"""CASE WHEN t.{column.name} IS NOT NULL
    THEN {function}('{column.treatment}', t.{column.name}) END"""


def _key(table: str) -> str:
    return load_cdm().table(table).primary_key[0]


def _first_date(table: str) -> str:
    return next(f.name for f in load_cdm().table(table).fields if f.kind == "date")
