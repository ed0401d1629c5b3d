"""What must become of each record of a synthetic hospital, computed from its truth."""

from __future__ import annotations

import json
from pathlib import Path

from truth_reading import Line, Truth

EXCLUDED = {"order", "scheduling", "acknowledgement", "index"}
STAGED = ""
# A resource that is taken back stays in its newest version: as entered in error, as cancelled, or
# as one that says less than before (a Claim without one of its acts).
TAKEN_BACK = frozenset({"entered_in_error", "nothing_mapped", STAGED})


class Dispositions:
    """The reasons by which a record may stay out of the warehouse; `STAGED` when it is in."""

    def __init__(self, hospital: Path, truth: Truth) -> None:
        self._truth = truth
        self._deletions = _deletions(hospital / "truth" / "identifiers.jsonl")

    def admitted(self, record: Line) -> frozenset[str]:
        """The reasons of which one must be the record's."""
        return frozenset(self._reasons(record))

    def _reasons(self, record: Line) -> frozenset[str] | set[str]:
        if record["bad"]:
            return {record["bad"]}
        if self._truth.opposed(record):  # what a resource says of itself is read before
            said = self._reasons_of_resource(record) if record["format"] == "fhir" else set()
            return {"opposed_patient"} | said - {STAGED}
        if record["superseded"]:
            return {"superseded_version"}
        if record["message"] in self._deletions:
            return {"deleted_resource"}
        if record["format"] == "fhir":
            return self._reasons_of_resource(record)
        return {STAGED}

    def _reasons_of_resource(self, record: Line) -> frozenset[str] | set[str]:
        told = self._truth.clinical(record)
        if told and all(line["kind"] == "letter" and line["replaced_by"] for line in told):
            return {"replaced"} if record["event"] == "DocumentReference" else {STAGED}
        if told and all(line["kind"] == "result" and line["status"] == "X" for line in told):
            return {"nothing_mapped"}  # nothing was measured: there is no value
        return TAKEN_BACK if record["cancel"] else {STAGED}


def _deletions(identifiers: Path) -> set[str]:
    """Records that are a request to delete: they name a resource in no other way."""
    with identifiers.open(encoding="utf-8") as file:
        lines = (json.loads(line) for line in file)
        return {
            place["message"]
            for line in lines
            for place in line["places"]
            if place["position"] == "request.url"
        }
