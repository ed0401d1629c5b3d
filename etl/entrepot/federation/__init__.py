"""One question, many hospitals: analyses at a node, disclosure control, protocol, coordinator."""
