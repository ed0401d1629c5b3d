"""The hospital's CDA-R2 feed (CI-SIS): files of one document, and documents in HL7 v2 messages."""

from entrepot.synthetic.cda.document import Document
from entrepot.synthetic.cda.records import documents
from entrepot.synthetic.cda.tree import places as places_in
from entrepot.synthetic.cda.writer import Deliveries

__all__ = ["Deliveries", "Document", "documents", "places_in"]
