"""The synthetic hospital: French HL7v2 feeds made from a truth that is written first."""

from entrepot.synthetic.generate import Summary, generate

__all__ = ["Summary", "generate"]
