"""FHIR R4 (4.0.1 and 4.3): resources decoded into types that hold what the mappings name."""
