"""Looks for the identifiers of a synthetic hospital in every file of its research zone."""

from entrepot.report.scan.places import PlaceText, SourceText
from entrepot.report.scan.report import Leak, ScanReport, scan

__all__ = ["Leak", "PlaceText", "ScanReport", "SourceText", "scan"]
