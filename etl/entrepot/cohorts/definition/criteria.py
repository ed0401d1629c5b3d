"""The criteria of a cohort definition: the events that Circe's language knows.

The attributes are those of OHDSI's circe-be 1.12 (package `org.ohdsi.circe.cohortdefinition`).
"""

from __future__ import annotations

from entrepot.cohorts.definition.groups import Criterion
from entrepot.cohorts.definition.values import (
    Concepts,
    ConceptSetSelection,
    DateRange,
    Id,
    NumericRange,
    Period,
    TextFilter,
)


class _Coded(Criterion, frozen=True):
    codeset_id: Id | None = None
    first: bool = False


class _Dated(_Coded, frozen=True):
    occurrence_start_date: DateRange | None = None
    age: NumericRange | None = None
    gender: Concepts = ()
    gender_cs: ConceptSetSelection | None = None


class _Attended(_Dated, frozen=True):
    provider_specialty: Concepts = ()
    provider_specialty_cs: ConceptSetSelection | None = None
    visit_type: Concepts = ()
    visit_type_cs: ConceptSetSelection | None = None


class _Lasting(_Attended, frozen=True):
    occurrence_end_date: DateRange | None = None


class _Era(_Coded, frozen=True):
    era_start_date: DateRange | None = None
    era_end_date: DateRange | None = None
    era_length: NumericRange | None = None
    age_at_start: NumericRange | None = None
    age_at_end: NumericRange | None = None
    gender: Concepts = ()
    gender_cs: ConceptSetSelection | None = None


class _Span(Criterion, frozen=True):
    first: bool = False
    period_start_date: DateRange | None = None
    period_end_date: DateRange | None = None
    user_defined_period: Period | None = None
    period_length: NumericRange | None = None
    age_at_start: NumericRange | None = None
    age_at_end: NumericRange | None = None


class ConditionOccurrence(_Lasting, frozen=True):
    """Rows of condition_occurrence."""

    condition_type: Concepts = ()
    condition_type_cs: ConceptSetSelection | None = None
    condition_type_exclude: bool = False
    stop_reason: TextFilter | None = None
    condition_source_concept: Id | None = None
    condition_status: Concepts = ()
    condition_status_cs: ConceptSetSelection | None = None


class DrugExposure(_Lasting, frozen=True):
    """Rows of drug_exposure."""

    drug_type: Concepts = ()
    drug_type_cs: ConceptSetSelection | None = None
    drug_type_exclude: bool = False
    stop_reason: TextFilter | None = None
    refills: NumericRange | None = None
    quantity: NumericRange | None = None
    days_supply: NumericRange | None = None
    route_concept: Concepts = ()
    route_concept_cs: ConceptSetSelection | None = None
    effective_drug_dose: NumericRange | None = None
    dose_unit: Concepts = ()
    dose_unit_cs: ConceptSetSelection | None = None
    lot_number: TextFilter | None = None
    drug_source_concept: Id | None = None


class ProcedureOccurrence(_Attended, frozen=True):
    """Rows of procedure_occurrence."""

    procedure_type: Concepts = ()
    procedure_type_cs: ConceptSetSelection | None = None
    procedure_type_exclude: bool = False
    modifier: Concepts = ()
    modifier_cs: ConceptSetSelection | None = None
    quantity: NumericRange | None = None
    procedure_source_concept: Id | None = None


class Measurement(_Attended, frozen=True):
    """Rows of measurement."""

    measurement_type: Concepts = ()
    measurement_type_cs: ConceptSetSelection | None = None
    measurement_type_exclude: bool = False
    operator: Concepts = ()
    operator_cs: ConceptSetSelection | None = None
    value_as_number: NumericRange | None = None
    value_as_concept: Concepts = ()
    value_as_concept_cs: ConceptSetSelection | None = None
    unit: Concepts = ()
    unit_cs: ConceptSetSelection | None = None
    range_low: NumericRange | None = None
    range_high: NumericRange | None = None
    range_low_ratio: NumericRange | None = None
    range_high_ratio: NumericRange | None = None
    abnormal: bool = False
    measurement_source_concept: Id | None = None


class Observation(_Attended, frozen=True):
    """Rows of observation."""

    observation_type: Concepts = ()
    observation_type_cs: ConceptSetSelection | None = None
    observation_type_exclude: bool = False
    value_as_number: NumericRange | None = None
    value_as_string: TextFilter | None = None
    value_as_concept: Concepts = ()
    value_as_concept_cs: ConceptSetSelection | None = None
    qualifier: Concepts = ()
    qualifier_cs: ConceptSetSelection | None = None
    unit: Concepts = ()
    unit_cs: ConceptSetSelection | None = None
    observation_source_concept: Id | None = None


class DeviceExposure(_Lasting, frozen=True):
    """Rows of device_exposure."""

    device_type: Concepts = ()
    device_type_cs: ConceptSetSelection | None = None
    device_type_exclude: bool = False
    unique_device_id: TextFilter | None = None
    quantity: NumericRange | None = None
    device_source_concept: Id | None = None


class Specimen(_Dated, frozen=True):
    """Rows of specimen."""

    specimen_type: Concepts = ()
    specimen_type_cs: ConceptSetSelection | None = None
    specimen_type_exclude: bool = False
    quantity: NumericRange | None = None
    unit: Concepts = ()
    unit_cs: ConceptSetSelection | None = None
    anatomic_site: Concepts = ()
    anatomic_site_cs: ConceptSetSelection | None = None
    disease_status: Concepts = ()
    disease_status_cs: ConceptSetSelection | None = None
    source_id: TextFilter | None = None
    specimen_source_concept: Id | None = None


class Death(Criterion, frozen=True):
    """Rows of death."""

    codeset_id: Id | None = None
    occurrence_start_date: DateRange | None = None
    age: NumericRange | None = None
    gender: Concepts = ()
    gender_cs: ConceptSetSelection | None = None
    death_type: Concepts = ()
    death_type_cs: ConceptSetSelection | None = None
    death_type_exclude: bool = False
    death_source_concept: Id | None = None


class VisitOccurrence(_Lasting, frozen=True):
    """Rows of visit_occurrence."""

    visit_type_exclude: bool = False
    visit_source_concept: Id | None = None
    visit_length: NumericRange | None = None
    place_of_service: Concepts = ()
    place_of_service_cs: ConceptSetSelection | None = None
    place_of_service_location: Id | None = None


class VisitDetail(_Coded, frozen=True):
    """Rows of visit_detail."""

    visit_detail_start_date: DateRange | None = None
    visit_detail_end_date: DateRange | None = None
    visit_detail_type_cs: ConceptSetSelection | None = None
    visit_detail_type_exclude: bool = False
    visit_detail_source_concept: Id | None = None
    visit_detail_length: NumericRange | None = None
    age: NumericRange | None = None
    gender_cs: ConceptSetSelection | None = None
    provider_specialty_cs: ConceptSetSelection | None = None
    place_of_service_cs: ConceptSetSelection | None = None
    place_of_service_location: Id | None = None


class ConditionEra(_Era, frozen=True):
    """Rows of condition_era."""

    occurrence_count: NumericRange | None = None


class DrugEra(_Era, frozen=True):
    """Rows of drug_era."""

    occurrence_count: NumericRange | None = None
    gap_days: NumericRange | None = None


class DoseEra(_Era, frozen=True):
    """Rows of dose_era."""

    unit: Concepts = ()
    unit_cs: ConceptSetSelection | None = None
    dose_value: NumericRange | None = None


class ObservationPeriod(_Span, frozen=True):
    """Rows of observation_period."""

    period_type: Concepts = ()
    period_type_cs: ConceptSetSelection | None = None


class PayerPlanPeriod(_Span, frozen=True):
    """Rows of payer_plan_period."""

    gender: Concepts = ()
    gender_cs: ConceptSetSelection | None = None
    payer_concept: Id | None = None
    plan_concept: Id | None = None
    sponsor_concept: Id | None = None
    stop_reason_concept: Id | None = None
    payer_source_concept: Id | None = None
    plan_source_concept: Id | None = None
    sponsor_source_concept: Id | None = None
    stop_reason_source_concept: Id | None = None


class LocationRegion(Criterion, frozen=True):
    """Rows of location_history, a table of CDM 6 that CDM 5.4 lacks."""

    codeset_id: Id | None = None
