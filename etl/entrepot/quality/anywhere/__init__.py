"""The gate's checks over a CDM database that the road did not make, which is only read."""
