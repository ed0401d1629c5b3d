"""The CDA feed's files: one document each, in a folder by week of arrival."""

from __future__ import annotations

from pathlib import Path

from entrepot.synthetic.cda.document import Document
from entrepot.synthetic.chance import opaque_number
from entrepot.synthetic.times import monday


class Deliveries:
    """The folder of the CDA feed."""

    def __init__(self, out: Path, seed: int) -> None:
        self._out, self._seed = out, seed
        self.files = 0

    def add(self, new: Document) -> str:
        """Writes one document; returns its path below the output folder."""
        name = opaque_number(self._seed, "cda file", new.id)
        path = f"cda/{monday(new.arrival):%Y%m%d}/{name}.xml"
        target = self._out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(new.content())
        self.files += 1
        return path
