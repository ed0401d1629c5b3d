"""The hospital's FHIR R4 feed (FR Core): NDJSON by resource type, and Bundles."""

from entrepot.synthetic.fhir.records import resources
from entrepot.synthetic.fhir.resource import Resource, places_in
from entrepot.synthetic.fhir.site import site_resources
from entrepot.synthetic.fhir.writer import Exports

__all__ = ["Exports", "Resource", "places_in", "resources", "site_resources"]
