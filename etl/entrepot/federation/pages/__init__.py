"""Pages for the researcher (served by the coordinator) and the steward (served by the node)."""
