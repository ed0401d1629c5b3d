"""A cohort definition in plain French or English, for whoever decides about it."""

from entrepot.cohorts.explaining.whole import explain
from entrepot.cohorts.explaining.words import LANGUAGES

__all__ = ["LANGUAGES", "explain"]
