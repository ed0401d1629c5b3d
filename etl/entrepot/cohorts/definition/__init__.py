"""The typed model of OHDSI's cohort definitions (Circe's JSON)."""

from entrepot.cohorts.definition.choice import OneCriterion
from entrepot.cohorts.definition.criteria import (
    ConditionEra,
    ConditionOccurrence,
    Death,
    DeviceExposure,
    DoseEra,
    DrugEra,
    DrugExposure,
    LocationRegion,
    Measurement,
    Observation,
    ObservationPeriod,
    PayerPlanPeriod,
    ProcedureOccurrence,
    Specimen,
    VisitDetail,
    VisitOccurrence,
)
from entrepot.cohorts.definition.expression import (
    CohortExpression,
    CollapseSettings,
    ConceptSet,
    ConceptSetExpression,
    ConceptSetItem,
    CustomEra,
    DateOffset,
    EndStrategy,
    InclusionRule,
    PrimaryCriteria,
    definition_hash,
)
from entrepot.cohorts.definition.groups import (
    CorrelatedCriteria,
    CriteriaGroup,
    Criterion,
    DemographicCriteria,
    Occurrence,
)
from entrepot.cohorts.definition.reading import read_definition
from entrepot.cohorts.definition.values import (
    Concept,
    Concepts,
    ConceptSetSelection,
    CountColumn,
    DateAdjustment,
    DateRange,
    Endpoint,
    GroupType,
    LimitType,
    NumericRange,
    ObservationWindow,
    Period,
    ResultLimit,
    TextFilter,
    Window,
)

__all__ = [
    "CohortExpression", "CollapseSettings", "Concept", "ConceptSet", "ConceptSetExpression",
    "ConceptSetItem", "ConceptSetSelection", "Concepts", "ConditionEra", "ConditionOccurrence",
    "CorrelatedCriteria", "CountColumn", "CriteriaGroup", "Criterion", "CustomEra",
    "DateAdjustment", "DateOffset", "DateRange", "Death", "DemographicCriteria",
    "DeviceExposure", "DoseEra", "DrugEra", "DrugExposure", "EndStrategy", "Endpoint",
    "GroupType", "InclusionRule", "LimitType", "LocationRegion", "Measurement", "NumericRange",
    "Observation", "ObservationPeriod", "ObservationWindow", "Occurrence", "OneCriterion",
    "PayerPlanPeriod", "Period", "PrimaryCriteria", "ProcedureOccurrence", "ResultLimit",
    "Specimen", "TextFilter", "VisitDetail", "VisitOccurrence", "Window", "definition_hash",
    "read_definition",
]  # fmt: skip
