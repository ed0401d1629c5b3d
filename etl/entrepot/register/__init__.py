"""The identity register: who a record is about, which numbers are one person, who is opposed."""
