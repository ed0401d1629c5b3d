"""The gate between the candidate warehouse and its readers: checks as data, quarantine, verdict.

`checks` reads the rules, `plan` spreads them over the CDM, `metrics` counts, `rows` quarantines,
`gate` decides. Great Expectations is imported by `validation` alone, when a verdict is asked for.
"""
