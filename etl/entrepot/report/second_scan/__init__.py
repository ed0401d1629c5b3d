"""Looks again for the identifiers of a synthetic hospital, by another way than `report/scan`.

It shares no code with the first scan nor with the text engine: names are compared by sound and
squeezed of all that splits them, identifiers are encoded instead of files decoded, and what a
format's reader hides (page indexes, free pages, logs of writes) is read as bytes.
"""

from entrepot.report.second_scan.scan import Finding, SecondScan, second_scan

__all__ = ["Finding", "SecondScan", "second_scan"]
