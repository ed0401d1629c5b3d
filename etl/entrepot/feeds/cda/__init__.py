"""HL7 CDA R2 documents: French CI-SIS volets, C-CDA, and any other by its class codes."""
