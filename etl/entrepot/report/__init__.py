"""Reports of a run, and the scan of the research zone for identifiers."""
