"""The door: the only passage from the identifying to the research zone (parse + pseudonymise)."""
