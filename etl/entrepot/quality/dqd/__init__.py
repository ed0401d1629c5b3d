"""DataQualityDashboard's checks over any OMOP CDM 5.4 database, with its counts and verdicts."""
