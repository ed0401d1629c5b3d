-- Persons of a cohort, each once.
SELECT DISTINCT t.subject_id AS person_id FROM target t
