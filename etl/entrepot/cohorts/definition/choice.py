"""One criterion of sixteen, under its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from entrepot.cohorts.definition import groups
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
from entrepot.cohorts.definition.groups import Criterion
from entrepot.cohorts.definition.values import Part


class OneCriterion(Part, frozen=True):
    """A criterion under its name: the JSON object `{"ConditionOccurrence": {…}}`."""

    condition_occurrence: ConditionOccurrence | None = None
    condition_era: ConditionEra | None = None
    drug_exposure: DrugExposure | None = None
    drug_era: DrugEra | None = None
    dose_era: DoseEra | None = None
    procedure_occurrence: ProcedureOccurrence | None = None
    measurement: Measurement | None = None
    observation: Observation | None = None
    device_exposure: DeviceExposure | None = None
    specimen: Specimen | None = None
    death: Death | None = None
    visit_occurrence: VisitOccurrence | None = None
    visit_detail: VisitDetail | None = None
    observation_period: ObservationPeriod | None = None
    payer_plan_period: PayerPlanPeriod | None = None
    location_region: LocationRegion | None = None

    def __post_init__(self) -> None:
        if len(list(self._given())) != 1:
            raise ValueError("exactly one criterion is named here")

    def _given(self) -> Iterator[Criterion]:
        for name in self.__struct_fields__:
            if (one := getattr(self, name)) is not None:
                yield cast(Criterion, one)

    @property
    def criterion(self) -> Criterion:
        """The criterion itself; its class says which it is."""
        return next(self._given())

    @classmethod
    def of(cls, criterion: Criterion) -> OneCriterion:
        """A criterion with its name put before it."""
        names = dict(zip(cls.__struct_encode_fields__, cls.__struct_fields__, strict=True))
        given: dict[str, Any] = {names[type(criterion).__name__]: criterion}
        return cls(**given)


# A criterion holds groups and a group criteria: msgspec looks for names in the class's module.
setattr(groups, OneCriterion.__name__, OneCriterion)
