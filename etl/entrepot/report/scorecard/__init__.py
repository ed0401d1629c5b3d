"""The scorecard: what the checks say of a load, and of the loads before it, on one page."""
