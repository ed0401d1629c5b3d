"""From staging rows to the tables of the OMOP CDM v5.4."""
