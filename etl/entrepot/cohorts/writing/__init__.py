"""Cohort definitions written in Python, for those without ATLAS; the JSON is Circe's.

```python
from entrepot.cohorts.writing import *

diabetes = concepts("Diabetes", 201826)
insulin = concepts("Insulin", 21600713)
definition = (
    cohort("Diabetes without insulin")
    .entry(event("ConditionOccurrence", diabetes).first().where(age=at_least(18)), prior_days=365)
    .rule("no insulin before", times(event("DrugExposure", insulin), exactly=0).before(0))
    .leaving(days=365)
    .definition()
)
print(definition.json())
```
"""

from entrepot.cohorts.writing.conditions import (
    Combined,
    Counted,
    all_of,
    any_of,
    at_least_of,
    at_most_of,
    person,
    times,
)
from entrepot.cohorts.writing.definitions import Draft, cohort
from entrepot.cohorts.writing.events import Event, event
from entrepot.cohorts.writing.sets import Concepts, concepts
from entrepot.cohorts.writing.values import (
    above,
    at_least,
    at_most,
    below,
    between,
    containing,
    equal_to,
    outside,
    starting_with,
)

__all__ = [
    "Combined", "Concepts", "Counted", "Draft", "Event", "above", "all_of", "any_of", "at_least",
    "at_least_of", "at_most", "at_most_of", "below", "between", "cohort", "concepts", "containing",
    "equal_to", "event", "outside", "person", "starting_with", "times",
]  # fmt: skip
