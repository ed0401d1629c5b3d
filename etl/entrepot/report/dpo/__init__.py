"""The DPO's audit report: one set of facts, shown in French or English, signed as JSON."""
