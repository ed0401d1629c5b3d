"""A generated hospital, read back for the tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cda_reading import Cda, embedded
from fhir_reading import records
from hl7_reading import Read, contents, lines

from entrepot.synthetic import Summary


@dataclass
class Hospital:
    """A generated hospital, read back."""

    out: Path
    summary: Summary

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """Lines of messages.jsonl."""
        return lines(self.out / "truth" / "messages.jsonl")

    @cached_property
    def statements(self) -> dict[str, dict[str, Any]]:
        """Lines of statements.jsonl by id."""
        return {line["id"]: line for line in lines(self.out / "truth" / "statements.jsonl")}

    @cached_property
    def persons(self) -> dict[str, dict[str, Any]]:
        """Lines of persons.jsonl by patient."""
        return {line["patient"]: line for line in lines(self.out / "truth" / "persons.jsonl")}

    @cached_property
    def identifiers(self) -> list[dict[str, Any]]:
        """Lines of identifiers.jsonl."""
        return lines(self.out / "truth" / "identifiers.jsonl")

    @cached_property
    def files(self) -> dict[str, list[bytes]]:
        """Messages of each file, by path below the output folder."""
        paths = sorted((self.out / "hl7v2").rglob("*.hl7"))
        return {path.relative_to(self.out).as_posix(): contents(path) for path in paths}

    @cached_property
    def read(self) -> dict[str, Read]:
        """Every HL7 v2 message, parsed, by id."""
        return {
            line["message"]: Read.of(self.files[line["file"]][line["ordinal"] - 1])
            for line in self.messages
            if line["format"] == "hl7v2"
        }

    @cached_property
    def sound(self) -> list[tuple[dict[str, Any], Read]]:
        """Messages without fault, once each, in the order in which they were sent."""
        return [(line, self.read[line["message"]]) for line in self.sound_of("hl7v2")]

    def sound_of(self, format_: str) -> list[dict[str, Any]]:
        """Records of one format without fault, once each, in the order in which they were sent."""
        found = [
            m
            for m in self.messages
            if m["format"] == format_ and not m["bad"] and not m["duplicate_of"]
        ]
        return sorted(found, key=lambda m: (m["sent"], m["message"]))

    @cached_property
    def exports(self) -> dict[str, list[dict[str, Any]]]:
        """Records of each FHIR file, by path below the output folder; damaged lines are empty."""
        paths = (path for path in sorted((self.out / "fhir").rglob("*")) if path.is_file())
        return {path.relative_to(self.out).as_posix(): records(path) for path in paths}

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Every FHIR record by message id."""
        return {
            line["message"]: self.exports[line["file"]][line["ordinal"] - 1]
            for line in self.messages
            if line["format"] == "fhir"
        }

    @cached_property
    def documents(self) -> dict[str, Cda]:
        """Every CDA document that can be read, by the id of its file or of its message."""
        found = {}
        for line in self.messages:
            if line["format"] == "cda" and not line["bad"]:
                found[line["message"]] = Cda.at(self.out / line["file"])
            elif line["carries"] == "cda":
                data = self.read[line["message"]].get("OBX-5.5")
                found[line["message"]] = embedded(data)
        return found
