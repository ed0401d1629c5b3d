"""Looks for the identifiers of a synthetic hospital in every file of its research zone."""

from entrepot.report.scan.places import PlaceText
from entrepot.report.scan.report import Leak, ScanReport, scan
from entrepot.report.scan.truth import SourceText

__all__ = ["Leak", "PlaceText", "ScanReport", "SourceText", "scan"]
