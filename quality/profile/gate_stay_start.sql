-- Stays that begin at a stated second: at midnight many do, or the hour is not known.
CREATE OR REPLACE TEMP TABLE gate_stay_start AS
SELECT DISTINCT v.person_id, v.visit_start_datetime AS starts, p.gender_concept_id AS sex,
  p.year_of_birth * 100 + coalesce(p.month_of_birth, 1) AS born
FROM cdm.visit_occurrence v
JOIN cdm.person p ON p.person_id = v.person_id
WHERE EXTRACT(HOUR FROM v.visit_start_datetime) + EXTRACT(MINUTE FROM v.visit_start_datetime) > 0;
