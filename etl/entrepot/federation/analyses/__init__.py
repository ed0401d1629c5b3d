"""Analyses that a node answers: typed questions, protected counts, one shape known beforehand."""

from entrepot.federation.analyses.answers import (
    ALL,
    ANSWER,
    Answer,
    AnswerError,
    AnswerTable,
    CountsAnswer,
    ShareAnswer,
    read_answer,
)
from entrepot.federation.analyses.parameters import (
    ANALYSIS,
    Analysis,
    Attrition,
    Characterisation,
    Counts,
    Cox,
    Feature,
    Incidence,
    Logistic,
    Prevalence,
    Stratified,
    Survival,
    Years,
    cohorts_of,
)
from entrepot.federation.analyses.performing import Guard, answered, perform
from entrepot.federation.analyses.regression import PathError, RegressionTurn
from entrepot.federation.analyses.shapes import TableShape, shapes

__all__ = [
    "ALL",
    "ANALYSIS",
    "ANSWER",
    "Analysis",
    "Answer",
    "AnswerError",
    "AnswerTable",
    "Attrition",
    "Characterisation",
    "Counts",
    "CountsAnswer",
    "Cox",
    "Feature",
    "Guard",
    "Incidence",
    "Logistic",
    "PathError",
    "Prevalence",
    "RegressionTurn",
    "ShareAnswer",
    "Stratified",
    "Survival",
    "TableShape",
    "Years",
    "answered",
    "cohorts_of",
    "perform",
    "read_answer",
    "shapes",
]
